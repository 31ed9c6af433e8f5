"""The kill switch: a latch that outlives the process and that any thread may set.

The journal holds the truth; memory holds the last known value for reading at no cost. Where the journal cannot be read,
trading counts as halted.
"""

from threading import RLock
from typing import Protocol

from engine.domain.errors import InvalidValueError, JournalError
from engine.domain.trading import HaltMode, TradingHalt

LATCH = "trading"
"""Name of the latch in the journal."""


class Latches(Protocol):
    """The part of the journal that keeps latches."""

    def set_latch(self, name: str, value: str) -> None:
        """Set a named latch durably."""
        ...

    def latch(self, name: str) -> str | None:
        """Return a latch's value, or None when it was never set."""
        ...


class KillSwitch:
    """What the latch allows; `check` asks the journal, `known` answers from memory.

    Parameters
    ----------
    latches : Latches, optional
        The journal; without one the latch lives as long as this object.
    """

    def __init__(self, latches: Latches | None = None) -> None:
        self._latches = latches
        self._lock = RLock()
        self._known = TradingHalt(mode=HaltMode.ACTIVE, actor="")
        self._unwritten: TradingHalt | None = None
        self.check()

    @property
    def known(self) -> TradingHalt:
        """The last value read or set."""
        with self._lock:
            return self._known

    def check(self) -> TradingHalt:
        """Return the value that the journal holds now; call this before every send."""
        with self._lock:
            if self._unwritten is not None:
                return self._unwritten
            if self._latches is not None:
                self._known = self._read(self._latches)
            return self._known

    def set(self, halt: TradingHalt) -> None:
        """Put a mode in force.

        Raises
        ------
        JournalError
            It could not be written. A halt is in force in this process all the same; a resumption is not.
        """
        with self._lock:
            if halt.mode is not HaltMode.ACTIVE:
                self._known = self._unwritten = halt
            lifted = self._unwritten
        if (
            self._latches is not None
        ):  # without the lock: `check` must never wait for a slow journal
            self._latches.set_latch(LATCH, halt.to_json().decode())
        with self._lock:
            if self._unwritten is lifted:  # else a newer halt is on its way
                self._known, self._unwritten = halt, None

    @property
    def unwritten(self) -> TradingHalt | None:
        """The halt that is in force here and not yet in the journal, or None."""
        with self._lock:
            return self._unwritten

    def _read(self, latches: Latches) -> TradingHalt:
        try:
            raw = latches.latch(LATCH)
            if raw is None:
                return TradingHalt(mode=HaltMode.ACTIVE, actor="")
            return TradingHalt.from_json(raw.encode())
        except (JournalError, InvalidValueError, ValueError) as error:
            return TradingHalt(
                mode=HaltMode.HALTED,
                actor="engine",
                reason=f"the kill switch cannot be read: {error}",
            )
