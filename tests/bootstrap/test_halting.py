"""A halt that could not be written is sent again, once the journal takes it."""

import pytest

from engine.adapters.journals.memory import MemoryJournal
from engine.adapters.stores.memory import MemoryStore
from engine.bootstrap.door import Door
from engine.bootstrap.host import repeat_halt
from engine.core.gateway import EngineSide, Gateway
from engine.domain.commands import HaltTrading
from engine.domain.errors import JournalError
from engine.trading.latch import KillSwitch


class Locked(MemoryJournal):
    """A journal that another program may hold."""

    is_locked = True

    def set_latch(self, name: str, value: str) -> None:
        if self.is_locked:
            raise JournalError("locked by another program")
        super().set_latch(name, value)


def test_a_halt_that_could_not_be_written_is_repeated_until_it_is():
    journal, door = Locked(), Door()
    switch = KillSwitch(journal)
    own = EngineSide(halt=switch.set, troubles=dict)
    door.put(Gateway(MemoryStore(), journal, engine=own, watch=lambda _: lambda: None))
    repeat_halt(switch, door)
    assert journal.take() == ()
    with pytest.raises(JournalError):
        door.send(HaltTrading(reason="a drill"), actor="anna")
    with pytest.raises(JournalError):
        repeat_halt(switch, door)
    journal.is_locked = False
    repeat_halt(switch, door)
    repeat_halt(switch, door)
    (sent,) = journal.take()
    assert (sent.name, sent.actor) == ("HaltTrading", "anna")
    assert sent.params == {"reason": "a drill", "mode": "HALTED"}
    assert "anna" in str(journal.latch("trading"))
