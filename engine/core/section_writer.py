"""Changed sections on their way into the store: one write at a time, off the loop, at most twenty a second.

After each write everybody who listens learns the new version. A store that fails is written whole once it is back.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from engine.core.live_store import LiveStore
from engine.core.projection import Projection
from engine.core.state_manager import StateManager
from engine.core.trouble import OnTrouble, Pace, Trouble
from engine.domain.errors import StoreError
from engine.domain.payload import Payload, encode
from engine.domain.sections import Stamp
from engine.ports.store import Store

GONE = b"null"
"""Stands for a section that exists no more."""
Values = dict[str, tuple[Payload | None, Stamp]]
Listener = Callable[[int], None]

log = logging.getLogger(__name__)


class SectionWriter:
    """Writes sections to the store.

    Parameters
    ----------
    store : Store
    projection : Projection
    pace : Pace or None
        None writes everything at once, in the caller (the manual clock).
    on_trouble : callable
        Told when writing fails for the first time and when it works again.
    state : StateManager, optional
        The agents' memory, written along once a second.
    """

    def __init__(
        self,
        store: Store,
        projection: Projection,
        pace: Pace | None,
        on_trouble: OnTrouble,
        state: StateManager | None = None,
    ) -> None:
        self.version = 0
        self._store = store
        self._projection = projection
        self._pace = pace
        self._on_trouble = on_trouble
        self._state = state
        self._dirty: set[str] = set()
        self._listeners: tuple[Listener, ...] = ()
        self._executor = None if pace is None else ThreadPoolExecutor(1, thread_name_prefix="store")
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._flushed_at = self._state_at = 0.0
        self._wait_s = 0.0
        self._error: StoreError | None = None
        self._generation = self._state_generation = _generation_of(store)
        self._is_whole = True

    @property
    def error(self) -> StoreError | None:
        """Why the store cannot be written at present, or None."""
        return self._error

    def open(self, version: int) -> None:
        """Go on above `version` and above what the store has; write everything."""
        try:
            self.version = max(version, self._store.version())
        except StoreError as error:
            log.warning("store cannot be read: %s", error)
            self.version = version
        self.mark(self._projection.names())

    def on_flush(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with the new version after each write, from any thread; return how to stop it."""
        self._listeners = (*self._listeners, listener)

        def stop() -> None:
            self._listeners = tuple(known for known in self._listeners if known is not listener)

        return stop

    def mark(self, names: Iterable[str]) -> None:
        """Note that sections changed; they are written soon."""
        self._dirty.update(names)
        if self._dirty:
            if self._pace is None:
                self._flush_inline()
            else:
                self._arm()

    async def flush(self) -> None:
        """Write everything that changed, now."""
        if self._pace is None:
            self._flush_inline()
            return
        while self._task is not None and not self._task.done():
            await asyncio.wait((self._task,))
        await self._flush()

    async def close(self) -> None:
        """Write what changed and the agents' memory, then end the thread."""
        if self._timer is not None:
            self._timer.cancel()
        self._state_at = 0.0
        await self.flush()
        if self._pace is None:
            self._write_state()
        if self._executor is not None:
            self._executor.shutdown(wait=False)

    # -- inside --------------------------------------------------------------------------------------------------

    def _arm(self) -> None:
        if self._timer is not None or (self._task is not None and not self._task.done()):
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # before the loop runs: the first event on it takes these along
        pace = self._wait_s if self._error is not None else (self._pace or Pace()).flush_s
        delay_s = max(0.0, self._flushed_at + pace - time.perf_counter())
        self._timer = loop.call_later(delay_s, self._begin)

    def _begin(self) -> None:
        self._timer = None
        self._task = asyncio.get_running_loop().create_task(self._flush())
        self._task.add_done_callback(lambda task: None if task.cancelled() else self._again())

    def _again(self) -> None:
        if self._dirty:
            self._arm()

    async def _flush(self) -> None:
        names, values = self._changed()
        if not values and self._state_at:
            return
        try:
            await asyncio.get_running_loop().run_in_executor(self._executor, self._write, values)
        except StoreError as error:
            self._failed(names, error)
        else:
            self._worked()

    def _flush_inline(self) -> None:
        names, values = self._changed()
        if not values:
            return
        try:
            self._store.write(_encoded(values))
        except StoreError as error:
            self._failed(names, error)
        else:
            self._worked()

    def _changed(self) -> tuple[set[str], Values]:
        """Take what changed, frozen on the loop; a store opened anew gets everything."""
        generation = _generation_of(self._store)
        if generation != self._generation:
            self._generation = generation
            self._is_whole = False
        if not self._is_whole:
            self._dirty.update(self._projection.names())
            self._is_whole = True
        names, self._dirty = self._dirty, set()
        if names:
            self.version += 1
        project = self._projection
        return names, {n: (project.value(n), project.stamp(n, self.version)) for n in names}

    def _write(self, values: Values) -> None:
        if values:
            self._store.write(_encoded(values))
        pace = self._pace or Pace()
        if time.perf_counter() - self._state_at >= pace.state_s:
            self._write_state()

    def _write_state(self) -> None:
        self._state_at = time.perf_counter()
        if self._state is not None:
            generation = _generation_of(self._store)
            self._state.flush(everything=generation != self._state_generation)
            self._state_generation = generation

    def _failed(self, names: set[str], error: StoreError) -> None:
        self._dirty |= names
        self._is_whole = False
        pace = self._pace or Pace(retry_s=0.0, retry_max_s=0.0)
        self._wait_s = min(max(2 * self._wait_s, pace.retry_s), pace.retry_max_s)
        self._flushed_at = time.perf_counter()
        if self._error is None:
            self._error = error
            self._on_trouble(Trouble("store", error))

    def _worked(self) -> None:
        self._flushed_at = time.perf_counter()
        if self._error is not None:
            self._error, self._wait_s = None, 0.0
            self._on_trouble(Trouble("store", None))
        if _generation_of(self._store) != self._generation:
            self.mark(self._projection.names())
        for listener in self._listeners:
            try:
                listener(self.version)
            except Exception:
                log.exception("a listener of new versions failed")


def _encoded(values: Values) -> dict[str, tuple[bytes, Stamp]]:
    return {n: (GONE if v is None else encode(v), stamp) for n, (v, stamp) in values.items()}


def _generation_of(store: Store) -> int:
    return store.generation if isinstance(store, LiveStore) else 0
