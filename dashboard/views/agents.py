"""What the Agents page says of each agent: its state, its pace, what can be done with it and what follows from that."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from dashboard import formatting as fmt
from dashboard.views.agent_controls import SUPERVISOR, Control, controls_of, effect_of
from dashboard.views.pace import PaceView, pace_view
from engine.domain.agents import AgentMeasured, AgentStatus
from engine.domain.sections import AgentRow, AgentsSection, EngineSection

QUICK_S = 2.0
_COUNTED = (
    ("running", "up", "dot"),
    ("late", "warn", "clock"),
    ("paused", "warn", "circle-pause"),
    ("failed", "crit", "circle-x"),
    ("stopped", "grey", "circle-stop"),
    ("starting", "grey", "circle-dashed"),
    ("not set up", "grey", ""),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentView:
    """One agent as a row.

    `state` is "running", "late", "paused", "failed", "stopped", "starting" or "not set up"; `last_run_at` counts in
    epoch seconds. `problem` says what is wrong and `effect` what follows; both are empty in health.
    """

    agent_id: str
    title: str
    detail: str
    state: str
    pill: str
    every: str
    every_tip: str
    priority: str
    last_run_at: float | None
    p50: str
    p95: str
    runs: str
    runs_tip: str
    errors: str
    has_errors: bool
    controls: tuple[Control, ...]
    problem: str
    effect: str
    problem_tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CrewView:
    """The crew in counts: (words, tone, icon) of each state that somebody is in."""

    counts: tuple[tuple[str, str, str], ...]
    remark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailView:
    """The chosen agent: figures, what it hears and says with events per second.

    `bars` are the recent durations, oldest first, as shares of the longest.
    """

    row: AgentView
    pace: PaceView | None
    last: str
    next_words: str
    next_run_at: float | None
    bars: tuple[float, ...]
    bars_label: str
    longest: str
    runs: str
    hears: tuple[tuple[str, str], ...]
    says: tuple[tuple[str, str], ...]
    last_error: str
    has_error: bool


# -- one agent -------------------------------------------------------------------------------------------------


def rows_view(section: AgentsSection) -> tuple[AgentView, ...]:
    """Return every agent in start order."""
    return tuple(agent_view(row, section.rows) for row in section.rows)


def agent_view(row: AgentRow, crew: Sequence[AgentRow]) -> AgentView:
    """Return one agent as a row; `crew` tells who waits for what it says."""
    done = row.measured or AgentMeasured(agent_id=row.agent_id)
    problem, tone = _problem(row)
    is_unset = row.status is AgentStatus.NOT_SET_UP
    return AgentView(
        agent_id=row.agent_id,
        title=row.title,
        detail=row.reason if is_unset and row.reason else row.detail,
        state=state_of(row),
        pill=_pill(row),
        every=_every(row),
        every_tip=_every_tip(row),
        priority=row.priority.name,
        last_run_at=done.last_run_at,
        p50=milliseconds(done.p50_ms),
        p95=milliseconds(done.p95_ms),
        runs=fmt.count(done.cycles + done.handled),
        runs_tip=f"{fmt.plural(done.cycles, 'cycle')}, {fmt.plural(done.handled, 'event')} handled",
        errors=fmt.count(done.errors),
        has_errors=done.errors > 0,
        controls=controls_of(row, crew),
        problem=problem,
        effect=effect_of(row, crew) if problem and _is_silent(row) else "",
        problem_tone=tone,
    )


def milliseconds(value: float | None) -> str:
    """Return a duration given in milliseconds."""
    return fmt.duration(None if value is None else value / 1000)


def state_of(row: AgentRow) -> str:
    """Return the state that colour and ring follow."""
    if row.status is AgentStatus.RUNNING:
        return "late" if late_ms(row) else "running"
    return {
        AgentStatus.PAUSED: "paused",
        AgentStatus.ERROR: "failed",
        AgentStatus.STARTING: "starting",
        AgentStatus.STOPPING: "starting",
        AgentStatus.NOT_SET_UP: "not set up",
    }.get(row.status, "stopped")


def late_ms(row: AgentRow) -> float:
    """Return by how many milliseconds the last cycle outran the interval, 0 when it did not."""
    last = row.measured.last_ms if row.measured else None
    if last is None or row.interval_s is None:
        return 0.0
    return max(0.0, last - 1000 * row.interval_s)


def _pill(row: AgentRow) -> str:
    if row.status is AgentStatus.ERROR:
        n = row.consecutive_errors
        return f"Failed ({n}×)" if n > 1 else "Failed"
    if state_of(row) == "late":
        return f"Late {milliseconds(late_ms(row))}"
    return {
        AgentStatus.CREATED: "Not started",
        AgentStatus.NOT_SET_UP: "Not set up",
    }.get(row.status, str(row.status.value).capitalize())


def _every(row: AgentRow) -> str:
    return row.trigger or (_interval(row.interval_s) if row.interval_s else "on event")


def _interval(seconds: float) -> str:
    """Return an interval: plain seconds up to two minutes.

    Examples
    --------
    >>> _interval(0.25), _interval(30.0), _interval(300.0)
    ('0.25 s', '30 s', '5 m 00 s')
    """
    return f"{seconds:g} s" if seconds < 120 else fmt.duration(seconds)  # noqa: PLR2004 -- two minutes


def _every_tip(row: AgentRow) -> str:
    if not row.interval_s:
        return "Works when an event comes, has no cycle of its own"
    cycle = f"one cycle every {_interval(row.interval_s)}"
    return f"Works {row.trigger}, and {cycle}" if row.trigger else cycle.capitalize()


def _problem(row: AgentRow) -> tuple[str, str]:
    """Return what is wrong with an agent, and its tone."""
    if row.status is AgentStatus.ERROR:
        why = row.last_error or row.reason or "no reason was given"
        n = row.consecutive_errors
        return f"Failed{f' {n} times in a row' if n > 1 else ''}: {why.rstrip('.')}.", "crit"
    if row.status is AgentStatus.PAUSED:
        return f"{(row.reason or 'paused').capitalize().rstrip('.')}.", "warn"
    if row.status is AgentStatus.STOPPED:
        return f"{(row.reason or 'stopped').capitalize().rstrip('.')}.", "grey"
    if row.interval_s and row.measured and state_of(row) == "late":
        took, allowed = milliseconds(row.measured.last_ms), _interval(row.interval_s)
        return f"Last cycle {took}, its interval is {allowed}.", "warn"
    return "", ""


def _is_silent(row: AgentRow) -> bool:
    return row.status in {AgentStatus.ERROR, AgentStatus.PAUSED, AgentStatus.STOPPED}


# -- the crew, the chosen agent ---------------------------------------------------------------------


def crew_key(section: AgentsSection) -> str:
    """Return a short name of who is in the crew; the page is drawn anew when it changes."""
    return f"{zlib.crc32('/'.join(row.agent_id for row in section.rows).encode()):08x}"


def crew_view(section: AgentsSection) -> CrewView:
    """Return the counts of the header: only states that somebody is in, and what went wrong in all."""
    states = [state_of(row) for row in section.rows]
    counts = tuple(
        (f"{states.count(state)} {state}", tone, icon)
        for state, tone, icon in _COUNTED
        if state in states
    )
    done = [row.measured for row in section.rows if row.measured]
    conflated = fmt.count(sum(m.conflated for m in done))
    failed = fmt.count(sum(m.errors for m in done))
    return CrewView(
        counts=counts,
        remark=f"events per second, {measured_when(section)} · conflated {conflated} · failed {failed}",
    )


def measured_when(section: AgentsSection) -> str:
    """Return how often the engine's figures are taken."""
    if not section.events_per_second:
        return "not measured yet"
    interval = next((r.interval_s for r in section.rows if r.agent_id == SUPERVISOR), None)
    return f"measured every {_interval(interval)}" if interval else "at the last health check"


def owner_words(engine: EngineSection | None) -> str:
    """Return who runs the agents: process, machine, and the number of its lease."""
    if engine is None or not engine.owner:
        return ""
    return f"{engine.owner} on {engine.host or 'this machine'}, lease {engine.epoch}"


def chosen(section: AgentsSection, wanted: str) -> str:
    """Return the agent to show: the one asked for, else the first in trouble, else the first."""
    ids = [row.agent_id for row in section.rows]
    if wanted in ids:
        return wanted
    troubled = [row.agent_id for row in section.rows if state_of(row) in {"failed", "late"}]
    return next(iter((*troubled, *ids)), "")


def detail_view(section: AgentsSection, agent_id: str) -> DetailView | None:
    """Return the chosen agent, or None when there is no such agent."""
    row = next((r for r in section.rows if r.agent_id == agent_id), None)
    if row is None:
        return None
    done = row.measured or AgentMeasured(agent_id=agent_id)
    longest = max(done.recent_ms, default=0.0)
    shown = agent_view(row, section.rows)
    words = milliseconds(longest) if done.recent_ms else fmt.UNKNOWN
    return DetailView(
        row=shown,
        pace=pace_view(row),
        last=milliseconds(done.last_ms),
        next_words=next_words(row),
        next_run_at=next_run_at(row),
        bars=tuple(value / longest if longest else 0.0 for value in done.recent_ms),
        bars_label=f"Last {fmt.plural(len(done.recent_ms), 'duration')}, oldest first, longest {words}",
        longest=words,
        runs=f"{shown.runs_tip}, {fmt.count(done.conflated)} conflated",
        hears=_with_rates(row.topics_in, section),
        says=_with_rates(row.topics_out, section),
        last_error=row.last_error or "none",
        has_error=bool(row.last_error),
    )


def next_run_at(row: AgentRow) -> float | None:
    """Return when the next cycle is due, epoch seconds; None for one that waits for events or does not run."""
    if row.status is not AgentStatus.RUNNING or row.trigger or row.measured is None:
        return None
    return None if _is_quick(row) else row.measured.next_run_at


def _is_quick(row: AgentRow) -> bool:
    """Return whether it runs so often that a count down would only flicker."""
    return row.interval_s is not None and row.interval_s < QUICK_S


def next_words(row: AgentRow) -> str:
    """Return what the next run waits for, where it has no time."""
    if row.status is not AgentStatus.RUNNING:
        return fmt.UNKNOWN
    if row.trigger:
        return row.trigger
    if row.interval_s is None:
        return "event"
    return _interval(row.interval_s) if _is_quick(row) else fmt.UNKNOWN


def _with_rates(topics: Sequence[str], section: AgentsSection) -> tuple[tuple[str, str], ...]:
    return tuple((topic, rate(section, topic)) for topic in topics)


def rate(section: AgentsSection, topic: str) -> str:
    """Return a topic's events per second; unknown before the first measurement.

    Examples
    --------
    >>> section = AgentsSection(events_per_second={"MC_UPDATE": 7.96, "RISK_ALERT": 0.01})
    >>> rate(section, "MC_UPDATE"), rate(section, "RISK_ALERT"), rate(section, "ORDER_FILLED")
    ('8.0 /s', '<0.1 /s', '0 /s')
    """
    if not section.events_per_second:
        return fmt.UNKNOWN
    value = section.events_per_second.get(topic, 0.0)
    if 0 < value < 0.05:  # noqa: PLR2004 -- would read 0.0
        return "<0.1 /s"
    return f"{fmt.number(value, 1)} /s" if value else "0 /s"
