"""Forecast records against pandas' estimates and scipy's closed form, in sampling errors."""

import numpy as np
import pytest
from scipy import stats

from engine.domain.events import EventType
from engine.domain.forecast import FAN_LEVELS, QUANTILE_LEVELS, Forecast
from tests.numbers.runs import log_of


@pytest.fixture(scope="module")
def forecasts(replay) -> list[Forecast]:
    return [Forecast.from_data(e.data) for e in log_of(replay, EventType.MC_UPDATE)]


def in_errors(logs, level, drift, sigma, steps, n_paths):
    """How many standard errors of a sample quantile these log quantiles lie off the closed form."""
    z, scale = stats.norm.ppf(level), sigma * np.sqrt(steps)
    error = scale * np.sqrt(level * (1 - level) / n_paths) / stats.norm.pdf(z)
    return (logs - drift * steps - z * scale) / error


def test_drift_its_error_and_sigma_are_those_of_the_last_750_log_returns(forecasts, shipped):
    for made in forecasts:
        closes = shipped[made.symbol].close
        closes = closes[closes.index <= made.origin.timestamp()].iloc[-751:]
        returns = np.log(closes).diff().dropna()
        assert closes.index[-1] == made.origin.timestamp()
        assert made.spot == pytest.approx(closes.iloc[-1], rel=1e-6)
        assert made.n_observations == returns.size == 750
        assert made.drift_per_step == pytest.approx(returns.mean(), abs=1e-8)
        assert made.sigma_per_step == pytest.approx(returns.std(ddof=1), abs=1e-7)
        assert made.drift_error_per_step == pytest.approx(returns.sem(), abs=1e-8)
        assert made.step_seconds == 86_400


def test_every_fan_row_starts_exactly_at_spot_and_no_two_rows_cross(forecasts):
    for made in forecasts:
        assert {row[0] for row in made.fan} == {made.spot}
        assert {len(row) for row in made.fan} == {made.n_steps + 1}
        assert (np.diff(made.fan, axis=0) >= 0).all()


def test_fan_and_records_lie_around_the_closed_form_as_far_as_sampling_allows(forecasts):
    found = []
    for f in forecasts:
        moments = (f.drift_per_step, f.sigma_per_step)
        steps = np.arange(1, f.n_steps + 1)
        for level, row in zip(FAN_LEVELS, f.fan, strict=True):
            logs = np.log(np.array(row[1:]) / f.spot)
            found += list(in_errors(logs, level, *moments, steps, f.n_paths)[[0, 4, 19, -1]])
        for at in f.quantiles:
            logs = np.log(np.array(at.prices) / f.spot)
            for level, log in zip(QUANTILE_LEVELS[2:-2], logs[2:-2], strict=True):
                found.append(in_errors(log, level, *moments, at.horizon, f.n_paths))
    assert len(found) > 10_000
    assert abs(np.mean(found)) < 0.15
    assert np.std(found) == pytest.approx(1.0, abs=0.1)
    assert np.max(np.abs(found)) < 6


def test_probability_up_and_expected_price_are_those_of_the_last_step(forecasts):
    ups, means = [], []
    for f in forecasts:
        drift, scale = f.drift_per_step * f.n_steps, f.sigma_per_step * np.sqrt(f.n_steps)
        p = stats.norm.cdf(drift / scale)
        ups.append((f.probability_up - p) / np.sqrt(p * (1 - p) / f.n_paths))
        law = stats.lognorm(s=scale, scale=f.spot * np.exp(drift))
        means.append((f.expected_price - law.mean()) / (law.std() / np.sqrt(f.n_paths)))
    for found in (ups, means):
        assert np.std(found) == pytest.approx(1.0, abs=0.25)
        assert np.max(np.abs(found)) < 5


def test_no_two_forecasts_share_random_numbers(forecasts):
    assert len({f.seed for f in forecasts}) == len(forecasts)
    by_bar: dict[object, list[float]] = {}
    for f in forecasts:
        noise = np.log(f.fan[3][1] / f.spot) - f.drift_per_step
        by_bar.setdefault(f.origin, []).append(noise / f.sigma_per_step)
    rows = np.array([row for row in by_bar.values() if len(row) == 10])
    off = np.corrcoef(rows.T)[np.triu_indices(10, 1)]
    assert abs(off.mean()) < 0.25


def test_a_made_up_minute_is_a_step_of_a_minute(made_up):
    made = [Forecast.from_data(e.data) for e in log_of(made_up, EventType.MC_UPDATE)]
    assert {f.step_seconds for f in made} == {60.0}
