"""What the Agents page says of pace: each agent's interval as set and as in force, and why; the scheduler's weights."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboard import formatting as fmt
from dashboard.views.agent_states import names_of
from engine.domain.agents import (
    LEAST_INTERVAL_S,
    MOST_INTERVAL_S,
    PaceInputs,
    SchedulerWeights,
    TaskPriority,
)
from engine.domain.commands import SetAgentPace, SetSchedulerWeights
from engine.domain.errors import InvalidValueError, must
from engine.domain.sections import AgentRow, AgentsSection

PRIORITIES = tuple(priority.name for priority in TaskPriority)
TITLES = {"market": "Market", "performance": "Performance", "system": "System load"}
"""The scheduler's inputs in the order of their sliders."""
WHOLE_FROM_S = 1_000
"""Intervals from here on are written without decimals."""
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}([ ,.'\u2019\u00a0\u202f]\d{3})+(?:[.,]\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceView:
    """The chosen agent's pace as a form: what is set, what is in force and by what."""

    agent_id: str
    interval: str
    priority: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalRow:
    """One agent's interval: as set, in force, and what the weights lead to."""

    agent_id: str
    title: str
    base: str
    now: str
    target: str


def pace_view(row: AgentRow) -> PaceView | None:
    """Return an agent's pace, or None where it has no cycle."""
    if row.base_interval_s is None or row.interval_s is None:
        return None
    return PaceView(
        agent_id=row.agent_id,
        interval=f"{row.base_interval_s:g}",
        priority=row.priority.name,
        words=_words(row),
    )


def _words(row: AgentRow) -> str:
    if not row.is_paced:
        return "Keeps its interval whatever the market does."
    if row.pace_inputs is None:
        return "Market, performance and load move it with each health check."
    now = f"In force {seconds(row.interval_s)}"
    known = _inputs(row.pace_inputs)
    return f"{now}: {known}." if known else f"{now}."


def _inputs(inputs: PaceInputs) -> str:
    named = ((name.lower(), getattr(inputs, key)) for key, name in TITLES.items())
    return ", ".join(f"{name} {fmt.number(value, 2)}" for name, value in named if value is not None)


def seconds(value: float | None) -> str:
    """Return an interval in words, unknown as a dash.

    Examples
    --------
    >>> seconds(0.25), seconds(60.0), seconds(None)
    ('0.25 s', '60 s', '–')
    """
    if value is None:
        return fmt.UNKNOWN
    return f"{value:,.3g} s" if value < WHOLE_FROM_S else f"{value:,.0f} s"


def weights_of(section: AgentsSection) -> dict[str, int]:
    """Return the scheduler's weights in per cent, by input."""
    return {key: round(100 * getattr(section.weights, key)) for key in TITLES}


def paced_rows(section: AgentsSection) -> tuple[AgentRow, ...]:
    """Return the agents whose interval the scheduler moves."""
    return tuple(row for row in section.rows if row.is_paced and row.interval_s is not None)


def interval_rows(
    rows: Sequence[AgentRow], targets: Mapping[str, float]
) -> tuple[IntervalRow, ...]:
    """Return what the scheduler makes of each agent's interval."""
    names = names_of(rows)
    return tuple(
        IntervalRow(
            agent_id=row.agent_id,
            title=names[row.agent_id],
            base=seconds(row.base_interval_s),
            now=seconds(row.interval_s),
            target=seconds(targets.get(row.agent_id)),
        )
        for row in rows
    )


def proposed(percent: Mapping[str, object]) -> SchedulerWeights:
    """Return the weights that the sliders show; what is no number counts as 0."""
    market, performance, system = (_share(percent.get(key)) for key in TITLES)
    return SchedulerWeights(market=market, performance=performance, system=system)


def _share(value: object) -> float:
    try:
        return min(1.0, max(0.0, float(str(value)) / 100))
    except ValueError:
        return 0.0


def weights_command(weights: SchedulerWeights) -> SetSchedulerWeights:
    """Return the command that puts weights in force."""
    return SetSchedulerWeights(
        market=weights.market, performance=weights.performance, system=weights.system
    )


def pace_command(agent_id: str, interval: str | None, priority: str) -> SetAgentPace:
    """Return the command that sets an agent's pace.

    Raises
    ------
    InvalidValueError
        The interval is no number, may mean two numbers, or lies outside the bounds.
    """
    seconds_ = interval_of(interval or "")
    if not LEAST_INTERVAL_S <= seconds_ <= MOST_INTERVAL_S:
        rule = f"be from {LEAST_INTERVAL_S:g} to {MOST_INTERVAL_S:,.0f} s"
        raise must("interval", rule, seconds_, "give seconds within")
    return SetAgentPace(agent_id=agent_id, interval_s=seconds_, priority=priority)


def interval_of(words: str) -> float:
    """Return seconds as a person writes them; a comma parts the decimals, as a point does.

    Raises
    ------
    InvalidValueError
        It is no number, or has a sign between thousands: "1,000" is one second here and a thousand there.

    Examples
    --------
    >>> interval_of("12.5"), interval_of("0,5 s"), interval_of("1000")
    (12.5, 0.5, 1000.0)
    """
    typed = words.strip().removesuffix("s").strip()
    if _THOUSANDS.fullmatch(typed) and not _is_plain_decimal(typed):
        raise _refused("be written without a sign between thousands", words, _plain(typed))
    if not _NUMBER.fullmatch(typed):
        raise _refused("be a number of seconds", words, "30")
    return float(typed.replace(",", "."))


def _is_plain_decimal(typed: str) -> bool:
    """Return whether a point alone parts it: what a program wrote and a person may write back."""
    return typed.count(".") == 1 and not re.search(r"[^\d.]", typed)


def _plain(typed: str) -> str:
    return re.sub(r"\D", "", re.sub(r"[.,]\d{1,2}$", "", typed))


def _refused(rule: str, words: str, example: str) -> InvalidValueError:
    return must("interval", rule, words, f"enter for example {example}")
