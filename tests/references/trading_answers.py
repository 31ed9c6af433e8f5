"""Answers about bars and trades: indicators, costs, weights, and the luck of many tries."""

import re
from collections.abc import Callable

import numpy as np

from engine.kernels import indicators as ta
from engine.kernels.overfitting import deflated_sharpe, probabilistic_sharpe
from engine.kernels.portfolio_weights import inverse_volatility_weights, minimum_variance_weights
from engine.kernels.series import FloatArray
from engine.kernels.trading_costs import (
    LinearImpact,
    estimated_impact,
    optimal_liquidation,
    square_root_impact,
)
from engine.kernels.volatility import annualised_volatility
from tests.references.inputs import Case
from tests.references.returns_answers import Answer, Values

_HOLDING = re.compile(r"x(\d+)")


def at(case: Case, series: FloatArray, prefix: str = "") -> dict[str, float]:
    """Return values at the bars that the entry asks for; the series ends with the last bar."""
    n = len(case.bars())
    wanted = [key for key in case.asked if key.startswith(prefix)]
    return {key: series[int(key.removeprefix(prefix)) - n] for key in wanted}


def at_prefixes(case: Case, lines: dict[str, FloatArray]) -> dict[str, float]:
    return {k: v for prefix, line in lines.items() for k, v in at(case, line, prefix).items()}


def rsi(case: Case) -> Values:
    return at(case, ta.rsi(case.bars()["close"]))


def true_range(case: Case) -> Values:
    bars = case.bars()
    return at(case, ta.atr(bars["high"], bars["low"], bars["close"]))


def macd(case: Case) -> Values:
    lines = ta.macd(case.bars()["close"])
    named = {"macd_": lines.macd, "signal_": lines.signal, "hist_": lines.histogram}
    return at_prefixes(case, named)


def bands(case: Case) -> Values:
    lines = ta.bollinger(case.bars()["close"])
    named = {"upper_": lines.upper, "middle_": lines.middle, "lower_": lines.lower}
    return at_prefixes(case, named)


def zscore(case: Case) -> Values:
    return at(case, ta.zscore(case.bars()["close"]))


def trend(case: Case) -> Values:
    bars = case.bars()
    close = bars["close"]
    named = {
        "adx_": ta.adx(bars["high"], bars["low"]), "roc_": 100.0 * ta.rate_of_change(close),
        "ema_": ta.ema(close, 20), "sma_": ta.sma(close, 50),
    }  # fmt: skip
    return at_prefixes(case, named)


def oscillators(case: Case) -> Values:
    bars = case.bars()
    lines = ta.stochastic(bars["high"], bars["low"], bars["close"])
    volume = ta.on_balance_volume(bars["close"], bars["volume"])
    return at_prefixes(case, {"k_": lines.k, "d_": lines.d, "obv_": volume})


def liquidation(case: Case) -> Values:
    p = case.params
    impact = LinearImpact(sigma=p["sig"], fixed=p["eps"], permanent=p["gam"], temporary=p["eta"])
    plan = optimal_liquidation(p["X"], p["T"], p["N"], p["lam"], impact)
    # the entries say -1 where nothing fades
    half_life = -1.0 if plan.half_life is None else plan.half_life
    left = {
        key: plan.holdings[int(match[1])]
        for key in case.asked
        if (match := _HOLDING.fullmatch(key))
    }
    return left | {
        "kappa": plan.kappa, "E": plan.expected_cost, "V": plan.variance,
        "std": plan.variance**0.5, "half_life": half_life,
    }  # fmt: skip


def estimate(case: Case) -> Values:
    p = case.numbers()
    found = estimated_impact(p["f"] * p["ADV"], p["ADV"], p["shares out"], p["sigma"], p["T"])
    return {
        "perm_bp": 1e4 * found.permanent, "temp_bp": 1e4 * found.temporary, "J_bp": 1e4 * found.cost,
    }  # fmt: skip


def square_root(case: Case) -> Values:
    p = case.numbers()
    return 1e4 * square_root_impact(p["Q/ADV"], 1.0, p["sigma_daily"], p["Y"])


def weighted(weigh: Callable[[FloatArray], FloatArray]) -> Answer:
    def answer(case: Case) -> Values:
        symbols = case.where["symbols"]
        r = case.returns_together(symbols)
        weights = weigh(np.cov(r, rowvar=False))
        values = dict(zip(symbols, weights, strict=True))
        if "ann_vol" in case.asked:
            values["ann_vol"] = annualised_volatility(r @ weights, case.periods)
        return values

    return answer


def chosen_among_many(case: Case) -> Values:
    r, p = case.returns(), case.params
    found = deflated_sharpe(r, p["n_trials"], p["var_sr"])
    return {
        "sr_per_obs": found.sharpe, "psr0": probabilistic_sharpe(r),
        "sr0": found.expected_maximum, "dsr": found.probability,
    }  # fmt: skip


ANSWERS: dict[tuple[str, str], Answer] = {
    ("ta", "RSI14"): rsi,
    ("ta", "ATR14"): true_range,
    ("ta", "MACD_12_26_9"): macd,
    ("ta", "BBANDS_20_2"): bands,
    ("ta", "zscore20"): zscore,
    ("ta", "ADX14_ROC10_EMA20_SMA50"): trend,
    ("ta", "STOCH_14_3_3_OBV"): oscillators,
    ("cost", "almgren_chriss"): liquidation,
    ("cost", "almgren2005_direct"): estimate,
    ("cost", "sqrt_impact"): square_root,
    ("portfolio", "min_variance_long_only"): weighted(minimum_variance_weights),
    ("portfolio", "inverse_volatility"): weighted(inverse_volatility_weights),
    ("overfit", "psr_dsr"): chosen_among_many,
}
