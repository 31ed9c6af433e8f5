"""The algorithm protocol: ``f(data, symbol, current_price, **kwargs) -> (signal, strength, indicators)``.

`data` is anything that gives columns by name: a frame, a dict of arrays. Columns are lower case, oldest bar first.
"""

import math
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any, NamedTuple, TypeGuard

import numpy as np

from engine.domain.errors import InvalidValueError, must
from engine.domain.signals import SignalAction, StrategyContext
from engine.kernels.series import FloatArray
from engine.strategies.base import BaseStrategy, VotingStrategy

Algorithm = Callable[..., Any]
"""Called with data, symbol and price by position; its answer is judged by `read_answer`, so anyone may write one."""

KEYWORDS = (
    "mc_probability_up",
    "mc_touch_below",
    "mc_touch_above",
    "mc_drawdown_95",
    "sentiment",
    "now",
)
"""What an algorithm may be told beside the bars; see `StrategyContext`."""
_RESULT_PARTS = 3


class Answer(NamedTuple):
    """What an algorithm said, checked.

    Parameters
    ----------
    strength : float
        0 to 1.
    indicators : dict of str to float
        The finite numbers among what it gave.
    reason : str
        Its "reason", where it gave one.
    """

    action: SignalAction
    strength: float
    indicators: dict[str, float]
    reason: str


def read_answer(result: object) -> Answer:
    """Return an algorithm's answer, checked.

    Raises
    ------
    InvalidValueError
        No triple, an unknown action, a strength outside 0 to 1, or indicators that are no mapping.
    """
    if not isinstance(result, tuple | list) or len(result) != _RESULT_PARTS:
        raise must("result", "be (signal, strength, indicators)", result, "correct the algorithm")
    word, strength, extras = result
    try:
        action = SignalAction(str(word).upper())
    except ValueError as error:
        raise must("signal", "be BUY, SELL or HOLD", word, "correct the algorithm") from error
    if not is_number(strength) or not 0.0 <= strength <= 1.0:
        raise must("strength", "lie between 0 and 1", strength, "correct the algorithm")
    if extras is not None and not isinstance(extras, Mapping):
        raise must("indicators", "be a mapping", extras, "correct the algorithm")
    extras = extras or {}
    return Answer(
        action=action,
        strength=float(strength),
        indicators={str(k): float(v) for k, v in extras.items() if _is_finite(v)},
        reason=str(extras.get("reason", "")),
    )


def as_algorithm(strategy: BaseStrategy) -> Algorithm:
    """Return the strategy as an algorithm.

    Notes
    -----
    The keywords named in `KEYWORDS` go into the context. A `VotingStrategy` votes with its whole
    judgement, also where that is too weak for a signal of its own; of any other strategy the signal's confidence is
    the strength.
    """

    def algorithm(
        data: object,
        symbol: str,
        current_price: float | None = None,
        **known: Any,  # noqa: ANN401 -- the protocol's open end
    ) -> tuple[str, float, dict[str, Any]]:
        return _vote_of(strategy, context_of(data, symbol, current_price, known))

    return algorithm


def context_of(
    data: object, symbol: str, current_price: float | None, known: Mapping[str, Any]
) -> StrategyContext:
    """Return the context that columns and keywords describe; without closes the price alone is the history."""
    closes = column(data, "close")
    if closes is None:
        closes = np.empty(0) if current_price is None else np.array([float(current_price)])
    volumes = column(data, "volume")
    told: dict[str, Any] = {name: known.get(name) for name in KEYWORDS}
    return StrategyContext(
        symbol=symbol,
        prices=closes,
        volumes=np.empty(0) if volumes is None else volumes,
        highs=column(data, "high"),
        lows=column(data, "low"),
        **told,
    )


def column(data: object, name: str) -> FloatArray | None:
    """Return a column of `data` as floats of shape (n_bars,), None where there is no such column."""
    try:
        values = data[name] if hasattr(data, "__getitem__") else getattr(data, name, None)
    except (KeyError, IndexError, TypeError):
        return None
    return None if values is None else np.asarray(values, dtype=np.float64)


def last_price(data: object) -> float:
    """Return the last close.

    Raises
    ------
    InvalidValueError
        `data` has no closes.
    """
    closes = column(data, "close")
    if closes is None or closes.size == 0:
        raise InvalidValueError(
            "market_data must have a column 'close', was without; pass one or the current price"
        )
    return float(closes[-1])


def _vote_of(strategy: BaseStrategy, context: StrategyContext) -> tuple[str, float, dict[str, Any]]:
    if isinstance(strategy, VotingStrategy):
        judgement = strategy.judge(context)
        direction = (judgement.vote > 0.0) - (judgement.vote < 0.0)
        word = {1: SignalAction.BUY, -1: SignalAction.SELL}.get(direction, SignalAction.HOLD)
        details = {**judgement.indicators, "reason": judgement.reason}
        return str(word), min(1.0, abs(judgement.vote)), details
    signal = strategy.generate_signal(context)
    if signal is None:
        return str(SignalAction.HOLD), 0.0, {}
    return str(signal.action), signal.confidence, {"reason": signal.reason}


def is_number(value: object) -> TypeGuard[float]:
    """Say whether a value is a real number, numpy's included; True and False are not."""
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_finite(value: object) -> bool:
    return is_number(value) and math.isfinite(value)
