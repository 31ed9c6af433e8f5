"""The live parts of the frame: what of the bar, the bell, the toasts and the stop dialog moves."""

import json
from collections.abc import Mapping, Sequence

from dash.development.base_component import Component

from dashboard.frame import dialogs
from dashboard.page import LivePart
from dashboard.patches import Patch, PropValue
from dashboard.views import frame as view
from dashboard.views import notices
from engine.domain.sections import Snapshot

BAR_SECTIONS = ("feed", "quotes", "portfolio")
STATE_SECTIONS = ("engine", "feed", "trading", "alerts")


def day_class(bar: view.BarView) -> str:
    """Return how the day's result looks: by its sign, grey where the account's value is stale."""
    return f"ph-aged ph-{bar.day_tone}" if bar.day_tone else "ph-aged"


def mode_class(state: view.StateView) -> str:
    """Return how the mode looks: paper an outline, live solid, so that nobody takes one for the other."""
    return f"ph-pill ph-pill-{'solid-crit' if state.mode == 'LIVE' else 'outline'}"


def lead_of(state: view.StateView) -> str:
    """Return the mode's icon: a bolt for live, none for paper."""
    return "ph-i ph-i-12 ph-i-zap" if state.mode == "LIVE" else ""


def render_bar(snapshot: Snapshot, _: str = "") -> Patch:
    """Return the figures of the status bar."""
    bar = view.bar_view(snapshot)
    text = {
        "ph-date": bar.market_date,
        "ph-equity": bar.equity,
        "ph-equity-phone": bar.equity,
        "ph-day": bar.day_pnl,
        "ph-day-phone": bar.day_pnl,
        "ph-day-percent": bar.day_percent,
        "ph-day-percent-phone": bar.day_percent,
    }
    age: dict[str, tuple[float, float]] = {}
    marks: dict[str, dict[str, str]] = {}
    if bar.account.received_at is not None:
        account = (bar.account.received_at, bar.account.budget_s)
        age = {"ph-account-age": account, "ph-account-age-phone": account}
    if bar.received_at is not None:
        age["ph-age"] = (bar.received_at, bar.budget_s)
        computed = bar.computed_at if bar.computed_at is not None else bar.received_at
        marks = {"ph-age": {"data-engine-ms": f"{max(0.0, computed - bar.received_at) * 1e3:.0f}"}}
    return Patch(
        text=text,
        cls={"ph-day-box": day_class(bar), "ph-day-box-phone": day_class(bar)},
        age=age,
        attrs=marks,
    )


def render_state(snapshot: Snapshot, _: str = "") -> Patch:
    """Return what the bar says of the engine, the feed and the latch."""
    state = view.state_view(snapshot)
    pill_class = f"ph-pill ph-pill-{state.engine.tone}"
    lead_class = f"ph-i ph-i-12 ph-i-{state.engine.icon}" if state.engine.icon else "ph-dot"
    text = {
        "ph-owner": state.owner,
        "ph-mode": state.mode,
        "ph-feed-kind": state.feed_kind,
        "ph-feed-label": state.feed_label,
        "ph-feed-speed": state.feed_speed,
        "ph-feed-dropped": state.dropped,
        "ph-halt-title": state.halt_title,
        "ph-halt-words": state.halt_words,
        "ph-bell-count": str(state.n_alerts) if state.n_alerts else "",
    }
    cls = {"ph-mode-pill": mode_class(state), "ph-mode-lead": lead_of(state)}
    for place in ("", "-phone"):
        text[f"ph-engine-text{place}"] = state.engine.words
        cls[f"ph-engine{place}"] = pill_class
        cls[f"ph-engine-lead{place}"] = lead_class
    bell = f"Alerts, {state.n_alerts} not acknowledged" if state.n_alerts else "Alerts, none open"
    marks = {
        "ph-app": {
            "data-feed": state.feed_state,
            "data-feed-kind": state.feed_kind,
            "data-halted": state.latch,
        },
        "ph-bar": {"data-mode": state.mode.lower()},
        "ph-bell": {"aria-label": bell, "data-tip": bell},
        "ph-feed-dropped": {"data-tip": state.dropped_tip},
    }
    return Patch(text=text, cls=cls, attrs=marks)


def render_alerts(snapshot: Snapshot, _: str = "") -> Patch:
    """Return the bell's history."""
    return _block("ph-alerts", dialogs.alert_rows(notices.alert_notices(snapshot)))


def render_toasts(snapshot: Snapshot, _: str = "") -> Patch:
    """Return the newest notices; the browser shows each of them once."""
    newest = notices.toast_notices(snapshot)
    calm = [notice for notice in newest if notice.tone != "crit"]
    loud = [notice for notice in newest if notice.tone == "crit"]
    return Patch(
        props={
            "ph-toasts": {"children": [dialogs.toast(n) for n in calm]},
            "ph-toasts-loud": {"children": [dialogs.toast(n) for n in loud]},
        }
    )


def render_stop(snapshot: Snapshot, _: str = "") -> Patch:
    """Return the consequences that the stop dialog states."""
    return _block("ph-stop-body", dialogs.stop_body(view.stop_view(snapshot)))


def render_palette(snapshot: Snapshot, _: str = "") -> Patch:
    """Return the symbols that the palette offers."""
    items = json.dumps([list(item) for item in view.symbol_items(snapshot)])
    return Patch(attrs={"ph-palette": {"data-symbols": items}})


def _block(name: str, children: Sequence[Component]) -> Patch:
    props: Mapping[str, PropValue] = {"children": list(children)}
    return Patch(props={name: props})


LIVE = (
    LivePart(name="frame.bar", sections=BAR_SECTIONS, render=render_bar),
    LivePart(name="frame.state", sections=STATE_SECTIONS, render=render_state),
    LivePart(name="frame.alerts", sections=("alerts",), render=render_alerts),
    LivePart(name="frame.toasts", sections=("answers", "alerts"), render=render_toasts),
    LivePart(name="frame.palette", sections=("instruments",), render=render_palette),
    LivePart(name="frame.stop", sections=("portfolio", "trading", "agents"), render=render_stop),
)
ALWAYS = "frame.bar frame.state frame.alerts frame.toasts frame.palette"
