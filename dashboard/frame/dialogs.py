"""What opens over a page: stop and resume, alerts, palette, keys, the phone's menu; and toasts, and the page itself."""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components.controls import hold_button
from dashboard.components.icons import icon
from dashboard.components.nodes import attrs
from dashboard.host import GatewayPort
from dashboard.page import Page, PageModule
from dashboard.views.frame import PreviewRow, StopView
from dashboard.views.notices import Notice

KEYS = (
    ("Ctrl K", "Search pages and symbols"),
    ("?", "This list"),
    ("g then a letter", "Open a page"),
    ("Space", "Play or pause the replay"),
    ("Shift Esc", "Stop trading…"),
    ("Esc", "Close what is open"),
)

_log = logging.getLogger("dashboard.frame")


def all_dialogs(pages: Sequence[Page]) -> list[Component]:
    """Return every dialog of the frame, closed."""
    return [_stop(), _resume(), _bell(), _palette(pages), _keys(pages), _menu(pages)]


def _dialog(name: str, title: str, children: Sequence[Component], **extra: Any) -> Component:  # noqa: ANN401 -- HTML attributes
    class_name = extra.pop("class_name", "")
    return html.Dialog(
        id=name,
        className=f"ph-dialog {class_name}".strip(),
        children=[
            html.Div(
                className="ph-dialog-head",
                children=[html.H2(title, id=f"{name}-title", className="ph-t16"), _close(title)],
            ),
            *children,
        ],
        **attrs({"aria-labelledby": f"{name}-title"}),
        **extra,
    )


def _close(title: str) -> Component:
    label = f"Close {title.lower()}"
    return html.Button(
        icon("x"),
        type="button",
        className="ph-ibtn ph-push",
        **attrs({"data-ph-close": "", "aria-label": label}),
    )


def _foot(hold: Component, answer: str) -> Component:
    cancel = html.Button(
        "Cancel",
        type="button",
        className="ph-btn ph-btn-ghost",
        **attrs({"data-ph-close": "", "data-ph-focus": ""}),
    )
    refused = html.Div("", id=answer, className="ph-crit", role="alert")
    return html.Div([cancel, refused, hold], className="ph-dialog-foot")


def _stop() -> Component:
    return _dialog(
        "ph-stop",
        "Stop trading, everything",
        [
            html.Div(id="ph-stop-body", className="ph-dialog-body"),
            _foot(hold_button("ph-stop-hold", "Hold to stop trading"), "ph-stop-answer"),
        ],
        **attrs({"data-topics": "frame.stop"}),
    )


def _resume() -> Component:
    words = (
        "Entries are allowed again from the next signal on. Resuming itself sends no order.",
        "Daily loss and the other limits stay in force.",
    )
    return _dialog(
        "ph-resume",
        "Resume trading",
        [
            html.Div(_list(words), className="ph-dialog-body"),
            _foot(hold_button("ph-resume-hold", "Hold to resume trading"), "ph-resume-answer"),
        ],
    )


def _list(lines: Sequence[str]) -> Component:
    return html.Ul([html.Li(line) for line in lines], className="ph-dialog-list")


def stop_body(stop: StopView) -> list[Component]:
    """Return the consequences in numbers and the tables behind them."""
    body: list[Component] = [_list(stop.consequences)]
    if stop.orders:
        body.append(_preview("Cancelled", stop.orders))
    if stop.positions:
        body.append(_preview("Kept", stop.positions))
    if stop.is_halted:
        body.append(html.P("Trading is halted already.", className="ph-crit"))
    body.append(html.P(stop.footer, className="ph-tx2"))
    return body


def _preview(title: str, rows: Sequence[PreviewRow]) -> Component:
    head = html.Thead(
        html.Tr([html.Th(title), html.Th("Side"), html.Th("Quantity"), html.Th("Notional")])
    )
    lines = [
        html.Tr(
            [html.Th(row.symbol, scope="row"), html.Td(row.what)]
            + [html.Td(cell, className="ph-num") for cell in (row.quantity, row.notional)]
        )
        for row in rows
    ]
    return html.Table([head, html.Tbody(lines)], className="ph-table ph-preview")


def _bell() -> Component:
    acknowledge_all = {"name": "AcknowledgeAlert", "params": {}}
    acknowledge = html.Button(
        "Acknowledge all",
        type="button",
        className="ph-btn ph-btn-s",
        **attrs({"data-ph-intent": json.dumps(acknowledge_all)}),
    )
    return _dialog(
        "ph-bell-panel",
        "Alerts",
        [
            html.Div(id="ph-alerts", className="ph-dialog-body ph-alerts"),
            html.Div(acknowledge, className="ph-dialog-foot"),
        ],
        class_name="ph-dialog-side",
    )


def alert_rows(notices: Sequence[Notice]) -> list[Component]:
    """Return the lines of the bell's history."""
    if not notices:
        return [
            html.P(
                "No alert yet. Limits, faults and refused data show up here.", className="ph-tx2"
            )
        ]
    return [_alert(notice) for notice in notices]


def _alert(notice: Notice) -> Component:
    intent = {"name": "AcknowledgeAlert", "params": {"alert_id": notice.alert_id}}
    acknowledge = html.Button(
        "Acknowledge",
        type="button",
        className="ph-btn ph-btn-s",
        **attrs(
            {"data-ph-intent": json.dumps(intent), "aria-label": f"Acknowledge: {notice.title}"}
        ),
    )
    end = html.Span("seen", className="ph-tx3") if notice.is_acknowledged else acknowledge
    return html.Div(
        className="ph-notice ph-notice-seen" if notice.is_acknowledged else "ph-notice",
        children=[_notice_icon(notice), _notice_words(notice), end],
        key=f"alert-{notice.seq}",
    )


def _notice_icon(notice: Notice) -> Component:
    return icon(notice.icon, 16, class_name=f"ph-{notice.tone}" if notice.tone else "ph-tx2")


def _notice_words(notice: Notice) -> Component:
    return html.Div(
        className="ph-notice-words",
        children=[
            html.Div(
                [
                    html.Strong(notice.title),
                    html.Span(notice.when, className="ph-mono ph-tx3 ph-push"),
                ],
                className="ph-line",
            ),
            html.Div(notice.message, className="ph-tx2"),
        ],
    )


def toast(notice: Notice) -> Component:
    """Return one toast; the browser opens it once and closes it unless it stays."""
    return html.Div(
        id=f"ph-toast-{notice.seq}",
        key=f"toast-{notice.seq}",
        className="ph-toast",
        children=[
            _notice_icon(notice),
            _notice_words(notice),
            html.Button(
                icon("x"),
                type="button",
                className="ph-ibtn",
                **attrs({"data-ph-dismiss": "", "aria-label": f"Close: {notice.title}"}),
            ),
        ],
        **attrs(
            {
                "data-seq": str(notice.seq),
                "data-at": f"{notice.at:.3f}",
                "data-stays": "true" if notice.stays else "false",
                "data-alert": "true" if notice.alert_id else "false",
            }
        ),
    )


def _palette(pages: Sequence[Page]) -> Component:
    items = json.dumps([[page.title, page.path, page.key] for page in pages])
    return html.Dialog(
        id="ph-palette",
        className="ph-dialog ph-dialog-palette",
        children=[
            html.Div(id="ph-palette-field"),
            html.Div(id="ph-palette-list", role="listbox", **attrs({"aria-label": "Matches"})),
        ],
        **attrs(
            {"aria-label": "Search pages and symbols", "data-pages": items, "data-symbols": "[]"}
        ),
    )


def _keys(pages: Sequence[Page]) -> Component:
    rows = [*KEYS, *((f"g {page.key}", page.title) for page in pages if page.key)]
    table = html.Table(
        [
            html.Tbody(
                [
                    html.Tr([html.Th(html.Kbd(key, className="ph-key"), scope="row"), html.Td(act)])
                    for key, act in rows
                ]
            )
        ],
        className="ph-table",
    )
    return _dialog("ph-keys", "Keys", [html.Div(table, className="ph-dialog-body")])


def _menu(pages: Sequence[Page]) -> Component:
    links = [
        dcc.Link(
            [icon(page.icon, 20), html.Span(page.title)], href=page.path, className="ph-menu-item"
        )
        for page in pages
    ]
    return _dialog(
        "ph-menu",
        "Pages",
        [html.Nav(links, **attrs({"aria-label": "All pages"}))],
        class_name="ph-dialog-menu",
    )


async def page_content(
    pages: Mapping[str, PageModule], gateway: GatewayPort, path: str, search: str
) -> Component:
    """Return the page at an address, or words that say why there is none."""
    module = pages.get(path.rstrip("/") or "/")
    if module is None:
        return _no_page(path, pages)
    query = dict(parse_qsl(search.lstrip("?"), max_num_fields=50))
    try:
        return await asyncio.to_thread(module.layout, gateway, query)
    except Exception as error:  # noqa: BLE001 -- fence: the page says that it failed
        _log.exception("page %s was not drawn", path)
        return _failed(module.page.title, error)


def _message(icon_name: str, tone: str, title: str, words: str, action: Component) -> Component:
    return html.Div(
        className="ph-page ph-page-message",
        children=html.Div(
            className="ph-empty",
            children=[
                icon(icon_name, 20, class_name=tone),
                html.H1(title, className="ph-t16"),
                html.P(words, className="ph-tx2"),
                action,
            ],
        ),
    )


def _no_page(path: str, pages: Mapping[str, PageModule]) -> Component:
    first = next(iter(pages.values()), None)
    action = (
        dcc.Link(
            f"Open {first.page.title}", href=first.page.path, className="ph-btn ph-btn-primary"
        )
        if first
        else html.Span()
    )
    return _message("search", "ph-tx3", "No page here", f"Nothing lives at {path}.", action)


def _failed(title: str, error: Exception) -> Component:
    words = f"{type(error).__name__}: {error}"[:300]
    retry = html.Button(
        "Retry", type="button", className="ph-btn ph-btn-primary", **attrs({"data-ph-reload": ""})
    )
    return _message("triangle-alert", "ph-crit", f"{title} was not drawn", words, retry)
