"""Every reference value that a kernel can answer is met; what no kernel answers yet is listed with its reason."""

import datetime
import functools
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from engine.kernels import indicators as ta
from engine.kernels import paths
from engine.kernels import tail_risk as tail
from engine.kernels.drawdown import max_drawdown
from engine.kernels.moments import excess_kurtosis, skewness
from engine.kernels.ratios import beta, cagr, calmar_ratio, sharpe_ratio, sortino_ratio
from engine.kernels.returns import log_returns, simple_returns
from engine.kernels.volatility import annualised_volatility, ewma_volatility

ROOT = Path(__file__).parents[1]
REFERENCES = json.loads((Path(__file__).parent / "data/references.json").read_text("utf-8"))
YEAR = 252

NOT_BUILT = {
    ("backtest", "kupiec_pof"): "back-tests of value at risk",
    ("backtest", "kupiec_nonrejection"): "back-tests of value at risk",
    ("backtest", "christoffersen_ind"): "back-tests of value at risk",
    ("backtest", "christoffersen_cc"): "back-tests of value at risk",
    ("backtest", "basel_cumprob"): "back-tests of value at risk",
    ("backtest", "basel_plus_factor"): "back-tests of value at risk",
    ("bt", "sma_cross_10_20_c0.002"): "the back-test of the lab",
    ("bt", "sma_cross_10_20_c0"): "the back-test of the lab",
    ("cost", "almgren_chriss"): "trading costs",
    ("cost", "almgren2005_direct"): "trading costs",
    ("cost", "sqrt_impact"): "trading costs",
    ("evt", "gpd_pot_95"): "level 5 of simulation",
    ("garch", "garch11_normal"): "level 2 of simulation",
    ("garch", "garch11_t"): "level 2 of simulation",
    ("garch", "gjr_skewt"): "level 2 of simulation",
    ("mc", "merton_jump_logreturn"): "level 5 of simulation",
    ("mc", "student_t_std_quantiles"): "level 2 of simulation",
    ("overfit", "psr_dsr"): "selection among strategies",
    ("perf", "alpha_annual"): "no screen shows alpha",
    ("pipeline", "walkforward_normal_scores"): "scoring of settled forecasts",
    ("regime", "ms_mean_var_weekly"): "level 4 of simulation",
    ("risk", "VaR_hist_linear"): "not adopted: the historical value at risk is an observed loss",
    ("risk", "VaR_cornish_fisher"): "not adopted: real tails lie outside its monotone domain",
    ("risk", "VaR_student_t_mle"): "level 2 of simulation",
    ("risk", "ES_student_t_mle"): "level 2 of simulation",
    ("score", "crps_normal"): "scoring of settled forecasts",
    ("score", "crps_ensemble"): "scoring of settled forecasts",
    ("score", "crps_ensemble_fair"): "scoring of settled forecasts",
    ("score", "winkler_interval"): "scoring of settled forecasts",
    ("score", "pinball"): "scoring of settled forecasts",
    ("ta", "STOCH_14_3_3_OBV"): "no strategy reads them",
    (
        "vol",
        "ewma94_arch_last_insample",
    ): "not adopted: a forecast is for the next day, not the last",
}
LEFT_OUT = {
    ("mc", "gbm_terminal"): {"var": "not shown", "prob_touch_90pct": "not shown", "ES95": "not shown"},
    ("ta", "ADX14_ROC10_EMA20_SMA50"): {
        f"{name}_{i}": "no strategy reads it" for name in ("adx", "roc") for i in (50, 1635, 3269)
    },
}  # fmt: skip


@functools.cache
def table(file: str) -> pd.DataFrame:
    return pd.read_parquet(ROOT / file)


def prices_of(where: dict, symbol: str) -> pd.Series:
    frame = table(where["file"])
    frame = frame[frame["symbol"] == symbol].set_index("day")[where["column"]]
    first, last = where.get("start", "0001-01-01"), where.get("end", "9999-12-31")
    return frame[
        (frame.index >= datetime.date.fromisoformat(first))
        & (frame.index <= datetime.date.fromisoformat(last))
    ]


def returns_of(entry: dict, symbol: str | None = None) -> np.ndarray:
    where = entry["data"]
    return simple_returns(prices_of(where, symbol or where["symbol"]).to_numpy())


def bars_of(entry: dict) -> pd.DataFrame:
    frame = table(entry["data"]["file"])
    return frame[frame["symbol"] == entry["data"]["symbol"]]


def at(entry: dict, series: np.ndarray, prefix: str = "") -> dict[str, float]:
    """Values at the bars that the entry asks for; the series ends with the last bar."""
    n = len(bars_of(entry))
    wanted = [key for key in entry["expected"] if key.startswith(prefix)]
    return {key: series[int(key.removeprefix(prefix)) - n] for key in wanted}


def sample(entry):
    r = returns_of(entry)
    return {
        "n": float(r.size), "mean": r.mean(), "std_ddof1": r.std(ddof=1),
        "skew_biased": skewness(r), "exkurt_biased": excess_kurtosis(r),
    }  # fmt: skip


def tail_measure(function):
    return lambda entry: function(returns_of(entry), entry["params"]["confidence"])


def per_year(function):
    return lambda entry: function(returns_of(entry), YEAR)


def stress(entry):
    close = prices_of(entry["data"], entry["data"]["symbol"]).to_numpy()
    r = simple_returns(close)
    return {
        "first": close[0], "last": close[-1], "ret_first_to_last": close[-1] / close[0] - 1.0,
        "max_drawdown": max_drawdown(r), "worst_bar": r.min(), "n_bars": float(close.size),
    }  # fmt: skip


def worst_days(entry):
    close = prices_of(entry["data"], entry["data"]["symbol"])
    r = pd.Series(simple_returns(close.to_numpy()), index=close.index[1:])
    return {str(day): value for day, value in r.nsmallest(5).items()}


def gbm_terminal(entry):
    p = entry["params"]
    spot, sigma = p["S0"], p["sigma"]
    drift = p["mu"] - sigma**2 / 2
    quantile = functools.partial(paths.gbm_quantile, spot, drift, sigma, 1)
    return {
        "mean": paths.gbm_mean(spot, drift, sigma, 1), "median": quantile(0.5),
        "q01": quantile(0.01), "q05": quantile(0.05), "q95": quantile(0.95), "q99": quantile(0.99),
        "prob_up": paths.gbm_probability_up(drift, sigma, 1), "VaR95": spot - quantile(0.05),
    }  # fmt: skip


def macd(entry):
    lines = ta.macd(bars_of(entry)["close"])
    named = {"macd_": lines.macd, "signal_": lines.signal, "hist_": lines.histogram}
    return {k: v for prefix, line in named.items() for k, v in at(entry, line, prefix).items()}


def bands(entry):
    lines = ta.bollinger(bars_of(entry)["close"])
    named = {"upper_": lines.upper, "middle_": lines.middle, "lower_": lines.lower}
    return {k: v for prefix, line in named.items() for k, v in at(entry, line, prefix).items()}


def averages(entry):
    close = bars_of(entry)["close"]
    return at(entry, ta.ema(close, 20), "ema_") | at(entry, ta.sma(close, 50), "sma_")


def true_range(entry):
    bars = bars_of(entry)
    return at(entry, ta.atr(bars["high"], bars["low"], bars["close"]))


ANSWERS = {
    ("sample", "n_mean_std_skew_exkurt"): sample,
    ("risk", "VaR_hist_orderstat"): tail_measure(tail.value_at_risk),
    ("risk", "ES_hist_RU"): tail_measure(tail.expected_shortfall),
    ("risk", "VaR_normal"): tail_measure(tail.parametric_value_at_risk),
    ("risk", "ES_normal"): tail_measure(tail.parametric_expected_shortfall),
    ("perf", "ann_vol"): per_year(annualised_volatility),
    ("perf", "sharpe_rf0"): per_year(sharpe_ratio),
    ("perf", "sortino_mar0"): per_year(sortino_ratio),
    ("perf", "max_drawdown"): lambda entry: max_drawdown(returns_of(entry)),
    ("perf", "cagr"): per_year(cagr),
    ("perf", "calmar"): per_year(calmar_ratio),
    ("perf", "beta"): lambda e: beta(returns_of(e), returns_of(e, e["data"]["benchmark"])),
    ("vol", "ewma94_sigma_next"): lambda e: ewma_volatility(returns_of(e), e["params"]["lam"]),
    ("mc", "gbm_terminal"): gbm_terminal,
    ("stress", "SP500_GFC"): stress,
    ("stress", "SP500_COVID"): stress,
    ("stress", "SP500_dotcom"): stress,
    ("stress", "JPM_GFC"): stress,
    ("stress", "SP500_worst5"): worst_days,
    ("ta", "RSI14"): lambda e: at(e, ta.rsi(bars_of(e)["close"])),
    ("ta", "ATR14"): true_range,
    ("ta", "MACD_12_26_9"): macd,
    ("ta", "BBANDS_20_2"): bands,
    ("ta", "zscore20"): lambda e: at(e, ta.zscore(bars_of(e)["close"])),
    ("ta", "ADX14_ROC10_EMA20_SMA50"): averages,
}


def key_of(entry: dict) -> tuple[str, str]:
    return entry["group"], entry["name"]


def test_every_entry_is_answered_or_listed_with_a_reason():
    asked = {key_of(entry) for entry in REFERENCES}
    assert asked == ANSWERS.keys() | NOT_BUILT.keys()
    assert not ANSWERS.keys() & NOT_BUILT.keys()
    assert LEFT_OUT.keys() <= ANSWERS.keys()


@pytest.mark.parametrize(
    "entry", [e for e in REFERENCES if key_of(e) in ANSWERS], ids=lambda e: e["id"]
)
def test_a_kernel_meets_its_reference_value(entry):
    actual, expected = ANSWERS[key_of(entry)](entry), entry["expected"]
    actual = actual if isinstance(actual, dict) else {"": actual}
    expected = expected if isinstance(expected, dict) else {"": expected}
    assert actual.keys() | LEFT_OUT.get(key_of(entry), {}).keys() == expected.keys()
    relative, absolute = entry["tol_rel"] or 0.0, entry["tol_abs"] or 0.0
    for name, value in actual.items():
        allowed = max(absolute, relative * abs(expected[name]))
        assert math.isclose(value, expected[name], rel_tol=0.0, abs_tol=allowed), name


def test_the_tolerances_can_tell_neighbouring_definitions_apart():
    r = returns_of(REFERENCES[0])
    interpolated = -np.quantile(r, 0.05)
    assert abs(tail.value_at_risk(r) - interpolated) > 1e-6 * interpolated
    logs = log_returns(prices_of(REFERENCES[0]["data"], "SP500").to_numpy())
    assert abs(sharpe_ratio(logs, YEAR) / sharpe_ratio(r, YEAR) - 1.0) > 1e-6
