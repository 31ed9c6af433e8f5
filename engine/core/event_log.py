"""The sink behind the bus: every event gets its place, is folded into sections and written to the journal.

The journal is the truth and the store is what may be seen of it. What fails here is reported, retried and never lost.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from engine.core.event_bus import placed
from engine.core.journal_writer import JournalWriter
from engine.core.projection import Projection
from engine.core.section_writer import Listener, SectionWriter
from engine.core.state_manager import StateManager
from engine.core.trouble import OnTrouble, Pace, Trouble
from engine.domain.errors import InvalidValueError, JournalError, OwnershipLostError, must
from engine.domain.events import Event, EventType, Retention
from engine.domain.payload import Payload, encode
from engine.domain.risk import Alert, Severity
from engine.ports.clock import Clock
from engine.ports.journal import Checkpoint, Journal
from engine.ports.store import Store

log = logging.getLogger(__name__)


class EventLog:
    """Takes every event of a bus; `EventBus(sink=EventLog(...))`.

    Parameters
    ----------
    journal : Journal
    projection : Projection
    store : Store
    clock : Clock
        Gives the time of receipt.
    state : StateManager, optional
        The agents' memory, written to the store along with the sections.
    pace : Pace or None
        None writes everything in the caller, synchronously (the manual clock).

    Raises
    ------
    InvalidValueError
        The pace would trim ticks that a restart still needs.
    """

    def __init__(
        self,
        journal: Journal,
        projection: Projection,
        store: Store,
        clock: Clock,
        state: StateManager | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._limits = pace or Pace()
        if self._limits.keep_stream < 2 * self._limits.checkpoint_every:
            raise must(
                "keep_stream", "be at least twice checkpoint_every", self._limits.keep_stream,
                "keep more ticks or make checkpoints more often",
            )  # fmt: skip
        self.projection = projection
        self.announce: Callable[[Event], None] | None = None
        """Where alerts about journal and store go: `bus.post`, set once the bus exists."""
        self._journal = journal
        self._clock = clock
        self._writer = JournalWriter(journal, pace, self._troubled)
        self._sections = SectionWriter(store, projection, pace, self._troubled, state)
        self._is_inline = pace is None
        self._on_trouble: tuple[OnTrouble, ...] = ()
        self._seq = 0
        self._is_closed = False
        self._since_checkpoint = 0
        self._checkpointing: asyncio.Task[None] | None = None

    # -- life ----------------------------------------------------------------------------------------------------

    def open(self, epoch: int) -> int:
        """Continue where the journal ends, as the owner of this epoch; return how many events were folded again.

        Raises
        ------
        JournalError
            The journal cannot be read.
        """
        self._writer.epoch = epoch
        checkpoint = self._journal.last_checkpoint()
        after = 0
        if checkpoint is not None:
            try:
                self.projection.restore(checkpoint.sections)
                after = checkpoint.seq
            except InvalidValueError as error:
                log.warning("%s", error)
        folded = 0
        for event in self._journal.events(after):
            self.projection.apply(event)
            folded += 1
        self._seq = max(self._journal.head(), self.projection.seq)
        self._since_checkpoint = folded
        self._sections.open(int(self._clock.now().timestamp() * 1_000))
        return folded

    async def flush(self) -> None:
        """Write everything that waits: events, then sections.

        Raises
        ------
        JournalError
            The journal cannot be written; nothing is lost.
        """
        await self._writer.write()
        await self._sections.flush()

    async def close(self) -> None:
        """Write everything, keep a checkpoint, end the threads; harmless twice. Close the bus first."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._checkpointing is not None and not self._checkpointing.done():
            await asyncio.wait((self._checkpointing,))
        await self._checkpoint()
        await self._sections.close()
        await self._writer.close()

    # -- the sink ------------------------------------------------------------------------------------------------

    def stamp(self, event: Event) -> Event:
        """Return the event with its place and time of receipt; telemetry has no place in the log."""
        seq = 0
        if event.retention is not Retention.TELEMETRY:
            self._seq += 1
            seq = self._seq
        return placed(event, seq, self._clock.now())

    async def commit(self, event: Event) -> None:
        """Write a LEDGER event and all before it, then fold it.

        Raises
        ------
        JournalError
            It asks for leave (an order's intent, new weights) and cannot be written.
        """
        await self._writer.commit(event)
        self._fold(event)

    def append(self, event: Event) -> None:
        """Take an event of any other class: it is folded now and written soon."""
        if event.retention is not Retention.TELEMETRY:
            self._writer.append(event)
        self._fold(event)

    # -- what else is known here -----------------------------------------------------------------------------------

    @property
    def seq(self) -> int:
        """The last place given out."""
        return self._seq

    @property
    def version(self) -> int:
        """The version of the last write of sections."""
        return self._sections.version

    @property
    def waiting(self) -> int:
        """How many events are not written yet."""
        return self._writer.waiting

    @property
    def troubles(self) -> dict[str, str]:
        """What cannot be written at present: part -> reason."""
        parts = {"journal": self._writer.error, "store": self._sections.error}
        return {part: str(error) for part, error in parts.items() if error is not None}

    def show(self, name: str, value: Payload) -> None:
        """Seed a section with what no event says (titles, limits, the engine's state) and write it."""
        self._sections.mark(self.projection.seed(name, value, self._clock.now()))

    def on_flush(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with the new version after each write of sections; return how to stop it."""
        return self._sections.on_flush(listener)

    def on_trouble(self, listener: OnTrouble) -> Callable[[], None]:
        """Call `listener` when journal or store fails and when it works again; return how to stop it."""
        self._on_trouble = (*self._on_trouble, listener)

        def stop() -> None:
            self._on_trouble = tuple(known for known in self._on_trouble if known is not listener)

        return stop

    # -- inside --------------------------------------------------------------------------------------------------

    def _fold(self, event: Event) -> None:
        self._sections.mark(self.projection.apply(event))
        if event.seq == 0:
            return
        self._since_checkpoint += 1
        if self._since_checkpoint >= self._limits.checkpoint_every:
            self._since_checkpoint = 0
            self._checkpoint_soon()

    def _checkpoint_soon(self) -> None:
        if self._is_inline:
            try:
                self._keep(self.projection.seq, self.projection.checkpoint())
            except (JournalError, OwnershipLostError) as error:
                log.warning("no checkpoint at event %d: %s", self.projection.seq, error)
        elif self._checkpointing is None or self._checkpointing.done():
            self._checkpointing = asyncio.get_running_loop().create_task(self._checkpoint())

    async def _checkpoint(self) -> None:
        """Keep a checkpoint once everything it stands for is in the journal; a failure waits for the next one."""
        seq, kept = self.projection.seq, self.projection.checkpoint()
        try:
            await self._writer.write()
            await self._writer.run(partial(self._keep, seq, kept))
        except (JournalError, OwnershipLostError) as error:
            log.warning("no checkpoint at event %d: %s", seq, error)

    def _keep(self, seq: int, kept: dict[str, object]) -> None:
        if self._writer.error is not None:
            return
        sections = {name: encode(value) for name, value in kept.items()}
        self._journal.save_checkpoint(Checkpoint(seq=seq, sections=sections))
        self._journal.trim(self._limits.keep_stream)

    def _troubled(self, trouble: Trouble) -> None:
        for listener in self._on_trouble:
            try:
                listener(trouble)
            except Exception:
                log.exception("a listener of troubles failed")
        if self.announce is not None:
            alert = _alert(trouble, self._seq, self._clock.now())
            self.announce(
                Event(EventType.RISK_ALERT, alert.to_data(), source="log", as_of=alert.raised_at)
            )


def _alert(trouble: Trouble, seq: int, now: datetime) -> Alert:
    """Return what a person reads about a trouble."""
    lines = {
        ("journal", False): (Severity.CRITICAL, "Journal cannot be written.", "No order leaves until it can. "),
        ("journal", True): (Severity.INFO, "Journal can be written again.", "Nothing was lost."),
        ("store", False): (Severity.WARNING, "Live cache cannot be written.", "Screens stand still. "),
        ("store", True): (Severity.INFO, "Live cache rebuilt.", "Screens are up to date again."),
    }  # fmt: skip
    severity, title, message = lines[trouble.part, trouble.is_over]
    return Alert(
        alert_id=f"{trouble.part}-{seq}{'-over' if trouble.is_over else ''}", symbol="engine",
        metric=trouble.part, severity=severity, title=title,
        message=message + (str(trouble.error) if trouble.error is not None else ""),
        raised_at=now.astimezone(UTC),
    )  # fmt: skip
