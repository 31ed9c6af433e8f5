import pytest

from engine.domain.errors import ConfigurationError
from engine.strategies.default_set import default_strategies, orchestrator_of
from engine.strategies.regimes import REGIME_FACTORS

NAMES = ["momentum", "mean_reversion", "ma_trend", "breakout", "mc_probability"]


def test_the_default_set_is_the_five_with_their_weights_in_words_for_the_screen():
    entries = default_strategies()
    assert [(e.name, e.weight, e.enabled) for e in entries] == list(
        zip(NAMES, [0.30, 0.20, 0.20, 0.15, 0.15], [True] * 5, strict=True)
    )
    assert [(e.title, e.description) for e in entries] == [
        ("Momentum", "look-back 14, min move 2%"),
        ("Mean reversion", "z over 1.2, RSI 14"),
        ("MA trend", "10 over 30 bars"),
        ("Breakout", "20-bar channel"),
        ("MC probability", "forecast 2 pts off even"),
    ]
    assert set(REGIME_FACTORS) == set(NAMES)


def test_yaml_changes_weight_parameters_and_presence():
    entries = {
        e.name: e
        for e in default_strategies(
            {
                "momentum": {"enabled": True, "weight": 0.4, "params": {"momentum_period": 10}},
                "breakout": {"enabled": False},
                "ma_trend": {"enabled": None, "weight": None, "params": None},
            }
        )
    }
    momentum = entries["momentum"]
    assert (momentum.weight, momentum.strategy.parameters["lookback_period"]) == (0.4, 10)
    assert momentum.strategy.parameters["volume_threshold"] == 0.0
    assert (entries["ma_trend"].enabled, entries["ma_trend"].weight) == (True, 0.20)
    assert (entries["breakout"].enabled, entries["breakout"].weight) == (False, 0.15)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"astrology": {}}, "astrology"),
        ({"momentum": {"wieght": 1}}, "wieght"),
        ({"momentum": {"weight": -1}}, "strategies.momentum.weight"),
        ({"momentum": {"weight": "much"}}, "strategies.momentum.weight"),
        ({"momentum": {"enabled": "yes"}}, "strategies.momentum.enabled"),
        ({"momentum": {"params": {"lockback": 5}}}, "lockback"),
        ({"ma_trend": {"params": {"ma_fast": 40}}}, "strategies.ma_trend.params: ma_fast"),
        ({"breakout": {"params": {"channel_period": 1.5}}}, "channel_period"),
    ],
)
def test_a_mistake_in_yaml_is_refused_by_its_path(config, words):
    with pytest.raises(ConfigurationError, match=words):
        default_strategies(config)


def test_the_set_votes_in_its_order_and_disabled_ones_do_not():
    orchestrator = orchestrator_of(default_strategies({"ma_trend": {"enabled": False}}))
    closes = [100.0 + i for i in range(60)]
    ballot = orchestrator.vote(
        {"close": closes}, "X", closes[-1], "trending", mc_probability_up=0.6
    )
    assert [v.algorithm for v in ballot.votes] == [n for n in NAMES if n != "ma_trend"]
    assert [v.error for v in ballot.votes] == [None] * 4
    assert ballot.action == "BUY"
    assert ballot.votes[0].weight == pytest.approx(0.30 / 0.80)
    assert ballot.votes[0].regime_factor == REGIME_FACTORS["momentum"]["trending"]
