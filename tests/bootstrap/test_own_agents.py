"""Agents that the configuration names: found, driven and shown like the built-in ones; refused by name."""

import re
from pathlib import Path
from typing import Any

import pytest

from engine.bootstrap.turned import TurnedEngine, build_turned
from engine.domain.agents import AgentStatus
from engine.domain.errors import ConfigurationError
from engine.domain.events import EventType
from engine.domain.sections import AgentsSection
from engine.scheduling.lanes import SHARED, lane_of
from engine.settings import Settings

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "write-an-agent.md"
COUNTER = """
from engine import BaseAgent, EventType

class Counter(BaseAgent):
    title = "Counter"
    async def _run_cycle(self, resource_pool):
        self.n = getattr(self, "n", 0) + 1
        await self.emit_event(EventType.CUSTOM, {"n": self.n, "pool": resource_pool is not None})

class Hurried(Counter):
    task_type = "risk_cycle"

class Broken(BaseAgent):
    def __init__(self, name, event_bus, state_manager, config=None):
        raise RuntimeError("no share given")

class Quits(BaseAgent):
    def __init__(self, name, event_bus, state_manager, config=None):
        raise SystemExit(3)

class NoSuper(BaseAgent):
    def __init__(self, name, event_bus, state_manager, config=None):
        self.name_of = name

class WrongTopics(Counter):
    topics = ("MARKET_DATA",)

class NoRow(Counter):
    def row(self):
        raise RuntimeError("no row")

class Endless(Counter):
    start_limit_s = None
    stop_limit_s = 1e9

NOT_AN_AGENT = 7
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module of one's own on the path; returns its name, another for each test."""
    name = f"own_{abs(hash(tmp_path)):x}"
    (tmp_path / f"{name}.py").write_text(COUNTER, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


def settings(**agents: Any) -> Settings:
    return Settings(mc_levels=(1,), mc_rehearsal=0, speed=60, symbols=("AAPL",), agents=agents)


async def started(**agents: Any) -> TurnedEngine:
    turned = build_turned(settings(**agents))
    await turned.host.start()
    return turned


@pytest.mark.asyncio
async def test_an_agent_by_dotted_path_is_driven_at_its_interval_with_the_pool_and_shown(own: str):
    turned = await started(counter={"use": f"{own}:Counter", "config": {"interval": 2.0}})
    await turned.advance(5.0)
    said = [e for e in turned.journal.events() if e.event_type is EventType.CUSTOM]
    assert [e.data["n"] for e in said] == [1, 2, 3]
    assert all(e.data["pool"] and e.source == "counter" for e in said)
    section: AgentsSection = turned.gateway.read(("agents",)).value("agents")
    row = next(r for r in section.rows if r.agent_id == "counter")
    assert (row.title, row.status, row.interval_s) == ("Counter", AgentStatus.RUNNING, 2.0)
    assert "counter" in turned.engine.crew.supervisor.get_metrics()["agents"]


@pytest.mark.asyncio
async def test_the_how_tos_agent_comes_aboard_as_the_how_to_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    text = HOW_TO.read_text(encoding="utf-8")
    code = re.search(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert code is not None
    (tmp_path / "my_agents.py").write_text(code.group(1), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    use = re.search(r"use: (\S+)", text)
    assert use is not None
    turned = await started(big_move={"use": use.group(1), "config": {"share": 0.01}})
    await turned.advance(10.0)
    said = [e.data for e in turned.journal.events() if e.event_type is EventType.CUSTOM]
    assert said
    assert all(abs(data["move"]) >= 0.01 for data in said)


@pytest.mark.asyncio
async def test_an_agent_of_an_installed_package_is_found_by_its_entry_point(
    own: str, tmp_path: Path
):
    folder = tmp_path / "crew_pack-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Name: crew-pack\nVersion: 1.0\n", encoding="utf-8")
    (folder / "entry_points.txt").write_text(
        f"[pilothouse.agents]\ntally = {own}:Counter\n", encoding="utf-8"
    )
    turned = await started(counter={"use": "tally"})
    assert type(turned.engine.crew.own[0]).__name__ == "Counter"
    limited = [agent for agent in turned.engine.crew.all if agent.quota is not None]
    assert limited == list(turned.engine.crew.own), "only those of one's own have a quota"
    alone = await started()
    assert alone.engine.crew.own == (), "what is not named in the configuration is not loaded"


@pytest.mark.parametrize(
    ("name", "use", "words"),
    [
        ("x", "nowhere.at_all:Agent", r"agents\.x\.use must name a class.*'nowhere\.at_all:Agent'"),
        ("x", "{own}:Missing", r"agents\.x\.use must name a class"),
        ("x", "{own}:NOT_AN_AGENT", r"agents\.x\.use must be a subclass of engine\.BaseAgent"),
        ("x", "no_such_entry", r"agents\.x\.use .*entry points of pilothouse\.agents"),
        ("x", "{own}:Broken", r"agents\.x must accept its configuration.*no share given"),
        ("risk", "{own}:Counter", r"agents\.risk must have a name of its own"),
    ],
)
def test_what_cannot_come_aboard_is_refused_by_the_settings_name(
    own: str, name: str, use: str, words: str
):
    with pytest.raises(ConfigurationError, match=words):
        build_turned(settings(**{name: {"use": use.format(own=own)}}))


@pytest.mark.parametrize(("interval", "is_taken"), [(0.001, False), (0.1, True), (86_401, False)])
def test_the_file_and_the_page_have_one_bound_for_intervals(
    own: str, interval: float, is_taken: bool
):
    given = settings(counter={"use": f"{own}:Counter", "config": {"interval": interval}})
    if is_taken:
        assert build_turned(given).engine.crew.own[0].interval == interval
        return
    words = rf"agents\.counter .*interval must be from 0\.1 to 86,400 s, was {interval}"
    with pytest.raises(ConfigurationError, match=words):
        build_turned(given)


def test_one_that_is_switched_off_is_not_loaded():
    turned = build_turned(settings(x={"use": "nowhere:Agent", "enabled": False}))
    assert turned.engine.crew.own == ()


def test_its_source_and_its_configuration_count_for_the_fingerprint(own: str):
    def print_of(**agents: Any) -> str:
        return str(build_turned(settings(**agents)).engine.fingerprint)

    plain = print_of()
    with_it = print_of(counter={"use": f"{own}:Counter"})
    other = print_of(counter={"use": f"{own}:Counter", "config": {"interval": 9.0}})
    assert len({plain, with_it, other}) == 3


def test_no_agent_of_ones_own_takes_a_place_that_is_kept_for_risk(own: str):
    crew = build_turned(settings(hurried={"use": f"{own}:Hurried"})).engine.crew
    assert lane_of(crew.own[0].task_type) == SHARED
    assert lane_of(crew.risk.task_type) == "risk"


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("Quits", "LeftByError: SystemExit: 3"),
        ("NoSuper", "__init__ must call super"),
        ("WrongTopics", "topics must hold members of EventType, was 'MARKET_DATA'"),
        ("NoRow", "RuntimeError: no row"),
    ],
)
def test_an_agent_that_cannot_be_built_or_shown_is_refused_by_its_setting(
    own: str, kind: str, words: str
):
    with pytest.raises(ConfigurationError, match=re.escape(words)) as refused:
        build_turned(settings(counter={"use": f"{own}:{kind}"}))
    assert str(refused.value).startswith("agents.counter must accept its configuration")


@pytest.mark.asyncio
async def test_nobody_waits_longer_for_an_own_agent_than_for_others(own: str):
    turned = await started(endless={"use": f"{own}:Endless"})
    (agent,) = turned.engine.crew.own
    assert (agent.start_limit_s, agent.stop_limit_s) == (10.0, 1.5)
    await turned.host.stop()


@pytest.mark.asyncio
async def test_a_kept_lane_is_never_an_own_agents_and_its_code_is_foreign(own: str):
    turned = await started(hurried={"use": f"{own}:Hurried"})
    (agent,) = turned.engine.crew.own
    assert lane_of(agent.task_type) == SHARED
    assert turned.engine.execution_engine.foreign == {"hurried"}
    await turned.host.stop()
