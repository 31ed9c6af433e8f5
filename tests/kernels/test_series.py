import numpy as np
import pytest

from engine.domain.errors import InvalidValueError, NotEnoughDataError
from engine.kernels.drawdown import drawdowns
from engine.kernels.indicators import rsi, sma, zscore
from engine.kernels.paths import estimate_drift_and_sigma
from engine.kernels.ratios import calmar_ratio, sharpe_ratio, sortino_ratio
from engine.kernels.returns import log_returns, simple_returns
from engine.kernels.risk_score import risk_score
from engine.kernels.series import as_prices, as_series
from engine.kernels.tail_risk import expected_shortfall, parametric_value_at_risk, value_at_risk
from engine.kernels.volatility import annualised_volatility, ewma_volatility

KERNELS_AND_NEED = [
    (simple_returns, 2),
    (log_returns, 2),
    (value_at_risk, 2),
    (expected_shortfall, 2),
    (parametric_value_at_risk, 2),
    (estimate_drift_and_sigma, 3),
    (drawdowns, 1),
    (ewma_volatility, 20),
    (lambda x: annualised_volatility(x, 252), 2),
    (lambda x: sharpe_ratio(x, 252), 2),
    (lambda x: sortino_ratio(x, 252), 2),
    (lambda x: calmar_ratio(x, 252), 2),
    (lambda x: sma(x, 20), 20),
    (lambda x: zscore(x, 20), 20),
    (lambda x: rsi(x, 14), 15),
    (risk_score, 21),
]


@pytest.mark.parametrize(("kernel", "need"), KERNELS_AND_NEED)
def test_too_few_observations_are_an_error_with_n_and_need_and_one_more_is_none(kernel, need):
    alternating = 1.0 + 0.1 * (-1.0) ** np.arange(need)
    series = np.where(np.arange(need) % 2, -0.1, 0.05) if need == 2 else alternating
    with pytest.raises(
        NotEnoughDataError, match=rf"at least {need} observations, was n = {need - 1}"
    ):
        kernel(alternating[: need - 1])
    kernel(alternating if kernel in (simple_returns, log_returns) else series)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("kernel", "need"), KERNELS_AND_NEED)
def test_a_value_that_is_not_finite_is_refused_with_its_place(kernel, need, bad):
    series = np.full(need + 5, 0.5)
    series[3] = bad
    with pytest.raises(InvalidValueError, match=r"finite.* at index 3"):
        kernel(series)


def test_prices_of_zero_and_below_are_refused():
    with pytest.raises(InvalidValueError, match=r"positive, was -1\.0 at index 1"):
        as_prices("prices", [1.0, -1.0, 2.0])


def test_a_matrix_is_no_series():
    with pytest.raises(InvalidValueError, match="one dimension"):
        as_series("returns", [[0.1, 0.2]])


def test_simple_and_log_returns_agree_through_the_exponential():
    prices = [100.0, 150.0, 75.0]
    assert np.expm1(log_returns(prices)) == pytest.approx(simple_returns(prices))
    assert simple_returns(prices) == pytest.approx([0.5, -0.5])
