"""What stands around every page: status bar, banners, rail, the page's place, bottom bar."""

from collections.abc import Sequence
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components.icons import icon
from dashboard.components.nodes import attrs
from dashboard.components.pills import age as pill_age
from dashboard.frame import dialogs
from dashboard.frame.parts import (
    ALWAYS,
    BAR_SECTIONS,
    STATE_SECTIONS,
    day_class,
    lead_of,
    mode_class,
)
from dashboard.host import GatewayPort
from dashboard.page import Page
from dashboard.views import frame as view

PHONE_TARGETS = ("Markets", "Forecast", "Risk", "Agents")
RAIL_END = "Settings"


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
            _toasts(),
            html.Div(id="ph-intent-answer", className="ph-intent-answer", role="alert"),
            html.Div(id="ph-not-sent", className="ph-intent-answer", role="alert"),
        ],
        **attrs(
            {
                "data-topics": ALWAYS,
                "data-feed": state.feed_state,
                "data-feed-kind": state.feed_kind,
                "data-halted": state.latch,
            }
        ),
    )


def _toasts() -> Component:
    """Return where toasts stand: those that can wait for what is being read, and those that can't."""
    calm = attrs({"aria-live": "polite"})
    return html.Div(
        [
            html.Div(id="ph-toasts", className="ph-toast-region", **calm),
            html.Div(id="ph-toasts-loud", className="ph-toast-region", role="alert"),
        ],
        id="ph-notices",
        className="ph-toasts",
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
            _account(bar),
            html.Span(className="ph-bar-rule ph-not-phone"),
            *_tools(state),
        ],
    )


def _feed(bar: view.BarView, state: view.StateView) -> Component:
    return html.Div(
        className="ph-bar-group ph-bar-feed",
        children=[
            html.Span(
                [
                    html.Span(
                        id="ph-mode-lead",
                        className=lead_of(state),
                        **attrs({"aria-hidden": "true"}),
                    ),
                    html.Span(state.mode, id="ph-mode"),
                ],
                id="ph-mode-pill",
                className=mode_class(state),
            ),
            icon("radio", 16, class_name="ph-not-phone"),
            html.Strong(state.feed_kind, id="ph-feed-kind", className="ph-strong"),
            html.Span(state.feed_label, id="ph-feed-label", className="ph-tx2 ph-cut ph-not-phone"),
            html.Span(state.feed_speed, id="ph-feed-speed", className="ph-tx2"),
            html.Span(bar.market_date, id="ph-date", className="ph-tx3"),
            _age(bar),
            html.Span(
                state.dropped,
                id="ph-feed-dropped",
                className="ph-warn ph-t12 ph-only-wide",
                **attrs({"data-tip": state.dropped_tip}),
            ),
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


def _account(bar: view.BarView) -> Component:
    """Return equity and the day's result; both grey with the account's age, which stands beside their names."""
    return html.Div(
        [
            _figure(["Equity", _account_age(bar)], html.Span(bar.equity, id="ph-equity", className="ph-aged")),
            _figure(["Day P&L"], _day(bar)),
        ],
        className="ph-bar-group ph-bar-account ph-not-phone",
        **attrs({"data-age-scope": ""}),
    )  # fmt: skip


def _account_age(bar: view.BarView, place: str = "") -> Component:
    """Return how long ago the account was valued; the live script keeps counting."""
    age, name = bar.account, f"ph-account-age{place}"
    return pill_age(name, age.received_at, age.budget_s, "never" if age.received_at is None else "")


def _figure(label: list[Component | str], value: Component) -> Component:
    return html.Div([html.Span(label), value], className="ph-bar-figure")


def _day(bar: view.BarView, place: str = "") -> Component:
    """Return the day's result: money in bold, percent beside it."""
    return html.Span(
        id=f"ph-day-box{place}",
        className=day_class(bar),
        children=[
            html.Span(bar.day_pnl, id=f"ph-day{place}", className="ph-strong"),
            " ",
            html.Span(bar.day_percent, id=f"ph-day-percent{place}", className="ph-day-percent"),
        ],
    )


def _tools(state: view.StateView) -> list[Component]:
    return [
        html.Button(
            [icon("search"), html.Span("Search"), html.Kbd("Ctrl K", className="ph-key")],
            className="ph-bar-search ph-not-phone",
            **_opens(
                "ph-palette"
            ),  # named by its words: a label of its own would hide what is read on it
            **attrs({"data-tip": "Search pages and symbols"}),
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
    def figure(label: list[Component | str], value: Component) -> Component:
        return html.Div([html.Div(label, className="ph-t11 ph-tx3"), value])

    return html.Div(
        className="ph-phone-figures",
        children=[
            figure(
                ["Equity ", _account_age(bar, "-phone")],
                html.Span(bar.equity, id="ph-equity-phone", className="ph-strong ph-aged"),
            ),
            figure(["Day P&L"], _day(bar, "-phone")),
            html.Div(_engine_pill(state, "-phone"), className="ph-push"),
        ],
        **attrs({"data-age-scope": ""}),
    )
