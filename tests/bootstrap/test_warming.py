"""Kernels are made ready in a thread; market time waits for them and for nothing that failed."""

import subprocess
import sys
import threading

import pytest

from engine.bootstrap import warming
from engine.bootstrap.warming import WORDS, Warming, call_all
from engine.domain.errors import NotEnoughDataError
from engine.kernels import garch
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
    analogues._apart, analogues._habits, excursions._stray, filtered_simulation._run, garch._recursion,
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


def test_no_child_is_started_to_warm_up(monkeypatch: pytest.MonkeyPatch):
    called = []

    def refuse(*given: object, **_: object) -> None:
        called.append(given[0])
        raise NotEnoughDataError("nothing is fitted to warm up")

    monkeypatch.setattr(warming, "_no_child", refuse)
    call_all()
    assert called, "fits would be made there"
    assert garch.fit_garch not in called, "a window this short is smoothed"
