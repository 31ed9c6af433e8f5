"""Every reference value that a kernel can answer is met; what no kernel answers yet is listed with its reason."""

import datetime
import functools
import json
import math
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest

from benchmarks.walk_forward import WalkPlan, ewma_law, gbm_law, report, walk_forward
from engine.kernels import garch, paths, scoring, tail_laws
from engine.kernels import indicators as ta
from engine.kernels import tail_risk as tail
from engine.kernels import var_backtests as backtests
from engine.kernels.drawdown import max_drawdown
from engine.kernels.extreme_value import fit_tail
from engine.kernels.markov_regime import fit_markov
from engine.kernels.moments import excess_kurtosis, skewness
from engine.kernels.ratios import beta, cagr, calmar_ratio, sharpe_ratio, sortino_ratio
from engine.kernels.returns import log_returns, simple_returns
from engine.kernels.volatility import annualised_volatility, ewma_volatility

ROOT = Path(__file__).parents[1]
REFERENCES = json.loads((Path(__file__).parent / "data/references.json").read_text("utf-8"))
YEAR = 252

NOT_BUILT = {
    ("bt", "sma_cross_10_20_c0.002"): "the back-test of the lab",
    ("bt", "sma_cross_10_20_c0"): "the back-test of the lab",
    ("cost", "almgren_chriss"): "trading costs",
    ("cost", "almgren2005_direct"): "trading costs",
    ("cost", "sqrt_impact"): "trading costs",
    ("overfit", "psr_dsr"): "selection among strategies",
    ("perf", "alpha_annual"): "no screen shows alpha",
    ("risk", "VaR_hist_linear"): "not adopted: the historical value at risk is an observed loss",
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


def garch_fit(innovations, *, leverage=False):
    def answer(entry):
        r = returns_of(entry)
        fit = garch.fit_garch(r, innovations, leverage=leverage)
        following = garch.filter_variance(r, fit).next_variance
        values = {
            "mu": 100.0 * fit.mu, "omega": 1e4 * fit.omega, "alpha[1]": fit.alpha, "gamma[1]": fit.gamma,
            "beta[1]": fit.beta, "nu": fit.nu, "eta": fit.nu, "lambda": fit.skew, "loglik": fit.loglik,
            "sigma1": 100.0 * math.sqrt(following),
            "sigma10_cum": 100.0 * math.sqrt(garch.forecast_variances(fit, following, 10).sum()),
        }  # fmt: skip
        return {name: values[name] for name in entry["expected"]}

    return answer


def weekly_regimes(entry):
    where = entry["data"]
    closes = prices_of(where, where["symbol"])
    daily = pd.Series(simple_returns(closes.to_numpy()), pd.to_datetime(closes.index[1:]))
    fit = fit_markov(((1.0 + daily).resample("W-FRI").prod() - 1.0).to_numpy())
    return {
        "p[0->0]": fit.calm_stay, "p[1->0]": 1.0 - fit.stressed_stay, "const[0]": 100.0 * fit.calm_mean,
        "const[1]": 100.0 * fit.stressed_mean, "sigma2[0]": 1e4 * fit.calm_sigma**2,
        "sigma2[1]": 1e4 * fit.stressed_sigma**2, "llf": fit.loglik,
    }  # fmt: skip


def pareto_tail(entry):
    fit = fit_tail(-returns_of(entry))
    return {
        "u": fit.threshold, "n_exceed": float(fit.n_exceedances), "xi": fit.xi, "beta": fit.beta,
        "VaR99": fit.value_at_risk(0.99), "VaR999": fit.value_at_risk(0.999), "ES99": fit.expected_shortfall(0.99),
    }  # fmt: skip


def student_t(measure):
    return lambda e: getattr(tail_laws.fit_student_t(returns_of(e)), measure)(
        e["params"]["confidence"]
    )


def cornish_fisher(entry):
    """The value of the expansion; what the kernel shows of it follows the domain that the entry states."""
    r, confidence = returns_of(entry), entry["params"]["confidence"]
    shown = tail_laws.cornish_fisher_value_at_risk(r, confidence).value_at_risk
    z = NormalDist().inv_cdf(1.0 - confidence)
    value = -(r.mean() + tail_laws.expansion(z, skewness(r), excess_kurtosis(r)) * r.std(ddof=1))
    assert shown == (value if "passed=True" in entry["definition"] else None)
    return value


def merton(entry):
    p = dict(part.split("=") for part in entry["dataset"].split(","))
    law = tail_laws.JumpDiffusion(
        growth=float(p["mu"]), sigma=float(p["sigma"]), jumps_per_year=float(p["lambda"]),
        jump_mean=float(p["muJ"]), jump_sigma=float(p["sigmaJ"]),
    )  # fmt: skip
    m = tail_laws.jump_moments(law, float(p["T"]))
    return {
        "mean": m.mean, "var": m.variance, "skew": m.skewness, "exkurt": m.excess_kurtosis,
        "E_ST_over_S0": m.expected_growth, "P_no_jump": m.probability_no_jump,
    }  # fmt: skip


def unit_t(entry):
    return {u: tail_laws.unit_t_quantile(float(u), 4.0) for u in entry["expected"]}


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


def kupiec_pof(entry):
    p = entry["params"]
    ratio = backtests.kupiec(p["T"], p["x"], p["p"]).ratio
    return {"LR": ratio.statistic, "pvalue": ratio.p_value}


def kupiec_nonrejection(entry):
    first, last = backtests.kupiec_accepts(entry["params"]["T"], entry["params"]["p"])
    return {"first_accept": float(first), "last_accept": float(last)}


def independence(entry):
    found = backtests.christoffersen(returns_of(entry) < -0.02, 0.01)
    pairs = {name: float(getattr(found, name)) for name in ("n00", "n01", "n10", "n11")}
    return pairs | {"LR_ind": found.independence.statistic}


def conditional_coverage(entry):
    hits = [0] * 100 + [1, 1, 0, 1] + [0] * 100 + [1] + [0] * 45
    found = backtests.christoffersen(hits, entry["params"]["p"])
    return {
        "LR_uc": found.unconditional.statistic, "LR_ind": found.independence.statistic,
        "LR_cc": found.conditional.statistic,
    }  # fmt: skip


def basel(figure):
    return lambda entry: {
        x: getattr(backtests.traffic_light(250, int(x)), figure) for x in entry["expected"]
    }


def walked(entry):
    where, p = entry["data"], entry["params"]
    closes = prices_of(where, where["symbol"]).to_numpy()
    # the entry counts returns from 0: its origin t is the close t + 1
    plan = WalkPlan(first=p["start"] + 1, horizon=p["h"], step=p["step"], window=p["W"])
    found = {}
    for name, law in (("gbm", gbm_law), ("ewma", ewma_law)):
        line = report(walk_forward(closes, plan, law))
        found |= {
            "n": float(line.n), f"{name}_cov90": line.coverage[2].share.value,
            f"{name}_crps": 100.0 * line.crps, f"{name}_pit_ks": line.pit_distance,
        }  # fmt: skip
    return found


def crps_ensemble(is_fair):
    return lambda _: scoring.crps_sample([[-1.2, 0.3, 0.4, 2.2, 5.0]], [1.0], is_fair)[0]


ANSWERS = {
    ("sample", "n_mean_std_skew_exkurt"): sample,
    ("risk", "VaR_hist_orderstat"): tail_measure(tail.value_at_risk),
    ("risk", "ES_hist_RU"): tail_measure(tail.expected_shortfall),
    ("risk", "VaR_normal"): tail_measure(tail.parametric_value_at_risk),
    ("risk", "ES_normal"): tail_measure(tail.parametric_expected_shortfall),
    ("risk", "VaR_student_t_mle"): student_t("value_at_risk"),
    ("risk", "ES_student_t_mle"): student_t("expected_shortfall"),
    ("risk", "VaR_cornish_fisher"): cornish_fisher,
    ("evt", "gpd_pot_95"): pareto_tail,
    ("perf", "ann_vol"): per_year(annualised_volatility),
    ("perf", "sharpe_rf0"): per_year(sharpe_ratio),
    ("perf", "sortino_mar0"): per_year(sortino_ratio),
    ("perf", "max_drawdown"): lambda entry: max_drawdown(returns_of(entry)),
    ("perf", "cagr"): per_year(cagr),
    ("perf", "calmar"): per_year(calmar_ratio),
    ("perf", "beta"): lambda e: beta(returns_of(e), returns_of(e, e["data"]["benchmark"])),
    ("vol", "ewma94_sigma_next"): lambda e: ewma_volatility(returns_of(e), e["params"]["lam"]),
    ("mc", "gbm_terminal"): gbm_terminal,
    ("mc", "merton_jump_logreturn"): merton,
    ("mc", "student_t_std_quantiles"): unit_t,
    ("garch", "garch11_normal"): garch_fit(garch.Innovations.NORMAL),
    ("garch", "garch11_t"): garch_fit(garch.Innovations.STUDENT_T),
    ("garch", "gjr_skewt"): garch_fit(garch.Innovations.SKEWED_T, leverage=True),
    ("regime", "ms_mean_var_weekly"): weekly_regimes,
    ("backtest", "kupiec_pof"): kupiec_pof,
    ("backtest", "kupiec_nonrejection"): kupiec_nonrejection,
    ("backtest", "christoffersen_ind"): independence,
    ("backtest", "christoffersen_cc"): conditional_coverage,
    ("backtest", "basel_cumprob"): basel("cumulative_probability"),
    ("backtest", "basel_plus_factor"): basel("plus_factor"),
    ("pipeline", "walkforward_normal_scores"): walked,
    ("score", "crps_normal"): lambda _: scoring.crps_normal([0.0], [1.0], [0.0])[0],
    ("score", "crps_ensemble"): crps_ensemble(is_fair=False),
    ("score", "crps_ensemble_fair"): crps_ensemble(is_fair=True),
    ("score", "winkler_interval"): lambda _: scoring.interval_score([-2.0], [3.0], [4.0], 0.9)[0],
    ("score", "pinball"): lambda _: float(scoring.pinball(-2.0, 0.05, -3.0)),
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
