"""What the Journal says of events."""

import csv
import io
import json
from dataclasses import replace

import pytest

from dashboard.blocks.journal import log_rows
from dashboard.views import journal as view
from engine.domain.events import EventType
from engine.domain.log import EventDetail, LogRow
from tests.dashboard.samples import NOW


def feed(seq: int, meaning: str) -> LogRow:
    return LogRow(seq=seq, at=float(seq), event_type="FEED_CHANGED", source="feed", meaning=meaning)


def test_repeats_are_folded_into_their_newest_and_counted():
    fill = LogRow(seq=4, at=4.0, event_type="ORDER_FILLED", source="execution", meaning="BUY 1")
    rows = (
        feed(9, "paused"), replace(fill, seq=8, meaning="SELL 1"), feed(7, "bar 3"),
        replace(fill, seq=6), replace(fill, seq=5), feed(3, "bar 2"), fill,
    )  # fmt: skip
    folded = view.folded(view.rows_view(rows))
    assert [(row.seq, row.times, row.meaning) for row in folded] == [
        (9, 3, "paused"),
        (8, 1, "SELL 1"),
        (6, 3, "BUY 1"),  # one after another, once the feed's are gone
    ]
    assert [cells[2][1] for _, _, cells in json.loads(log_rows(folded))] == [
        "×3 paused", "SELL 1", "×3 BUY 1",
    ]  # fmt: skip


def event(seq: int = 9572, kind: EventType = EventType.ORDER_FILLED, **changes: object) -> LogRow:
    row = LogRow(seq=seq, at=1_700_000_000.0437, event_type=kind.value, source="execution", meaning="SELL PG",
                 as_of=NOW, cause=9571, tone="down")  # fmt: skip
    return replace(row, **changes)


def test_a_row_reads_as_in_the_design():
    row = view.row_view(event())
    assert (row.event_id, row.time, row.topic, row.source) == (
        "#9,572",
        "22:13:20.043",
        "ORDER_FILLED",
        "Execution",
    )
    assert (row.cause, row.cause_seq, row.day, row.tone) == ("#9,571", 9571, "26 Sep 2008", "dn")


def test_a_first_cause_says_so():
    row = view.row_view(event(cause=None, source="my_agent", as_of=None))
    assert (row.cause, row.cause_seq, row.source, row.day) == ("first", None, "my_agent", "")


@pytest.mark.parametrize(
    ("kind", "tone", "expected"),
    [
        (EventType.ORDER_FILLED, "up", "up"),
        (EventType.SIGNAL_GENERATED, "down", ""),
        (EventType.RISK_UPDATE, "warn", ""),
        (EventType.RISK_ALERT, "crit", "crit"),
        (EventType.MC_UPDATE, "accent", "acc"),
    ],
)
def test_only_fills_alerts_and_forecasts_have_colour(kind: EventType, tone: str, expected: str):
    assert view.tone_of(event(kind=kind, tone=tone)) == expected


def test_no_filter_lets_all_but_ticks_through():
    rows = [event(1), event(2, EventType.MARKET_DATA), event(3, EventType.MC_UPDATE)]
    assert [r.seq for r in view.rows_view(rows)] == [1, 3]
    assert [r.seq for r in view.rows_view(rows, ["ticks"])] == [2]
    assert [r.seq for r in view.rows_view(rows, ["orders", "forecasts"])] == [1, 3]
    assert [r.seq for r in view.rows_view(rows, ["orders"])] == [1]


def test_a_filter_that_does_not_exist_filters_nothing():
    assert view.types_of(["no such kind"]) == view.EVERYTHING


def test_every_kind_of_event_but_telemetry_has_a_filter():
    filtered = frozenset().union(*(k.types for k in view.KINDS), view.TICKS.types)
    left = {t.value for t in EventType} - filtered
    assert left == {"CUSTOM", "AGENT_MEASURED", "PORTFOLIO_VALUED", "HEALTH_CHECKED", "VAR_WALKED"}


def test_a_chain_counts_from_its_first_cause():
    first = event(10, EventType.MARKET_DATA, at=100.0)
    own = event(12, at=100.0422)
    later = event(13, at=100.05)
    shown = view.detail_view(
        EventDetail(row=own, fields={"b": "2", "a": "1"}, causes=(first,), effects=(later,))
    )
    assert [(link.row.seq, link.since, link.is_own) for link in shown.chain] == [
        (10, "0 ms", False),
        (12, "42 ms", True),
    ]
    assert [(link.row.seq, link.since) for link in shown.effects] == [(13, "50 ms")]
    assert shown.fields == (("a", "1"), ("b", "2"))


def test_a_csv_has_a_head_and_defuses_formulas():
    text = view.csv_text([event(meaning='=HYPERLINK("x")', cause=None)])
    head, line, end = text.split("\n")
    assert head == "event,time,market_time,topic,source,meaning,cause"
    assert end == ""
    assert line.startswith(
        "9572,2023-11-14T22:13:20.043700+00:00,2008-09-26T20:00:00+00:00,ORDER_FILLED,execution,"
    )
    assert "'=HYPERLINK" in line


def test_a_comma_in_the_meaning_stays_in_its_cell():
    (_, row) = csv.reader(io.StringIO(view.csv_text([event(meaning='SELL JNJ $10,264, "cost"')])))
    assert row[5] == 'SELL JNJ $10,264, "cost"'
    assert len(row) == 7
