"""REST over sections made by hand."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from dashboard.problems import add_handlers
from dashboard.report import lines
from engine.api.answers import StatusAnswer
from engine.api.router import build_router
from engine.domain.agents import AgentMeasured, AgentStatus, AgentTrouble
from engine.domain.market import BarColumns
from engine.domain.sections import (
    AgentRow,
    AgentsSection,
    BarsSection,
    CycleSection,
    EngineSection,
    TradingSection,
)
from engine.domain.signals import CycleRecord, SignalAction
from engine.domain.trading import HaltMode
from tests.dashboard.fakes import FakeGateway, filled


@pytest.fixture
def gateway() -> FakeGateway:
    return filled(FakeGateway())


@pytest.mark.parametrize("path", ["/healthz", "/api/health", "/api/status", "/api/signal/AAPL"])
def test_who_only_wants_to_know_whether_it_answers_may_ask_for_the_head(
    client: TestClient, path: str
):
    assert client.head(path).status_code == client.get(path).status_code == 200


@pytest.fixture
def client(gateway: FakeGateway) -> Iterator[TestClient]:
    with TestClient(server(gateway)) as client:
        yield client


def server(gateway: FakeGateway) -> FastAPI:
    app = FastAPI()
    add_handlers(app)
    app.include_router(build_router(gateway))
    return app


def cycle() -> CycleSection:
    record = CycleRecord(
        cycle_id="AAPL-270",
        symbol="AAPL",
        bar_closed_at=datetime(2008, 9, 26, 20, tzinfo=UTC),
        price=128.24,
        regime="volatile",
        votes=(),
        score=-0.495,
        threshold=0.15,
        action=SignalAction.SELL,
        confidence=0.495,
    )
    return CycleSection(record=record)


def test_health_is_ok_while_everything_runs(client: TestClient):
    assert client.get("/api/health").json() == {"status": "ok", "reasons": []}


def test_health_names_the_agent_that_failed(client: TestClient, gateway: FakeGateway):
    row = AgentRow(agent_id="risk", title="Risk", status=AgentStatus.ERROR, last_error="no bars")
    gateway.put("agents", AgentsSection(rows=(row,)))
    assert client.get("/api/health").json() == {
        "status": "degraded",
        "reasons": ["Risk failed: no bars"],
    }


@pytest.mark.parametrize(
    ("status", "words"),
    [(AgentStatus.STOPPED, "is stopped"), (AgentStatus.PAUSED, "is paused")],
)
def test_health_names_the_agent_that_does_not_work_with_its_state_and_reason(
    client: TestClient, gateway: FakeGateway, status: AgentStatus, words: str
):
    rows = (
        AgentRow(agent_id="risk", title="Risk", status=status, reason="by anna", last_error="old"),
        AgentRow(agent_id="strategy", title="Strategy", status=status),
        AgentRow(agent_id="execution", title="Execution", status=status, actor="anna"),
    )
    gateway.put("agents", AgentsSection(rows=rows))
    assert client.get("/api/health").json() == {
        "status": "degraded",
        "reasons": [
            f"Risk {words}: by anna",
            f"Strategy {words}: no reason given",
            f"Execution {words}: by anna",
        ],
    }


@pytest.mark.parametrize(
    "status", [AgentStatus.NOT_SET_UP, AgentStatus.CREATED, AgentStatus.STARTING]
)
def test_an_agent_that_nobody_set_up_or_that_is_yet_to_run_leaves_health_ok(
    client: TestClient, gateway: FakeGateway, status: AgentStatus
):
    row = AgentRow(agent_id="sentiment", title="Sentiment", status=status)
    gateway.put("agents", AgentsSection(rows=(row,)))
    assert client.get("/api/health").json() == {"status": "ok", "reasons": []}


@pytest.mark.parametrize("status", [AgentStatus.RUNNING, AgentStatus.STOPPED])
def test_health_names_the_agent_that_hangs_or_leaks_while_it_is_in_service(
    client: TestClient, gateway: FakeGateway, status: AgentStatus
):
    trouble = AgentTrouble(kind="hangs", title="Risk hangs", message="Its work has lasted 86 s.")
    measured = AgentMeasured(agent_id="risk", troubles=(trouble,))
    row = AgentRow(agent_id="risk", title="Risk", status=status, measured=measured)
    gateway.put("agents", AgentsSection(rows=(row,)))
    answer = client.get("/api/health").json()
    assert answer["status"] == "degraded"
    is_running = status is AgentStatus.RUNNING
    words = (
        "Risk hangs: Its work has lasted 86 s."
        if is_running
        else "Risk is stopped: no reason given"
    )
    assert answer["reasons"] == [words]


def test_status_counts_what_an_agent_handled_beside_its_cycles(
    client: TestClient, gateway: FakeGateway
):
    measured = AgentMeasured(agent_id="strategy", cycles=0, handled=41)
    row = AgentRow(agent_id="strategy", title="Strategy", measured=measured)
    gateway.put("agents", AgentsSection(rows=(row,)))
    (agent,) = client.get("/api/status").json()["agents"]
    assert (agent["cycles"], agent["handled"]) == (0, 41)


def test_health_says_who_halted_trading(client: TestClient, gateway: FakeGateway):
    gateway.put("trading", TradingSection(mode=HaltMode.HALTED, actor="local"))
    assert client.get("/api/health").json()["reasons"] == ["Trading is halted by local."]


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("starting", "starting"),
        ("stopped", "stopped"),
        ("stopping", "stopped"),
        ("failed", "degraded"),
    ],
)
def test_health_follows_the_engine(
    client: TestClient, gateway: FakeGateway, state: str, status: str
):
    gateway.put("engine", EngineSection(state=state))
    body = client.get("/api/health").json()
    assert body["status"] == status
    assert body["reasons"]


def test_before_the_engine_says_anything_health_is_starting():
    with TestClient(server(FakeGateway())) as client:
        assert client.get("/api/health").json()["status"] == "starting"
        assert client.get("/api/status").json()["feed"] is None
        assert client.get("/api/signal/AAPL").status_code == 503


def test_status_carries_fingerprint_feed_and_account(client: TestClient):
    body = client.get("/api/status").json()
    assert body["engine"]["fingerprint"] == "f1"
    assert body["feed"]["kind"] == "REPLAY"
    assert body["account"]["equity"] == "102641.63"
    assert body["account"]["positions"] == {"AAPL": "-76", "JPM": "80"}
    assert body["symbols"] == ["AAPL", "JPM"]


def test_the_terminal_reads_the_same_status(client: TestClient):
    text = "\n".join(lines(StatusAnswer.model_validate(client.get("/api/status").json())))
    assert "REPLAY daily bars ×12, running" in text
    assert "AAPL −76, JPM 80" in text
    assert "2 of 2 running" in text


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("98.8321", "$100,098.83 (cash −$1,510.00, day +$98.83)"),
        ("-7.005", "$100,098.83 (cash −$1,510.00, day −$7.01)"),
        ("-0.0004", "$100,098.83 (cash −$1,510.00, day 0)"),
    ],
)
def test_the_terminal_rounds_and_signs_money_and_json_keeps_it_exact(
    client: TestClient, day: str, words: str
):
    body = client.get("/api/status").json()
    assert body["account"]["equity"] == "102641.63"
    body["account"] |= {"equity": "100098.8321", "cash": "-1509.9951", "day_pnl": day}
    answer = StatusAnswer.model_validate(body)
    assert f"Equity       {words}" in lines(answer)
    assert json.loads(answer.model_dump_json())["account"]["day_pnl"] == day


def test_a_watched_symbol_has_hold_before_the_first_vote(client: TestClient):
    body = client.get("/api/signal/AAPL").json()
    assert (body["signal"], body["confidence"], body["as_of"]) == ("HOLD", 0.0, None)


def test_a_vote_is_given_with_its_date(client: TestClient, gateway: FakeGateway):
    gateway.put("cycle:AAPL", cycle())
    body = client.get("/api/signal/AAPL").json()
    assert (body["signal"], body["confidence"], body["score"]) == ("SELL", 0.495, -0.495)
    assert body["as_of"] == "2008-09-26T20:00:00Z"


def test_a_vote_says_how_many_bars_closed_since(client: TestClient, gateway: FakeGateway):
    gateway.put("cycle:AAPL", cycle())
    at = int(cycle().record.bar_closed_at.timestamp())
    for n in (0, 3):
        closes_at = tuple(at + day * 86_400 for day in range(n + 1))
        columns = BarColumns(symbol="AAPL", closes_at=closes_at, close=(1.0,) * (n + 1))
        gateway.put("bars:AAPL", BarsSection(columns=columns))
        body = client.get("/api/signal/AAPL").json()
        assert (body["bars_behind"], body["is_tradable"]) == (n, True)


@pytest.mark.parametrize(("symbol", "status"), [("ZZZZ", 404), ("a;b", 422), ("%20%3C", 422)])
def test_an_unknown_or_senseless_symbol_is_refused(client: TestClient, symbol: str, status: int):
    answer = client.get(f"/api/signal/{symbol}")
    assert answer.status_code == status
    assert answer.json()
