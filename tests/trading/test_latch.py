"""The kill switch: memory, journal and what happens when the journal fails."""

from threading import Thread

import pytest

from engine.domain.errors import JournalError
from engine.domain.trading import HaltMode, TradingHalt
from engine.trading.latch import LATCH, KillSwitch

HALT = TradingHalt(mode=HaltMode.HALTED, actor="ann", reason="rehearsal")
RESUME = TradingHalt(mode=HaltMode.ACTIVE, actor="ann")


class Latches:
    """A journal's latches, in memory."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.is_broken = False

    def set_latch(self, name: str, value: str) -> None:
        self._fail()
        self.values[name] = value

    def latch(self, name: str) -> str | None:
        self._fail()
        return self.values.get(name)

    def _fail(self) -> None:
        if self.is_broken:
            raise JournalError("disk full")


def test_a_halt_survives_a_restart():
    journal = Latches()
    KillSwitch(journal).set(HALT)
    assert KillSwitch(journal).known == HALT
    KillSwitch(journal).set(RESUME)
    assert KillSwitch(journal).known.mode is HaltMode.ACTIVE


def test_a_halt_set_elsewhere_is_seen_by_the_next_check():
    journal = Latches()
    here, elsewhere = KillSwitch(journal), KillSwitch(journal)
    elsewhere.set(HALT)
    assert here.known.mode is HaltMode.ACTIVE
    assert here.check() == HALT


def test_a_latch_that_cannot_be_read_counts_as_halted():
    journal = Latches()
    switch = KillSwitch(journal)
    journal.is_broken = True
    assert switch.check().mode is HaltMode.HALTED
    assert "disk full" in switch.check().reason
    journal.is_broken = False
    assert switch.check().mode is HaltMode.ACTIVE


def test_a_halt_that_cannot_be_written_holds_in_this_process_until_it_is_lifted():
    journal = Latches()
    switch = KillSwitch(journal)
    journal.is_broken = True
    with pytest.raises(JournalError):
        switch.set(HALT)
    journal.is_broken = False
    assert switch.check() == HALT
    switch.set(RESUME)
    assert switch.check().mode is HaltMode.ACTIVE


def test_a_resumption_that_cannot_be_written_does_not_resume():
    journal = Latches()
    switch = KillSwitch(journal)
    switch.set(HALT)
    journal.is_broken = True
    with pytest.raises(JournalError):
        switch.set(RESUME)
    journal.is_broken = False
    assert switch.check() == HALT


def test_nonsense_in_the_journal_counts_as_halted():
    journal = Latches()
    journal.values[LATCH] = "perhaps"
    assert KillSwitch(journal).known.mode is HaltMode.HALTED


def test_what_is_not_written_is_known_until_it_is():
    journal = Latches()
    switch = KillSwitch(journal)
    assert switch.unwritten is None
    journal.is_broken = True
    with pytest.raises(JournalError):
        switch.set(HALT)
    assert switch.unwritten == HALT
    journal.is_broken = False
    switch.set(HALT)
    assert switch.unwritten is None
    assert KillSwitch(journal).known == HALT


def test_a_check_never_waits_for_a_slow_journal():
    class Slow(Latches):
        seen: TradingHalt | None = None

        def set_latch(self, name: str, value: str) -> None:
            other = Thread(target=self._look)
            other.start()
            other.join(5)
            super().set_latch(name, value)

        def _look(self) -> None:
            self.seen = switch.check()

    journal = Slow()
    switch = KillSwitch(journal)
    switch.set(HALT)
    assert journal.seen == HALT


def test_a_halt_pressed_while_a_resumption_is_written_wins():
    class Racing(Latches):
        is_racing = False

        def set_latch(self, name: str, value: str) -> None:
            if self.is_racing:
                self.is_racing, self.is_broken = False, True
                with pytest.raises(JournalError):
                    switch.set(HALT)
                self.is_broken = False
            super().set_latch(name, value)

    journal = Racing()
    switch = KillSwitch(journal)
    journal.is_racing = True
    switch.set(RESUME)
    assert switch.check() == HALT
