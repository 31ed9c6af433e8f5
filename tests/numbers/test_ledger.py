"""The account to the cent, recomputed from ticks, intents and fills with nothing but Decimal."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

import pytest

from engine.domain.events import Event, EventType
from tests.numbers.runs import log_of, run, section

T = EventType


@dataclass
class Ledger:
    """A second, plainer accountant: signed quantities, average cost, one mark a symbol."""

    cash: Decimal = Decimal(100_000)
    fees: Decimal = Decimal(0)
    realised: Decimal = Decimal(0)
    held: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    marks: dict[str, Decimal] = field(default_factory=dict)
    curve: dict[datetime, Decimal] = field(default_factory=dict)
    day: object = None
    day_start: Decimal = Decimal(0)

    @property
    def equity(self) -> Decimal:
        return self.cash + sum(q * self.marks[s] for s, (q, _) in self.held.items())

    def tick(self, event: Event) -> None:
        if event.as_of.date() != self.day:
            self.day, self.day_start = event.as_of.date(), self.equity
        self.marks[event.data["symbol"]] = Decimal(str(event.data["price"]))
        if event.data["bar"]["is_closed"]:
            self.curve[event.as_of] = self.equity

    def fill(self, event: Event) -> None:
        data, symbol = event.data, event.data["symbol"]
        price = Decimal(str(data["price"]))
        bought = Decimal(str(data["quantity"])) * (1 if data["side"] == "BUY" else -1)
        fee = Decimal(str(data["fee"]))
        assert fee == (abs(bought) * price * Decimal("0.0005")).quantize(Decimal("0.0001"))
        self.cash -= bought * price + fee
        self.fees += fee
        had, cost = self.held.pop(symbol, (Decimal(0), Decimal(0)))
        closed = min(abs(had), abs(bought)) * (1 if had > 0 else -1) if had * bought < 0 else 0
        self.realised += (price - cost) * closed
        left = had + bought
        if had * bought >= 0:
            cost = (had * cost + bought * price) / left
        elif left * had < 0:
            cost = price
        if left:
            self.held[symbol] = (left, cost)


@pytest.fixture(scope="module")
def ledger(replay) -> Ledger:
    kept = Ledger()
    for event in log_of(replay, T.MARKET_DATA, T.ORDER_FILLED):
        (kept.tick if event.event_type is T.MARKET_DATA else kept.fill)(event)
    return kept


def test_cash_fees_positions_and_equity_agree_to_the_last_digit(replay, ledger):
    portfolio = section(replay, "portfolio")
    assert len(portfolio.recent_fills) > 20
    assert portfolio.account.cash == ledger.cash
    assert portfolio.account.fees_paid == ledger.fees
    assert portfolio.equity == ledger.equity
    assert {p.symbol: p.quantity for p in portfolio.positions} == {
        s: q for s, (q, _) in ledger.held.items()
    }
    for position in portfolio.positions:
        assert position.entry_price == pytest.approx(ledger.held[position.symbol][1])


def test_what_was_won_lost_and_paid_adds_up_to_the_change_of_equity(replay, ledger):
    open_profit = sum(q * (ledger.marks[s] - cost) for s, (q, cost) in ledger.held.items())
    expected = 100_000 + ledger.realised + open_profit - ledger.fees
    assert float(section(replay, "portfolio").equity) == pytest.approx(float(expected), abs=1e-9)


def test_curve_peak_and_day_are_those_of_the_closes(replay, ledger):
    portfolio = section(replay, "portfolio")
    assert {p.at: p.equity for p in portfolio.equity_curve} == {
        int(at.timestamp()): worth for at, worth in ledger.curve.items()
    }
    assert portfolio.peak_equity == max(100_000, *ledger.curve.values(), ledger.equity)
    assert portfolio.day == ledger.day
    assert portfolio.day_start_equity == ledger.day_start
    assert portfolio.day_pnl == ledger.equity - ledger.day_start


def test_risk_and_portfolio_tell_one_drawdown(replay, ledger):
    told = [e for e in log_of(replay, T.RISK_UPDATE) if e.data["scope"] == "portfolio"][-1]
    past = [worth for at, worth in ledger.curve.items() if at < told.as_of]
    peak = max(100_000, *past)
    at_close = ledger.curve.get(told.as_of)
    if told.data["is_record"] and at_close is not None:
        assert told.data["drawdown"] == pytest.approx(float(min(0, at_close / peak - 1)), abs=1e-9)
    depths, high = [], Decimal(100_000)
    for worth in past:
        high = max(high, worth)
        depths.append(float(worth / high - 1))
    assert told.data["max_drawdown"] <= min(depths) + 1e-9


def test_every_order_fills_at_the_first_tick_after_it_was_placed_and_never_before(replay):
    ticks = defaultdict(list)
    for event in log_of(replay, T.MARKET_DATA):
        ticks[event.data["symbol"]].append(event)
    intents = {e.data["order_id"]: e for e in log_of(replay, T.ORDER_INTENDED)}
    fills = log_of(replay, T.ORDER_FILLED)
    assert fills
    for fill in fills:
        intent = intents[fill.data["order_id"]]
        later = next(t for t in ticks[fill.data["symbol"]] if t.seq > intent.seq)
        earlier = [t for t in ticks[fill.data["symbol"]] if t.seq < intent.seq][-1]
        assert float(fill.data["price"]) == later.data["price"]
        assert fill.as_of == later.as_of > earlier.as_of
        assert float(intent.data["price"]) == earlier.data["price"]
        between = [t for t in ticks[fill.data["symbol"]] if intent.seq < t.seq < fill.seq]
        assert between == [later]


def test_a_stop_or_target_leaves_at_the_first_tick_beyond_it_and_fills_at_a_tick(replay):
    stops: dict[str, tuple[int, float, float]] = {}
    exits = {e.data["order_id"]: e for e in log_of(replay, T.ORDER_INTENDED)}
    seen = 0
    for event in log_of(replay, T.MARKET_DATA, T.ORDER_INTENDED, T.ORDER_FILLED):
        data = event.data
        if event.event_type is T.ORDER_FILLED:
            sign = 1 if data["side"] == "BUY" else -1
            is_exit = exits[data["order_id"]].data["reduces"]
            stops.pop(data["symbol"], None)
            if not is_exit:
                stop, target = float(data["stop_loss"]), float(data["take_profit"])
                stops[data["symbol"]] = (sign, stop, target)
        elif event.event_type is T.ORDER_INTENDED and data["reduces"]:
            sign, stop, target = stops[data["symbol"]]
            price = float(data["price"])
            assert (price - stop) * sign <= 0 or (price - target) * sign >= 0
            assert data["cycle_id"] is None
            seen += 1
    assert seen


def test_targets_obey_the_cap_and_the_risk_per_trade(replay):
    limit = Decimal("0.10")
    n = 0
    for event in log_of(replay, T.CYCLE_RECORDED):
        order_id = event.data.get("order_id")
        if order_id is None:
            continue
        intent = next(e for e in log_of(replay, T.ORDER_INTENDED) if e.data["order_id"] == order_id)
        sizing = next(s for s in event.data["steps"] if s["rule"] == "Sizing")
        price = Decimal(str(intent.data["price"]))
        sign = 1 if intent.data["side"] == "BUY" else -1
        distance = (price - Decimal(str(intent.data["stop_loss"]))) * sign
        assert distance > 0
        assert abs(sizing["value"]) == pytest.approx(
            float(Decimal("0.02") * price / distance), rel=1e-4
        )
        assert Decimal(str(intent.data["quantity"])) * price <= limit * 105_000
        assert Decimal(str(intent.data["quantity"])) % 1 == 0
        n += 1
    assert n > 5


@pytest.mark.parametrize("name", ["replay", "made_up"])
def test_an_entry_is_sent_only_while_the_price_lies_between_its_stop_and_its_target(name, request):
    turned = request.getfixturevalue(name)
    marks, signals, sent, n = {}, {}, {}, 0
    for event in log_of(turned, T.MARKET_DATA, T.SIGNAL_GENERATED, T.CYCLE_RECORDED):
        data = event.data
        if event.event_type is T.MARKET_DATA:
            marks[data["symbol"]] = data["price"]
        elif event.event_type is T.SIGNAL_GENERATED:
            signals[data["cycle_id"]] = data["signal"]
        elif event.source == "execution":
            step = next((s for s in data["steps"] if s["rule"] == "Stop and target"), None)
            if step is None:
                continue
            asked, price = signals[data["cycle_id"]], marks[data["symbol"]]
            low, high = sorted((asked["stop_loss"], asked["take_profit"]))
            assert (step["outcome"] == "passed") is (low < price < high)
            sent[data["order_id"]] = low < price < high
            n += 1
    entries = [e.data for e in log_of(turned, T.ORDER_INTENDED) if not e.data["reduces"]]
    assert entries
    assert all(sent[order["order_id"]] for order in entries)
    assert n > 5


def test_no_tick_fills_an_exit_and_an_entry_of_one_symbol():
    longer = run(25.5)
    moments = [(e.data["symbol"], e.as_of) for e in log_of(longer, T.ORDER_FILLED)]
    votes = {
        (e.data["symbol"], e.as_of): e.data["action"] for e in log_of(longer, T.CYCLE_RECORDED)
    }
    tempting = [m for m in moments if votes.get(m, "HOLD") != "HOLD"]
    assert tempting, "a symbol left at a close that votes for it as well"
    assert len(moments) == len(set(moments))
