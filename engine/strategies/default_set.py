"""The strategies that vote unless a configuration says otherwise: names, weights and parameters.

The YAML file changes them under ``strategies.<name>``: `enabled`, `weight`, `params`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.domain.errors import ConfigurationError, InvalidValueError, PilothouseError
from engine.strategies.algorithms import as_algorithm
from engine.strategies.base import STOPS, VotingStrategy
from engine.strategies.breakout import BreakoutStrategy
from engine.strategies.ma_trend import MovingAverageTrendStrategy
from engine.strategies.mc_probability import MonteCarloProbabilityStrategy
from engine.strategies.mean_reversion import MeanReversionStrategy
from engine.strategies.momentum import MomentumStrategy
from engine.strategies.orchestrator import MultiAlgorithmOrchestrator, checked_weight
from engine.strategies.parameters import refuse_unknown

_KEYS = ("enabled", "weight", "params")


@dataclass(frozen=True, slots=True)
class RegisteredStrategy:
    """One strategy of a set with its place in the vote.

    Parameters
    ----------
    weight : float
        Its part in the sum of all enabled weights.
    """

    name: str
    strategy: VotingStrategy
    weight: float
    enabled: bool = True

    @property
    def title(self) -> str:
        """What a person calls it."""
        return self.strategy.title

    @property
    def description(self) -> str:
        """Its deciding parameters in a few words."""
        return self.strategy.description


@dataclass(frozen=True, slots=True)
class _Default:
    kind: type[VotingStrategy]
    weight: float
    params: Mapping[str, Any]


_DEFAULTS: Mapping[str, _Default] = {
    # In the vote momentum asks for no volume surge: it has three neighbours to confirm it, and instruments of
    # adjusted closes have no volume at all. Alone it keeps the documents' 1.5.
    "momentum": _Default(MomentumStrategy, 0.30, {"volume_threshold": 0.0}),
    "mean_reversion": _Default(MeanReversionStrategy, 0.20, {}),
    "ma_trend": _Default(MovingAverageTrendStrategy, 0.20, {}),
    "breakout": _Default(BreakoutStrategy, 0.15, {}),
    "mc_probability": _Default(MonteCarloProbabilityStrategy, 0.15, {}),
}


def default_strategies(
    config: Mapping[str, Mapping[str, Any]] | None = None,
) -> tuple[RegisteredStrategy, ...]:
    """Return the default set, changed by a configuration's section ``strategies``.

    Raises
    ------
    ConfigurationError
        An unknown strategy, key or parameter, or a value out of bounds; the message gives the path to it.
    """
    changes = config or {}
    unknown = sorted(set(changes) - set(_DEFAULTS))
    if unknown:
        raise ConfigurationError(
            f"strategies must be among {', '.join(_DEFAULTS)}, was {', '.join(unknown)}; correct the name"
        )
    return tuple(
        _built(name, default, changes.get(name, {})) for name, default in _DEFAULTS.items()
    )


def orchestrator_of(
    strategies: tuple[RegisteredStrategy, ...], max_history: int = 1000, threshold: float = 0.15
) -> MultiAlgorithmOrchestrator:
    """Return an orchestrator in which these strategies vote."""
    orchestrator = MultiAlgorithmOrchestrator(max_history=max_history, threshold=threshold)
    for entry in strategies:
        orchestrator.register_algorithm(entry.name, as_algorithm(entry.strategy), entry.weight)
        orchestrator.set_enabled(entry.name, entry.enabled)
    return orchestrator


def _built(name: str, default: _Default, change: Mapping[str, Any]) -> RegisteredStrategy:
    path = f"strategies.{name}"
    unknown = sorted(set(change) - set(_KEYS))
    if unknown:
        raise ConfigurationError(
            f"{path} must have only {', '.join(_KEYS)}, was {', '.join(unknown)}; correct the key"
        )
    given = {key: value for key, value in change.items() if value is not None}
    weight, enabled = given.get("weight", default.weight), given.get("enabled", True)
    if not isinstance(enabled, bool):
        raise ConfigurationError(
            f"{path}.enabled must be true or false, was {enabled!r}; correct the configuration"
        )
    params = given.get("params", {})
    try:
        refuse_unknown(name, (*default.kind.schema, *STOPS), params)
        strategy = default.kind(name, {**default.params, **params})
    except PilothouseError as error:
        raise ConfigurationError(f"{path}.params: {error}") from error
    try:
        return RegisteredStrategy(name, strategy, checked_weight(f"{path}.weight", weight), enabled)
    except InvalidValueError as error:
        raise ConfigurationError(str(error)) from error
