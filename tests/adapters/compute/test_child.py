"""Work in a child process: done there, its errors raised here, no child left behind."""

import math
import os
import signal
import subprocess
import sys
import threading
import time
from multiprocessing import reduction
from pathlib import Path

import pytest

from engine.adapters.compute.child import NICE, ChildCompute, ComputeClosedError, _deaf_birth
from engine.domain.errors import NotEnoughDataError
from engine.kernels.drawdown import max_drawdown
from engine.kernels.garch import fit_garch
from tests.program import wait_until


@pytest.fixture
def child():
    made = ChildCompute(idle_s=60.0)
    yield made
    made.close()


def is_there(pid: int) -> bool:
    """Whether the process still runs: one that has ended and waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_work_is_done_in_another_process_and_the_same_one_again(child: ChildCompute):
    first, second = child.call(os.getpid), child.call(os.getpid)
    assert first == second != os.getpid()
    assert child.call(math.hypot, 3.0, 4.0) == 5.0


@pytest.mark.skipif(not hasattr(os, "nice"), reason="niceness is of POSIX")
def test_a_child_that_nobody_waits_for_leaves_the_processor_to_others(child: ChildCompute):
    here, patient = os.getpriority(os.PRIO_PROCESS, 0), ChildCompute(nice=NICE)
    try:
        assert child.call(os.getpriority, os.PRIO_PROCESS, 0) == here
        assert patient.call(os.getpriority, os.PRIO_PROCESS, 0) == min(19, here + NICE)
    finally:
        patient.close()


def test_an_error_of_the_function_is_raised_here_in_its_own_kind(child: ChildCompute):
    with pytest.raises(NotEnoughDataError, match="returns must have at least"):
        child.call(fit_garch, [0.01] * 3)
    assert child.is_alive


def failing(kind: type[Exception], path: str) -> None:
    """Leave a line in a file and fail."""
    with Path(path).open("a") as log:
        log.write("called\n")
    raise kind("its own")


@pytest.mark.parametrize("kind", [RuntimeError, OSError, TimeoutError])
def test_an_error_that_a_dying_child_might_raise_is_still_the_functions(
    child: ChildCompute, tmp_path: Path, kind: type[Exception]
):
    with pytest.raises(kind, match="its own"):
        child.call(failing, kind, str(tmp_path / "calls"))
    assert (tmp_path / "calls").read_text() == "called\n", "it is not done once more here"
    assert child.is_alive


def test_a_child_that_was_killed_is_made_up_for_here_and_replaced(child: ChildCompute):
    pid = child.call(os.getpid)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not is_there(pid), "the end of the child")
    assert child.call(max_drawdown, [-0.1, 0.05]) == pytest.approx(-0.1)
    assert child.call(os.getpid) not in {pid, os.getpid()}


def test_without_work_the_child_ends_and_comes_back_with_the_next_call():
    child = ChildCompute(idle_s=0.05)
    try:
        pid = child.call(os.getpid)
        wait_until(lambda: not child.is_alive and not is_there(pid), "the end of an idle child")
        assert child.call(os.getpid) not in {pid, os.getpid()}
    finally:
        child.close()


def test_after_the_close_work_is_refused_and_not_done_here(child: ChildCompute):
    pid = child.call(os.getpid)
    child.close()
    with pytest.raises(ComputeClosedError, match="was closed"):
        child.call(os.getpid)
    wait_until(lambda: not is_there(pid), "the end of the child")


def test_calls_from_several_threads_are_all_answered(child: ChildCompute):
    found: list[float] = []
    threads = [
        threading.Thread(target=lambda n=n: found.append(child.call(math.sqrt, n)))
        for n in (1, 4, 9)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(found) == [1.0, 2.0, 3.0]


PARENT = """
import os, sys, time
from engine.adapters.compute.child import ChildCompute
print(ChildCompute().call(os.getpid), flush=True)
time.sleep(60)
"""


def test_a_child_whose_parent_is_gone_ends_by_itself():
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_there(pid)
        parent.kill()
    wait_until(lambda: not is_there(pid), "the end of an orphan")


def test_a_close_waits_for_no_piece_that_is_at_work(child: ChildCompute):
    """The interpreter's end would wait for it."""
    pid, found = child.call(os.getpid), []

    def work() -> None:
        try:
            child.call(time.sleep, 300.0)
        except ComputeClosedError as error:
            found.append(str(error))

    worker = threading.Thread(target=work)
    worker.start()
    wait_until(lambda: child._n_calls == 2, "the piece is given")
    child.close()
    wait_until(lambda: not is_there(pid), "the end of the child")
    worker.join(20.0)
    assert found == ["compute must be open, was closed; start the engine again"]


def test_a_close_tells_those_whose_piece_has_not_begun(child: ChildCompute):
    """A pool cancels them, which wakes nobody who waits for the future among others."""
    child.call(os.getpid)
    refused: list[str] = []

    def work() -> None:
        try:
            child.call(time.sleep, 300.0)
        except ComputeClosedError as error:
            refused.append(str(error))

    workers = [threading.Thread(target=work, daemon=True) for _ in range(5)]
    for worker in workers:
        worker.start()
    wait_until(lambda: len(child._pool._pending_work_items) == 5, "five pieces wait or are at work")
    child.close()
    wait_until(lambda: len(refused) == 5, "all are refused", 30.0)


def test_a_close_after_the_child_was_killed_or_has_ended_hangs_on_nothing():
    """An event shared with a process that died while it waited for it can never be set again."""
    child = ChildCompute(idle_s=60.0)
    pid = child.call(os.getpid)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not is_there(pid), "the end of the child")
    closing = threading.Thread(target=child.close, daemon=True)
    closing.start()
    closing.join(10.0)
    assert not closing.is_alive()
    child = ChildCompute(idle_s=0.05)
    child.call(os.getpid)
    wait_until(lambda: not child.is_alive, "the end of an idle child")
    closing = threading.Thread(target=child.close, daemon=True)
    closing.start()
    closing.join(10.0)
    assert not closing.is_alive()


def test_a_close_while_the_child_is_being_born_leaves_none_at_work(monkeypatch: pytest.MonkeyPatch):
    """What is hung up between the writing of its papers and its birth would leave it a line that never ends."""
    dump, papers, is_closing = reduction.dump, [], threading.Event()

    def slowly(obj: object, *where: object) -> None:
        dump(obj, *where)
        papers.append(obj)
        if len(papers) == 2:  # the second holds the line
            is_closing.set()
            time.sleep(0.5)

    monkeypatch.setattr(reduction, "dump", slowly)
    child, refused = ChildCompute(), []

    def work() -> None:
        with pytest.raises(ComputeClosedError):
            child.call(time.sleep, 300.0)
        refused.append(True)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    assert is_closing.wait(20.0)
    child.close()
    born = papers[1].pid
    wait_until(lambda: not is_there(born), "the end of the newly born", 20.0)
    worker.join(20.0)
    assert refused == [True]


def test_signals_that_all_processes_get_are_the_parents_to_answer():
    """At work and while it is being born: what is started in between is deaf to them, this thread hears again."""
    child = ChildCompute(idle_s=60.0)
    pid = child.call(os.getpid)
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(pid, number)
    assert child.call(os.getpid) == pid
    child.close()

    tells = (  # a process that is started in the background may ignore signals from its birth
        "import os, signal, sys; n = int(sys.argv[1]); signal.signal(n, signal.SIG_DFL); "
        "os.kill(os.getpid(), n); print('alive')"
    )

    def born(number: signal.Signals) -> str:
        program = [sys.executable, "-c", tells, str(int(number))]
        return subprocess.run(program, capture_output=True, text=True, check=False).stdout

    for number in (signal.SIGINT, signal.SIGTERM):
        with _deaf_birth():
            assert born(number) == "alive\n"
        assert born(number) == "", "the control"
