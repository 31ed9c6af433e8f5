"""Stopped hard and started again: starting is recovering."""

import shutil
import signal
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.program import FAST, Server, wait_until

WEIGHTS = {"momentum": 0.6, "mean_reversion": 0.4}


def ledger(server: Server) -> tuple[Decimal, dict[str, Decimal]]:
    """Return cash and positions as the sum of every fill that the journal holds."""
    cash, held = Decimal(100_000), dict[str, Decimal]()
    for fill in server.books.data("ORDER_FILLED"):
        sign = 1 if fill["side"] == "BUY" else -1
        quantity, price = Decimal(fill["quantity"]), Decimal(fill["price"])
        cash -= sign * quantity * price + Decimal(fill["fee"])
        held[fill["symbol"]] = held.get(fill["symbol"], Decimal(0)) + sign * quantity
    return cash, {symbol: size for symbol, size in held.items() if size}


def account(status: dict[str, Any]) -> tuple[Decimal, dict[str, Decimal]]:
    shown = status["account"]
    return Decimal(shown["cash"]), {s: Decimal(q) for s, q in shown["positions"].items()}


def votes_of_newest_cycle(server: Server) -> dict[str, float]:
    newest = server.books.data("CYCLE_RECORDED")[-1]
    return {vote["algorithm"]: vote["weight"] for vote in newest["votes"] if vote["weight"]}


def pause_while_something_is_held(server: Server) -> None:
    """Pause the market at a moment that has positions to lose."""
    for attempt in range(20):
        wait_until(lambda: ledger(server)[1], "something is held, or the test would prove nothing")
        server.books.send("PauseReplay", f"pause-{attempt}")
        wait_until(lambda: server.status()["feed"]["is_paused"], "the pause")
        if ledger(server)[1]:
            return
        server.books.send("ResumeReplay", f"resume-{attempt}")  # it was sold before the pause
    pytest.fail("twenty pauses, and never was anything held")


def _delete(store: Path) -> None:
    shutil.rmtree(store)


def _spoil(store: Path) -> None:
    (store / "cache.db").write_bytes(b"no database at all" * 300)


def _leave(store: Path) -> None:
    assert store.is_dir()


@pytest.mark.parametrize("between", [_leave, _delete, _spoil], ids=["kept", "deleted", "damaged"])
def test_after_a_hard_stop_everything_is_as_before_whatever_became_of_the_store(
    home: Path, servers: Callable[..., Server], between: Callable[[Path], None]
):
    server = servers(home).start()
    wait_until(lambda: server.books.n("ORDER_FILLED") > 0, "a first fill")
    pause_while_something_is_held(server)
    names = [v["algorithm"] for v in server.books.data("CYCLE_RECORDED")[-1]["votes"]]
    weights = {name: WEIGHTS.get(name, 0.0) for name in names}
    server.books.send("SetStrategyWeights", "w-1", weights=weights)
    server.books.send("StopAgent", "s-1", agent_id="monte_carlo")
    server.books.send("PauseAgent", "p-1", agent_id="risk")
    wait_until(lambda: server.agent("risk") == "paused", "the last of what was asked")
    before = server.status()
    assert account(before) == ledger(server)
    head = server.books.head()
    events = server.books.rows("SELECT * FROM events WHERE seq <= ? ORDER BY seq", head)
    assert len(events) > 100
    server.stop(signal.SIGKILL)
    between(home / "store")

    server.start()
    after = server.status()
    assert account(after) == account(before) == ledger(server)
    assert after["account"]["open_orders"] == before["account"]["open_orders"]
    assert server.agent("monte_carlo") == "stopped"
    assert server.agent("risk") == "paused"
    assert after["feed"]["run_id"] == before["feed"]["run_id"]
    for where in ("bars_done", "market_time"):
        assert after["feed"][where] == before["feed"][where]
    assert after["feed"]["is_paused"]
    assert after["engine"]["fingerprint"] == before["engine"]["fingerprint"]
    assert after["engine"]["epoch"] == before["engine"]["epoch"] + 1
    assert server.books.head() > head, "the new start is written too"
    assert server.books.rows("SELECT * FROM events WHERE seq <= ? ORDER BY seq", head) == events

    server.books.send("StartAgent", "s-2", agent_id="monte_carlo")
    server.books.send("ResumeAgent", "p-2", agent_id="risk")
    server.books.send("ResumeReplay", "r-2")
    cycles = server.books.n("CYCLE_RECORDED")
    wait_until(lambda: server.books.n("CYCLE_RECORDED") > cycles, "a vote after the restart")
    assert votes_of_newest_cycle(server) == pytest.approx(WEIGHTS)


def test_a_hard_stop_inside_a_bar_goes_on_inside_it(home: Path, servers: Callable[..., Server]):
    server = servers(home, settings={**FAST, "PILOTHOUSE_SPEED": "8"}).start()
    server.wait_for_bars(1)
    ticks = server.books.n("MARKET_DATA")
    wait_until(lambda: server.books.n("MARKET_DATA") > ticks + 60, "ticks inside a bar")
    server.stop(signal.SIGKILL)
    head, newest = server.books.head(), server.books.data("MARKET_DATA")[-1]
    assert not newest["bar"]["is_closed"], "inside a bar, or the test would prove nothing"
    server.start()
    first = wait_until(lambda: server.books.data("MARKET_DATA", head), "a first tick again")[0]
    assert first["as_of"] == newest["as_of"], "not before what was told, which orders have answered"
    assert first["bar"]["opens_at"] == newest["bar"]["opens_at"]


def test_a_hard_stop_in_the_middle_of_trading_loses_and_doubles_nothing(
    home: Path, servers: Callable[..., Server]
):
    server = servers(home, settings={**FAST, "PILOTHOUSE_SPEED": "600"}).start()
    for _ in range(2):
        fills = server.books.n("ORDER_FILLED")
        wait_until(lambda n=fills: server.books.n("ORDER_FILLED") > n, "a further fill")
        server.stop(signal.SIGKILL)
        server.start()
    server.books.send("PauseReplay", "stand-still")
    cash, held = ledger(server)
    wait_until(lambda: account(server.status()) == (cash, held), "the account is the sum of fills")
    orders = [order["order_id"] for order in server.books.data("ORDER_INTENDED")]
    assert len(orders) == len(set(orders))
    seqs = [row[0] for row in server.books.rows("SELECT seq FROM events ORDER BY seq")]
    assert seqs == sorted(set(seqs))
    filled = [fill["fill_id"] for fill in server.books.data("ORDER_FILLED")]
    assert len(filled) == len(set(filled))


def test_the_kill_switch_stays_on_through_a_hard_stop(home: Path, servers: Callable[..., Server]):
    server = servers(home, settings={**FAST, "PILOTHOUSE_SPEED": "240"}).start()
    wait_until(lambda: server.books.n("ORDER_INTENDED") > 0, "trading")
    server.books.send("HaltTrading", "halt-1", reason="enough")
    halted_at = server.books.head()
    server.stop(signal.SIGKILL)
    shutil.rmtree(home / "store")
    server.start()
    assert server.status()["trading"] == "HALTED"
    votes = server.books.n("CYCLE_RECORDED")
    wait_until(lambda: server.books.n("CYCLE_RECORDED") > votes + 12, "voting goes on")
    assert server.books.n("ORDER_INTENDED", halted_at) == 0
    server.books.send("ResumeTrading", "resume-1")
    wait_until(lambda: server.status()["trading"] == "ACTIVE", "trading is shown as resumed")
    wait_until(lambda: server.books.n("ORDER_INTENDED", halted_at) > 0, "trading again", 120)
