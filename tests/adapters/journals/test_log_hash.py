"""The log hash sees what happened and why, and neither when it was computed nor where."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from engine.adapters.journals.log_hash import log_hash
from engine.domain.events import Event, EventType
from tests.ports.journal_conformance import NOW, alert, tick

RUN = {
    "seed": 1,
    "config_hash": "c",
    "pid": 1,
    "host": "a",
    "owner": "o",
    "started_at": 1.0,
    "epoch": 1,
}


def started(**changes: object) -> Event:
    return Event(EventType.RUN_STARTED, {**RUN, **changes}, "engine", NOW, 1)


LOG = [started(), tick(2), alert(3)]


@pytest.mark.parametrize(
    "change",
    [
        {"seq": 4},
        {"event_type": EventType.CUSTOM},
        {"as_of": NOW + timedelta(microseconds=1)},
        {"as_of": None},
        {"cause": 1},
        {"data": {"title": "other"}},
    ],
)
def test_any_change_of_what_happened_changes_the_hash(change: dict[str, object]) -> None:
    assert log_hash([*LOG[:2], replace(LOG[2], **change)]) != log_hash(LOG)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"computed_at": datetime(2026, 1, 1, tzinfo=UTC)},
        {"as_of": NOW.astimezone(timezone(timedelta(hours=2)))},
        {"data": dict(reversed(LOG[1].data.items()))},
    ],
)
def test_neither_wall_time_nor_zone_nor_order_of_keys_changes_it(change: dict[str, object]) -> None:
    assert log_hash([LOG[0], replace(LOG[1], **change), LOG[2]]) == log_hash(LOG)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["pid", "host", "owner", "started_at", "epoch"])
def test_what_a_run_says_of_its_process_is_left_out(key: str) -> None:
    assert log_hash([started(**{key: 99}), *LOG[1:]]) == log_hash(LOG)
    elsewhere = [Event(EventType.CUSTOM, {key: n}, seq=1) for n in (1, 2)]
    assert log_hash(elsewhere[:1]) != log_hash(elsewhere[1:]), "control: only in RUN_STARTED"


def test_another_seed_or_order_is_another_run() -> None:
    assert log_hash([started(seed=2), *LOG[1:]]) != log_hash(LOG)
    assert log_hash([LOG[0], LOG[2], LOG[1]]) != log_hash(LOG)


def test_telemetry_is_left_out() -> None:
    measured = Event(EventType.AGENT_MEASURED, {"p50_ms": 1.0}, "risk")
    assert log_hash([*LOG, measured]) == log_hash(LOG)
