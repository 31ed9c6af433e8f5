"""What the Agents page says of the execution engine: what waits, what tasks took, what went wrong."""

from dataclasses import dataclass

from dashboard import formatting as fmt
from dashboard.views.agent_states import milliseconds, names_of
from engine.domain.agents import TaskDurations, TaskPriority
from engine.domain.sections import AgentsSection


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """Tasks that wait at one priority, and who works at it."""

    priority: str
    who: str
    count: str
    is_empty: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow:
    """What an agent's tasks of one type took, and how late the latest 1 in 100 of them began."""

    task_type: str
    agent: str
    runs: str
    p50: str
    p95: str
    longest: str
    late: str


HOUSEKEEPING = "housekeeping"
"""What the engine itself does when nothing else waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueView:
    """The execution engine's queue by priority, most urgent first; `tasks` by task type, then in start order."""

    running: str
    rows: tuple[QueueRow, ...]
    troubles: str
    has_trouble: bool
    tasks: tuple[TaskRow, ...]
    tasks_words: str


def queue_view(section: AgentsSection) -> QueueView:
    """Return the queue by priority, most urgent first; a count is unknown before the first health check."""
    rows, names = [], names_of(section.rows)
    for priority in TaskPriority:
        who = [names[row.agent_id] for row in section.rows if row.priority is priority]
        who += [HOUSEKEEPING] if priority is TaskPriority.IDLE else []
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
    return QueueView(
        running=running if is_known else fmt.UNKNOWN,
        rows=tuple(rows),
        troubles=_troubles(section) if is_known else "",
        has_trouble=bool(_wrong(section)),
        tasks=task_rows(section),
        tasks_words=_tasks_words(section),
    )


def task_rows(section: AgentsSection) -> tuple[TaskRow, ...]:
    """Return what tasks took, by task type, then by agent in start order; strangers to the crew last."""
    titles = names_of(section.rows)
    order = {agent_id: place for place, agent_id in enumerate(titles)}
    found = sorted(
        section.durations,
        key=lambda d: (d.task_type, order.get(d.agent_id, len(order)), d.agent_id),
    )
    return tuple(_task_row(done, titles.get(done.agent_id, done.agent_id)) for done in found)


def _task_row(done: TaskDurations, agent: str) -> TaskRow:
    return TaskRow(
        task_type=done.task_type,
        agent=agent,
        runs=fmt.count(done.n),
        p50=milliseconds(done.p50_ms),
        p95=milliseconds(done.p95_ms),
        longest=milliseconds(done.max_ms),
        late=milliseconds(done.late_ms_p99),
    )


def _tasks_words(section: AgentsSection) -> str:
    """Return how many kinds of tasks there are and what the longest took."""
    types = {done.task_type for done in section.durations}
    if not types:
        return "not measured yet"
    longest = max(
        (done.max_ms for done in section.durations if done.max_ms is not None), default=None
    )
    return f"{fmt.plural(len(types), 'type')}, the longest took {milliseconds(longest)}"


def _wrong(section: AgentsSection) -> list[str]:
    """Return what went wrong with tasks and triggers, each with its count; nothing when all went well."""
    t = section.timers
    skipped = t.get("skipped", 0) + t.get("max_instances", 0)
    counts = (
        ("late", section.late_tasks), ("failed", section.failed_tasks), ("timed out", section.timed_out_tasks),
        ("not ending", section.orphaned_tasks),
        ("missed", t.get("missed", 0)), ("skipped", skipped), ("trigger errors", t.get("errors", 0)),
        ("clock jumps", t.get("clock_jumps", 0)),
    )  # fmt: skip
    return [f"{words} {fmt.count(n)}" for words, n in counts if n]


def _troubles(section: AgentsSection) -> str:
    """Return late, failed, missed and skipped runs since the start, how late the worst begin, and the loop's lag."""
    n = sum(done.n for done in section.durations)
    wrong = ", ".join(_wrong(section)) or "no run late, failed, missed or skipped"
    late = f"late p99 {milliseconds(section.late_ms_p99)} of the newest 1,000"
    lag = "loop lag not measured yet"
    if section.loop_lag_ms is not None:
        lag = f"loop lag at most {milliseconds(section.loop_lag_ms)} in the last minute"
    return f"Since the start, of {fmt.plural(n, 'task')}: {wrong}; {late}, {lag}."
