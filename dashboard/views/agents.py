"""What the Agents page says of each agent: its state, its pace, what can be done with it and what follows from that."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from dashboard import formatting as fmt
from dashboard.views.agent_controls import SUPERVISOR, Control, controls_of, effect_of
from dashboard.views.agent_states import (
    LONG,
    interval_words,
    is_cyclic,
    is_silent,
    main_times,
    milliseconds,
    names_of,
    pill_of,
    problem_of,
    shortened,
    state_of,
)
from dashboard.views.pace import PaceView, pace_view
from engine.domain.agents import AgentMeasured, AgentStatus
from engine.domain.sections import AgentRow, AgentsSection, EngineSection

QUICK_S = 2.0
CHECK_SLACK, USUAL_CHECK_S = 1.5, 30.0
"""The figures are fresh for so many intervals of the health check; what it is where nobody says."""
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
    epoch seconds. `problem` says what is wrong and `effect` what follows; both are empty in health. `whole_problem`
    holds the words where they had to be cut.
    """

    agent_id: str
    title: str
    detail: str
    state: str
    pill: str
    every: str
    every_also: str
    every_tip: str
    priority: str
    last_run_at: float | None
    last_words: str
    p50: str
    p95: str
    took_tip: str
    queue: str
    runs: str
    runs_tip: str
    errors: str
    has_errors: bool
    controls: tuple[Control, ...]
    problem: str
    whole_problem: str
    effect: str
    problem_tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CrewView:
    """The crew in counts: (words, tone, icon) of each state that somebody is in."""

    counts: tuple[tuple[str, str, str], ...]
    remark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredView:
    """When the engine's figures were taken (wall epoch seconds), how old they may grow, and the words before that."""

    words: str
    received_at: float | None
    budget_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailView:
    """The chosen agent: figures, what it hears (from everybody) and says (itself) with events per second.

    `bars` are the recent durations, oldest first, as shares of the longest.
    """

    row: AgentView
    pace: PaceView | None
    last_word: str
    last: str
    other_word: str
    other: str
    next_words: str
    next_run_at: float | None
    bars: tuple[float, ...]
    bars_label: str
    longest: str
    runs: str
    tasks: str
    hears: tuple[tuple[str, str], ...]
    says: tuple[tuple[str, str], ...]
    last_error: str
    whole_error: str
    has_error: bool


# -- one agent -------------------------------------------------------------------------------------------------


def rows_view(section: AgentsSection) -> tuple[AgentView, ...]:
    """Return every agent in start order."""
    return tuple(agent_view(row, section.rows) for row in section.rows)


def agent_view(row: AgentRow, crew: Sequence[AgentRow]) -> AgentView:
    """Return one agent as a row; `crew` tells who waits for what it says."""
    done = row.measured or AgentMeasured(agent_id=row.agent_id)
    took = main_times(row)
    problem, tone = problem_of(row)
    is_unset = row.status is AgentStatus.NOT_SET_UP
    runs, runs_tip = _runs(row, done)
    return AgentView(
        agent_id=row.agent_id,
        title=names_of(crew)[row.agent_id],
        detail=row.reason if is_unset and row.reason else row.detail,
        state=state_of(row),
        pill=pill_of(row),
        every=_every(row),
        every_also=_every_also(row),
        every_tip=_every_tip(row),
        priority=row.priority.name,
        last_run_at=done.last_run_at,
        last_words=fmt.UNKNOWN if row.runs_itself else "never",
        p50=milliseconds(took.p50_ms),
        p95=milliseconds(took.p95_ms),
        took_tip=f"Of its newest {'cycles' if is_cyclic(row) else 'handled events'}, 200 at most",
        queue=fmt.count(done.queue),
        runs=runs,
        runs_tip=runs_tip,
        errors=fmt.count(done.errors),
        has_errors=done.errors > 0,
        controls=controls_of(row, crew),
        problem=shortened(problem),
        whole_problem=problem if shortened(problem) != problem else "",
        effect=effect_of(row, crew) if problem and is_silent(row) else "",
        problem_tone=tone,
    )


def _runs(row: AgentRow, done: AgentMeasured) -> tuple[str, str]:
    """Return how often it has worked since the start, and of what that is the sum."""
    if row.runs_itself and not done.handled:
        return fmt.UNKNOWN, "It drives itself with run(); the turns of its loop are not counted"
    words = f"{fmt.plural(done.cycles, 'cycle')}, {fmt.plural(done.handled, 'event')} handled"
    return fmt.count(done.cycles + done.handled), words


def _other_words(row: AgentRow) -> str:
    """Return what its other work took: the cycle beside events, or the events beside cycles."""
    done = row.measured or AgentMeasured(agent_id=row.agent_id)
    took = done.event_times if is_cyclic(row) else done.cycle_times
    if took.last_ms is None:
        return "none yet"
    figures = (("last", took.last_ms), ("p50", took.p50_ms), ("p95", took.p95_ms))
    return ", ".join(f"{name} {milliseconds(value)}" for name, value in figures)


def _every(row: AgentRow) -> str:
    if row.runs_itself:
        return "own loop"
    return row.trigger or (interval_words(row.interval_s) if row.interval_s else "on event")


def _every_also(row: AgentRow) -> str:
    """Return the cycle that an agent has beside the events it works on."""
    return f"and {interval_words(row.interval_s)}" if row.trigger and row.interval_s else ""


def _every_tip(row: AgentRow) -> str:
    if row.runs_itself:
        return "Drives itself with run()"
    if not row.interval_s:
        return "Works when an event comes, has no cycle of its own"
    cycle = f"one cycle every {interval_words(row.interval_s)}"
    return f"Works {row.trigger}, and {cycle}" if row.trigger else cycle.capitalize()


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
    skipped = fmt.count(sum(m.skipped for m in done))
    late = fmt.count(section.late_tasks)
    return CrewView(
        counts=counts,
        remark=f"late {late} · skipped {skipped} · failed {failed} · conflated {conflated} · events/s",
    )


def measured_view(section: AgentsSection) -> MeasuredView:
    """Return how old the engine's figures are: fresh until the next health check is clearly over its time."""
    interval = next((r.interval_s for r in section.rows if r.agent_id == SUPERVISOR), None)
    is_known = section.measured_at is not None
    return MeasuredView(
        words="measured" if is_known else "not measured yet",
        received_at=section.measured_at,
        budget_s=CHECK_SLACK * (interval or USUAL_CHECK_S),
    )


def owner_words(engine: EngineSection | None) -> str:
    """Return who runs the agents: process, machine, and the number of its lease."""
    if engine is None or not engine.owner:
        return ""
    return f"{engine.owner} on {engine.host or 'this machine'}, epoch {engine.epoch}"


def since_words(engine: EngineSection | None) -> str:
    """Return since when runs and errors are counted."""
    if engine is None or not engine.started_at:
        return ""
    return f"counted since the start at {fmt.clock(fmt.from_epoch(engine.started_at))}"


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
    took = main_times(row)
    longest = max(took.recent_ms, default=0.0)
    shown = agent_view(row, section.rows)
    words = milliseconds(longest) if took.recent_ms else fmt.UNKNOWN
    return DetailView(
        row=shown,
        pace=pace_view(row),
        last_word="Last cycle" if is_cyclic(row) else "Last event",
        last=milliseconds(took.last_ms),
        other_word="Events" if is_cyclic(row) else "Cycles",
        other=_other_words(row),
        next_words=next_words(row),
        next_run_at=next_run_at(row),
        bars=tuple(value / longest if longest else 0.0 for value in took.recent_ms),
        bars_label=f"Last {fmt.plural(len(took.recent_ms), 'duration')}, oldest first, longest {words}",
        longest=words,
        runs=_runs_words(shown, done),
        tasks=_tasks_words(row, section),
        hears=_with_rates(row.topics_in, section),
        says=_with_rates(row.topics_out, section, agent_id),
        last_error=shortened(row.last_error) or "none",
        whole_error=row.last_error if len(row.last_error) > LONG else "",
        has_error=bool(row.last_error),
    )


def _runs_words(shown: AgentView, done: AgentMeasured) -> str:
    """Return what its runs since the start were, and what did not become one."""
    lost = [("skipped", done.skipped), ("conflated", done.conflated)]
    if done.dropped:
        lost.append(("dropped", done.dropped))
    return ", ".join((shown.runs_tip, *(f"{fmt.count(n)} {word}" for word, n in lost)))


def _tasks_words(row: AgentRow, section: AgentsSection) -> str:
    """Return what an agent's tasks took by task type, and how late the latest 1 in 100 began."""
    found = [done for done in section.durations if done.agent_id == row.agent_id]
    if not found:
        return "none ran yet" if section.durations else "not measured yet"
    return "; ".join(
        f"{done.task_type} p50 {milliseconds(done.p50_ms)}, p95 {milliseconds(done.p95_ms)}, "
        f"max {milliseconds(done.max_ms)}, late {milliseconds(done.late_ms_p99)}"
        for done in found
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
        return "own loop" if row.runs_itself else "event"
    return interval_words(row.interval_s) if _is_quick(row) else fmt.UNKNOWN


def _with_rates(
    topics: Sequence[str], section: AgentsSection, source: str | None = None
) -> tuple[tuple[str, str], ...]:
    return tuple((topic, rate(section, topic, source)) for topic in topics)


def per_second(section: AgentsSection, topic: str, source: str | None = None) -> float:
    """Return a topic's events per second: all of them, or those of one agent.

    A section that was kept before sources were counted tells all of them for everybody.

    Examples
    --------
    >>> section = AgentsSection(events_per_second={"CUSTOM": 3.0}, events_by_source={"a": {"CUSTOM": 1.0}})
    >>> per_second(section, "CUSTOM"), per_second(section, "CUSTOM", "a"), per_second(section, "CUSTOM", "b")
    (3.0, 1.0, 0.0)
    """
    if source is None or not section.events_by_source:
        return section.events_per_second.get(topic, 0.0)
    return section.events_by_source.get(source, {}).get(topic, 0.0)


def rate(section: AgentsSection, topic: str, source: str | None = None) -> str:
    """Return a topic's events per second in words, as `per_second`; unknown before the first measurement.

    Examples
    --------
    >>> section = AgentsSection(events_per_second={"MC_UPDATE": 7.96, "RISK_ALERT": 0.01})
    >>> rate(section, "MC_UPDATE"), rate(section, "RISK_ALERT"), rate(section, "ORDER_FILLED")
    ('8.0 /s', '<0.1 /s', '0 /s')
    """
    if not section.events_per_second:
        return fmt.UNKNOWN
    value = per_second(section, topic, source)
    if 0 < value < 0.05:  # noqa: PLR2004 -- would read 0.0
        return "<0.1 /s"
    return f"{fmt.number(value, 1)} /s" if value else "0 /s"
