"""The desk: each command once, answered with an event, refused with the reason."""

import asyncio
import time
from dataclasses import replace

import pytest

from engine.adapters.journals.memory import MemoryJournal
from engine.core.commands import POLL_S, CommandDesk, checked
from engine.core.event_bus import EventBus
from engine.domain.commands import (
    CommandEnvelope,
    HaltTrading,
    PauseAgent,
    ResumeTrading,
    SetReplaySpeed,
    SetStrategyWeights,
)
from engine.domain.errors import InvalidValueError, JournalError, UnknownNameError
from engine.domain.events import EventType


def envelope(command, command_id: str = "c1", **more) -> CommandEnvelope:
    return CommandEnvelope(
        command_id=command_id, name=type(command).__name__, params=command.to_data(), **more
    )


class Desk:
    """A desk with its surroundings and everything that it answered."""

    def __init__(self, journal=None, **options) -> None:
        self.journal = journal or MemoryJournal()
        self.bus = EventBus()
        self.answers: list[tuple[EventType, dict]] = []
        for kind in (EventType.COMMAND_ACCEPTED, EventType.COMMAND_REFUSED):
            self.bus.subscribe(kind, lambda e: self.answers.append((e.event_type, dict(e.data))))
        self.desk = CommandDesk(self.journal, self.bus, is_inline=True, **options)

    @property
    def told(self) -> list[tuple[str, str, str]]:
        return [(kind.value, data["title"], data["message"]) for kind, data in self.answers]


@pytest.mark.asyncio
async def test_a_command_is_obeyed_and_answered_with_who_asked():
    d, speeds = Desk(), []

    async def obey(command, asked):
        speeds.append(command.bars_per_minute)
        return f"Replay plays {command.bars_per_minute:g} bars a minute.", asked.actor

    d.desk.register(SetReplaySpeed, obey)
    d.journal.send(envelope(SetReplaySpeed(bars_per_minute=6), actor="anna", source="rest"))
    assert await d.desk.work_once() == 1
    ((kind, data),) = d.answers
    assert kind is EventType.COMMAND_ACCEPTED
    assert data["title"] == "Replay plays 6 bars a minute."
    assert (data["actor"], data["source"], data["command_id"]) == ("anna", "rest", "c1")
    assert speeds == [6.0]
    assert d.journal.take() == ()


@pytest.mark.asyncio
async def test_the_same_command_again_is_the_same_command():
    d, n = Desk(), []

    async def obey(command, asked):
        n.append(asked.command_id)
        return "ok", ""

    d.desk.register(PauseAgent, obey)
    for _ in range(3):
        d.journal.send(envelope(PauseAgent(agent_id="risk")))
        await d.desk.work_once()
    assert n == ["c1"]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (CommandEnvelope(command_id="c", name="Dance"), "'Dance'"),
        (CommandEnvelope(command_id="c", name="PauseAgent"), "agent_id"),
        (CommandEnvelope(command_id="c", name="SetReplaySpeed", params={"bars_per_minute": "fast"}), "bars_per_minute"),
        (CommandEnvelope(command_id="c", name="SetReplaySpeed", params={"bars_per_minute": "nan"}), "bars_per_minute"),
        (CommandEnvelope(command_id="c", name="SetStrategyWeights", params={"weights": {"m": "inf"}}), "weights.m"),
        (envelope(HaltTrading()), "HaltTrading"),
    ],
)  # fmt: skip
async def test_a_command_that_cannot_be_obeyed_is_refused_naming_what(sent, words):
    d = Desk()
    d.journal.send(sent)
    await d.desk.work_once()
    ((kind, title, message),) = d.told
    assert kind == "COMMAND_REFUSED"
    assert title.endswith("refused")
    assert words in message
    assert d.journal.take() == ()


@pytest.mark.asyncio
async def test_a_refusal_and_a_failure_of_a_handler_are_answers_and_the_desk_goes_on():
    d = Desk()

    async def refuse(command, asked):
        raise UnknownNameError("agent must be one of risk, was 'x'; correct the name")

    async def fail(command, asked):
        raise ZeroDivisionError("by zero")

    d.desk.register(PauseAgent, refuse)
    d.desk.register(SetReplaySpeed, fail)
    d.journal.send(envelope(PauseAgent(agent_id="x"), "c1"))
    d.journal.send(envelope(SetReplaySpeed(bars_per_minute=1), "c2"))
    await d.desk.work_once()
    assert d.told == [
        ("COMMAND_REFUSED", "Pause agent refused", "Agent must be one of risk, was 'x'; correct the name."),
        ("COMMAND_REFUSED", "Set replay speed failed", "ZeroDivisionError: by zero"),
    ]  # fmt: skip


@pytest.mark.asyncio
async def test_a_thousand_commands_at_once_are_each_applied_once_and_in_order():
    d = Desk()
    applied: list[float] = []

    async def obey(command, asked):
        await asyncio.sleep(0)
        applied.append(command.weights["m"])
        return "ok", ""

    d.desk.register(SetStrategyWeights, obey)
    d.desk.start()

    def send(start: int) -> None:
        for k in range(start, 1_000, 4):
            for _ in range(2):
                d.journal.send(envelope(SetStrategyWeights(weights={"m": float(k)}), f"c{k}"))
                d.desk.wake()

    await asyncio.gather(*(asyncio.to_thread(send, start) for start in range(4)))
    async with asyncio.timeout(20):
        while len(d.answers) < 1_000 or d.journal.take():
            await asyncio.sleep(0.01)
    await d.desk.stop()
    assert sorted(applied) == [float(k) for k in range(1_000)]
    for start in range(4):
        mine = [value for value in applied if value % 4 == start]
        assert mine == sorted(mine), "of one sender in order"


@pytest.mark.asyncio
async def test_a_command_of_another_process_is_found_without_a_call():
    d = Desk()

    async def obey(command, asked):
        return "ok", ""

    d.desk.register(PauseAgent, obey)
    d.desk.start()
    await asyncio.sleep(0.01)
    d.journal.send(envelope(PauseAgent(agent_id="risk")))
    async with asyncio.timeout(5):
        while not d.answers:
            await asyncio.sleep(0.005)
    await d.desk.stop()


@pytest.mark.asyncio
async def test_the_kill_switch_does_not_wait_behind_a_slow_command():
    d, gate = Desk(), asyncio.Event()

    async def slow(command, asked):
        await gate.wait()
        return "slow", ""

    async def halt(command, asked):
        return "halted", ""

    d.desk.register(PauseAgent, slow)
    d.desk.register(HaltTrading, halt)
    d.journal.send(envelope(PauseAgent(agent_id="a"), "c1"))
    d.desk.start()
    await asyncio.sleep(0.01)
    d.journal.send(envelope(HaltTrading(), "c2"))
    d.desk.wake()
    async with asyncio.timeout(5):
        while not d.answers:
            await asyncio.sleep(0.005)
    assert [data["title"] for _, data in d.answers] == ["halted"]
    gate.set()
    await asyncio.sleep(0.01)
    await d.desk.stop()
    assert [data["title"] for _, data in d.answers] == ["halted", "slow"]


@pytest.mark.asyncio
async def test_a_command_answered_before_a_crash_is_marked_and_not_obeyed_again():
    d, obeyed = Desk(answered=["c1"]), []

    async def obey(command, asked):
        obeyed.append(asked.command_id)
        return "ok", ""

    d.desk.register(PauseAgent, obey)
    for name in ("c1", "c2"):
        d.journal.send(envelope(PauseAgent(agent_id="a"), name))
    await d.desk.work_once()
    assert obeyed == ["c2"]
    assert d.journal.take() == ()


class Locked(MemoryJournal):
    """Cannot be read or marked while `is_locked`."""

    is_locked = False

    def take(self, limit=1000):
        self._check()
        return super().take(limit)

    def done(self, command_ids):
        self._check()
        super().done(command_ids)

    def _check(self):
        if self.is_locked:
            raise JournalError("database is locked")


@pytest.mark.asyncio
async def test_a_locked_journal_delays_commands_and_doubles_none():
    journal = Locked()
    d, obeyed = Desk(journal), []

    async def obey(command, asked):
        obeyed.append(asked.command_id)
        journal.is_locked = True
        return "ok", ""

    d.desk.register(PauseAgent, obey)
    journal.send(envelope(PauseAgent(agent_id="a")))
    await d.desk.work_once()
    assert await d.desk.work_once() == 0
    journal.is_locked = False
    await d.desk.work_once()
    assert obeyed == ["c1"]
    assert journal.take() == ()


def test_a_command_is_checked_down_to_its_numbers():
    good = envelope(SetStrategyWeights(weights={"a": 0.5}))
    assert checked(good) == SetStrategyWeights(weights={"a": 0.5})
    with pytest.raises(InvalidValueError, match=r"SetStrategyWeights\.weights\.a must be a finite"):
        checked(replace(good, params={"weights": {"a": float("nan")}}))


@pytest.mark.asyncio
async def test_a_resumption_that_a_halt_came_after_is_refused():
    d, obeyed = Desk(), []

    async def obey(command, asked):
        obeyed.append(asked.command_id)
        return "done", ""

    d.desk.register(HaltTrading, obey)
    d.desk.register(ResumeTrading, obey)
    d.journal.send(envelope(ResumeTrading(), "resume-1"))
    d.journal.send(envelope(HaltTrading(), "halt"))
    d.journal.send(envelope(ResumeTrading(), "resume-2"))
    await d.desk.work_once()
    assert obeyed == ["halt", "resume-2"]
    refused = [data for kind, data in d.answers if kind is EventType.COMMAND_REFUSED]
    assert [data["command_id"] for data in refused] == ["resume-1"]
    assert "overtaken" in refused[0]["message"]


@pytest.mark.parametrize(
    "command",
    [
        HaltTrading(reason="x" * 501),
        SetStrategyWeights(weights={f"s{n}": 0.1 for n in range(101)}),
        PauseAgent(agent_id="a" * 100_000),
    ],
)
def test_what_no_person_wrote_is_refused_by_name(command):
    with pytest.raises(InvalidValueError, match=f"{type(command).__name__}.*must have at most"):
        checked(envelope(command))
    checked(envelope(HaltTrading(reason="x" * 500)))


class SlowToMark(MemoryJournal):
    """A journal on a busy disk: marking takes longer than the desk's poll."""

    def done(self, command_ids):
        time.sleep(3 * POLL_S)
        super().done(command_ids)


@pytest.mark.asyncio
async def test_marking_that_outlasts_a_poll_leaves_the_desk_at_work():
    d = Desk(SlowToMark())
    d.desk = CommandDesk(d.journal, d.bus)

    async def obey(command, asked):
        return "ok", ""

    d.desk.register(PauseAgent, obey)
    d.desk.start()
    for n in range(6):
        d.journal.send(envelope(PauseAgent(agent_id="risk"), f"c{n}"))
        d.desk.wake()
        async with asyncio.timeout(5):
            while len(d.answers) <= n:
                await asyncio.sleep(0.005)
    await d.desk.stop()
    assert d.journal.take() == ()


@pytest.mark.asyncio
async def test_a_desk_whose_journal_fails_in_an_unknown_way_hears_the_kill_switch_afterwards(
    caplog,
):
    class Odd(MemoryJournal):
        is_odd = True

        def take(self, limit=1000):
            if self.is_odd:
                raise RuntimeError("nobody thought of this")
            return super().take(limit)

    d = Desk(Odd())
    halted = asyncio.Event()

    async def halt(command, asked):
        halted.set()
        return "HALTED", ""

    d.desk.register(HaltTrading, halt)
    d.desk.start()
    d.journal.send(envelope(HaltTrading(reason="enough")))
    await asyncio.sleep(0)
    d.journal.is_odd = False
    await asyncio.wait_for(halted.wait(), 5)
    await d.desk.stop()
    assert "goes on" in caplog.text
