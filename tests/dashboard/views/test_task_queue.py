"""The execution engine on the Agents page: what waits, what went wrong, and outside services."""

from dataclasses import replace

from dashboard.views import task_queue as view
from engine.domain.agents import TaskPriority
from engine.domain.resources import ApiFigures, BreakerState
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
    assert (
        shown.troubles == "No run late, failed, missed or skipped; "
        "1 in 100 begins 4.2 ms late or later, loop lag 11 ms."
    )
    assert not shown.has_trouble


def test_late_failed_missed_and_skipped_runs_are_counted_in_words():
    section = replace(
        agents(), late_tasks=3, failed_tasks=1, timed_out_tasks=2,
        timers={"missed": 4, "max_instances": 5, "errors": 0, "clock_jumps": 1},
    )  # fmt: skip
    shown = view.queue_view(section)
    assert shown.has_trouble
    assert shown.troubles.startswith(
        "Late 3, failed 1, timed out 2, missed 4, skipped 5, clock jumps 1; "
    )


def test_an_outside_service_shows_its_use_and_its_limit():
    row = view.api_row(ApiFigures(api="prices", requests=12, errors=1, per_minute=60.0, waiting=3))
    assert (row.words, row.tone) == ("12 requests, 1 error, 60 a minute, 3 waiting", "")


def test_an_open_breaker_says_why_and_when_it_is_tried_again():
    figures = ApiFigures(
        api="prices", breaker=BreakerState.OPEN, reason="rate limited (429)", next_try_in_s=12.0
    )
    row = view.api_row(figures)
    assert (row.words, row.tone) == ("rate limited (429), next try in 12 s", "warn")
    trial = view.api_row(replace(figures, breaker=BreakerState.HALF_OPEN, next_try_in_s=None))
    assert trial.words.endswith("one call is on trial")
