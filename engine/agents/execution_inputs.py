"""What execution is given: a configuration's limits and instruments, and the signal of an event in any of its forms."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from engine.domain.errors import must
from engine.domain.events import Event
from engine.domain.instrument import Instrument
from engine.domain.risk import RiskLimits
from engine.domain.signals import Signal, SignalAction, SignalStrength
from engine.settings import agent_settings

FRACTIONAL_LOT = Decimal("0.000001")
"""Lot of a symbol that nobody configured."""


def instrument_of(known: Mapping[str, Instrument], symbol: str) -> Instrument:
    """Return the instrument of a symbol, or one of fractional lots where nobody configured it."""
    return known.get(symbol) or Instrument(symbol=symbol, name=symbol, lot_size=FRACTIONAL_LOT)


def limits_of(config: Mapping[str, Any]) -> RiskLimits:
    """Return the limits in force: the configuration's, else the environment's, else the defaults."""
    given = config.get("limits")
    if given is None:
        settings = agent_settings()
        given = RiskLimits(
            max_position_size=settings.max_position_size,
            max_daily_loss=settings.max_daily_loss,
            risk_per_trade=settings.risk_per_trade,
        )
    changes = {name: config[name] for name in RiskLimits.__slots__ if name in config}
    for name, value in changes.items():
        if not isinstance(value, int | float) or not value >= 0:
            raise must(name, "be a number from 0 up", value, "correct the configuration")
    limits: RiskLimits = replace(given, **changes)
    return limits


def signal_of(event: Event, now: datetime) -> Signal:
    """Return the signal of a SIGNAL_GENERATED event, typed, as plain data, or as flat fields alone."""
    given = event.data.get("signal")
    if isinstance(given, Signal):
        return given
    if given is not None:
        return Signal.from_data(given)
    flat = event.data
    return Signal(
        symbol=str(flat["symbol"]),
        action=SignalAction(flat["action"]),
        confidence=float(flat.get("confidence", 0.0)),
        strength=SignalStrength.MODERATE,
        price=float(flat["price"]),
        quantity=flat.get("quantity"),
        stop_loss=flat.get("stop_loss"),
        take_profit=flat.get("take_profit"),
        timestamp=event.as_of or now,
    )


def standing_of(risk: Mapping[str, Any]) -> dict[str, float]:
    """Return what the limits of the account's risk measure, by name of the limit, from the data of a RISK_UPDATE."""
    depth = risk.get("drawdown")
    told = {
        "max_var_95": risk.get("var_95"),
        "max_cvar_95": risk.get("cvar_95"),
        "max_drawdown": None if depth is None else -depth,
    }
    return {name: value for name, value in told.items() if value is not None}
