"""Several symbols in equal parts, forecast together by level 4, and by GBM with and without correlation."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.domain.errors import NotEnoughDataError
from engine.forecasts.levels import L4, Ask, Levels
from engine.forecasts.past import Past
from engine.forecasts.size import Size
from engine.kernels.markov_regime import LEAST
from engine.kernels.paths import stream_seed

MODELS = ("GBM, independent", "GBM, correlated", "level 4")


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioLine:
    """How one model did.

    Parameters
    ----------
    coverage_90, exceptions_99 : float
        Share of outcomes inside the central 90 % band, and below the 1 % quantile.
    energy : float
        Mean energy score of the vector of log returns, in per cent; lower is better (Gneiting, Raftery 2007, eq. 22).
    """

    model: str
    n: int
    coverage_90: float
    exceptions_99: float
    energy: float


def portfolio_lines(
    pasts_upto: Callable[[int], Sequence[Past]],
    origins: range,
    log_closes: np.ndarray,
    horizon: int,
    watch: Callable[[Iterable[int], int], Iterable[int]],
    n_paths: int = 2_000,
) -> list[PortfolioLine]:
    """Return a line per model.

    Parameters
    ----------
    log_closes : ndarray of shape (n, n_assets)
    """
    found: dict[str, list[tuple[float, float]]] = {model: [] for model in MODELS}
    levels = Levels()
    for origin in watch(origins, len(origins)):
        pasts = pasts_upto(origin + 1)
        outcome = log_closes[origin + horizon] - log_closes[origin]
        for model in MODELS:
            seed = stream_seed(0, model, 4, origin)
            size = Size(n_paths=n_paths, n_steps=horizon, seed=seed)
            found[model].append(score(drawn_by(model, pasts, levels, size), outcome))
    return [line_of(model, found[model]) for model in MODELS]


def line_of(model: str, rows: Sequence[tuple[float, float]]) -> PortfolioLine:
    """Return the line of a model whose forecasts have these PITs and energy scores."""
    pits, energies = np.array(rows).T
    return PortfolioLine(
        model=model,
        n=pits.size,
        coverage_90=float(((pits >= 0.05) & (pits <= 0.95)).mean()),
        exceptions_99=float((pits < 0.01).mean()),
        energy=100.0 * float(energies.mean()),
    )


def drawn_by(model: str, pasts: Sequence[Past], levels: Levels, size: Size) -> np.ndarray:
    """Return log returns over the horizon by one of `MODELS`, shape (n_assets, n_paths)."""
    return _level_4(pasts, levels, size) if model == "level 4" else _gbm(pasts, size, model)


def _gbm(pasts: Sequence[Past], size: Size, model: str) -> np.ndarray:
    returns = np.column_stack([past.returns() for past in pasts])
    mean, h = returns.mean(axis=0), size.n_steps
    covariance = (
        np.cov(returns.T)
        if model.endswith(", correlated")
        else np.diag(returns.var(axis=0, ddof=1))
    )
    return size.rng.multivariate_normal(
        mean * h, covariance * h, size=size.n_paths, method="cholesky"
    ).T


def _level_4(pasts: Sequence[Past], levels: Levels, size: Size) -> np.ndarray:
    """Return what the engine draws for each symbol with one stream, shape (n_assets, n_paths)."""
    drawn = [levels.draw(L4, Ask(past=past, size=size, others=lambda: pasts)) for past in pasts]
    if any(each.level is not L4 for each in drawn):
        raise NotEnoughDataError(
            f"--window must be at least {LEAST}, was {pasts[0].window}; level 4 needs common bars"
        )
    return np.stack([each.logs[-1] for each in drawn])


def score(drawn: np.ndarray, outcome: np.ndarray) -> tuple[float, float]:
    """Return the PIT of the portfolio's return and the energy score of the vector."""
    held = np.expm1(drawn).mean(axis=0)
    realised = float(np.expm1(outcome).mean())
    pit = float(((held < realised).sum() + 0.5 * (held == realised).sum()) / held.size)
    far = np.linalg.norm(drawn - outcome[:, None], axis=0).mean()
    half = drawn.shape[1] // 2
    apart = np.linalg.norm(drawn[:, :half] - drawn[:, half : 2 * half], axis=0).mean()
    return pit, float(far - 0.5 * apart)
