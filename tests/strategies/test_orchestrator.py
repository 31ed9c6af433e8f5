import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.errors import InvalidValueError, UnknownNameError
from engine.domain.signals import SignalAction
from engine.kernels.regime import Regime
from engine.strategies.orchestrator import MultiAlgorithmOrchestrator
from engine.strategies.regimes import REGIME_FACTORS

BARS = {"close": [99.0, 100.0]}
answers = st.tuples(st.sampled_from(["BUY", "SELL", "HOLD"]), st.floats(0, 1), st.floats(0, 1e6))
regimes = st.sampled_from([None, *(r.value for r in Regime), "carnival"])


def says(signal, strength=1.0, indicators=None):
    def algorithm(data, symbol, price, **known):
        return signal, strength, indicators or {}

    return algorithm


def raises(data, symbol, price, **known):
    raise RuntimeError("out of ideas")


def says_nothing(data, symbol, price, **known):
    return None


def says_a_pair(data, symbol, price, **known):
    return "BUY", 0.5


def takes_too_little(data):
    return "BUY", 0.5, {}


def panel(*members, **settings):
    orchestrator = MultiAlgorithmOrchestrator(**settings)
    for i, (func, weight) in enumerate(members):
        orchestrator.register_algorithm(f"a{i}", func, weight)
    return orchestrator


def vote(orchestrator, regime=None, **known):
    return orchestrator.vote(BARS, "AAPL", 100.0, regime, **known)


@given(st.lists(answers, max_size=7), regimes)
def test_the_score_is_exactly_the_sum_of_the_parts(said, regime):
    factors = {f"a{i}": {"trending": 0.3 + 0.1 * i} for i in range(7)}
    members = [(says(signal, strength), weight) for signal, strength, weight in said]
    ballot = vote(panel(*members, regime_factors=factors), regime)
    assert ballot.score == math.fsum(v.part for v in ballot.votes)
    for v in ballot.votes:
        assert v.part == v.vote * v.weight * v.regime_factor
    total = math.fsum(v.weight for v in ballot.votes)
    assert total == pytest.approx(1.0) or total == 0.0
    assert 0.0 <= ballot.confidence <= 1.0


@given(st.lists(answers, max_size=7), regimes, st.randoms())
def test_the_order_of_registration_changes_nothing(said, regime, random):
    named = [(f"a{i}", says(s, x), w) for i, (s, x, w) in enumerate(said)]
    shuffled = list(named)
    random.shuffle(shuffled)
    ballots = []
    for members in (named, shuffled):
        orchestrator = MultiAlgorithmOrchestrator()
        for name, func, weight in members:
            orchestrator.register_algorithm(name, func, weight)
        ballots.append(vote(orchestrator, regime))
    one, other = ballots
    assert one[1:] == other[1:]
    assert set(map(str, one.votes)) == set(map(str, other.votes))


@given(st.lists(answers, min_size=1, max_size=5), st.floats(0.001, 1000.0))
def test_only_the_ratio_of_weights_matters(said, scale):
    said = [(s, x, w) for s, x, w in said if w == 0.0 or w > 1e-3]
    one = vote(panel(*((says(s, x), w) for s, x, w in said)))
    other = vote(
        panel(*((says(s, x), min(w * scale, 1e6)) for s, x, w in said if w * scale <= 1e6))
    )
    if all(w * scale <= 1e6 for *_, w in said):
        assert other.score == pytest.approx(one.score, abs=1e-12)


@pytest.mark.parametrize(
    ("strength", "action"), [(0.15, "HOLD"), (0.1500001, "BUY"), (0.0, "HOLD"), (1.0, "BUY")]
)
def test_only_a_score_beyond_the_threshold_acts(strength, action):
    assert vote(panel((says("BUY", strength), 1.0))).action == action
    mirrored = action.replace("BUY", "SELL")
    assert vote(panel((says("SELL", strength), 1.0))).action == mirrored


def test_a_vote_worked_by_hand():
    members = [(says("SELL", 0.94), 30), (says("BUY", 0.49), 20), (says("HOLD", 0.7), 50)]
    factors = {"a0": {"turbulent": 0.9}, "a1": {"turbulent": 0.8}}
    ballot = vote(panel(*members, regime_factors=factors), "turbulent")
    assert [v.part for v in ballot.votes] == pytest.approx([-0.2538, 0.0784, 0.0])
    assert ballot.score == pytest.approx(-0.1754)
    assert (ballot.action, ballot.confidence) == (SignalAction.SELL, pytest.approx(0.2538))


def test_confidence_in_a_hold_is_that_of_those_who_said_hold():
    assert vote(
        panel((says("HOLD", 0.6), 1.0), (says("HOLD", 0.8), 1.0))
    ).confidence == pytest.approx(0.7)
    divided = vote(panel((says("BUY"), 1.0), (says("SELL"), 1.0)))
    assert (divided.action, divided.confidence) == ("HOLD", 0.0)


@pytest.mark.parametrize(
    "bad",
    [
        says("PERHAPS"), says("BUY", 1.5), says("BUY", -0.1), says("BUY", math.nan), says("BUY", True),
        says("BUY", "0.5"), says("BUY", 0.5, ["list"]), says_nothing, says_a_pair,
        takes_too_little, raises,
    ],
)  # fmt: skip
def test_a_failing_algorithm_is_named_and_the_others_share_its_weight(bad):
    orchestrator = panel((bad, 9.0), (says("SELL", 0.8), 1.0))
    ballot = vote(orchestrator)
    failed, sound = ballot.votes
    assert failed.error
    assert (failed.vote, failed.weight, failed.part) == (0.0, 0.0, 0.0)
    assert (sound.error, sound.weight, ballot.score) == (None, 1.0, pytest.approx(-0.8))
    _, _, metrics = orchestrator.execute_cycle(BARS, ["AAPL"])
    assert metrics["errors"] == {"a0": failed.error}


@pytest.mark.parametrize("weight", [-0.1, math.nan, math.inf, "1", None, True, 1e7])
def test_a_bad_weight_is_refused_with_its_name_and_the_old_one_stays(weight):
    orchestrator = panel((says("BUY"), 2.0))
    with pytest.raises(InvalidValueError, match="weight of 'a0' must be a number"):
        orchestrator.set_weight("a0", weight)
    with pytest.raises(InvalidValueError, match="weight of 'new'"):
        orchestrator.register_algorithm("new", says("BUY"), weight)
    assert orchestrator.weights == {"a0": 2.0}


def test_weights_of_zero_decide_nothing():
    ballot = vote(panel((says("BUY"), 0.0), (says("BUY"), 0.0)))
    assert (ballot.action, ballot.score, ballot.confidence) == ("HOLD", 0.0, 0.0)


def test_a_disabled_algorithm_is_not_asked_and_keeps_its_weight():
    orchestrator = panel((raises, 3.0), (says("BUY"), 1.0))
    orchestrator.set_enabled("a0", False)
    ballot = vote(orchestrator)
    assert [v.algorithm for v in ballot.votes] == ["a1"]
    assert (orchestrator.weights["a0"], orchestrator.enabled) == (3.0, {"a0": False, "a1": True})
    orchestrator.set_enabled("a0", True)
    assert vote(orchestrator).votes[0].error


def test_unknown_names_are_refused_with_the_known_ones():
    orchestrator = panel((says("BUY"), 1.0))
    for call in (
        lambda: orchestrator.set_weight("x", 1.0), lambda: orchestrator.set_enabled("x", True),
        lambda: orchestrator.record_outcome("x", True), lambda: orchestrator.outcomes("x"),
    ):  # fmt: skip
        with pytest.raises(UnknownNameError, match="one of a0, was 'x'"):
            call()


def test_registering_again_replaces_the_function_and_keeps_record_and_place():
    orchestrator = panel((says("BUY"), 1.0), (says("HOLD"), 1.0))
    orchestrator.record_outcome("a0", True)
    orchestrator.register_algorithm("a0", says("SELL"), 4.0)
    assert list(orchestrator.weights.items()) == [("a0", 4.0), ("a1", 1.0)]
    assert vote(orchestrator).action == "SELL"
    assert orchestrator.outcomes("a0") == (1, 1)


def test_win_rates_count_outcomes_and_say_nothing_before_the_first():
    orchestrator = panel((says("BUY"), 1.0), (says("BUY"), 1.0))
    assert orchestrator.outcomes().win_rate is None
    assert (orchestrator.win_rate, orchestrator.wins, orchestrator.n) == (0.0, 0, 0)
    for name, won in (("a0", True), ("a0", False), ("a0", True), ("a1", False)):
        orchestrator.record_outcome(name, won)
    assert orchestrator.outcomes("a0") == (2, 3)
    assert (orchestrator.win_rate, orchestrator.wins, orchestrator.n) == (0.5, 2, 4)


def test_algorithms_see_bars_symbol_price_regime_and_what_else_is_known():
    seen = []

    def spy(data, symbol, price, **known):
        seen.append((data, symbol, price, known))
        return "HOLD", 0.0, {}

    vote(panel((spy, 1.0)), "ranging", mc_probability_up=0.6)
    assert seen == [(BARS, "AAPL", 100.0, {"market_regime": "ranging", "mc_probability_up": 0.6})]


def test_a_vote_carries_the_reason_and_only_finite_numbers():
    extras = {"rsi": 28, "nan": math.nan, "flag": True, "word": "x", "reason": "RSI low"}
    (v,) = vote(panel((says("BUY", 0.5, extras), 1.0))).votes
    assert (v.indicators, v.reason) == ({"rsi": 28.0}, "RSI low")


def test_every_cycle_is_counted_timed_and_the_last_ones_remembered():
    orchestrator = panel((says("BUY"), 1.0), max_history=2)
    assert orchestrator.avg_execution_time == 0.0
    for _ in range(3):
        vote(orchestrator, "trending")
    orchestrator.execute_cycle(BARS, ["AAPL"])
    assert orchestrator.execution_count == 4
    assert orchestrator.avg_execution_time > 0.0
    assert [h.regime for h in orchestrator.history] == ["trending", None]


def test_of_several_symbols_the_strongest_is_returned_and_all_are_in_the_metrics():
    def by_close(data, symbol, price, **known):
        return ("BUY" if price > 100 else "SELL"), abs(price - 100) / 100, {}

    frames = {"UP": {"close": [120.0]}, "DOWN": {"close": [50.0]}}
    action, confidence, metrics = panel((by_close, 1.0)).execute_cycle(frames, ["UP", "DOWN"])
    assert (action, confidence, metrics["symbol"]) == ("SELL", 0.5, "DOWN")
    assert {s: m["action"] for s, m in metrics["by_symbol"].items()} == {
        "UP": "BUY",
        "DOWN": "SELL",
    }


def test_a_cycle_without_symbols_or_prices_is_refused():
    for symbols in ([], "AAPL"):
        with pytest.raises(InvalidValueError, match="symbols"):
            panel().execute_cycle(BARS, symbols)
    with pytest.raises(InvalidValueError, match="close"):
        panel().execute_cycle({}, ["AAPL"])


def test_regime_priors_stay_near_one_and_name_known_regimes():
    for factors in REGIME_FACTORS.values():
        assert set(factors) <= {r.value for r in Regime}
        assert all(0.5 <= f <= 1.5 for f in factors.values())
