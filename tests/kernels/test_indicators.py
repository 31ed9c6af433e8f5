import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.errors import InvalidValueError, NotEnoughDataError
from engine.kernels import indicators as ta

closes = st.lists(st.floats(1.0, 1000.0), min_size=40, max_size=80)


def test_wilders_rsi_of_five_closes_worked_by_hand():
    # changes +1 -1 | +2 -1; seeds gain 0.5 loss 0.5; then (0.5 + 2) / 2 = 1.25, 0.25; then 0.625, 0.625
    assert ta.rsi([10.0, 11.0, 10.0, 12.0, 11.0], 2) == pytest.approx([50.0, 250 / 3, 50.0])


def test_wilders_atr_worked_by_hand():
    # true ranges 2, 3 (a gap up: 13 - 10), 1; seed 2.5, then (2.5 + 1) / 2
    highs, lows = [10.0, 11.0, 13.0, 13.0], [9.0, 9.0, 12.0, 12.0]
    assert ta.atr(highs, lows, [10.0, 10.0, 12.5, 12.5], 2) == pytest.approx([2.5, 1.75])


# multiples of 1/64, so that a price turned over is exact and no change is rounded away
@given(st.lists(st.integers(64, 64_000).map(lambda n: n / 64.0), min_size=40, max_size=80))
def test_rsi_lies_between_0_and_100_and_turns_over_with_the_prices(c):
    up = ta.rsi(c, 14)
    down = ta.rsi(2000.0 - np.array(c), 14)
    assert ((up >= 0.0) & (up <= 100.0)).all()
    assert up + down == pytest.approx(np.full(up.size, 100.0))


def test_rsi_of_a_rise_a_fall_and_a_flat_line():
    line = np.arange(1.0, 31.0)
    assert ta.rsi(line)[-1] == 100.0
    assert ta.rsi(line[::-1])[-1] == 0.0
    assert ta.rsi(np.full(30, 5.0))[-1] == 50.0


@given(closes, st.floats(0.5, 3.0))
def test_the_z_score_is_the_width_exactly_on_the_bollinger_band(c, width):
    bands, z = ta.bollinger(c, 20, width), ta.zscore(c, 20)
    deviation = (bands.upper - bands.middle) / width
    assert bands.middle + z * deviation == pytest.approx(c[19:], rel=1e-6)
    outside = np.abs(z) > width + 1e-9
    beyond = (np.array(c[19:]) > bands.upper) | (np.array(c[19:]) < bands.lower)
    assert (beyond[outside]).all()


@given(closes)
def test_a_z_score_never_exceeds_the_root_of_its_window(c):
    assert np.abs(ta.zscore(c, 20)).max() <= np.sqrt(19) + 1e-9


def test_a_flat_window_has_z_score_zero():
    assert ta.zscore(np.full(25, 0.1), 20).tolist() == [0.0] * 6


@given(closes)
def test_the_channel_holds_its_bars(c):
    channel = ta.donchian(c, c, 20)
    for i, (top, bottom) in enumerate(zip(channel.upper, channel.lower, strict=True)):
        assert top == max(c[i : i + 20])
        assert bottom == min(c[i : i + 20])


@settings(max_examples=50)
@given(closes)
def test_every_indicator_ends_with_the_last_bar(c):
    # a later bar must not change what stood before it
    for series in (
        lambda x: ta.sma(x, 10), lambda x: ta.ema(x, 10), lambda x: ta.rsi(x, 14),
        lambda x: ta.zscore(x, 20), lambda x: ta.efficiency_ratio(x, 20), lambda x: ta.macd(x).macd,
    ):  # fmt: skip
        assert series([*c, 55.0])[:-1] == pytest.approx(series(c), abs=1e-9)


@given(closes)
def test_the_efficiency_ratio_lies_between_0_and_1(c):
    ratio = ta.efficiency_ratio(c, 20)
    assert ((ratio >= 0.0) & (ratio <= 1.0)).all()


def test_a_straight_line_is_efficient_and_a_saw_is_not():
    assert ta.efficiency_ratio(np.arange(1.0, 30.0), 20)[-1] == pytest.approx(1.0)
    assert ta.efficiency_ratio(10.0 + (-1.0) ** np.arange(30), 20)[-1] == 0.0
    assert ta.efficiency_ratio(np.full(30, 5.0), 20)[-1] == 0.0


def test_macd_of_a_steady_rise_is_the_lag_between_its_averages():
    # an ema of a line lags by (period - 1) / 2 steps: 12.5 - 5.5 = 7 steps of 1
    lines = ta.macd(np.arange(100.0, 300.0))
    assert lines.macd[-1] == pytest.approx(7.0)
    assert lines.histogram[-1] == pytest.approx(0.0, abs=1e-9)


def test_wrong_periods_and_lengths_are_refused():
    with pytest.raises(InvalidValueError, match="fast"):
        ta.macd(np.ones(60), fast=26, slow=12)
    with pytest.raises(InvalidValueError, match="period"):
        ta.sma([1.0, 2.0], 0)
    with pytest.raises(InvalidValueError, match="equal lengths"):
        ta.atr(np.ones(20), np.ones(20), np.ones(21))
    with pytest.raises(NotEnoughDataError, match="at least 34"):
        ta.macd(np.ones(33))
