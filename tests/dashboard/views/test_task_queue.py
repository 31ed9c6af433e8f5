"""The execution engine on the Agents page: what waits, and what went wrong."""

from dataclasses import replace

from dashboard.views import task_queue as view
from engine.domain.agents import TaskDurations, TaskPriority
from tests.dashboard.samples import agents


def test_the_queue_lists_who_works_at_each_priority():
    rows = view.queue_view(agents()).rows
    assert [r.priority for r in rows] == ["CRITICAL", "HIGH", "NORMAL", "LOW", "IDLE"]
    assert [r.count for r in rows] == ["0", "1", "0", "1", "0"]
    assert rows[0].who == "Risk, Execution"
    assert view.queue_view(agents()).running == "0 running of 20"
    assert len(rows) == len(TaskPriority)


def test_before_the_first_health_check_nothing_is_claimed():
    section = replace(agents(), events_per_second={}, queue_by_priority={})
    shown = view.queue_view(section)
    assert {r.count for r in shown.rows} == {"–"}
    assert (shown.running, shown.troubles, shown.has_trouble) == ("–", "", False)


def test_runs_that_went_well_say_so_with_how_late_they_begin():
    shown = view.queue_view(replace(agents(), late_ms_p99=4.2, loop_lag_ms=11.0))
    assert shown.troubles == (
        "Since the start, of 290 tasks: no run late, failed, missed or skipped; "
        "late p99 4.2 ms of the newest 1,000, loop lag at most 11 ms in the last minute."
    )
    assert not shown.has_trouble


def test_a_lag_that_nobody_measured_is_not_0_ms():
    assert "loop lag not measured yet" in view.queue_view(agents()).troubles


def test_late_failed_missed_and_skipped_runs_are_counted_in_words():
    section = replace(
        agents(), late_tasks=3, failed_tasks=1, timed_out_tasks=2, orphaned_tasks=1,
        timers={"missed": 4, "max_instances": 5, "errors": 0, "clock_jumps": 1},
    )  # fmt: skip
    shown = view.queue_view(section)
    assert shown.has_trouble
    assert shown.troubles.startswith(
        "Since the start, of 290 tasks: late 3, failed 1, timed out 2, not ending 1, "
        "missed 4, skipped 5, clock jumps 1; "
    )


def test_durations_and_lateness_stand_by_task_type_then_in_start_order():
    rows = (
        TaskDurations(agent_id="somebody", task_type="agent_cycle", n=1),
        TaskDurations(agent_id="risk", task_type="agent_cycle", n=2_000, p50_ms=3.0, p95_ms=24.0, max_ms=130.0,
                      late_ms_p99=84.0),
        TaskDurations(agent_id="market_data", task_type="agent_cycle", n=3),
        TaskDurations(agent_id="execution", task_type="a_stop", n=0, late_ms_p99=0.3),
    )  # fmt: skip
    tasks = view.task_rows(replace(agents(), durations=rows))
    assert [(t.task_type, t.agent) for t in tasks] == [
        ("a_stop", "Execution"),
        ("agent_cycle", "Market data"),
        ("agent_cycle", "Risk"),
        ("agent_cycle", "somebody"),
    ]
    risk = tasks[2]
    assert (risk.runs, risk.p50, risk.p95, risk.longest, risk.late) == (
        "2,000", "3.0 ms", "24 ms", "130 ms", "84 ms",
    )  # fmt: skip
    unended = tasks[0]
    assert (unended.runs, unended.p50, unended.longest, unended.late) == ("0", "–", "–", "0.3 ms")


def test_the_line_over_the_durations_counts_types_and_names_the_longest():
    assert view.queue_view(agents()).tasks_words == "2 types, the longest took 130 ms"
    assert view.queue_view(replace(agents(), durations=())).tasks_words == "not measured yet"
    begun = (TaskDurations(agent_id="risk", task_type="risk_cycle", n=0),)
    words = view.queue_view(replace(agents(), durations=begun)).tasks_words
    assert words == "1 type, the longest took –"
