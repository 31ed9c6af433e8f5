"""The frame around every page: status bar, rail, banners, toasts, bottom bar, and what keeps them true."""

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from dash import Dash, Input, Output, dcc, html
from dash.development.base_component import Component

from dashboard import frame_dialogs as dialogs
from dashboard.components.icons import icon
from dashboard.components.nodes import attrs
from dashboard.host import GatewayPort
from dashboard.page import LivePart, Page, PageModule
from dashboard.patches import Patch, PropValue
from dashboard.views import frame as view
from engine.domain.commands import CommandEnvelope, HaltTrading, ResumeTrading
from engine.domain.errors import PilothouseError
from engine.domain.payload import Payload
from engine.domain.sections import Snapshot

PHONE_TARGETS = ("Markets", "Forecast", "Risk", "Agents")
RAIL_END = "Settings"
BAR_SECTIONS = ("feed", "quotes", "portfolio")
STATE_SECTIONS = ("engine", "feed", "trading", "alerts")

_log = logging.getLogger("dashboard.frame")


# -- live parts ----------------------------------------------------------------------------------


def render_bar(snapshot: Snapshot, _: str = "") -> Patch:
    """Return the figures of the status bar."""
    bar = view.bar_view(snapshot)
    day_class = f"ph-{bar.day_tone}" if bar.day_tone else ""
    text = {
        "ph-date": bar.market_date,
        "ph-equity": bar.equity,
        "ph-equity-phone": bar.equity,
        "ph-day": bar.day_pnl,
        "ph-day-phone": bar.day_pnl,
    }
    age: dict[str, tuple[float, float]] = {}
    marks: dict[str, dict[str, str]] = {}
    if bar.received_at is not None:
        age = {"ph-age": (bar.received_at, bar.budget_s)}
        computed = bar.computed_at if bar.computed_at is not None else bar.received_at
        marks = {"ph-age": {"data-engine-ms": f"{max(0.0, computed - bar.received_at) * 1e3:.0f}"}}
    return Patch(
        text=text, cls={"ph-day": day_class, "ph-day-phone": day_class}, age=age, attrs=marks
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
        "ph-halt-title": state.halt_title,
        "ph-halt-words": state.halt_words,
        "ph-bell-count": str(state.n_alerts) if state.n_alerts else "",
    }
    cls = {}
    for place in ("", "-phone"):
        text[f"ph-engine-text{place}"] = state.engine.words
        cls[f"ph-engine{place}"] = pill_class
        cls[f"ph-engine-lead{place}"] = lead_class
    bell = f"Alerts, {state.n_alerts} not acknowledged" if state.n_alerts else "Alerts, none open"
    marks = {
        "ph-app": {
            "data-feed": state.feed_state,
            "data-feed-kind": state.feed_kind,
            "data-halted": "true" if state.is_halted else "false",
        },
        "ph-bar": {"data-mode": state.mode.lower()},
        "ph-bell": {"aria-label": bell, "data-tip": bell},
    }
    return Patch(text=text, cls=cls, attrs=marks)


def render_alerts(snapshot: Snapshot, _: str = "") -> Patch:
    """Return the bell's history."""
    return _block("ph-alerts", dialogs.alert_rows(view.alert_notices(snapshot)))


def render_toasts(snapshot: Snapshot, _: str = "") -> Patch:
    """Return the newest notices; the browser shows each of them once."""
    notices = view.toast_notices(snapshot)
    calm = [notice for notice in notices if notice.tone != "crit"]
    loud = [notice for notice in notices if notice.tone == "crit"]
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
    LivePart(
        name="frame.stop",
        sections=("portfolio", "trading", "agents"),
        render=render_stop,
        min_interval_s=1.0,
    ),
)
ALWAYS = "frame.bar frame.state frame.alerts frame.toasts frame.palette"


# -- layout --------------------------------------------------------------------------------------


def layout(gateway: GatewayPort, pages: Sequence[Page]) -> Component:
    """Return the frame, drawn with what is known now."""
    snapshot = gateway.read(sorted({*BAR_SECTIONS, *STATE_SECTIONS}))
    state = view.state_view(snapshot)
    return html.Div(
        id="ph-app",
        className="ph-frame",
        children=[
            dcc.Location(id="ph-url", refresh="callback-nav"),
            dcc.Store(id="ph-intent"),
            html.A("Skip to the page", href="#ph-main", className="ph-skip"),
            _bar(view.bar_view(snapshot), state),
            _banners(state),
            _rail(pages),
            html.Main(
                id="ph-main",
                className="ph-main",
                tabIndex=-1,
                children=[
                    _phone_figures(view.bar_view(snapshot), state),
                    html.Div(id="ph-page", className="ph-page-slot"),
                ],
            ),
            _bottom(pages),
            *dialogs.all_dialogs(pages),
            html.Div(id="ph-toasts", className="ph-toasts", **attrs({"aria-live": "polite"})),
            html.Div(id="ph-toasts-loud", className="ph-toasts ph-toasts-loud", role="alert"),
            html.Div(id="ph-intent-answer", className="ph-intent-answer", role="alert"),
        ],
        **attrs(
            {
                "data-topics": ALWAYS,
                "data-feed": state.feed_state,
                "data-feed-kind": state.feed_kind,
                "data-halted": "true" if state.is_halted else "false",
            }
        ),
    )


def _engine_pill(state: view.StateView, place: str = "") -> Component:
    lead = f"ph-i ph-i-12 ph-i-{state.engine.icon}" if state.engine.icon else "ph-dot"
    return html.Span(
        id=f"ph-engine{place}",
        className=f"ph-pill ph-pill-{state.engine.tone}",
        children=[
            html.Span(
                id=f"ph-engine-lead{place}", className=lead, **attrs({"aria-hidden": "true"})
            ),
            html.Span(state.engine.words, id=f"ph-engine-text{place}"),
        ],
    )


def _bar(bar: view.BarView, state: view.StateView) -> Component:
    return html.Header(
        id="ph-bar",
        className="ph-bar",
        **attrs({"data-mode": state.mode.lower()}),
        children=[
            dcc.Link(
                html.Span(icon("ship-wheel", 20), title="Pilothouse"),
                href="/",
                className="ph-mark ph-not-phone",
            ),
            _menu_button(),
            html.Div(
                className="ph-bar-group ph-not-phone",
                children=[
                    _engine_pill(state),
                    html.Span(state.owner, id="ph-owner", className="ph-tx2 ph-only-wide"),
                ],
            ),
            html.Span(className="ph-bar-rule ph-not-phone"),
            _feed(bar, state),
            html.Div(className="ph-bar-space"),
            _figure("Equity", bar.equity, "ph-equity", ""),
            _figure("Day P&L", bar.day_pnl, "ph-day", bar.day_tone),
            html.Span(className="ph-bar-rule ph-not-phone"),
            *_tools(state),
        ],
    )


def _feed(bar: view.BarView, state: view.StateView) -> Component:
    return html.Div(
        className="ph-bar-group ph-bar-feed",
        children=[
            html.Span(state.mode, id="ph-mode", className="ph-pill ph-pill-outline"),
            icon("radio", 16, class_name="ph-not-phone"),
            html.Strong(state.feed_kind, id="ph-feed-kind", className="ph-strong"),
            html.Span(state.feed_label, id="ph-feed-label", className="ph-tx2 ph-cut"),
            html.Span(bar.market_date, id="ph-date", className="ph-tx3 ph-not-phone"),
            _age(bar),
        ],
    )


def _age(bar: view.BarView) -> Component:
    """Return the age pill; the live script keeps counting and splits the delay in its tip."""
    known = {} if bar.received_at is None else {"data-received": f"{bar.received_at:.3f}"}
    return html.Span(
        "never" if bar.received_at is None else "",
        id="ph-age",
        className="ph-age ph-age-pill",
        tabIndex=0,
        **attrs({"data-budget": f"{bar.budget_s:g}", **known}),
    )


def _figure(label: str, value: str, name: str, tone: str) -> Component:
    return html.Div(
        className="ph-bar-figure ph-not-phone",
        children=[
            html.Span(label),
            html.Span(value, id=name, className=f"ph-{tone}" if tone else ""),
        ],
    )


def _tools(state: view.StateView) -> list[Component]:
    return [
        html.Button(
            [icon("search"), html.Span("Search"), html.Kbd("Ctrl K", className="ph-key")],
            className="ph-bar-search ph-not-phone",
            **_opens("ph-palette", "Search pages and symbols"),
        ),
        html.Button(
            [
                icon("bell", 20),
                html.Span(
                    str(state.n_alerts) if state.n_alerts else "",
                    id="ph-bell-count",
                    className="ph-badge",
                    **attrs({"aria-hidden": "true"}),
                ),
            ],
            id="ph-bell",
            className="ph-ibtn ph-bell",
            **_opens("ph-bell-panel", "Alerts"),
        ),
        html.Button(
            [
                icon("sun", 20, class_name="ph-on-dark"),
                icon("moon", 20, class_name="ph-on-light"),
            ],
            className="ph-ibtn",
            type="button",
            **attrs({"data-ph-theme": "", "aria-label": "Change the theme"}),
        ),
        html.Button(
            [icon("octagon-x"), html.Span("Stop…")],
            id="ph-stop-button",
            className="ph-btn ph-btn-danger-outline ph-not-phone ph-when-trading",
            **_opens("ph-stop"),
        ),
        html.Button(
            [icon("play"), html.Span("Resume…")],
            className="ph-btn ph-btn-danger-outline ph-not-phone ph-when-halted",
            **_opens("ph-resume"),
        ),
    ]


def _opens(dialog: str, label: str = "") -> dict[str, Any]:
    named = {"aria-label": label, "data-tip": label} if label else {}
    return {"type": "button", "data-ph-open": dialog, "aria-haspopup": "dialog", **named}


def _menu_button() -> Component:
    return html.Button(
        icon("menu", 20), className="ph-ibtn ph-only-phone", **_opens("ph-menu", "All pages")
    )


def _banners(state: view.StateView) -> Component:
    return html.Div(
        className="ph-banners",
        children=[
            html.Div(
                className="ph-banner ph-banner-crit ph-when-halted",
                role="status",
                children=[
                    icon("octagon-x", 16, class_name="ph-crit"),
                    html.Strong(state.halt_title, id="ph-halt-title"),
                    html.Span(state.halt_words, id="ph-halt-words"),
                    html.Button(
                        "Resume…", className="ph-btn ph-btn-s ph-push", **_opens("ph-resume")
                    ),
                ],
            ),
            html.Div(
                id="ph-connection",
                className="ph-banner",
                hidden=True,
                role="status",
                children=[
                    icon("wifi-off", 16, class_name="ph-warn"),
                    html.Strong("", id="ph-connection-text"),
                ],
            ),
            html.Div(
                id="ph-live-problem",
                className="ph-banner ph-banner-crit",
                hidden=True,
                role="status",
                children=[
                    icon("circle-x", 16, class_name="ph-crit"),
                    html.Span("", id="ph-live-problem-text", className="ph-cut"),
                ],
            ),
        ],
    )


def _link(page: Page, class_name: str = "ph-rail-item") -> Component:
    return dcc.Link(
        [icon(page.icon, 20), html.Span(page.title)], href=page.path, className=class_name
    )


def _rail(pages: Sequence[Page]) -> Component:
    return html.Nav(
        className="ph-rail",
        **attrs({"aria-label": "Pages"}),
        children=[
            _link(page, "ph-rail-item ph-rail-end" if page.title == RAIL_END else "ph-rail-item")
            for page in pages
        ],
    )


def _bottom(pages: Sequence[Page]) -> Component:
    stop = html.Button(
        [icon("octagon-x", 20), html.Span("Stop…")],
        className="ph-rail-item ph-stop-outline ph-when-trading",
        **_opens("ph-stop"),
    )
    resume = html.Button(
        [icon("play", 20), html.Span("Resume…")],
        className="ph-rail-item ph-stop-outline ph-when-halted",
        **_opens("ph-resume"),
    )
    targets = [_link(page) for page in pages if page.title in PHONE_TARGETS]
    return html.Nav(
        className="ph-bottom",
        **attrs({"aria-label": "Main pages"}),
        children=[*targets, stop, resume],
    )


def _phone_figures(bar: view.BarView, state: view.StateView) -> Component:
    def figure(label: str, value: str, name: str, tone: str = "") -> Component:
        value_class = f"ph-strong ph-{tone}" if tone else "ph-strong"
        return html.Div(
            [
                html.Div(label, className="ph-t11 ph-tx3"),
                html.Div(value, id=name, className=value_class),
            ]
        )

    return html.Div(
        className="ph-phone-figures",
        children=[
            figure("Equity", bar.equity, "ph-equity-phone"),
            figure("Day P&L", bar.day_pnl, "ph-day-phone", bar.day_tone),
            html.Div(_engine_pill(state, "-phone"), className="ph-push"),
        ],
    )


# -- callbacks -----------------------------------------------------------------------------------


def register(app: Dash, gateway: GatewayPort, pages: Sequence[PageModule]) -> None:
    """Put the frame's callbacks on the app: which page is shown, and commands from buttons."""
    from_path = {module.page.path: module for module in pages}

    @app.callback(
        Output("ph-page", "children"), Input("ph-url", "pathname"), Input("ph-url", "search")
    )
    async def show_page(path: str | None, search: str | None) -> Component:
        return await dialogs.page_content(from_path, gateway, path or "/", search or "")

    @app.callback(
        Output("ph-intent-answer", "children"),
        Input("ph-intent", "data"),
        prevent_initial_call=True,
    )
    async def send_intent(intent: Mapping[str, Any] | None) -> str:
        return send_command(gateway, intent or {})

    @app.callback(
        Output("ph-stop-answer", "children"),
        Input("ph-stop-hold", "n_clicks"),
        prevent_initial_call=True,
    )
    async def stop_trading(n_clicks: int | None) -> str:
        return _send(gateway, HaltTrading(reason="Stopped by hand")) if n_clicks else ""

    @app.callback(
        Output("ph-resume-answer", "children"),
        Input("ph-resume-hold", "n_clicks"),
        prevent_initial_call=True,
    )
    async def resume_trading(n_clicks: int | None) -> str:
        return _send(gateway, ResumeTrading()) if n_clicks else ""


def send_command(gateway: GatewayPort, intent: Mapping[str, Any]) -> str:
    """Send the command that a button names; return words when it cannot be one, else nothing.

    The engine's own answer comes as a toast.
    """
    try:
        envelope = CommandEnvelope.from_data({**intent, "source": "dashboard", "actor": "local"})
        command = envelope.command
    except PilothouseError as error:
        _log.warning("a command was not sent: %s", error)
        return f"Command not sent. {error}"
    return _send(gateway, command, envelope.command_id)


def _send(gateway: GatewayPort, command: Payload, command_id: str | None = None) -> str:
    try:
        gateway.send(command, actor="local", source="dashboard", command_id=command_id)
    except PilothouseError as error:
        _log.warning("a command was not sent: %s", error)
        return f"Command not sent. {error}"
    return ""
