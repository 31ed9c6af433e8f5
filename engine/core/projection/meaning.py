"""What an event means, in one plain line, with its subject and tone: the rows of the Journal.

Numbers follow the house's rules: comma for thousands, U+2212 as minus, a sign on every change.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from engine.core.projection.fold import received_at
from engine.domain.agents import TaskPriority
from engine.domain.events import Event, EventType
from engine.domain.limits import LimitsChanged, differences
from engine.domain.log import LogRow
from engine.domain.var_backtest import COLUMNS

MINUS = "\u2212"
_HALF_BAND = 0.4
"""Distance from the median, in shares, of the edge of the 80 % band."""
_ENDS = (".", "!", "?", "\u2026")


class Meaning(NamedTuple):
    """One line, what it is about, and its tone ("", "up", "down", "warn", "crit" or "accent")."""

    line: str
    subject: str = ""
    tone: str = ""


def is_told(event: Event) -> bool:
    """Return whether an event is told of unasked.

    Drawings off the record are not, nor levels beyond the one that is voted on: four a symbol and bar, they would push
    out what happened; nor is a loss within every value at risk. A rehearsal has some 50 events per symbol, all within
    half a minute; its last one tells of it.
    """
    if event.event_type is EventType.FORECASTS_SETTLED and event.data.get("is_rehearsal"):
        return bool(event.data.get("n_walked") == event.data.get("n_to_walk") != 0)
    if event.event_type is EventType.VAR_SETTLED:
        return any(_exceeded(row) for row in event.data["rows"])
    is_aside = event.data.get("is_record") is False or event.data.get("is_primary") is False
    return event.event_type is not EventType.MC_UPDATE or not is_aside


def log_row(event: Event) -> LogRow:
    """Return an event as the Journal shows it; an event of unknown shape is named by its type and fields."""
    try:
        meaning = _LINES.get(event.event_type, _other)(event.data)
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError, IndexError):
        meaning = _other(event.data)
    return LogRow(
        seq=event.seq, at=received_at(event), event_type=event.event_type.value, source=event.source,
        meaning=meaning.line, as_of=event.as_of, cause=event.cause, subject=meaning.subject,
        tone=meaning.tone,
    )  # fmt: skip


def _other(data: Mapping[str, Any]) -> Meaning:
    fields = ", ".join(sorted(str(name) for name in data))
    return Meaning(
        f"Carries {fields}." if fields else "Carries no data.", str(data.get("symbol", ""))
    )


def _price(value: object) -> str:
    return _grouped(Decimal(str(value)), 2)


def _quantity(value: object) -> str:
    number = Decimal(str(value)).normalize()
    exponent = number.as_tuple().exponent
    return _grouped(number, max(0, -exponent) if isinstance(exponent, int) else 0)


def _grouped(number: Decimal, places: int) -> str:
    return f"{number:,.{places}f}".replace("-", MINUS)


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", MINUS)


def _percent(value: float, places: int = 1) -> str:
    return f"{100 * value:.{places}f}%".replace("-", MINUS)


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def _sentences(*parts: object) -> str:
    """Return the parts that say something, each with a mark at its end."""
    said = [str(part).strip() for part in parts if part]
    return " ".join(text if text.endswith(_ENDS) else f"{text}." for text in said if text)


def _tone_of(side: object) -> str:
    return {"BUY": "up", "SELL": "down"}.get(str(side), "")


# -- market ------------------------------------------------------------------------------------------------------


def _tick(data: Mapping[str, Any]) -> Meaning:
    bar = data.get("bar") or {}
    verb = "closed at" if bar.get("is_closed", not bar) else "traded at"
    return Meaning(f"{data['symbol']} {verb} {_price(data['price'])}.", data["symbol"])


def _feed(data: Mapping[str, Any]) -> Meaning:
    if data.get("waits_for"):
        state = f"waits: {data['waits_for']}"
    elif data.get("is_ended"):
        state = "ended: the data ends here"
    elif data.get("is_paused"):
        state = "paused"
    elif data.get("bars_per_minute"):
        state = f"plays {data['bars_per_minute']:g} bars a minute"
    else:
        state = "runs"
    done, total = data.get("bars_done", 0), data.get("bars_total")
    place = f"bar {done:,} of {total:,}" if total else f"bar {done:,}"
    return Meaning(f"{data['kind']} {data['label']} {state}, {place}.", data.get("run_id", ""))


def _history(data: Mapping[str, Any]) -> Meaning:
    return Meaning(
        f"{_counted(int(data['n_bars']), 'closed bar')} of {data['symbol']} loaded.", data["symbol"]
    )


def _dropped(data: Mapping[str, Any]) -> Meaning:
    reason, symbol = data["reason"], data["symbol"]
    if reason.startswith("held"):
        line = f"{symbol} at {data['price']} is held until a second tick confirms it."
    else:
        line = f"Tick of {symbol} at {data['price']} dropped: {reason}."
    return Meaning(line, symbol, "warn")


# -- judgement ---------------------------------------------------------------------------------------------------


def _settled(data: Mapping[str, Any]) -> Meaning:
    rows = data["rows"]
    n = len(rows)
    what = f"{n} forecast{'' if n == 1 else 's'} of {data['symbol']} settled"
    if data.get("is_rehearsal"):
        if data["n_walked"] == data["n_to_walk"]:
            bars = _counted(data["n_walked"], "bar")
            return Meaning(f"History of {data['symbol']} rehearsed: {bars}.", data["symbol"])
        return Meaning(
            f"{what} in the rehearsal, bar {data['n_walked']} of {data['n_to_walk']}.",
            data["symbol"],
        )
    inside = sum(abs(row["pit"] - 0.5) <= _HALF_BAND for row in rows)
    return Meaning(f"{what}, {inside} inside the 80% band.", data["symbol"])


def _forecast(data: Mapping[str, Any]) -> Meaning:
    symbol, level = data["symbol"], data["level"]
    return Meaning(
        f"Level {level} forecast of {symbol} issued from {_price(data['spot'])}: "
        f"{_percent(data['probability_up'])} chance to stand higher after {_counted(data['n_steps'], 'bar')}.",
        symbol, "accent",
    )  # fmt: skip


def _risk(data: Mapping[str, Any]) -> Meaning:
    scope = data.get("scope") or data["symbol"]
    level = str(data.get("risk_level", "")).upper()
    if data.get("var_95") is None:
        note = data.get("note") or "not enough data yet"
        return Meaning(f"Risk of {scope}: {note}.", scope)
    line = f"Risk of {scope}: VaR 95 {_percent(data['var_95'], 2)}, level {level}."
    return Meaning(line, scope, "warn" if level in {"HIGH", "CRITICAL"} else "")


def _exceeded(row: Mapping[str, Any]) -> list[tuple[float, str, float]]:
    """Return the values at risk that a bar's loss went beyond, as (confidence, method, value), the highest last."""
    stated = zip(COLUMNS, row["stated"], strict=True)
    beyond = [(c, m, v) for (m, c), v in stated if v is not None and -row["change"] > v]
    return sorted(beyond, key=lambda each: (each[0], each[2]))


def _var_settled(data: Mapping[str, Any]) -> Meaning:
    scope, row = data["symbol"], data["rows"][-1]
    beyond = _exceeded(row)
    moved = _percent(abs(row["change"]), 2)
    if not beyond:
        verb = "lost" if row["change"] < 0 else "gained"
        return Meaning(f"{scope} {verb} {moved}, within every value at risk.", scope)
    confidence, method, value = beyond[-1]
    name = f"{method.replace('_', ' ')} VaR {100 * confidence:g}"
    return Meaning(
        f"{scope} lost {moved}, more than its {name} of {_percent(value, 2)}.", scope, "warn"
    )


def _alert(data: Mapping[str, Any]) -> Meaning:
    tone = "crit" if data.get("severity") == "critical" else "warn"
    line = _sentences(data["title"], data["message"])
    return Meaning(line, str(data.get("symbol", "")), "" if data["severity"] == "info" else tone)


def _cycle(data: Mapping[str, Any]) -> Meaning:
    symbol, score, threshold = data["symbol"], data["score"], data["threshold"]
    line = data.get("verdict") or (
        f"{data['action']} {symbol}: score {_signed(score)}, threshold {threshold:.3f}, "
        f"{_counted(len(data['votes']), 'vote')}."
    )
    return Meaning(line, symbol, _tone_of(data["action"]))


def _signal(data: Mapping[str, Any]) -> Meaning:
    line = (
        f"{data['action']} {data['symbol']} proposed at {_price(data['price'])}, "
        f"confidence {_percent(float(data['confidence']), 0)}."
    )
    return Meaning(line, data["symbol"], _tone_of(data["action"]))


def _signal_executed(data: Mapping[str, Any]) -> Meaning:
    line = f"{data['action']} {data['symbol']} handed to the broker as {data['order_id']}."
    return Meaning(line, data["symbol"], _tone_of(data["action"]))


def _signal_rejected(data: Mapping[str, Any]) -> Meaning:
    reason = str(data["reason"]).rstrip(".")
    return Meaning(f"No order for {data['action']} {data['symbol']}: {reason}.", data["symbol"])


def _limits(data: Mapping[str, Any]) -> Meaning:
    told = LimitsChanged.from_data(data)
    changes = ", ".join(differences(told.previous, told.limits))
    return Meaning(f"{told.actor} set limits: {changes}.", "portfolio", "accent")


def _weights(data: Mapping[str, Any]) -> Meaning:
    before, enabled = data.get("previous", {}), data.get("enabled", {})
    was = data.get("previous_enabled", {})
    changes = [
        f"{name} {_percent(before[name], 0)} \u2192 {_percent(weight, 0)}"
        if name in before
        else f"{name} {_percent(weight, 0)}"
        for name, weight in sorted(data["weights"].items())
        if before.get(name) != weight
    ]
    changes += [
        f"{name} {'on' if is_on else 'off'}"
        for name, is_on in sorted(enabled.items())
        if was.get(name, True) != is_on
    ]
    actor = data.get("actor", "local")
    return Meaning(f"{actor} set {', '.join(changes) or 'no change'}.", "weights", "accent")


# -- orders ------------------------------------------------------------------------------------------------------


def _order(word: str, tone: str | None = None) -> Callable[[Mapping[str, Any]], Meaning]:
    def line(data: Mapping[str, Any]) -> Meaning:
        reason = str(data.get("reason") or "").rstrip(".")
        what = f"{data['side']} {_quantity(data['quantity'])} {data['symbol']}"
        ending = f": {reason}." if reason else "."
        return Meaning(
            f"{what} at {_price(data['price'])} {word}{ending}", data["symbol"],
            _tone_of(data["side"]) if tone is None else tone,
        )  # fmt: skip

    return line


def _fill(data: Mapping[str, Any]) -> Meaning:
    what = f"{data['side']} {_quantity(data['quantity'])} {data['symbol']}"
    line = f"{what} filled at {_price(data['price'])}, fee {_price(data['fee'])}."
    return Meaning(line, data["symbol"], _tone_of(data["side"]))


def _reconciled(data: Mapping[str, Any]) -> Meaning:
    orders = int(data.get("orders", data.get("checked", 0)))
    differences = data.get("differences", 0)
    n = differences if isinstance(differences, int) else len(differences)
    line = f"Recovered: {_counted(orders, 'order')} checked, {_counted(n, 'difference')}."
    return Meaning(line, "orders", "warn" if n else "")


# -- engine and crew ---------------------------------------------------------------------------------------------


def _started(data: Mapping[str, Any]) -> Meaning:
    print_ = data.get("fingerprint") or "unknown"
    mode = str(data.get("trading_mode", "paper")).upper()
    return Meaning(f"Engine started in {mode} mode, fingerprint {print_}.", "engine")


def _agent(data: Mapping[str, Any]) -> Meaning:
    reason = str(data.get("reason") or "").rstrip(".")
    who = "" if data.get("actor", "engine") == "engine" else f" by {data['actor']}"
    tone = "crit" if data["status"] == "error" else ""
    line = f"{data['name']} is {data['status']}{who}{': ' + reason if reason else ''}."
    return Meaning(line, data["agent_id"], tone)


def _paced(data: Mapping[str, Any]) -> Meaning:
    name, before, now = data.get("name") or data["agent_id"], data["previous_s"], data["interval_s"]
    inputs = data.get("inputs")
    if inputs is None:
        priority = TaskPriority(data["priority"]).name
        line = f"{name} works every {now:g} s at priority {priority}, set by {data['actor']}."
        return Meaning(line, data["agent_id"])
    known = [f"{key} {inputs[key]:.2f}" for key in _PACERS if inputs.get(key) is not None]
    why = ", ".join(known) or "no input known"
    return Meaning(f"{name}: every {before:g} s → {now:g} s ({why}).", data["agent_id"])


_PACERS = ("market", "performance", "system")


def _weighted(data: Mapping[str, Any]) -> Meaning:
    words = ", ".join(f"{key} {data[key]:g}" for key in _PACERS)
    return Meaning(f"Scheduler weights: {words}, set by {data['actor']}.", "scheduler")


def _agent_failed(data: Mapping[str, Any]) -> Meaning:
    times = f" ({data['consecutive']}\u00d7)" if data.get("consecutive", 1) > 1 else ""
    line = f"{data['agent_id']} failed{times} in {data['where']}: {data['error']}"
    return Meaning(line, data["agent_id"], "crit")


def _answer(word: str, tone: str) -> Callable[[Mapping[str, Any]], Meaning]:
    def line(data: Mapping[str, Any]) -> Meaning:
        said = _sentences(data["title"], data.get("message"))
        return Meaning(f"{data['name']} {word}: {said}", data["name"], tone)

    return line


def _halt(data: Mapping[str, Any]) -> Meaning:
    reason = str(data.get("reason") or "").rstrip(".")
    n = len(data.get("cancelled_orders", ()))
    words = {"HALTED": "Trading halted", "REDUCING": "Only reducing orders are allowed, set"}
    head = words.get(data["mode"], "Trading resumed")
    line = f"{head} by {data['actor']}{': ' + reason if reason else ''}"
    tail = f", {_counted(n, 'open order')} cancelled." if data["mode"] == "HALTED" else "."
    return Meaning(line + tail, "trading", "" if data["mode"] == "ACTIVE" else "crit")


def _seen(data: Mapping[str, Any]) -> Meaning:
    what = f"Alert {data['alert_id']}" if data.get("alert_id") else "All alerts"
    return Meaning(f"{what} marked as seen by {data.get('actor', 'local')}.", "alerts")


_LINES: dict[EventType, Callable[[Mapping[str, Any]], Meaning]] = {
    EventType.MARKET_DATA: _tick,
    EventType.FEED_CHANGED: _feed,
    EventType.HISTORY_LOADED: _history,
    EventType.TICK_DROPPED: _dropped,
    EventType.MC_UPDATE: _forecast,
    EventType.FORECASTS_SETTLED: _settled,
    EventType.RISK_UPDATE: _risk,
    EventType.VAR_SETTLED: _var_settled,
    EventType.RISK_ALERT: _alert,
    EventType.CYCLE_RECORDED: _cycle,
    EventType.SIGNAL_GENERATED: _signal,
    EventType.SIGNAL_EXECUTED: _signal_executed,
    EventType.SIGNAL_REJECTED: _signal_rejected,
    EventType.WEIGHTS_CHANGED: _weights,
    EventType.LIMITS_CHANGED: _limits,
    EventType.ORDER_INTENDED: _order("intended"),
    EventType.ORDER_PLACED: _order("placed"),
    EventType.ORDER_REJECTED: _order("refused by the broker", "warn"),
    EventType.ORDER_CANCELLED: _order("cancelled", ""),
    EventType.ORDER_FILLED: _fill,
    EventType.ORDERS_RECONCILED: _reconciled,
    EventType.RUN_STARTED: _started,
    EventType.AGENT_CHANGED: _agent,
    EventType.ENGINE_STARTED: _agent,
    EventType.ENGINE_STOPPED: _agent,
    EventType.AGENT_FAILED: _agent_failed,
    EventType.AGENT_PACED: _paced,
    EventType.SCHEDULER_WEIGHTED: _weighted,
    EventType.COMMAND_ACCEPTED: _answer("obeyed", ""),
    EventType.COMMAND_REFUSED: _answer("refused", "warn"),
    EventType.TRADING_HALTED: _halt,
    EventType.TRADING_RESUMED: _halt,
    EventType.ALERT_ACKNOWLEDGED: _seen,
}
