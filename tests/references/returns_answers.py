"""Answers about a row of returns: its sample, tail, reward per risk, volatility and worst stretches."""

import re
from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import pandas as pd

from engine.kernels import ratios, tail_laws
from engine.kernels import tail_risk as tail
from engine.kernels.drawdown import max_drawdown
from engine.kernels.moments import excess_kurtosis, skewness
from engine.kernels.returns import simple_returns
from engine.kernels.volatility import (
    EWMA_LAMBDA,
    annualised_volatility,
    ewma_sigmas,
    ewma_volatility,
)
from tests.references.inputs import Case, UnknownFormError

Values = float | dict[str, float]
Answer = Callable[[Case], Values]

_EVENT = re.compile(r"return\s*<\s*(-?[\d.]+)")


def sample(case: Case) -> Values:
    r = case.returns()
    return {
        "n": float(r.size), "mean": r.mean(), "std_ddof1": r.std(ddof=1),
        "skew_biased": skewness(r), "exkurt_biased": excess_kurtosis(r),
    }  # fmt: skip


def tail_measure(function: Callable[..., float]) -> Answer:
    return lambda case: function(case.returns(), case.params["confidence"])


def student_t(measure: str) -> Answer:
    def answer(case: Case) -> Values:
        return getattr(tail_laws.fit_student_t(case.returns()), measure)(case.params["confidence"])

    return answer


def cornish_fisher(case: Case) -> Values:
    """The value of the expansion; what the kernel shows of it follows the domain that the entry states."""
    r, confidence = case.returns(), case.params["confidence"]
    shown = tail_laws.cornish_fisher_value_at_risk(r, confidence).value_at_risk
    z = NormalDist().inv_cdf(1.0 - confidence)
    value = -(r.mean() + tail_laws.expansion(z, skewness(r), excess_kurtosis(r)) * r.std(ddof=1))
    may_show = "passed=True" in case.entry["definition"]
    if shown != (value if may_show else None):
        raise ValueError(f"the kernel shows {shown} where the domain check says {may_show}")
    return value


def per_year(function: Callable[..., float]) -> Answer:
    return lambda case: function(case.returns(), case.periods)


def _pair(case: Case) -> np.ndarray:
    return case.returns_together([case.where["symbol"], case.where["benchmark"]]).T


def beta(case: Case) -> Values:
    return ratios.beta(*_pair(case))


def alpha(case: Case) -> Values:
    return ratios.annual_alpha(*_pair(case), case.periods)


def correlation(case: Case) -> Values:
    return ratios.correlation(*_pair(case))


def ewma_next(case: Case) -> Values:
    return ewma_volatility(case.returns(), case.params["lam"])


def ewma_last(case: Case) -> Values:
    """The value for the last day is the forecast that the day before it made."""
    return float(ewma_sigmas(case.returns(), case.params.get("lam", EWMA_LAMBDA))[-2])


def event(case: Case) -> np.ndarray:
    """Return where the event happened that the entry describes as a return below a number."""
    match = _EVENT.fullmatch(case.where["event"].strip())
    if match is None:
        raise UnknownFormError(f"event {case.where['event']!r} is not known here")
    return case.returns() < float(match[1])


def stress(case: Case) -> Values:
    close = case.prices().to_numpy()
    r = simple_returns(close)
    return {
        "first": close[0], "last": close[-1], "ret_first_to_last": close[-1] / close[0] - 1.0,
        "max_drawdown": max_drawdown(r), "worst_bar": r.min(), "n_bars": float(close.size),
    }  # fmt: skip


def worst_days(case: Case) -> Values:
    close = case.prices()
    r = pd.Series(simple_returns(close.to_numpy()), index=close.index[1:])
    return {f"{day:%Y-%m-%d}": value for day, value in r.nsmallest(len(case.asked)).items()}


ANSWERS: dict[tuple[str, str], Answer] = {
    ("sample", "n_mean_std_skew_exkurt"): sample,
    ("risk", "VaR_hist_orderstat"): tail_measure(tail.value_at_risk),
    ("risk", "ES_hist_RU"): tail_measure(tail.expected_shortfall),
    ("risk", "VaR_normal"): tail_measure(tail.parametric_value_at_risk),
    ("risk", "ES_normal"): tail_measure(tail.parametric_expected_shortfall),
    ("risk", "VaR_student_t_mle"): student_t("value_at_risk"),
    ("risk", "ES_student_t_mle"): student_t("expected_shortfall"),
    ("risk", "VaR_cornish_fisher"): cornish_fisher,
    ("perf", "ann_vol"): per_year(annualised_volatility),
    ("perf", "sharpe_rf0"): per_year(ratios.sharpe_ratio),
    ("perf", "sortino_mar0"): per_year(ratios.sortino_ratio),
    ("perf", "max_drawdown"): lambda case: max_drawdown(case.returns()),
    ("perf", "cagr"): per_year(ratios.cagr),
    ("perf", "calmar"): per_year(ratios.calmar_ratio),
    ("perf", "beta"): beta,
    ("perf", "alpha_annual"): alpha,
    ("perf", "corr"): correlation,
    ("vol", "ewma94_sigma_next"): ewma_next,
    ("vol", "ewma94_arch_last_insample"): ewma_last,
    ("stress", "*_worst[0-9]*"): worst_days,
    ("stress", "*"): stress,
}
