"""What tasks took: by agent and type, bounded, lateness apart from length."""

import pytest

from engine.domain.agents import TaskDurations, TaskPriority
from engine.scheduling.task_figures import MAX_KINDS, WINDOW, TaskFigures
from engine.scheduling.tasks import Task


async def nothing() -> None:
    return


def task(agent_id: str = "risk", task_type: str = "risk_cycle", due_s: float = 10.0) -> Task:
    return Task(
        task_id="t", order=0, agent_id=agent_id, task_type=task_type, priority=TaskPriority.HIGH, due_s=due_s,
        work=nothing,
    )  # fmt: skip


def test_a_kind_is_an_agent_and_a_task_type() -> None:
    figures = TaskFigures()
    for took_ms, outcome in ((1.0, "completed"), (9.0, "failed"), (2.0, "timed_out"), (3.0, "x")):
        figures.began(task(), 10.05)
        if outcome == "timed_out":
            figures.timed_out(task())
        figures.ended(task(), outcome, took_ms)
    figures.began(task(task_type="other"), 10.0)
    assert figures.rows() == (
        TaskDurations(agent_id="risk", task_type="other", late_ms_p99=0.0),
        TaskDurations(
            agent_id="risk", task_type="risk_cycle", n=4, p50_ms=2.0, p95_ms=9.0, max_ms=9.0, last_ms=3.0,
            timed_out=1, failed=1, late_ms_p99=pytest.approx(50.0),
        ),
    )  # fmt: skip


def test_the_longest_is_remembered_when_it_has_left_the_window() -> None:
    figures = TaskFigures()
    for took_ms in (500.0, *([1.0] * WINDOW)):
        figures.ended(task(), "completed", took_ms)
    (row,) = figures.rows()
    assert (row.n, row.p95_ms, row.max_ms) == (WINDOW + 1, 1.0, 500.0)


def test_any_number_of_names_keeps_a_bounded_number_of_rows_the_newest() -> None:
    figures = TaskFigures()
    for n in range(10 * MAX_KINDS):
        figures.began(task(), 10.0)  # is never long ago
        figures.began(task(agent_id=f"custom-{n}"), 10.0)
    names = {row.agent_id for row in figures.rows()}
    assert len(names) == MAX_KINDS
    assert {"risk", f"custom-{10 * MAX_KINDS - 1}"} <= names
    assert "custom-0" not in names


def test_late_is_what_began_more_than_a_tenth_of_a_second_after_it_was_due() -> None:
    figures = TaskFigures()
    assert figures.stats()["late_ms_p99"] is None
    for began_s in (9.9, 10.0, 10.09, 10.2):
        figures.began(task(), began_s)
    stats = figures.stats()
    assert stats["late_tasks"] == 1
    assert (stats["late_ms_p50"], stats["late_ms_max"]) == pytest.approx((0.0, 200.0))


def test_an_agents_own_run_is_counted_and_not_timed() -> None:
    figures, run = TaskFigures(), task(task_type="agent_run", due_s=0.0)
    figures.began(run, 1e6)
    figures.ended(run, "completed", 1e9)
    stats = figures.stats()
    assert stats["completed_tasks"] == 1
    assert (stats["durations"], stats["late_tasks"], stats["mean_duration_ms"]) == ((), 0, None)
