"""Votes, parts and scores by formulas of their own, and what the votes came to."""

import math
from collections import Counter

import numpy as np
import pytest

from engine.domain.events import EventType
from tests.numbers.runs import log_of, section

FACTORS = {"trending": 1.1, "ranging": 0.8, "turbulent": 0.9}
WEIGHTS = {
    "momentum": 0.30, "mean_reversion": 0.20, "ma_trend": 0.20, "breakout": 0.15, "mc_probability": 0.15,
}  # fmt: skip


@pytest.fixture(scope="module")
def records(replay):
    found = [e for e in log_of(replay, EventType.CYCLE_RECORDED) if e.source == "strategy"]
    assert len(found) == 14 * 10
    return found


def clipped(value):
    return max(-1.0, min(1.0, value))


def wilder(closes, n=14):
    change = np.diff(closes)
    up, down = (np.maximum(c, 0) for c in (change, -change))
    gain, loss = up[:n].mean(), down[:n].mean()
    for u, d in zip(up[n:], down[n:], strict=True):
        gain, loss = (gain * (n - 1) + u) / n, (loss * (n - 1) + d) / n
    return 100 * gain / (gain + loss)


def momentum(p):
    move, gap = p[-1] / p[-15] - 1, p[-10:].mean() / p[-30:].mean() - 1
    return clipped(move / 0.20) if abs(move) >= 0.02 and move * gap > 0 else 0.0


def mean_reversion(p):
    z, strength = (p[-1] - p[-20:].mean()) / p[-20:].std(), wilder(p[-600:])
    confirmed = strength <= 40 if z < 0 else strength >= 60
    return -clipped(z / 2.5) if abs(z) > 1.2 and confirmed else 0.0


def ma_trend(p):
    gap = p[-10:].mean() / p[-30:].mean() - 1
    return clipped(gap / 0.05) if abs(gap) > 0.002 else 0.0


def breakout(p):
    high, low = p[-21:-1].max(), p[-21:-1].min()
    if not low <= p[-1] <= high:
        return math.copysign(1.0, p[-1] - high)
    return (p[-1] - low) / (high - low) - 0.5


def test_every_vote_is_that_of_its_rule_on_the_closes_up_to_its_bar(records, shipped):
    rules = (momentum, mean_reversion, ma_trend, breakout)
    for event in records:
        closes = shipped[event.data["symbol"]].close
        p = closes[closes.index <= event.as_of.timestamp()].to_numpy()
        votes = {v["algorithm"]: v["vote"] for v in event.data["votes"]}
        for rule in rules:
            assert votes[rule.__name__] == pytest.approx(rule(p), abs=1e-4), event.data["cycle_id"]


def test_the_forecasts_vote_is_that_of_the_same_bars_forecast(replay, records):
    ups = {
        (e.data["symbol"], e.as_of): e.data["probability_up"]
        for e in log_of(replay, EventType.MC_UPDATE)
    }
    for event in records:
        edge = ups[event.data["symbol"], event.as_of] - 0.5
        votes = {v["algorithm"]: v["vote"] for v in event.data["votes"]}
        expected = clipped(edge / 0.10) if abs(edge) > 0.02 else 0.0
        assert votes["mc_probability"] == pytest.approx(expected)


def test_a_score_is_the_sum_of_vote_times_weight_times_factor_and_decides_beyond_the_threshold(
    records,
):
    for event in records:
        data = event.data
        for vote in data["votes"]:
            assert vote["weight"] == pytest.approx(WEIGHTS[vote["algorithm"]])
            product = vote["vote"] * vote["weight"] * vote["regime_factor"]
            assert vote["part"] == pytest.approx(product, abs=1e-15)
        factors = {v["algorithm"]: v["regime_factor"] for v in data["votes"]}
        assert factors["momentum"] == FACTORS[data["regime"]]
        assert data["score"] == pytest.approx(sum(v["part"] for v in data["votes"]), abs=1e-12)
        expected = "BUY" if data["score"] > 0.15 else "SELL" if data["score"] < -0.15 else "HOLD"
        assert data["action"] == expected


def test_the_regime_is_that_of_volatility_first_and_of_straightness_second(records, shipped):
    for event in records:
        closes = shipped[event.data["symbol"]].close
        p = closes[closes.index <= event.as_of.timestamp()].iloc[-1500:]
        r = p.pct_change().dropna().to_numpy()
        variance, path = r[:20].var(), []
        for x in r:
            variance = 0.94 * variance + 0.06 * x * x
            path.append(math.sqrt(variance))
        straight = abs(p.iloc[-1] - p.iloc[-21]) / p.iloc[-21:].diff().abs().sum()
        word = "trending" if straight > 0.4 else "ranging"
        if path[-1] > 1.75 * np.median(path[-1000:]):
            word = "turbulent"
        assert event.data["regime"] == word


def test_a_vote_wins_when_the_next_close_moves_its_way_and_the_last_bars_votes_wait(
    replay, records, shipped
):
    wins, n = Counter(), Counter()
    last = max(e.as_of for e in records)
    for event in records:
        if event.as_of == last:
            continue
        closes = shipped[event.data["symbol"]].close
        after = closes[closes.index > event.as_of.timestamp()].iloc[0]
        move = after - closes.loc[int(event.as_of.timestamp())]
        for vote in event.data["votes"]:
            n[vote["algorithm"]] += vote["vote"] != 0
            wins[vote["algorithm"]] += move * vote["vote"] > 0
    for row in section(replay, "strategies").rows:
        assert (row.wins, row.n) == (wins[row.name], n[row.name])
        assert n[row.name] > 50
