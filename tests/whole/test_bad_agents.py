"""Bad agents of one's own, in the program as it is started: each is named, and prices, votes and the end go on."""

import time
from collections.abc import Callable
from pathlib import Path

from tests.program import FAST, Server, wait_until

AGENTS = """
import asyncio, sys, time
from engine import BaseAgent, EventType


class AtOnce(BaseAgent):
    title = "At once"
    n_before = 0
    n = 0

    async def _run_cycle(self, resource_pool):
        self.n += 1
        while self.n > self.n_before:
            try:
                time.sleep(0.01)
            except Exception:
                continue


class Endless(AtOnce):
    title = "Endless"
    n_before = 2


class NeverUp(BaseAgent):
    title = "Never up"
    start_limit_s = 1.0

    async def on_start(self):
        await asyncio.sleep(3600)


class NeverDown(BaseAgent):
    title = "Never down"

    async def on_stop(self):
        await asyncio.sleep(3600)

    async def _run_cycle(self, resource_pool):
        return {}


class Quits(BaseAgent):
    async def _run_cycle(self, resource_pool):
        sys.exit(3)


class QuitsHearing(BaseAgent):
    topics = (EventType.MARKET_DATA,)

    def handle(self, event):
        raise KeyboardInterrupt


class Cancels(BaseAgent):
    topics = (EventType.MARKET_DATA,)

    def handle(self, event):
        raise asyncio.CancelledError


class QuitsStarting(BaseAgent):
    async def on_start(self):
        sys.exit(4)


class NoPace(BaseAgent):
    async def on_start(self):
        self.interval = 0


class Threads(BaseAgent):
    async def _run_cycle(self, resource_pool):
        await asyncio.to_thread(time.sleep, 3600)


class Counts(BaseAgent):
    task_type = "risk_cycle"

    async def _run_cycle(self, resource_pool):
        await resource_pool.run_cpu(lambda: time.sleep(3600))


class Invents(BaseAgent):
    async def _run_cycle(self, resource_pool):
        price = {"symbol": "AAPL", "price": 0.01, "as_of": "2099-01-01T00:00:00Z"}
        await self.emit_event(EventType.MARKET_DATA, price)


class Overwrites(BaseAgent):
    async def _run_cycle(self, resource_pool):
        self.update_state("bars:AAPL", {"symbol": "AAPL", "close": [0.01]})


class Spoils(BaseAgent):
    topics = (EventType.MARKET_DATA, EventType.MC_UPDATE)

    def handle(self, event):
        event.data["price"] = event.data["symbol"] = None
        for values in self.get_state("bars:AAPL").values():
            if isinstance(values, list):
                values.clear()
        return ()


class Leaves(BaseAgent):
    title = "Leaves"

    async def on_start(self):
        self.child = asyncio.create_task(self.blocks(self.interval))

    @staticmethod
    async def blocks(pause_s):
        while True:
            await asyncio.sleep(pause_s)
            time.sleep(1.5)


class Poisons(BaseAgent):
    async def _run_cycle(self, resource_pool):
        await self.emit_event(EventType.CUSTOM, {"a": 1}, as_of="2030-01-01")


class TakesLanes(BaseAgent):
    async def _run_cycle(self, resource_pool):
        async def rests():
            await asyncio.sleep(80)
        for task_type in ("price_cycle", "stop_loss", "risk_check"):
            await self.driver.schedule_task(self.agent_id, task_type, rests)


class Chews(BaseAgent):
    async def on_start(self):
        self.child = asyncio.create_task(self.chews())

    async def chews(self):
        while True:
            time.sleep(0.045)
            await asyncio.sleep(0.02)


class Clobbers(BaseAgent):
    async def _run_cycle(self, resource_pool):
        self._fence = self._measurement = self._status = self._worker = None


class Heavy(BaseAgent):
    title = "Heavy"
    heavy = True
    topics = (EventType.MARKET_DATA,)

    def handle(self, event):
        while True:
            time.sleep(0.01)


class TakesThreads(BaseAgent):
    async def _run_cycle(self, resource_pool):
        await asyncio.gather(*(asyncio.to_thread(time.sleep, 3600) for _ in range(100)))


class HalfCharacters(BaseAgent):
    n = 0

    async def _run_cycle(self, resource_pool):
        self.n += 1
        if self.n % 2:
            raise FileNotFoundError("caf\\udce9.csv")
        self.update_state("\\ud83dk", 1)


class Mute(BaseAgent):
    async def _run_cycle(self, resource_pool):
        return {}

    def measured(self):
        raise RuntimeError("no figures")


class Chain(BaseAgent):
    n = 0

    async def on_start(self):
        asyncio.get_running_loop().call_soon(self.again)

    def again(self):
        Chain.n += 1
        asyncio.get_running_loop().call_soon(self.again)

    async def _run_cycle(self, resource_pool):
        return {}


class Counts2(BaseAgent):
    async def _run_cycle(self, resource_pool):
        self.update_state("chain", Chain.n)
        await self.emit_event(EventType.CUSTOM, {"n": Chain.n})


class Rushes(BaseAgent):
    async def on_start(self):
        self.asked = False

    async def _run_cycle(self, resource_pool):
        if not self.asked:
            self.asked = True
            data = {"symbol": "AAPL", "action": "BUY", "price": 0.01, "quantity": 1e12}
            await self.emit_event(EventType.SIGNAL_GENERATED, data)
"""
CONFIG = """
agents:
  never_up: {use: "bad_ones:NeverUp", config: {interval: 5}}
  never_down: {use: "bad_ones:NeverDown", config: {interval: 5}}
  never_down_2: {use: "bad_ones:NeverDown", config: {interval: 5}}
  never_down_3: {use: "bad_ones:NeverDown", config: {interval: 5}}
  never_down_4: {use: "bad_ones:NeverDown", config: {interval: 5}}
  at_once: {use: "bad_ones:AtOnce", config: {interval: 3}}
  endless: {use: "bad_ones:Endless", config: {interval: 3}}
  counts: {use: "bad_ones:Counts", config: {interval: 2}}
"""
LEAVING = """
agents:
  quits: {use: "bad_ones:Quits", config: {interval: 0.2}}
  quits_hearing: {use: "bad_ones:QuitsHearing", config: {interval: 5}}
  cancels: {use: "bad_ones:Cancels", config: {interval: 5}}
  quits_starting: {use: "bad_ones:QuitsStarting", config: {interval: 5}}
  no_pace: {use: "bad_ones:NoPace", config: {interval: 5}}
  threads: {use: "bad_ones:Threads", config: {interval: 5}}
"""
LYING = """
agents:
  invents: {use: "bad_ones:Invents", config: {interval: 0.2}}
  overwrites: {use: "bad_ones:Overwrites", config: {interval: 0.2}}
  spoils: {use: "bad_ones:Spoils"}
  leaves: {use: "bad_ones:Leaves", config: {interval: 1}}
  clobbers: {use: "bad_ones:Clobbers", config: {interval: 1}}
  poisons: {use: "bad_ones:Poisons", config: {interval: 1}}
  takes_lanes: {use: "bad_ones:TakesLanes", config: {interval: 1}}
  chews: {use: "bad_ones:Chews"}
"""
TAKING = """
agents:
  heavy: {use: "bad_ones:Heavy"}
  takes_threads: {use: "bad_ones:TakesThreads", config: {interval: 1}}
  half_characters: {use: "bad_ones:HalfCharacters", config: {interval: 0.5}}
  mute: {use: "bad_ones:Mute", config: {interval: 1}}
  chain: {use: "bad_ones:Chain", config: {interval: 5}}
  counts: {use: "bad_ones:Counts2", config: {interval: 0.5}}
  rushes: {use: "bad_ones:Rushes", config: {interval: 0.1}}
"""


UNTRUE = {
    "invents": "event_type must be one of CUSTOM, RISK_ALERT, SIGNAL_GENERATED, was 'MARKET_DATA'",
    "overwrites": "key must be text of at most 128 characters that begins with none of price:",
    "poisons": "as_of must be a datetime with a time zone",
    "takes_lanes": "agent_id must be 'takes_lanes'",
}


def started(servers: Callable[..., Server], home: Path, folder: Path, config: str) -> Server:
    """Return the program with the agents of a configuration aboard."""
    (folder / "bad_ones.py").write_text(AGENTS)
    crew = folder / "crew.yaml"
    crew.write_text(config)
    settings = {**FAST, "PYTHONPATH": str(folder), "PILOTHOUSE_CONFIG": str(crew)}
    return servers(home, settings=settings).start()


def test_agents_that_never_start_end_or_let_go_harm_nobody_else(
    home: Path, servers: Callable[..., Server], tmp_path: Path
):
    server = started(servers, home, tmp_path, CONFIG)

    def reasons() -> str:
        return " ".join(server.get("/api/health")["reasons"])

    wait_until(
        lambda: "Never up failed: start failed: on_start took longer" in reasons(),
        "the start that hangs",
    )
    wait_until(
        lambda: "The engine has stood still for 5 s. Endless is at bad_ones.py:" in reasons(),
        "its name, while it blocks",
    )
    assert server.agent("at_once") == "stopped", "it stood still while the engine came up"
    wait_until(lambda: server.agent("endless") == "stopped", "the end of the endless one")
    assert "the engine's loop stands still" in server.log()

    before = server.status()["feed"]["bars_done"]
    wait_until(lambda: server.status()["feed"]["bars_done"] > before + 2, "prices go on")
    votes = server.books.n("CYCLE_RECORDED")
    wait_until(lambda: server.books.n("CYCLE_RECORDED") > votes, "votes go on")
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 5


def test_agents_that_leave_by_what_ends_a_program_fail_alone(
    home: Path, servers: Callable[..., Server], tmp_path: Path
):
    server = started(servers, home, tmp_path, LEAVING)

    def errors() -> dict[str, str]:
        failed = server.books.data("AGENT_FAILED")
        return {row["agent_id"]: row["error"] for row in failed}

    leaving = {
        "quits": "LeftByError: SystemExit: 3",
        "quits_hearing": "LeftByError: KeyboardInterrupt",
        "cancels": "LeftByError: CancelledError, though nobody cancelled it",
    }
    wait_until(lambda: leaving.items() <= errors().items(), "each is named with its error")
    changed = {
        r["agent_id"]: r["reason"] for r in server.books.data("AGENT_CHANGED") if r["reason"]
    }
    assert changed["quits_starting"] == "start failed: SystemExit: 4"
    assert changed["no_pace"].startswith(
        "start failed: interval must be a number of seconds above 0"
    )
    server.wait_for_bars(3)
    votes = server.books.n("CYCLE_RECORDED")
    wait_until(lambda: server.books.n("CYCLE_RECORDED") > votes, "votes go on")
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 8, "a thread that never ends is left behind"
    assert "threads still at work are left behind: pilothouse-helper" in server.log()


def test_agents_that_tell_untruths_or_leave_work_behind_reach_nobody_else(
    home: Path, servers: Callable[..., Server], tmp_path: Path
):
    server = started(servers, home, tmp_path, LYING)
    wait_until(
        lambda: UNTRUE.keys() <= {r["agent_id"] for r in server.books.data("AGENT_FAILED")},
        "both untruths are told",
    )  # fmt: skip
    errors = {row["agent_id"]: row["error"] for row in server.books.data("AGENT_FAILED")}
    for agent_id, words in UNTRUE.items():
        assert words in errors[agent_id]

    def ended() -> list[str]:
        changes = server.books.data("AGENT_CHANGED")
        return [
            r["reason"] for r in changes if r["agent_id"] == "leaves" and r["status"] == "stopped"
        ]

    wait_until(ended, "the end of who left a child behind")
    assert ended()[-1].startswith("blocked the engine's loop: 1.")
    assert " at bad_ones.py:" in ended()[-1]
    assert ended()[-1].endswith(" in blocks")
    blocks = server.log().count("stood still")
    server.wait_for_bars(4)
    assert server.log().count("stood still") == blocks, "the child ended with it"
    votes = server.books.n("CYCLE_RECORDED")
    wait_until(lambda: server.books.n("CYCLE_RECORDED") > votes, "votes go on")
    assert min(row["price"] for row in server.books.data("MARKET_DATA")) > 1.0
    for agent_id in ("market_data", "monte_carlo", "risk", "strategy", "execution", "supervisor"):
        assert server.agent(agent_id) == "running"
    assert server.stop() == 0


def test_agents_that_take_threads_or_spoil_text_take_nothing_from_others(
    home: Path, servers: Callable[..., Server], tmp_path: Path
):
    server = started(servers, home, tmp_path, TAKING)
    errors = {}

    def told() -> bool:
        errors.update({r["agent_id"]: r["error"] for r in server.books.data("AGENT_FAILED")})
        return errors.keys() >= {"half_characters", "mute"}

    wait_until(told, "each is named with its error")
    assert errors["mute"] == "RuntimeError: no figures"
    wait_until(
        lambda: "caf\ufffd.csv" in " ".join(r["error"] for r in server.books.data("AGENT_FAILED")),
        "half a character is written as what it is: unreadable",
    )
    server.wait_for_bars(3)
    votes = server.books.n("CYCLE_RECORDED")
    wait_until(lambda: server.books.n("CYCLE_RECORDED") > votes, "votes go on")

    # Nobody's threads but its own are gone: a command is obeyed, and screens move on.
    assert server.books.send("HaltTrading", "halt-1", reason="a drill")["title"].startswith(
        "HALTED"
    )
    wait_until(lambda: server.status()["trading"] == "HALTED", "the halt is shown")
    server.books.send("StopAgent", "stop-chain", agent_id="chain")
    wait_until(lambda: server.agent("chain") == "stopped", "the end of the chain")

    def chain() -> int:
        return int(server.books.data("CUSTOM")[-1]["n"])

    at_stop = server.books.head()
    wait_until(lambda: server.books.data("CUSTOM", at_stop), "a count after its end")
    last = chain()
    seen = len(server.books.data("CUSTOM"))
    wait_until(lambda: len(server.books.data("CUSTOM")) > seen + 3, "more counts")
    assert 0 < last == chain(), "what waits for its turn in the loop ends with it as well"
    intents = [r for r in server.books.data("ORDER_INTENDED") if float(r["quantity"]) > 100_000]
    assert intents == [], "an author's own price sizes nothing"
    for agent_id in ("market_data", "monte_carlo", "risk", "strategy", "execution", "supervisor"):
        assert server.agent(agent_id) == "running"
    assert server.stop() == 0
