"""Answers about laws: their fits, their tests against what came, and how forecasts are scored."""

import math
import re
from functools import partial

from benchmarks.walk_forward import Forecaster, NormalLaw, WalkPlan, gbm_law, report, walk_forward
from engine.kernels import garch, paths, scoring, tail_laws
from engine.kernels import var_backtests as backtests
from engine.kernels.extreme_value import fit_tail
from engine.kernels.markov_regime import fit_markov
from engine.kernels.returns import log_returns
from engine.kernels.series import FloatArray
from engine.kernels.volatility import ewma_volatility
from tests.references.inputs import Case, UnknownFormError
from tests.references.returns_answers import Answer, Values, event

_BINOMIAL = re.compile(r"binomial\((\d+),\s*([\d.]+)\)")
_NORMAL = re.compile(r"N\((-?[\d.]+),\s*([\d.]+)\)")
_LIST = re.compile(r"\[([^\]]*)\]")


def gbm_terminal(case: Case) -> Values:
    p = case.numbers()
    spot, sigma = p["S0"], p["sigma"] * math.sqrt(p["T"])
    drift = p["mu"] * p["T"] - sigma**2 / 2
    quantile = partial(paths.gbm_quantile, spot, drift, sigma, 1)
    return {
        "mean": paths.gbm_mean(spot, drift, sigma, 1), "median": quantile(0.5),
        "q01": quantile(0.01), "q05": quantile(0.05), "q95": quantile(0.95), "q99": quantile(0.99),
        "prob_up": paths.gbm_probability_up(drift, sigma, 1), "VaR95": spot - quantile(0.05),
    }  # fmt: skip


def merton(case: Case) -> Values:
    p = case.numbers()
    law = tail_laws.JumpDiffusion(
        growth=p["mu"], sigma=p["sigma"], jumps_per_year=p["lambda"],
        jump_mean=p["muJ"], jump_sigma=p["sigmaJ"],
    )  # fmt: skip
    m = tail_laws.jump_moments(law, p["T"])
    return {
        "mean": m.mean, "var": m.variance, "skew": m.skewness, "exkurt": m.excess_kurtosis,
        "E_ST_over_S0": m.expected_growth, "P_no_jump": m.probability_no_jump,
    }  # fmt: skip


def unit_t(case: Case) -> Values:
    nu = case.numbers()["nu"]
    return {u: tail_laws.unit_t_quantile(float(u), nu) for u in case.asked}


def _fitted(case: Case, r: FloatArray, fit: garch.GarchFit) -> Values:
    """Return what is asked of a fit, in percent as the entries have it."""
    following = garch.filter_variance(r, fit).next_variance
    values = {
        "mu": 100.0 * fit.mu, "omega": 1e4 * fit.omega, "alpha[1]": fit.alpha, "gamma[1]": fit.gamma,
        "beta[1]": fit.beta, "alpha": fit.alpha, "beta": fit.beta, "nu": fit.nu, "eta": fit.nu,
        "lambda": fit.skew, "loglik": fit.loglik, "sigma1": 100.0 * math.sqrt(following),
        "sigma10_cum": 100.0 * math.sqrt(garch.forecast_variances(fit, following, 10).sum()),
    }  # fmt: skip
    return {name: values[name] for name in case.asked if name in values}


def garch_fit(innovations: garch.Innovations, *, leverage: bool = False) -> Answer:
    def answer(case: Case) -> Values:
        r = case.returns()
        return _fitted(case, r, garch.fit_garch(r, innovations, leverage=leverage))

    return answer


def garch_of_percents(case: Case) -> Values:
    r = case.prices().to_numpy() / 100.0
    return _fitted(case, r, garch.fit_garch(r, garch.Innovations.NORMAL))


def weekly_regimes(case: Case) -> Values:
    fit = fit_markov(case.returns())
    return {
        "p[0->0]": fit.calm_stay, "p[1->0]": 1.0 - fit.stressed_stay, "const[0]": 100.0 * fit.calm_mean,
        "const[1]": 100.0 * fit.stressed_mean, "sigma2[0]": 1e4 * fit.calm_sigma**2,
        "sigma2[1]": 1e4 * fit.stressed_sigma**2, "llf": fit.loglik,
    }  # fmt: skip


def pareto_tail(case: Case) -> Values:
    fit = fit_tail(-case.returns())
    return {
        "u": fit.threshold, "n_exceed": float(fit.n_exceedances), "xi": fit.xi, "beta": fit.beta,
        "VaR99": fit.value_at_risk(0.99), "VaR999": fit.value_at_risk(0.999), "ES99": fit.expected_shortfall(0.99),
    }  # fmt: skip


def kupiec_pof(case: Case) -> Values:
    p = case.params
    ratio = backtests.kupiec(p["T"], p["x"], p["p"]).ratio
    return {"LR": ratio.statistic, "pvalue": ratio.p_value}


def kupiec_nonrejection(case: Case) -> Values:
    first, last = backtests.kupiec_accepts(case.params["T"], case.params["p"])
    return {"first_accept": float(first), "last_accept": float(last)}


def _statistic(ratio: backtests.LikelihoodRatio | None) -> float:
    if ratio is None:
        raise ValueError("the kernel says nothing of a row like this")
    return ratio.statistic


def independence(case: Case) -> Values:
    found = backtests.christoffersen(event(case), 0.01)
    pairs = {name: float(getattr(found, name)) for name in ("n00", "n01", "n10", "n11")}
    return pairs | {"LR_ind": _statistic(found.independence)}


def conditional_coverage(case: Case) -> Values:
    hits = [hit for part in case.text.split(",") for hit in _repeated(part)]
    found = backtests.christoffersen(hits, case.params["p"])
    return {
        "LR_uc": found.unconditional.statistic, "LR_ind": _statistic(found.independence),
        "LR_cc": _statistic(found.conditional),
    }  # fmt: skip


def _repeated(part: str) -> list[int]:
    """Return the hits that a part like ``0*100`` or ``1`` stands for."""
    hit, _, times = part.partition("*")
    return [int(hit)] * int(times or 1)


def basel(figure: str) -> Answer:
    def answer(case: Case) -> Values:
        match = _BINOMIAL.search(case.text)
        n, p = (int(match[1]), float(match[2])) if match else (250, 0.01)
        return {x: getattr(backtests.traffic_light(n, int(x), p), figure) for x in case.asked}

    return answer


def _ewma_law(decay: float) -> Forecaster:
    def law(closes: FloatArray, horizon: int) -> NormalLaw:
        sigma = ewma_volatility(log_returns(closes), decay)
        return NormalLaw(mean=0.0, sigma=sigma * math.sqrt(horizon))

    return law


def walked(case: Case) -> Values:
    p, closes = case.params, case.prices().to_numpy()
    # the entry counts returns from 0: its origin t is the close t + 1
    plan = WalkPlan(first=p["start"] + 1, horizon=p["h"], step=p["step"], window=p["W"])
    found = {}
    for name, law in (("gbm", gbm_law), ("ewma", _ewma_law(p["lam"]))):
        line = report(walk_forward(closes, plan, law))
        found |= {
            "n": float(line.n), f"{name}_cov90": line.coverage[2].share.value,
            f"{name}_crps": 100.0 * line.crps, f"{name}_pit_ks": line.pit_distance,
        }  # fmt: skip
    return found


def crps_normal(case: Case) -> Values:
    match = _NORMAL.search(case.text)
    if match is None:
        raise UnknownFormError(f"no normal law is named in {case.text!r}")
    return scoring.crps_normal([float(match[1])], [float(match[2])], [case.numbers()["y"]])[0]


def crps_ensemble(*, is_fair: bool) -> Answer:
    def answer(case: Case) -> Values:
        match = _LIST.search(case.text)
        if match is None:
            raise UnknownFormError(f"no list is named in {case.text!r}")
        draws = [float(draw) for draw in match[1].split(",")]
        return scoring.crps_sample([draws], [case.numbers()["y"]], is_fair)[0]

    return answer


def winkler(case: Case) -> Values:
    p = case.numbers()
    return scoring.interval_score([p["l"]], [p["u"]], [p["y"]], 1.0 - p["alpha"])[0]


def pinball(case: Case) -> Values:
    p = case.numbers()
    return float(scoring.pinball(p["q"], p["tau"], p["y"]))


ANSWERS: dict[tuple[str, str], Answer] = {
    ("evt", "gpd_pot_95"): pareto_tail,
    ("mc", "gbm_terminal"): gbm_terminal,
    ("mc", "merton_jump_logreturn"): merton,
    ("mc", "student_t_std_quantiles"): unit_t,
    ("garch", "demgbp_arch_default"): garch_of_percents,
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
    ("score", "crps_normal"): crps_normal,
    ("score", "crps_ensemble"): crps_ensemble(is_fair=False),
    ("score", "crps_ensemble_fair"): crps_ensemble(is_fair=True),
    ("score", "winkler_interval"): winkler,
    ("score", "pinball"): pinball,
}
