"""The same status that REST gives, as lines for a terminal, rounded and signed as on the screens."""

from decimal import Decimal

from dashboard import formatting as fmt
from engine.api.answers import StatusAnswer

_SMALLEST_LOT = Decimal("0.0001")
"""Of no symbol in particular: the status does not say whose lot is which."""


def lines(status: StatusAnswer) -> list[str]:
    """Return what `pilothouse status` prints: engine, fingerprint, feed, account, agents."""
    engine = status.engine
    rows = [("Status", status.status), *(("", reason) for reason in status.reasons)]
    if engine is not None:
        rows += [
            (
                "Engine",
                f"{engine.state}, {engine.trading_mode}, {engine.environment}, version {engine.version}",
            ),
            (
                "Owner",
                f"{engine.owner} (host {engine.host}, pid {engine.pid}, epoch {engine.epoch})",
            ),
            ("Fingerprint", engine.fingerprint),
            ("", f"seed {engine.seed} · configuration {engine.config_hash[:12]}"),
            ("", f"data {engine.data_hash[:12]} · code {engine.code_hash[:12]}"),
        ]
    rows += _feed(status)
    rows.append(("Trading", status.trading.lower()))
    if status.account is not None:
        account = status.account
        equity, cash, day = map(Decimal, (account.equity, account.cash, account.day_pnl))
        held = ", ".join(
            f"{s} {fmt.quantity(Decimal(n), _SMALLEST_LOT)}" for s, n in account.positions.items()
        )
        rows += [
            ("Equity", f"{fmt.money(equity)} (cash {fmt.money(cash)}, day {fmt.pnl(day)})"),
            ("Positions", held or "none"),
            ("Open orders", str(account.open_orders)),
        ]
    running = sum(agent.status == "running" for agent in status.agents)
    rows.append(("Agents", f"{running} of {len(status.agents)} running"))
    rows.append(("Journal", f"{fmt.count(status.journal_events)} events"))
    return [f"{name:<12} {words}" for name, words in rows]


def _feed(status: StatusAnswer) -> list[tuple[str, str]]:
    feed = status.feed
    if feed is None:
        return [("Feed", "none yet")]
    speed = f" ×{feed.bars_per_minute:g}" if feed.bars_per_minute is not None else ""
    state = "ended" if feed.is_ended else "paused" if feed.is_paused else "running"
    if status.status == "stopped":
        state = "stands still"
    dropped = sum(feed.dropped.values())
    return [
        ("Feed", f"{feed.kind} {feed.label}{speed}, {state}"),
        (
            "",
            f"market time {feed.market_time:%Y-%m-%d %H:%M} UTC, bar {fmt.count(feed.bars_done)}, {feed.run_id}",
        ),
        ("", f"{fmt.count(dropped)} bad ticks dropped"),
    ]
