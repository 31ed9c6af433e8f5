"""What `gateway.ask` answers beside the journal's own questions: pure functions over sections and journal."""

from collections.abc import Callable, Sequence
from typing import Any

from engine.bootstrap.forecast_questions import Read, forecast_questions
from engine.core.projection.meaning import log_row
from engine.domain.agents import PaceInputs, SchedulerWeights
from engine.domain.events import Event
from engine.domain.log import EventDetail, LogRow
from engine.domain.payload import encode
from engine.domain.sections import AgentRow
from engine.forecasts.levels import Levels
from engine.ports.journal import Journal
from engine.scheduling.adaptive_scheduler import AdaptiveScheduler
from engine.scheduling.pacing import bounded, or_neutral

MAX_CAUSES = 20
EFFECTS_LOOKED_AT = 400
MAX_FIELD = 160


def questions(
    journal: Journal, read: Read, drawing: Levels | None = None
) -> dict[str, Callable[..., Any]]:
    """Return the questions by name; see `forecast_questions` for the parameters."""

    def event_detail(seq: int) -> EventDetail | None:
        """Return one event with its chain of causes and its direct effects, or None when it is not kept."""
        event = _event(journal, seq)
        if event is None:
            return None
        return EventDetail(
            row=log_row(event),
            fields={name: _text(value) for name, value in event.data.items()},
            causes=_causes(journal, event),
            effects=_effects(journal, event),
        )

    def journal_bytes() -> int:
        """Return how much room the journal takes."""
        return journal.size_bytes()

    return {
        "event_detail": event_detail, "intervals": intervals, "journal_bytes": journal_bytes,
        **forecast_questions(journal, read, drawing),
    }  # fmt: skip


def intervals(rows: Sequence[AgentRow], weights: SchedulerWeights) -> dict[str, float]:
    """Return where the weights would lead each agent's interval with the inputs that were last seen, in seconds."""
    scheduler = AdaptiveScheduler(weights.market, weights.performance, weights.system)
    found = {}
    for row in rows:
        if row.base_interval_s is not None:
            inputs = or_neutral(row.pace_inputs or PaceInputs())
            wanted = scheduler.adjust_interval(row.agent_id, row.base_interval_s, **inputs)
            found[row.agent_id] = bounded(wanted, row.base_interval_s)
    return found


def _event(journal: Journal, seq: int) -> Event | None:
    return next(iter(journal.events(seq - 1, seq)), None)


def _causes(journal: Journal, event: Event) -> tuple[LogRow, ...]:
    """Return the chain from the first cause kept to the one right before the event."""
    chain: list[LogRow] = []
    while event.cause is not None and len(chain) < MAX_CAUSES:
        found = _event(journal, event.cause)
        if found is None:
            break
        chain.append(log_row(found))
        event = found
    return tuple(reversed(chain))


def _effects(journal: Journal, event: Event) -> tuple[LogRow, ...]:
    later = journal.events(event.seq, event.seq + EFFECTS_LOOKED_AT)
    return tuple(log_row(e) for e in later if e.cause == event.seq)


def _text(value: object) -> str:
    text = value if isinstance(value, str) else encode(value).decode()
    return text if len(text) <= MAX_FIELD else f"{text[: MAX_FIELD - 1]}…"
