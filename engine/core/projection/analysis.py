"""Sections of what the agents think: forecasts, risk, why-cards and the marks on the chart."""

from datetime import datetime
from typing import Any

import msgspec

from engine.core.projection.fold import NOTHING, Fold, Names, Route
from engine.domain.events import Event, EventType
from engine.domain.forecast import Forecast
from engine.domain.markers import Marker, MarkersSection
from engine.domain.payload import Payload
from engine.domain.risk import PORTFOLIO, RiskMetrics
from engine.domain.sections import (
    CycleSection,
    ForecastSection,
    RiskSection,
)
from engine.domain.signals import CycleRecord, SignalAction
from engine.domain.trading import Fill

MAX_TREND = 250
MAX_ACTIONS = 50
MAX_MARKERS = 400


class ForecastFold(Fold):
    """``forecast:SYMBOL``."""

    key = "forecast"

    def __init__(self) -> None:
        self._sections: dict[str, ForecastSection] = {}
        self._records: dict[str, dict[str, Forecast]] = {}

    def routes(self) -> dict[EventType, Route]:
        """Return the route of forecasts."""
        return {EventType.MC_UPDATE: self._forecast}

    def names(self) -> Names:
        """Return a name per symbol."""
        return tuple(f"forecast:{symbol}" for symbol in self._sections)

    def value(self, name: str, /) -> Payload | None:
        """Return the newest forecasts of a symbol."""
        return self._sections.get(name.partition(":")[2])

    def reset(self, _at: datetime | None, /) -> Names:
        """Forget them: they speak of times that the new run has not reached."""
        names, self._sections, self._records = tuple(self.names()), {}, {}
        return names

    def kept(self) -> object:
        """Return the sections and the newest stored record by level."""
        return dict(self._sections), {s: dict(by) for s, by in self._records.items()}

    def restore(self, data: Any) -> None:  # noqa: ANN401
        """Take them over."""
        self._sections, self._records = msgspec.convert(
            data, tuple[dict[str, ForecastSection], dict[str, dict[str, Forecast]]], strict=False
        )

    def _forecast(self, event: Event) -> Names:
        forecast = Forecast.from_data(event.data)
        symbol, level = forecast.symbol, str(forecast.level.value)
        section = self._sections.get(symbol) or ForecastSection()
        previous = section.previous
        if forecast.is_record:
            records = self._records.setdefault(symbol, {})
            before = records.get(level)
            if before is not None and before.origin < forecast.origin:
                previous = {**previous, level: before}
            records[level] = forecast
        by_level = {**section.by_level, level: forecast}
        self._sections[symbol] = ForecastSection(by_level=by_level, previous=previous)
        return (f"forecast:{symbol}",)


class RiskFold(Fold):
    """``risk:SCOPE``."""

    key = "risk"

    def __init__(self) -> None:
        self._sections: dict[str, RiskSection] = {}
        self._closed_at: dict[str, datetime | None] = {}

    @property
    def portfolio(self) -> RiskMetrics | None:
        """The newest metrics of the whole account."""
        section = self._sections.get(PORTFOLIO)
        return None if section is None else section.metrics

    def routes(self) -> dict[EventType, Route]:
        """Return the route of risk metrics."""
        return {EventType.RISK_UPDATE: self._risk}

    def names(self) -> Names:
        """Return a name per scope."""
        return tuple(f"risk:{scope}" for scope in self._sections)

    def value(self, name: str, /) -> Payload | None:
        """Return the newest metrics of a scope with their trend."""
        return self._sections.get(name.partition(":")[2])

    def reset(self, _at: datetime | None, /) -> Names:
        """Forget them."""
        names, self._sections, self._closed_at = tuple(self.names()), {}, {}
        return names

    def kept(self) -> object:
        """Return the sections and the close that the last reading of each trend belongs to."""
        return dict(self._sections), dict(self._closed_at)

    def restore(self, data: Any) -> None:  # noqa: ANN401
        """Take them over."""
        self._sections, self._closed_at = msgspec.convert(
            data, tuple[dict[str, RiskSection], dict[str, datetime | None]], strict=False
        )

    def _risk(self, event: Event) -> Names:
        data = event.data
        scope = data.get("scope") or data["symbol"]
        metrics = RiskMetrics.from_data({**data, "scope": scope})
        known = self._sections.get(scope)
        trend = () if known is None else known.trend_var_95
        if metrics.var_95 is not None:
            trend = (*self._before(scope, trend, event), metrics.var_95)
        self._sections[scope] = RiskSection(metrics=metrics, trend_var_95=trend)
        names = (f"risk:{scope}",)
        return (*names, "trading") if scope == PORTFOLIO else names

    def _before(self, scope: str, trend: tuple[float, ...], event: Event) -> tuple[float, ...]:
        """Return the readings that stay: a trend has one per closed bar, the last of those made of it."""
        is_close = event.data.get("is_record", True)
        if trend and (not is_close or self._closed_at.get(scope) == event.as_of):
            return trend[:-1]
        self._closed_at[scope] = event.as_of
        return trend[-MAX_TREND + 1 :]


class CycleFold(Fold):
    """``cycle:SYMBOL``."""

    key = "cycle"

    def __init__(self) -> None:
        self._sections: dict[str, CycleSection] = {}

    def routes(self) -> dict[EventType, Route]:
        """Return the route of cycle records."""
        return {EventType.CYCLE_RECORDED: self._record}

    def names(self) -> Names:
        """Return a name per symbol."""
        return tuple(f"cycle:{symbol}" for symbol in self._sections)

    def value(self, name: str, /) -> Payload | None:
        """Return the newest why-card of a symbol."""
        return self._sections.get(name.partition(":")[2])

    def reset(self, _at: datetime | None, /) -> Names:
        """Forget them."""
        names, self._sections = tuple(self.names()), {}
        return names

    def kept(self) -> object:
        """Return the sections."""
        return dict(self._sections)

    def restore(self, data: Any) -> None:  # noqa: ANN401
        """Take them over."""
        self._sections = msgspec.convert(data, dict[str, CycleSection], strict=False)

    def _record(self, event: Event) -> Names:
        record = CycleRecord.from_data(event.data)
        known = self._sections.get(record.symbol)
        recent = () if known is None else known.recent
        if known is not None and known.record.cycle_id != record.cycle_id:
            before = known.record
            if before.action is not SignalAction.HOLD:
                recent = (before, *recent[: MAX_ACTIONS - 1])
        self._sections[record.symbol] = CycleSection(record=record, recent=recent)
        return (f"cycle:{record.symbol}",)


class MarkersFold(Fold):
    """``markers:SYMBOL``, oldest first."""

    key = "markers"

    def __init__(self) -> None:
        self._markers: dict[str, tuple[Marker, ...]] = {}

    def routes(self) -> dict[EventType, Route]:
        """Return the routes of signals and fills."""
        return {EventType.SIGNAL_GENERATED: self._signal, EventType.ORDER_FILLED: self._fill}

    def names(self) -> Names:
        """Return a name per symbol."""
        return tuple(f"markers:{symbol}" for symbol in self._markers)

    def value(self, name: str, /) -> Payload | None:
        """Return the markers of a symbol."""
        markers = self._markers.get(name.partition(":")[2])
        return None if markers is None else MarkersSection(markers=markers)

    def reset(self, _at: datetime | None, /) -> Names:
        """Show none."""
        self._markers = dict.fromkeys(self._markers, ())
        return self.names()

    def kept(self) -> object:
        """Return the markers by symbol."""
        return dict(self._markers)

    def restore(self, data: Any) -> None:  # noqa: ANN401
        """Take them over."""
        self._markers = msgspec.convert(data, dict[str, tuple[Marker, ...]], strict=False)

    def _signal(self, event: Event) -> Names:
        data, at = event.data, event.as_of
        action = SignalAction(str(data["action"]))
        if at is None or action is SignalAction.HOLD:
            return NOTHING
        text = f"confidence {float(data.get('confidence') or 0.0):.0%}"
        price = float(data["price"])
        return self._add(
            data["symbol"], Marker(kind="signal", action=action, at=at, price=price, text=text)
        )

    def _fill(self, event: Event) -> Names:
        fill = Fill.from_data(event.data)
        marker = Marker(
            kind="fill", action=SignalAction(fill.side.value), at=fill.filled_at,
            price=float(fill.price), text=f"{fill.side.value} {fill.quantity}",
        )  # fmt: skip
        return self._add(fill.symbol, marker)

    def _add(self, symbol: str, marker: Marker) -> Names:
        self._markers[symbol] = (*self._markers.get(symbol, ())[-MAX_MARKERS + 1 :], marker)
        return (f"markers:{symbol}",)
