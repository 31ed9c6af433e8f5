"""A level as a forecaster that walks forward: one forecast per origin, its own earlier ones settled on the way."""

from collections import deque
from collections.abc import Callable, Sequence

from benchmarks.walk_forward import Law, QuantileLaw, SampleLaw
from engine.domain.forecast import SimulationLevel
from engine.forecasts.levels import Ask, Levels
from engine.forecasts.past import Past
from engine.forecasts.size import Size
from engine.kernels.adaptive import IssuedForecast, SettledForecast
from engine.kernels.paths import stream_seed
from engine.kernels.returns import return_ahead
from engine.kernels.series import FloatArray

PastUpTo = Callable[[int], Past]
"""Gives what was known at the close of a bar, by its place in the row of closes."""


class LevelWalk:
    """One level over one series; called by `walk_forward` in time order.

    Parameters
    ----------
    past_upto : callable
        Gives the past that ends with the n-th close.
    others : callable
        The same for every symbol, for the levels that look at several.
    """

    def __init__(
        self,
        level: SimulationLevel,
        past_upto: PastUpTo,
        others: Callable[[int], Sequence[Past]] | None = None,
        *,
        n_paths: int = 2_000,
        seed: int = 0,
        levels: Levels | None = None,
    ) -> None:
        self.level = level
        self.levels = levels or Levels()
        self.notes: dict[SimulationLevel, str] = {}
        """Why a lower level stood in, the first time that each did."""
        self._past_upto = past_upto
        self._others = others
        self._n_paths, self._seed = n_paths, seed
        self._pending: deque[IssuedForecast] = deque()

    def __call__(self, closes: FloatArray, horizon: int) -> Law:
        """Return the law of the log return over the horizon after the last close."""
        origin = closes.size - 1
        self._learn(closes)
        past = self._past_upto(closes.size)
        size = Size(
            n_paths=self._n_paths, n_steps=horizon, horizons=(horizon,),
            seed=stream_seed(self._seed, past.symbol, self.level, origin),
        )  # fmt: skip
        others = self._others
        ask = Ask(
            past=past, size=size, origin=origin,
            others=(lambda: (past,)) if others is None else (lambda: others(closes.size)),
        )  # fmt: skip
        drawn = self.levels.draw(self.level, ask)
        if drawn.level is not self.level:
            self.notes.setdefault(drawn.level, drawn.note)
        else:  # what stands in for a higher level has been learned from by its own walk
            self._pending.extend(drawn.issued)
        if drawn.issued:
            return QuantileLaw(quantiles=drawn.issued[0].quantiles)
        if drawn.n_stressed:
            return QuantileLaw(quantiles=drawn.record((horizon,))[0])
        return SampleLaw(draws=drawn.logs[horizon])

    def _learn(self, closes: FloatArray) -> None:
        last = closes.size - 1
        while self._pending and self._pending[0].origin + self._pending[0].horizon <= last:
            issued = self._pending.popleft()
            lived = closes[issued.origin + 1 :]
            outcome = return_ahead(float(closes[issued.origin]), lived, issued.horizon)
            self.levels.crew.learn(SettledForecast(issued=issued, outcome=outcome))
