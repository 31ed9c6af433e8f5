"""What a fan costs beside one by numpy (the usual way, np.percentile) and torch, and what a forecast costs the engine.

A fan is paths and their seven rows: level 1 of one symbol as `simulate` answers, level 4 of several. A forecast as the
engine publishes it has more: the record's 27 quantiles at four horizons, the chances of a rise and of a touch, the
drawdown.
Rounds alternate, each a bar later; the best counts, which load disturbs least.
"""

import importlib.util
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from benchmarks.figures import Figure
from engine.domain.forecast import FAN_LEVELS, HORIZONS, Forecast, SimulationLevel
from engine.forecasts.levels import L1, L4, Ask, Levels
from engine.forecasts.past import Past
from engine.forecasts.records import Occasion, forecast_of, issued_of
from engine.forecasts.size import Drawn, Size
from engine.kernels.compiled import warm
from engine.kernels.fan import fan_prices
from engine.kernels.paths import DriftAndSigma
from engine.kernels.series import FloatArray
from engine.kernels.walk import gbm_paths

SPOT, DRIFT, SIGMA = 100.0, 0.0003, 0.01
PERCENT = [100.0 * level for level in FAN_LEVELS]
LAW = DriftAndSigma(
    drift_per_step=DRIFT, drift_error_per_step=0.0, sigma_per_step=SIGMA, n_observations=1_000
)
CORRELATION = 0.3
N_BARS = 1_500
DAY_S = 86_400.0
FIVE_MS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One size of fan, its budget in milliseconds and how often it is measured."""

    n_paths: int
    n_steps: int
    n_assets: int = 1
    budget_ms: float
    rounds: int

    @property
    def name(self) -> str:
        """Paths × steps, and × assets where they are several."""
        assets = f" × {self.n_assets} correlated" if self.n_assets > 1 else ""
        return f"{self.n_paths:,} × {self.n_steps}{assets}"

    @property
    def factor(self) -> np.ndarray:
        """Cholesky factor of the assets' correlation, of shape (n_assets, n_assets)."""
        return np.linalg.cholesky(correlation(self.n_assets))


JOBS = (
    Job(n_paths=1_000, n_steps=50, budget_ms=0.6, rounds=200),
    Job(n_paths=10_000, n_steps=50, budget_ms=3.0, rounds=40),
    Job(n_paths=100_000, n_steps=252, budget_ms=85.0, rounds=5),
    Job(n_paths=10_000, n_steps=50, n_assets=20, budget_ms=50.0, rounds=8),
)

Way = Callable[[Job, int], object]
"""Makes the fan of a job in one of the rounds, whose number is the seed."""


class Market:
    """Made-up symbols that close a bar with every round, and levels that remember as the engine's do."""

    def __init__(self, n_symbols: int, n_rounds: int) -> None:
        rng = np.random.default_rng(1)
        returns = SIGMA * rng.standard_t(5, size=(N_BARS + n_rounds, n_symbols)) / math.sqrt(5 / 3)
        returns = DRIFT + returns @ np.linalg.cholesky(correlation(n_symbols)).T
        self._closes = {str(i): SPOT * np.exp(np.cumsum(r)) for i, r in enumerate(returns.T)}
        self._levels = Levels()

    def at(self, turn: int) -> list[Past]:
        """Return what is known of every symbol in a round."""
        at = DAY_S * np.arange(N_BARS + turn)
        return [
            Past(symbol=symbol, closes=closes[: at.size], closes_at=at)
            for symbol, closes in self._closes.items()
        ]

    def fans(
        self, pasts: Sequence[Past], level: SimulationLevel, job: "Job", turn: int
    ) -> Iterator[FloatArray]:
        """Yield the fan of every symbol: paths drawn, and their seven rows."""
        for past in pasts:
            drawn = self._draw(
                pasts, past, level, Size(n_paths=job.n_paths, n_steps=job.n_steps, seed=turn)
            )
            yield fan_prices(drawn.logs[1:], past.spot)

    def _draw(self, pasts: Sequence[Past], past: Past, level: SimulationLevel, size: Size) -> Drawn:
        ask = Ask(past=past, size=size, others=pasts.__iter__, origin=size.seed)
        return self._levels.draw(level, ask)

    def forecasts(
        self,
        pasts: Sequence[Past],
        asked: Sequence[tuple[Past, SimulationLevel]],
        job: "Job",
        turn: int,
    ) -> Iterator[Forecast]:
        """Yield what the engine publishes at a bar: paths drawn, read and made a record of."""
        for past, level in asked:
            size = Size(n_paths=job.n_paths, n_steps=max(job.n_steps, *HORIZONS), seed=turn)
            drawn = self._draw(pasts, past, level, size)
            occasion = Occasion(
                past=past, origin=datetime.fromtimestamp(past.closes_at[-1], UTC), n_steps=job.n_steps, seed=turn,
                is_record=True,
            )  # fmt: skip
            yield forecast_of(drawn, issued_of(drawn), occasion, self._levels.crew)


def measure(is_quick: bool) -> Sequence[Figure]:
    """Return the time of every job in every way that is installed, and how many times faster ours is."""
    found = [warming()]
    for job in JOBS:
        found.extend(compare(job, max(1, job.rounds // 5) if is_quick else job.rounds))
    found.extend(five_levels(20 if is_quick else 100))
    return found


def warming() -> Figure:
    """Return how long the kernels took to be ready."""
    done = warm()
    return Figure(
        name="kernels made ready", value=done.seconds, unit="s",
        note=f"{done.n_kernels} kernels, {done.n_loaded} of them loaded, the others compiled",
    )  # fmt: skip


def five_levels(rounds: int) -> list[Figure]:
    """Return what all five levels cost one symbol of four at a new bar: their fans, and as they are published.

    Nothing found at a bar is used at the next; fits are renewed every twenty bars, and the best round has none.
    """
    job, drawing, publishing = JOBS[0], Market(4, rounds), Market(4, rounds)
    fans, published = math.inf, math.inf
    for turn in range(rounds):
        pasts, began = drawing.at(turn), time.perf_counter()
        for level in SimulationLevel:
            next(drawing.fans(pasts, level, job, turn))
        fans = min(fans, (time.perf_counter() - began) * 1e3)
        pasts, began = publishing.at(turn), time.perf_counter()
        list(
            publishing.forecasts(pasts, [(pasts[0], level) for level in SimulationLevel], job, turn)
        )
        published = min(published, (time.perf_counter() - began) * 1e3)
    return [
        Figure(
            name="fans of all five levels at a new bar, 1,000 × 50", value=fans, unit="ms", budget=FIVE_MS,
            note=f"paths and seven rows, as above; best of {rounds} bars",
        ),
        Figure(
            name="forecasts of all five levels at a new bar", value=published, unit="ms",
            note="paths, fan, record, dangers, analogues, as they are published",
        ),
    ]  # fmt: skip


def compare(job: Job, rounds: int) -> list[Figure]:
    """Return the figures of one job: ours with its ratios, the others, and ours as a forecast that is published."""
    forecast = published(job, rounds)
    ours = fan if job.n_assets == 1 else fans_together(job, rounds)
    ways: dict[str, Way] = {"ours": ours, "numpy": usual, "forecast": forecast}
    if importlib.util.find_spec("torch"):
        ways["torch"] = torch_way
    best = dict.fromkeys(ways, math.inf)
    for turn in range(rounds + 1):  # the first is not counted
        for name, way in ways.items():
            began = time.perf_counter()
            way(job, turn)
            took = (time.perf_counter() - began) * 1e3
            if turn:
                best[name] = min(best[name], took)
    ratios = ", ".join(
        f"{best[n] / best['ours']:.1f} × faster than {n}" for n in ("numpy", "torch") if n in best
    )
    figures = [
        Figure(name=f"fan {job.name}", value=best["ours"], unit="ms", budget=job.budget_ms,
               note=f"{ratios}; best of {rounds}"),
        Figure(name=f"numpy: {job.name}", value=best["numpy"], unit="ms", note="np.percentile, seven levels"),
    ]  # fmt: skip
    missing = "" if "torch" in best else "torch is not installed"
    figures.append(
        Figure(name=f"torch: {job.name}", value=best.get("torch"), unit="ms", note=missing or "float32, sorted rows")
    )  # fmt: skip
    name = f"forecast of level {1 if job.n_assets == 1 else 4}, {job.name}"
    note = "paths, fan, record, dangers"
    return [*figures, Figure(name=name, value=best["forecast"], unit="ms", note=note)]


def correlation(n_assets: int) -> np.ndarray:
    """Return a matrix in which every two assets have the same correlation."""
    return np.full((n_assets, n_assets), CORRELATION) + (1.0 - CORRELATION) * np.eye(n_assets)


def fan(job: Job, seed: int) -> np.ndarray:
    """Return the fan of level 1 as `simulate` makes it."""
    return fan_prices(gbm_paths(LAW, job.n_paths, job.n_steps, seed)[1:], SPOT)


def fans_together(job: Job, rounds: int) -> Way:
    """Return the fans of several symbols that fall together: level 4 of each."""
    market = Market(job.n_assets, rounds)

    def way(job: Job, turn: int) -> list[FloatArray]:
        return list(market.fans(market.at(turn), L4, job, turn))

    return way


def published(job: Job, rounds: int) -> Way:
    """Return the engine's way at a bar: level 1 of one symbol, level 4 of several."""
    market = Market(job.n_assets, rounds)
    level = L1 if job.n_assets == 1 else L4

    def way(job: Job, turn: int) -> list[Forecast]:
        pasts = market.at(turn)
        return list(market.forecasts(pasts, [(past, level) for past in pasts], job, turn))

    return way


def usual(job: Job, seed: int) -> np.ndarray:
    """Return the fan as most programs make it: all prices, then np.percentile over paths."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((job.n_assets, job.n_paths, job.n_steps))
    if job.n_assets > 1:
        z = np.tensordot(job.factor, z, axes=1)
    logs = np.cumsum(DRIFT + SIGMA * z, axis=2)
    prices: np.ndarray = SPOT * np.exp(logs)
    return np.percentile(prices, PERCENT, axis=1)


def torch_way(job: Job, seed: int) -> object:
    """Return the fan by torch, at its best: float32, rows contiguous, sorted once."""
    torch: Any = importlib.import_module("torch")
    made = torch.Generator().manual_seed(seed)
    z = torch.randn(job.n_steps, job.n_assets, job.n_paths, generator=made)
    if job.n_assets > 1:
        z = torch.matmul(torch.tensor(job.factor, dtype=torch.float32), z)
    logs = torch.cumsum(z * SIGMA + DRIFT, dim=0)
    ordered = torch.sort(logs, dim=2).values
    at = torch.tensor([round(level * (job.n_paths - 1)) for level in FAN_LEVELS])
    return SPOT * torch.exp(ordered[:, :, at])
