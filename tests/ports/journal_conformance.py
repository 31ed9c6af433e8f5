"""What every journal promises; each adapter's test subclasses `JournalConformance` and gives the fixture `journal`."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from engine.adapters.journals.log_hash import log_hash
from engine.domain.commands import CommandEnvelope
from engine.domain.errors import InvalidValueError, JournalError, OwnershipLostError
from engine.domain.events import Event, EventType
from engine.domain.payload import Payload
from engine.ports.journal import Checkpoint, EventQuery, Journal

NOW = datetime(2008, 9, 15, 14, 30, 0, 250_001, tzinfo=UTC)


def tick(seq: int, price: float = 1.0, **more: Any) -> Event:
    return Event(
        EventType.MARKET_DATA, {"symbol": "AAPL", "price": price}, "market_data", NOW, seq, **more
    )


def alert(seq: int, title: str = "VaR above limit", source: str = "risk") -> Event:
    return Event(EventType.RISK_ALERT, {"title": title}, source, NOW, seq, cause=seq - 1 or None)


def command(command_id: str, **params: Any) -> CommandEnvelope:
    return CommandEnvelope(command_id=command_id, name="StopAgent", params=params)


def numbers(events: Iterable[Event]) -> list[int]:
    return [event.seq for event in events]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum(Payload):
    amount: Decimal


class JournalConformance:
    """The promises of `engine.ports.journal.Journal`."""

    def test_events_come_back_as_they_went_in(self, journal: Journal) -> None:
        events = [
            tick(1, 17.25, computed_at=NOW + timedelta(microseconds=1)),
            Event(EventType.ORDER_FILLED, {"price": "1.10", "nested": {"a": [1, None, "ü"]}}, "x", None, 2, 1),
            alert(5),
        ]  # fmt: skip
        journal.append(events, 0)
        assert list(journal.events()) == events
        assert journal.head() == 5

    def test_payloads_and_arrays_travel_as_plain_data(self, journal: Journal) -> None:
        data = {
            "a": Sum(amount=Decimal("1.10")),
            "b": np.float64(2.5),
            "c": np.arange(2),
            "d": float("nan"),
        }
        journal.append([Event(EventType.CUSTOM, data, seq=1)], 0)
        (event,) = journal.events()
        assert event.data == {"a": {"amount": "1.10"}, "b": 2.5, "c": [0, 1], "d": None}

    def test_data_that_json_cannot_hold_does_not_keep_its_batch_out(self, journal: Journal) -> None:
        recursive: dict[str, Any] = {}
        recursive["self"] = recursive
        odd = [object(), {object(): 1}, "\ud800", recursive]
        batch = [Event(EventType.CUSTOM, {"odd": x}, seq=n) for n, x in enumerate(odd, start=1)]
        journal.append([*batch, alert(9)], 0)
        stored = list(journal.events())
        assert numbers(stored) == [1, 2, 3, 4, 9]
        assert all("not_journalled" in stored[n].data for n in (0, 1, 3))
        assert stored[2].data == {"odd": "\ufffd"}, "half a character is no text; the rest is kept"

    def test_a_time_of_another_zone_and_a_naive_one_come_back_as_the_same_moment(
        self, journal: Journal
    ) -> None:
        east = NOW.astimezone(timezone(timedelta(hours=9)))
        naive = NOW.replace(tzinfo=None)
        journal.append(
            [Event(EventType.CUSTOM, {}, "", t, n) for n, t in ((1, east), (2, naive))], 0
        )
        assert [event.as_of for event in journal.events()] == [NOW, NOW]

    def test_telemetry_is_not_kept_but_counts(self, journal: Journal) -> None:
        journal.append([Event(EventType.HEALTH_CHECKED, {"x": 1}, seq=7)], 0)
        assert list(journal.events()) == []
        assert journal.head() == 7

    def test_an_empty_journal_has_head_zero_and_an_empty_batch_changes_nothing(
        self, journal: Journal
    ) -> None:
        journal.append([], 0)
        assert journal.head() == 0
        assert (list(journal.events()), journal.lease(), journal.last_checkpoint()) == (
            [],
            None,
            None,
        )

    @pytest.mark.parametrize("seqs", [(0,), (2, 2), (3, 2)])
    def test_numbers_that_do_not_rise_are_refused(
        self, journal: Journal, seqs: tuple[int, ...]
    ) -> None:
        with pytest.raises(InvalidValueError, match="seq must rise"):
            journal.append([tick(seq) for seq in seqs], 0)
        assert journal.head() == 0

    def test_a_number_that_was_given_out_is_refused_with_the_whole_batch(
        self, journal: Journal
    ) -> None:
        journal.append([tick(1), tick(2)], 0)
        with pytest.raises(JournalError, match="head 2"):
            journal.append([tick(2), tick(3)], 0)
        assert numbers(journal.events()) == [1, 2]

    def test_events_are_read_between_two_numbers(self, journal: Journal) -> None:
        journal.append([tick(n) for n in range(1, 11)], 0)
        assert numbers(journal.events(after_seq=3, until_seq=6)) == [4, 5, 6]

    def test_a_long_log_is_read_completely_and_in_order(self, journal: Journal) -> None:
        journal.append([tick(n) for n in range(1, 4_101)], 0)
        assert numbers(journal.events(after_seq=100)) == list(range(101, 4_101))

    def test_a_fenced_owner_writes_nothing(self, journal: Journal) -> None:
        first = journal.acquire("a", "host", 1, NOW)
        journal.append([tick(1)], first.epoch)
        second = journal.acquire("b", "host", 2, NOW)
        assert second.epoch == first.epoch + 1
        with pytest.raises(OwnershipLostError, match="another process owns"):
            journal.append([alert(2)], first.epoch)
        assert numbers(journal.events()) == [1]
        journal.append([alert(2)], second.epoch)
        assert numbers(journal.events()) == [1, 2], "control: the present owner writes"

    def test_the_lease_tells_who_owns_and_when_it_last_beat(self, journal: Journal) -> None:
        lease = journal.acquire("pilothouse", "host", 42, NOW)
        assert journal.lease() == lease
        assert (lease.owner, lease.host, lease.pid, lease.acquired_at) == (
            "pilothouse",
            "host",
            42,
            NOW,
        )
        later = NOW + timedelta(seconds=2)
        journal.beat(lease.epoch, later)
        renewed = journal.lease()
        assert renewed is not None
        assert (renewed.heartbeat_at, renewed.acquired_at) == (later, NOW)

    @pytest.mark.parametrize("epoch", [1, 3])
    def test_only_the_present_epoch_beats(self, journal: Journal, epoch: int) -> None:
        journal.acquire("a", "host", 1, NOW)
        journal.acquire("b", "host", 2, NOW)
        with pytest.raises(OwnershipLostError):
            journal.beat(epoch, NOW + timedelta(hours=1))
        lease = journal.lease()
        assert lease is not None
        assert lease.heartbeat_at == NOW

    def test_a_command_is_queued_once_and_waits_until_it_is_done(self, journal: Journal) -> None:
        assert journal.send(command("c-1", agent_id="risk"))
        assert journal.send(command("c-2"))
        assert not journal.send(command("c-1", agent_id="other"))
        assert journal.take() == (command("c-1", agent_id="risk"), command("c-2"))
        assert journal.take(limit=1) == (command("c-1", agent_id="risk"),)
        journal.done(["c-1"])
        assert [each.command_id for each in journal.take()] == ["c-2"]
        assert not journal.send(command("c-1")), "a command that was done is still known"

    @pytest.mark.parametrize("kind", [EventType.COMMAND_ACCEPTED, EventType.COMMAND_REFUSED])
    def test_an_answer_marks_its_command_done_in_the_same_transaction(
        self, journal: Journal, kind: EventType
    ) -> None:
        journal.send(command("c-1"))
        journal.send(command("c-2"))
        answer = Event(kind, {"command_id": "c-1", "name": "StopAgent"}, seq=1)
        journal.acquire("a", "host", 1, NOW)
        with pytest.raises(OwnershipLostError):
            journal.append([answer], 0)
        assert len(journal.take()) == 2, "a fenced answer answers nothing"
        journal.append([answer], 1)
        assert [each.command_id for each in journal.take()] == ["c-2"]

    def test_a_latch_keeps_its_last_value(self, journal: Journal) -> None:
        assert journal.latch("halt") is None
        journal.set_latch("halt", "HALTED")
        journal.set_latch("halt", "ACTIVE")
        assert journal.latch("halt") == "ACTIVE"

    def test_trimming_takes_the_oldest_ticks_and_nothing_else(self, journal: Journal) -> None:
        journal.append([alert(n) if n % 2 else tick(n) for n in range(1, 21)], 0)
        assert journal.trim(keep_stream=3) == 7
        assert numbers(journal.events()) == [1, 3, 5, 7, 9, 11, 13, 15, 16, 17, 18, 19, 20]
        assert journal.trim(keep_stream=3) == 0
        assert journal.trim(keep_stream=0) == 3
        assert journal.head() == 20

    def test_the_head_survives_a_trim_of_the_newest(self, journal: Journal) -> None:
        journal.append([tick(1), tick(2)], 0)
        journal.trim(0)
        assert journal.head() == 2
        with pytest.raises(JournalError):
            journal.append([tick(2)], 0)

    def test_the_newest_checkpoint_comes_back(self, journal: Journal) -> None:
        journal.append([tick(n) for n in range(1, 9)], 0)
        for seq in (2, 8, 4):
            journal.save_checkpoint(Checkpoint(seq=seq, sections={"engine": b'{"n":%d}' % seq}))
        assert journal.last_checkpoint() == Checkpoint(seq=8, sections={"engine": b'{"n":8}'})
        journal.save_checkpoint(Checkpoint(seq=8, sections={}))
        assert journal.last_checkpoint() == Checkpoint(seq=8, sections={})

    def test_a_checkpoint_never_runs_ahead_of_its_events(self, journal: Journal) -> None:
        with pytest.raises(InvalidValueError, match="head 0"):
            journal.save_checkpoint(Checkpoint(seq=1, sections={}))

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            (EventQuery(), [6, 5, 4, 3, 2, 1]),
            (EventQuery(limit=2), [6, 5]),
            (EventQuery(types=(EventType.RISK_ALERT,)), [6, 5, 4]),
            (EventQuery(sources=("gate", "market_data")), [6, 3, 2, 1]),
            (EventQuery(text="drawDOWN"), [5]),
            (EventQuery(text="50%"), [6]),
            (EventQuery(text="5_%"), []),
            (EventQuery(text="risk_al"), [6, 5, 4]),
            (EventQuery(text="below ALERT drawdown"), [5]),
            (EventQuery(text="  gate\treached "), [6]),
            (EventQuery(text="gate drawdown"), []),
            (EventQuery(text="risk 5_%"), []),
            (EventQuery(text="   "), [6, 5, 4, 3, 2, 1]),
            (EventQuery(before_seq=4, after_seq=1), [3, 2]),
            (EventQuery(types=(EventType.MARKET_DATA,), text="drawdown"), []),
        ],
    )
    def test_a_query_filters_and_gives_the_newest_first(
        self, journal: Journal, query: EventQuery, expected: list[int]
    ) -> None:
        ticks = [tick(n) for n in (1, 2, 3)]
        alerts = [
            alert(4),
            alert(5, "Drawdown 12 below limit"),
            alert(6, "Cap 50% reached", "gate"),
        ]
        journal.append([*ticks, *alerts], 0)
        assert numbers(journal.query(query)) == expected

    def test_the_hash_of_a_log_read_back_is_that_of_the_log_as_it_happened(
        self, journal: Journal
    ) -> None:
        events = [
            tick(1, 1e22),
            tick(2, -0.0),
            Event(EventType.CUSTOM, {"b": Sum(amount=Decimal(1)), "a": 1}, seq=3),
        ]
        journal.append(events, 0)
        assert log_hash(journal.events()) == log_hash(events)
        assert log_hash(journal.events()) != log_hash([tick(1, 1e22), tick(2, -0.0)])

    def test_many_threads_may_use_it_at_once(self, journal: Journal) -> None:
        errors: list[Exception] = []

        def send(worker: int) -> None:
            try:
                for n in range(20):
                    journal.send(command(f"{worker}-{n}"))
                    journal.set_latch(f"latch-{worker}", str(n))
                    journal.take(5)
            except JournalError as error:
                errors.append(error)

        threads = [threading.Thread(target=send, args=(worker,)) for worker in range(4)]
        for thread in threads:
            thread.start()
        journal.append([tick(n) for n in range(1, 50)], 0)
        for thread in threads:
            thread.join(30)
        assert errors == []
        assert len(journal.take()) == 80
        assert [journal.latch(f"latch-{worker}") for worker in range(4)] == ["19"] * 4

    def test_its_size_grows(self, journal: Journal) -> None:
        before = journal.size_bytes()
        journal.append([alert(n, "x" * 500) for n in range(1, 200)], 0)
        assert journal.size_bytes() >= before + 50_000

    def test_closing_twice_is_harmless_and_use_after_it_is_refused(self, journal: Journal) -> None:
        journal.close()
        journal.close()
        with pytest.raises(JournalError, match="closed"):
            journal.append([tick(1)], 0)
        with pytest.raises(JournalError, match="closed"):
            journal.head()
