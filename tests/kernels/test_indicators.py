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
        lambda x: ta.adx(x, x, 14), lambda x: ta.rate_of_change(x, 10), lambda x: ta.stochastic(x, x, x).d,
        lambda x: ta.on_balance_volume(x, x),
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


def plain_adx(highs, lows, closes, period):
    """Wilder's index by running sums, true range and all, as its inventor wrote it down."""
    rises, falls, ranges = [], [], []
    for t in range(1, len(highs)):
        up, down = highs[t] - highs[t - 1], lows[t - 1] - lows[t]
        rises.append(up if up > down and up > 0.0 else 0.0)
        falls.append(down if down > up and down > 0.0 else 0.0)
        ranges.append(max(highs[t], closes[t - 1]) - min(lows[t], closes[t - 1]))
    sums = [sum(part[: period - 1]) for part in (rises, falls, ranges)]
    strengths = []
    for moves in zip(*(part[period - 1 :] for part in (rises, falls, ranges)), strict=True):
        sums = [s - s / period + move for s, move in zip(sums, moves, strict=True)]
        plus, minus = 100.0 * sums[0] / sums[2], 100.0 * sums[1] / sums[2]
        total = plus + minus
        strengths.append(100.0 * abs(plus - minus) / total if total > 0.0 else 0.0)
    found = [sum(strengths[:period]) / period]
    for strength in strengths[period:]:
        found.append((found[-1] * (period - 1) + strength) / period)
    return found


@settings(max_examples=50)
@given(closes, st.integers(2, 15))
def test_adx_equals_wilders_sums(c, period):
    middle = np.array(c)
    highs, lows = middle + 1.0 + np.arange(len(c)) % 3, middle - 1.0 - np.arange(len(c)) % 2
    expected = plain_adx(highs.tolist(), lows.tolist(), c, period)
    assert ta.adx(highs, lows, period) == pytest.approx(expected, abs=1e-6)


def test_a_trend_has_adx_100_and_a_line_that_stands_still_0():
    line = np.arange(1.0, 41.0)
    assert ta.adx(line + 1.0, line, 14) == pytest.approx(np.full(13, 100.0))
    assert ta.adx(line[::-1] + 1.0, line[::-1], 14) == pytest.approx(np.full(13, 100.0))
    assert ta.adx(np.full(40, 5.0), np.full(40, 4.0), 14).tolist() == [0.0] * 13


def test_a_bar_that_grows_to_both_sides_alike_moves_to_neither():
    reach = np.arange(1.0, 41.0)
    assert ta.adx(100.0 + reach, 100.0 - reach, 14).tolist() == [0.0] * 13


@given(closes, st.integers(1, 20))
def test_the_rate_of_change_leads_back_to_the_value(c, period):
    rate = ta.rate_of_change(c, period)
    assert rate.shape == (len(c) - period,)
    assert np.array(c[:-period]) * (1.0 + rate) == pytest.approx(c[period:])


def test_the_stochastic_worked_by_hand():
    # channels of 2 bars: 8..12, 9..13, 9..13; closes stand at 3/4, 1/4 and 4/4 of them
    highs, lows = [11.0, 12.0, 13.0, 13.0], [8.0, 9.0, 9.0, 10.0]
    lines = ta.stochastic(highs, lows, [9.0, 11.0, 10.0, 13.0], period=2, slowing=2, signal=2)
    assert lines.k == pytest.approx([62.5])
    assert lines.d == pytest.approx([(50.0 + 62.5) / 2.0])


@given(closes)
def test_the_stochastic_lies_between_0_and_100_and_its_lines_have_one_length(c):
    middle = np.array(c)
    lines = ta.stochastic(middle + 0.5, middle - 0.5, middle)
    assert lines.k.shape == lines.d.shape == (len(c) - 17,)
    for line in lines:
        assert ((line >= -1e-9) & (line <= 100.0 + 1e-9)).all()
    turned = ta.stochastic(0.5 - middle, -0.5 - middle, -middle)
    assert turned.k == pytest.approx(100.0 - lines.k, abs=1e-6)


def test_the_stochastic_of_a_rise_and_of_a_flat_line():
    line = np.arange(1.0, 31.0)
    assert ta.stochastic(line, line, line).k[-1] == pytest.approx(100.0)
    assert ta.stochastic(line[::-1], line[::-1], line[::-1]).d[-1] == pytest.approx(0.0)
    flat = np.full(30, 5.0)
    assert ta.stochastic(flat, flat, flat).k.tolist() == [50.0] * 13


@given(closes)
def test_on_balance_volume_adds_rises_and_takes_falls(c):
    volumes = np.arange(1.0, len(c) + 1.0)
    total, found = volumes[0], [volumes[0]]
    for t in range(1, len(c)):
        total += volumes[t] * ((c[t] > c[t - 1]) - (c[t] < c[t - 1]))
        found.append(total)
    assert ta.on_balance_volume(c, volumes).tolist() == found


def test_the_newer_indicators_refuse_wrong_periods_and_lengths():
    with pytest.raises(NotEnoughDataError, match="at least 28"):
        ta.adx(np.ones(27), np.ones(27))
    with pytest.raises(NotEnoughDataError, match="at least 18"):
        ta.stochastic(np.ones(17), np.ones(17), np.ones(17))
    with pytest.raises(NotEnoughDataError, match="at least 11"):
        ta.rate_of_change(np.ones(10))
    with pytest.raises(InvalidValueError, match="values must be positive"):
        ta.rate_of_change([0.0] * 12)
    with pytest.raises(InvalidValueError, match="volumes must not be negative"):
        ta.on_balance_volume([1.0, 2.0], [1.0, -1.0])
    for call in (
        lambda: ta.adx(np.ones(30), np.ones(31)),
        lambda: ta.stochastic(np.ones(30), np.ones(30), np.ones(31)),
        lambda: ta.on_balance_volume(np.ones(30), np.ones(31)),
    ):
        with pytest.raises(InvalidValueError, match="equal lengths"):
            call()
    for call in (
        lambda: ta.adx(np.ones(30), np.ones(30), 0), lambda: ta.rate_of_change(np.ones(30), 0),
        lambda: ta.stochastic(np.ones(30), np.ones(30), np.ones(30), slowing=0),
    ):  # fmt: skip
        with pytest.raises(InvalidValueError, match="at least 1"):
            call()


def test_wrong_periods_and_lengths_are_refused():
    with pytest.raises(InvalidValueError, match="fast"):
        ta.macd(np.ones(60), fast=26, slow=12)
    with pytest.raises(InvalidValueError, match="period"):
        ta.sma([1.0, 2.0], 0)
    with pytest.raises(InvalidValueError, match="equal lengths"):
        ta.atr(np.ones(20), np.ones(20), np.ones(21))
    with pytest.raises(NotEnoughDataError, match="at least 34"):
        ta.macd(np.ones(33))
