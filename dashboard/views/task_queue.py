"""What the Agents page says of the execution engine: what waits, what went wrong with runs, and outside services."""

from dataclasses import dataclass

from dashboard import formatting as fmt
from dashboard.views.agents import measured_when, milliseconds
from engine.domain.agents import TaskPriority
from engine.domain.resources import ApiFigures, BreakerState
from engine.domain.sections import AgentsSection


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """Tasks that wait at one priority, and who works at it."""

    priority: str
    who: str
    count: str
    is_empty: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRow:
    """One outside service: what its breaker and its limit say; `tone` is "warn" or nothing."""

    api: str
    words: str
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueView:
    """The execution engine's queue by priority, most urgent first."""

    running: str
    rows: tuple[QueueRow, ...]
    remark: str
    troubles: str
    has_trouble: bool
    apis: tuple[ApiRow, ...]


def queue_view(section: AgentsSection) -> QueueView:
    """Return the queue by priority, most urgent first; a count is unknown before the first health check."""
    rows = []
    for priority in TaskPriority:
        who = [row.title for row in section.rows if row.priority is priority]
        n = section.queue_by_priority.get(priority.name)
        rows.append(
            QueueRow(
                priority=priority.name,
                who=", ".join(who) or "nobody",
                count=fmt.count(n),
                is_empty=not n,
            )
        )
    is_known = bool(section.queue_by_priority)
    running = f"{section.running_tasks} running of {section.max_concurrent_tasks}"
    interval = measured_when(section) if is_known else "not measured yet"
    return QueueView(
        running=running if is_known else fmt.UNKNOWN,
        rows=tuple(rows),
        remark=interval,
        troubles=_troubles(section) if is_known else "",
        has_trouble=bool(_wrong(section)),
        apis=tuple(api_row(figures) for figures in section.apis),
    )


def _wrong(section: AgentsSection) -> list[str]:
    """Return what went wrong with tasks and triggers, each with its count; nothing when all went well."""
    t = section.timers
    counts = (
        ("late", section.late_tasks), ("failed", section.failed_tasks), ("timed out", section.timed_out_tasks),
        ("missed", t.get("missed", 0)), ("skipped", t.get("max_instances", 0)), ("trigger errors", t.get("errors", 0)),
        ("clock jumps", t.get("clock_jumps", 0)),
    )  # fmt: skip
    return [f"{words} {fmt.count(n)}" for words, n in counts if n]


def _troubles(section: AgentsSection) -> str:
    """Return late, failed, missed and skipped runs in a line, with how late the worst begin and the loop's lag."""
    wrong = ", ".join(_wrong(section)).capitalize() or "No run late, failed, missed or skipped"
    late = f"1 in 100 begins {milliseconds(section.late_ms_p99)} late or later"
    lag = f"loop lag {milliseconds(section.loop_lag_ms)}"
    return f"{wrong}; {late}, {lag}."


def api_row(figures: ApiFigures) -> ApiRow:
    """Return what an outside service's line says: refused calls first, then waiting ones, then its use."""
    if figures.breaker is not BreakerState.CLOSED:
        again = figures.next_try_in_s
        when = "one call is on trial" if again is None else f"next try in {fmt.duration(again)}"
        return ApiRow(
            api=figures.api, words=f"{figures.reason or 'not called'}, {when}", tone="warn"
        )
    used = f"{fmt.plural(figures.requests, 'request')}, {fmt.plural(figures.errors, 'error')}"
    limit = "" if figures.per_minute is None else f", {figures.per_minute:g} a minute"
    waiting = f", {fmt.count(figures.waiting)} waiting" if figures.waiting else ""
    return ApiRow(api=figures.api, words=f"{used}{limit}{waiting}", tone="")
