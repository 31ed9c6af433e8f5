"""Kernels are made ready in a thread; market time waits for them and for nothing that failed."""

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.adapters.compute.child import ComputeClosedError
from engine.bootstrap import warming
from engine.bootstrap.warming import WORDS, Warming, call_all, make_ready
from engine.domain.errors import NotEnoughDataError
from engine.kernels import compiled, garch
from engine.kernels.compiled import is_kept
from tests.program import wait_until


def test_market_time_waits_until_all_is_ready():
    may_end = threading.Event()
    subject = Warming(lambda: may_end.wait(20.0) and None)
    assert subject.waits_for() == WORDS, "even before it has begun"
    subject.start()
    assert subject.waits_for() == WORDS
    may_end.set()
    wait_until(lambda: not subject.waits_for(), "the end")


def test_what_fails_is_logged_and_waited_for_no_longer(caplog: pytest.LogCaptureFixture):
    def fail() -> None:
        raise OSError("no room on the device")

    subject = Warming(fail)
    subject.start()
    wait_until(lambda: not subject.waits_for(), "the end")
    assert "no room on the device" in caplog.text


COLD_THEN_WARM = """
from engine.bootstrap.warming import call_all
from engine.kernels import analogues, excursions, filtered_simulation, garch, selection, walk
from engine.kernels.compiled import _registry
kernels = [
    analogues._habits, excursions._stray, filtered_simulation._run, garch._recursion,
    selection._select_rows, walk._walk, *(kernel for kernel, _ in _registry),
]
def cold():
    return [k.py_func.__name__ for k in kernels if not k.signatures]
before = len(cold()) == len(kernels) > 10
call_all()
print(before, cold())
"""


def test_everything_that_the_first_bar_needs_was_called_once():
    """In a process of its own, where nothing has been called before: kernels know what they were compiled for."""
    found = subprocess.run(
        [sys.executable, "-c", COLD_THEN_WARM],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert found.stdout.split("\n")[0] == "True []"


@pytest.mark.parametrize(("is_kept", "places"), [(False, ["child", "here"]), (True, ["here"])])
def test_what_is_not_kept_yet_is_compiled_in_a_child_first(
    monkeypatch: pytest.MonkeyPatch, *, is_kept: bool, places: list[str]
):
    """A compiler leaves a hundred megabytes where it has been."""
    found, where = [], ["here"]
    monkeypatch.setattr(warming, "is_kept", lambda: is_kept)
    monkeypatch.setattr(warming, "call_all", lambda: found.append(where[-1]))

    def call(work: Callable[[], None]) -> None:
        where.append("child")
        work()
        where.pop()

    make_ready(call)
    assert found == places


def test_a_stop_meanwhile_is_no_failure(caplog: pytest.LogCaptureFixture):
    def close(*_: object) -> None:
        raise ComputeClosedError("closed")

    subject = Warming(close)
    subject.start()
    wait_until(lambda: not subject.waits_for(), "the end")
    assert caplog.text == ""


def test_machine_code_counts_as_kept_once_everything_has_been_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(compiled, "code_folder", lambda: tmp_path)
    monkeypatch.setattr(warming, "_call_forecasts", lambda: made.append(is_kept()))
    made: list[bool] = []
    assert not is_kept()
    call_all()
    assert made == [False]
    assert is_kept()


def test_where_nothing_can_be_kept_a_child_would_compile_in_vain(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(compiled, "code_folder", lambda: None)
    assert is_kept()


def test_no_child_is_started_to_warm_up(monkeypatch: pytest.MonkeyPatch):
    called = []

    def refuse(*given: object, **_: object) -> None:
        called.append(given[0])
        raise NotEnoughDataError("nothing is fitted to warm up")

    monkeypatch.setattr(warming, "_no_child", refuse)
    call_all()
    assert called, "fits would be made there"
    assert garch.fit_garch not in called, "a window this short is smoothed"
