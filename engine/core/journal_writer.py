"""Events on their way into the journal: in order, in batches, off the loop; nothing is lost while it cannot be written.

What has happened already (a fill, an answer, a tick) waits in memory and is written later; what may only happen once it
is written (an order's intent, new weights) is refused.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from engine.core.trouble import OnTrouble, Pace, Trouble
from engine.domain.errors import JournalError, OwnershipLostError
from engine.domain.events import Event, EventType, Retention
from engine.ports.journal import Journal

T = TypeVar("T")

MAY_BE_REFUSED = frozenset(
    {
        EventType.RUN_STARTED,
        EventType.ORDER_INTENDED,
        EventType.WEIGHTS_CHANGED,
        EventType.TRADING_RESUMED,
    }
)
"""LEDGER events that ask for leave; every other one reports what has happened."""
MAX_WAITING = 100_000
"""Events in memory from which on waiting ticks are given up: they would be trimmed anyway."""

log = logging.getLogger(__name__)


class JournalWriter:
    """Writes events to the journal.

    Parameters
    ----------
    journal : Journal
    pace : Pace or None
        None writes everything at once, in the caller (the manual clock).
    on_trouble : callable
        Told when writing fails for the first time and when it works again.
    """

    def __init__(self, journal: Journal, pace: Pace | None, on_trouble: OnTrouble) -> None:
        self.epoch = 0
        self.given_up = 0
        self.set_aside = 0
        """Events that the journal could not take, whatever was tried."""
        self._journal = journal
        self._pace = pace
        self._on_trouble = on_trouble
        self._buffer: list[Event] = []
        self._turn = asyncio.Lock()
        self._executor = (
            None if pace is None else ThreadPoolExecutor(1, thread_name_prefix="journal")
        )
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._error: Exception | None = None
        self._wait_s = 0.0
        self._retry_at = 0.0

    @property
    def waiting(self) -> int:
        """How many events are not written yet."""
        return len(self._buffer)

    @property
    def error(self) -> Exception | None:
        """Why the journal cannot be written at present, or None."""
        return self._error

    def append(self, event: Event) -> None:
        """Take an event that need not be written before it is heard."""
        if isinstance(self._error, OwnershipLostError):
            return
        self._buffer.append(event)
        if len(self._buffer) > MAX_WAITING:
            self._give_up_ticks()
        if self._pace is None:
            self._write_inline()
        else:
            self._arm(self._pace.batch_s)

    async def commit(self, event: Event) -> None:
        """Write what waits and this event in one transaction.

        Raises
        ------
        JournalError
            It asks for leave and cannot be written; it must not happen.
        OwnershipLostError
            Another process owns the engine.
        """
        is_request = event.event_type in MAY_BE_REFUSED
        if self._error is not None and (
            time.perf_counter() < self._retry_at or isinstance(self._error, OwnershipLostError)
        ):
            self._hold(event, self._error, is_request=is_request)
            return
        try:
            await self.write(event)
        except (JournalError, OwnershipLostError) as error:
            self._hold(event, error, is_request=is_request)

    async def write(self, *last: Event) -> None:
        """Write everything that waits, then `last`, in one transaction.

        Raises
        ------
        JournalError
            Nothing was written; what waited still waits.
        OwnershipLostError
            Another process owns the engine.
        """
        async with self._turn:
            n = len(self._buffer)
            batch = (*self._buffer, *last)
            if not batch:
                return
            try:
                await self.run(partial(self._written, batch))
            except (JournalError, OwnershipLostError) as error:
                self._failed(error)
                raise
            del self._buffer[:n]
            self._worked()

    def _written(self, batch: Sequence[Event]) -> None:
        """Write a batch; an event that cannot be told in the journal's terms is set aside, and keeps no other."""
        try:
            self._journal.append(batch, self.epoch)
        except (JournalError, OwnershipLostError):
            raise
        except Exception:  # noqa: BLE001 -- nothing was written: one of them is no event, which is told below
            for event in batch:
                self._written_alone(event)

    def _written_alone(self, event: Event) -> None:
        try:
            if event.seq > self._journal.head():
                self._journal.append((event,), self.epoch)
        except (JournalError, OwnershipLostError):
            raise
        except Exception:
            self.set_aside += 1
            log.critical(
                "event %d %s of %s cannot be journalled and is set aside", event.seq, event.event_type.value,
                event.source, exc_info=True,
            )  # fmt: skip

    async def run(self, work: Callable[[], T]) -> T:
        """Return what `work` returns, in the one thread that writes (inline under the manual clock)."""
        if self._executor is None:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    async def close(self) -> None:
        """Write what waits and end the thread; what cannot be written is said in the log."""
        if self._timer is not None:
            self._timer.cancel()
        try:
            await self.write()
        except (JournalError, OwnershipLostError) as error:
            log.critical("%d events were not journalled: %s", len(self._buffer), error)
        if self._executor is not None:
            self._executor.shutdown(wait=False)

    # -- inside --------------------------------------------------------------------------------------------------

    def _write_inline(self) -> None:
        try:
            self._written(tuple(self._buffer))
        except (JournalError, OwnershipLostError) as error:
            self._failed(error)
        else:
            self._buffer.clear()
            self._worked()

    def _hold(self, event: Event, error: Exception, *, is_request: bool) -> None:
        """Keep a fact for later; let a request fail."""
        if is_request or isinstance(error, OwnershipLostError):
            raise error
        self._buffer.append(event)
        if self._pace is not None:
            self._arm(self._wait_s)

    def _arm(self, delay_s: float) -> None:
        is_busy = self._task is not None and not self._task.done()
        if self._timer is None and not is_busy:
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._begin)

    def _begin(self) -> None:
        self._timer = None
        self._task = asyncio.get_running_loop().create_task(self._write_soon())
        self._task.add_done_callback(self._again)

    async def _write_soon(self) -> None:
        try:
            await self.write()
        except (JournalError, OwnershipLostError) as error:
            log.debug("journal: %s", error)  # told through `on_trouble`

    def _again(self, task: "asyncio.Task[None]") -> None:
        """See to what came in while the batch was being written."""
        if task.cancelled() or self._pace is None or not self._buffer:
            return
        self._arm(self._wait_s if self._error is not None else self._pace.batch_s)

    def _failed(self, error: Exception) -> None:
        is_new = type(error) is not type(self._error)
        self._error = error
        pace = self._pace or Pace(retry_s=0.0, retry_max_s=0.0)
        self._wait_s = min(max(2 * self._wait_s, pace.retry_s), pace.retry_max_s)
        self._retry_at = time.perf_counter() + self._wait_s
        if isinstance(error, OwnershipLostError):
            self._buffer.clear()
        if is_new:
            log.error("journal cannot be written: %s", error)
            self._on_trouble(Trouble("journal", error))

    def _worked(self) -> None:
        if self._error is None:
            return
        self._error, self._wait_s = None, 0.0
        log.warning("journal can be written again")
        self._on_trouble(Trouble("journal", None))

    def _give_up_ticks(self) -> None:
        kept = [event for event in self._buffer if event.retention is not Retention.STREAM]
        self.given_up += len(self._buffer) - len(kept)
        self._buffer[:] = kept
