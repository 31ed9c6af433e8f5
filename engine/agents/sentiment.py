"""Sentiment: asks a given source how each symbol is spoken of and hands the score on.

A score is -1 (bad) to 1 (good). Without a source there is nothing to ask, and the agent says so.
"""

import inspect
import math
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, ClassVar

from engine.agents.base import BaseAgent
from engine.core.event_bus import EventBus
from engine.core.state_manager import StateManager
from engine.domain.agents import AgentStatus, TaskPriority
from engine.domain.errors import must
from engine.domain.events import EventType

Source = Callable[[str], float | Awaitable[float]]

NO_SOURCE = "no news source is configured"


class SentimentAgent(BaseAgent):
    """Writes ``sentiment:<SYMBOL>`` to the state and publishes it as a CUSTOM event of kind "sentiment".

    Parameters
    ----------
    name, event_bus, state_manager
        As of every agent.
    config : mapping, optional
        `source`: callable from symbol to score, plain or async; `symbols`; `interval` (300 s).

    Raises
    ------
    InvalidValueError
        A value breaks its rule; the message names the field.
    """

    emits: ClassVar[tuple[EventType, ...]] = (EventType.CUSTOM,)
    default_interval: ClassVar[float] = 300.0
    default_priority: ClassVar[TaskPriority] = TaskPriority.LOW
    title: ClassVar[str] = "Sentiment"
    detail: ClassVar[str] = "asks a source how each symbol is spoken of"

    def __init__(
        self,
        name: str,
        event_bus: EventBus,
        state_manager: StateManager,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(name, event_bus, state_manager, config)
        source = self.config.get("source")
        if source is not None and not callable(source):
            raise must(
                "source", "be a callable from symbol to score", source, "leave it out to do without"
            )
        self._source: Source | None = source
        self.symbols = tuple(self.config.get("symbols") or ())
        self._reason = self.missing()
        if self._reason:
            self._status = AgentStatus.NOT_SET_UP

    def missing(self) -> str:
        """Return why it cannot be started, or nothing."""
        return "" if self._source is not None else NO_SOURCE

    async def _run_cycle(self, resource_pool: Any) -> dict[str, float]:  # noqa: ANN401, ARG002 -- the founding signature
        """Ask for every symbol; one that fails does not keep the others, and fails the cycle in the end."""
        scores: dict[str, float] = {}
        failures: list[Exception] = []
        for symbol in self.symbols:
            try:
                scores[symbol] = await self._score(symbol)
            except Exception as error:  # noqa: BLE001 -- raised below, after the others had their turn
                failures.append(error)
                continue
            self.update_state(f"sentiment:{symbol}", scores[symbol])
            data = {"kind": "sentiment", "symbol": symbol, "score": scores[symbol]}
            await self.emit_event(EventType.CUSTOM, data)
        if failures:
            raise failures[0]
        return scores

    async def _score(self, symbol: str) -> float:
        if self._source is None:
            raise must("source", "be configured", None, "give a callable from symbol to score")
        if inspect.iscoroutinefunction(self._source):
            score = await self._source(symbol)
        else:
            score = await self._compute.run(partial(self._source, symbol))
            if inspect.isawaitable(score):
                score = await score
        is_number = isinstance(score, int | float) and not isinstance(score, bool)
        if not is_number or not math.isfinite(score) or abs(score) > 1:
            raise must(
                f"sentiment of {symbol}", "be a number from -1 to 1", score, "correct the source"
            )
        return float(score)
