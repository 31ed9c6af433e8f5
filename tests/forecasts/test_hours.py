"""The time of day: hours that move more than others are found, and where there are no hours nothing is said."""

import numpy as np
import pytest

from engine.forecasts.hours import LEAST_DAYS, PRIOR_N, hours_ahead
from engine.forecasts.past import Past

HOUR = 3_600.0
MIDNIGHT = 1_577_836_800.0
"""1 January 2020, 00:00 UTC."""


def past_of(n: int, step: float = HOUR, end: float = MIDNIGHT) -> Past:
    """Bars that end at `end`."""
    return Past(symbol="BTC", closes=np.full(n + 1, 100.0), closes_at=end + step * np.arange(-n, 1))


def began(past: Past, n: int) -> np.ndarray:
    return ((past.closes_at[-n:] - HOUR) // HOUR % 24).astype(int)


def test_an_hour_that_moves_more_is_found_and_applied_to_its_own_steps():
    n = 24 * 400
    past = past_of(n)
    residuals = np.random.default_rng(1).standard_normal(n)
    busy = np.isin(began(past, n), (13, 14, 15))
    residuals[busy] *= 2.0
    hours = hours_ahead(past, residuals, 48)
    assert (hours.first, hours.n) == (0, 400)
    usual = (21 * 1.0 + 3 * 4.0) / 24  # variance of all hours, which the model holds already
    assert hours.variances[14] == pytest.approx(4.0 / usual, rel=0.12)
    assert hours.variances[2] == pytest.approx(1.0 / usual, rel=0.12)
    assert hours.variances[:24].mean() == pytest.approx(1.0)
    np.testing.assert_array_equal(hours.variances[:24], hours.variances[24:])
    assert hours.words.startswith("00:00 UTC: variance × 0.")
    assert "learned from 400" in hours.words


def test_the_next_bar_begins_where_the_last_one_ended():
    past = past_of(24 * 30, end=MIDNIGHT + 14 * HOUR)
    assert hours_ahead(past, np.ones(24 * 30), 3).first == 14


def test_hours_that_are_alike_change_little():
    n = 24 * 31
    residuals = np.random.default_rng(2).standard_t(4, n)
    variances = hours_ahead(past_of(n), residuals, 24).variances
    assert np.all(np.abs(variances - 1.0) < 0.4)
    np.testing.assert_allclose(hours_ahead(past_of(n), np.ones(n), 24).variances, 1.0)


def test_an_hour_never_seen_is_like_any_other():
    """Bars of 9 to 16 o'clock only: the night has its neighbours' part, or nothing."""
    n = 24 * 100
    past = past_of(n)
    open_ = (began(past, n) >= 9) & (began(past, n) < 16)
    seen = Past(
        symbol="X",
        closes=np.full(open_.sum() + 1, 1.0),
        closes_at=np.r_[0.0, past.closes_at[-n:][open_]],
    )
    variances = hours_ahead(seen, np.full(open_.sum(), 0.8), 24).variances
    np.testing.assert_allclose(variances, 1.0)


@pytest.mark.parametrize(
    "past",
    [
        past_of(2_000, step=86_400.0),
        past_of(24 * LEAST_DAYS - 1),
        Past(symbol="X", closes=np.ones(1_000)),
    ],
    ids=["days", "less than a week", "no times"],
)
def test_where_hours_say_nothing_the_variance_stays(past: Past):
    hours = hours_ahead(past, np.random.default_rng(3).standard_normal(past.closes.size - 1), 5)
    np.testing.assert_array_equal(hours.variances, np.ones(5))
    assert hours.words == ""


def test_returns_that_never_move_say_nothing():
    hours = hours_ahead(past_of(24 * 10), np.zeros(240), 5)
    np.testing.assert_array_equal(hours.variances, np.ones(5))


def test_few_bars_are_pulled_towards_the_usual():
    """One busy hour seen on seven days counts as seven bars beside the prior's thirty."""
    n = 24 * LEAST_DAYS
    past = past_of(n)
    residuals = np.ones(n)
    residuals[began(past, n) == 6] = 4.0
    usual, count = residuals.mean(), 14.0
    busy, quiet = (PRIOR_N * usual + sum_ for sum_ in (7 * 4.0 + 0.5 * 14, count))
    variances = hours_ahead(past, residuals, 24).variances
    assert variances[6] / variances[12] == pytest.approx((busy / quiet) ** 2)
    assert variances.mean() == pytest.approx(1.0)
