"""One owner at a time: the lock elects it, its death frees the lock, the lease fences whoever comes back late."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from engine.adapters.journals.opening import open_journal
from engine.adapters.ownership import LOCK_NAME, EngineLock
from engine.domain.errors import ConfigurationError, OwnershipLostError
from tests.ports.journal_conformance import NOW, alert, numbers

CONTEND = """
import sys
from pathlib import Path
from engine.adapters.ownership import EngineLock
lock = EngineLock(Path(sys.argv[1]))
sys.stdout.write("ready\\n"); sys.stdout.flush()
sys.stdin.readline()
sys.stdout.write("owner\\n" if lock.acquire() else "standby\\n"); sys.stdout.flush()
sys.stdin.readline()
"""

WRITE_ON = """
import os, sys
from datetime import datetime, UTC
from pathlib import Path
from engine.adapters.journals.opening import open_journal
from engine.domain.events import Event, EventType
home = Path(sys.argv[1])
journal = open_journal(home / "journal.db")
epoch = journal.acquire("child", "host", os.getpid(), datetime(2008, 9, 15, tzinfo=UTC)).epoch
seq = 0
while True:
    seq += 1
    journal.append([Event(EventType.RISK_ALERT, {}, seq=seq)], epoch)
    sys.stdout.write(f"{seq}\\n"); sys.stdout.flush()
    sys.stdin.readline()
"""


def start(program: str, home: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", program, str(home)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def say(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def hear(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.fixture
def processes() -> Iterator[list["subprocess.Popen[str]"]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.wait(timeout=10)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def test_of_two_locks_on_one_folder_one_is_held(tmp_path: Path) -> None:
    first, second = EngineLock(tmp_path), EngineLock(tmp_path)
    assert (first.acquire(), second.acquire()) == (True, False)
    assert (first.is_held, second.is_held) == (True, False)
    assert first.acquire(), "taking it again changes nothing"
    first.release()
    assert second.acquire()
    second.release()
    second.release()
    assert not second.is_held


def test_two_folders_have_two_owners(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    locks = [EngineLock(tmp_path / "a"), EngineLock(tmp_path / "b")]
    assert [lock.acquire() for lock in locks] == [True, True]
    for lock in locks:
        lock.release()


def test_the_lock_file_is_the_owners_alone(tmp_path: Path) -> None:
    lock = EngineLock(tmp_path)
    lock.acquire()
    assert (tmp_path / LOCK_NAME).stat().st_mode & 0o777 == 0o600
    lock.release()


def test_a_folder_that_is_missing_is_refused_in_plain_words(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"PILOTHOUSE_HOME must .*; correct"):
        EngineLock(blocked / "home").acquire()


def test_of_many_processes_exactly_one_owns_and_its_death_frees_the_engine(
    tmp_path: Path, processes: list["subprocess.Popen[str]"]
) -> None:
    processes += [start(CONTEND, tmp_path) for _ in range(4)]
    assert [hear(process) for process in processes] == ["ready"] * 4
    for process in processes:
        say(process)
    answers = [hear(process) for process in processes]
    assert sorted(answers) == ["owner", "standby", "standby", "standby"]
    lock = EngineLock(tmp_path)
    assert not lock.acquire()
    owner = processes[answers.index("owner")]
    owner.send_signal(signal.SIGKILL)
    owner.wait(timeout=10)
    assert lock.acquire(), "kill -9 frees it at once"
    lock.release()


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no stopped processes here")
def test_a_stopped_owner_is_fenced_when_it_comes_back(
    tmp_path: Path, processes: list["subprocess.Popen[str]"]
) -> None:
    late = start(WRITE_ON, tmp_path)
    processes.append(late)
    assert hear(late) == "1"
    say(late)
    assert hear(late) == "2", "control: until then it writes"
    late.send_signal(signal.SIGSTOP)
    with closing(open_journal(tmp_path / "journal.db")) as journal:
        lease = journal.acquire("next", "host", os.getpid(), NOW)
        journal.append([alert(3)], lease.epoch)
        late.send_signal(signal.SIGCONT)
        say(late)
        _, words = late.communicate(timeout=20)
        assert late.returncode != 0
        assert "OwnershipLostError" in words
        assert numbers(journal.events()) == [1, 2, 3]
        with pytest.raises(OwnershipLostError):
            journal.beat(lease.epoch - 1, NOW)
