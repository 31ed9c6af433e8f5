"""The parts of the Journal: rows parted by market days, filters, one event with its chain of causes."""

import json
from collections.abc import Sequence
from typing import TypeAlias

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from dashboard.components.controls import button
from dashboard.components.icons import icon
from dashboard.components.nodes import attrs, classes, present
from dashboard.components.panels import empty_state, panel
from dashboard.components.tables import Column, table
from dashboard.views.journal import ChainLink, DetailView, RowView

CHOSEN = "journal-chosen"
"""Id of the store that a click on an event writes into."""

Drawn: TypeAlias = list[str | list[list[str]]]
"""[class, value, [[class, text], …]]"""

COLUMNS = (
    Column("Event", is_number=False, width="76px", class_name="ph-mono ph-j-id"),
    Column("Time", is_number=False, width="104px", class_name="ph-mono ph-j-time"),
    Column("Topic", is_number=False, width="152px", class_name="ph-mono ph-j-topic"),
    Column("Source", is_number=False, width="112px", class_name="ph-j-source"),
    Column("What it means", is_number=False, class_name="ph-j-meaning"),
    Column("Caused by", width="84px", class_name="ph-mono ph-j-cause"),
)


def rows(views: Sequence[RowView], nothing: str, *, is_search: bool = False) -> str:
    """Return the body of the list as the browser draws it (`assets/rows.js`); a date parts market days.

    An empty search is marked: then older events are not offered, and clearing the search is.
    """
    if not views:
        return _json([["ph-tx3 ph-j-none" if is_search else "ph-tx3", "", [["", nothing]]]])
    body: list[Drawn] = []
    day = ""
    for view in views:
        if view.day and view.day != day:
            day = view.day
            body.append(["ph-j-day", "", [["", day]]])
        body.append(_row(view))
    return _json(body)


def _row(view: RowView) -> Drawn:
    tone = f"ph-{view.tone}" if view.tone else "ph-tx2"
    mark = None if view.cause_seq is None else "ph-i-corner-down-right"
    cells = [
        ["ph-j-id", view.event_id],
        ["ph-mono ph-j-time", view.time],
        [f"ph-mono ph-j-topic {tone}", view.topic],
        ["ph-j-source", view.source],
        ["ph-j-meaning", view.meaning],
        [classes("ph-mono ph-num ph-j-cause", mark), view.cause],
    ]
    return ["ph-j-row", str(view.seq), cells]


def log_rows(views: Sequence[RowView]) -> str:
    """Return a short log as the browser draws it: time, topic, meaning."""
    if not views:
        return _json([["ph-tx3", "", [["", "No event of this kind yet."]]]])
    return _json(
        [
            [
                "",
                str(view.seq),
                [
                    ["ph-mono ph-tx3", view.time],
                    [f"ph-mono ph-cut ph-{view.tone or 'tx2'}", view.topic],
                    [
                        "ph-cut",
                        view.meaning if view.times == 1 else f"×{view.times} {view.meaning}",
                    ],
                ],
            ]
            for view in views
        ]
    )


def _json(body: Sequence[Drawn]) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def event_button(view: RowView) -> html.Button:
    """Return the button that shows an event in the side panel; the page's root says where its number goes."""
    return html.Button(
        view.event_id,
        type="button",
        className="ph-j-open ph-mono",
        **attrs({"data-ph-value": str(view.seq)}),
    )


def event_table(body: str, body_id: str, n_most: int) -> html.Table:
    """Return the list of events; the browser draws its rows, and keeps so many of what is put above them."""
    made = table(COLUMNS, (), caption="Events, newest first", class_name="ph-journal")
    caption, head = made.children[:2]  # the body is drawn by the browser
    data = {"data-ph-rows": body, "data-ph-span": str(len(COLUMNS)), "data-ph-most": str(n_most)}
    drawn = html.Tbody(id=body_id, **attrs(data))
    return html.Table([caption, head, drawn], className="ph-table ph-journal")


def hold_button(id: str) -> html.Button:
    """Return the toggle that holds the list while one reads."""
    return html.Button(
        [icon("pause"), html.Span("Hold")],
        id=id,
        type="button",
        n_clicks=0,
        className="ph-btn ph-btn-ghost ph-btn-s ph-j-hold",
        **attrs({"aria-pressed": "false", "data-tip": "Hold the list while you read"}),
    )


def search_box(id: str, text: str) -> html.Div:
    """Return the search; "/" goes to it."""
    field = dbc.Input(
        id=id,
        value=text,
        type="text",
        placeholder="symbol, topic, text",
        autocomplete="off",
        debounce=True,
        class_name="ph-input",
    )
    label = html.Label(
        [
            html.Span("Search events", className="ph-hidden"),
            html.Span([icon("search"), field], className="ph-field-box"),
        ],
        className="ph-field",
    )
    return html.Div(label, className="ph-j-search", **attrs({"data-ph-slash": ""}))


def below(older_id: str, search_id: str) -> html.Div:
    """Return what stands below the list: more of it, or the way out of a search without result."""
    clear = button("Clear the search", "neutral", "x", class_name="ph-j-clear")
    setattr(clear, "data-ph-clear", search_id)
    return html.Div(
        [button("Load older", "ghost", "chevron-down", id=older_id), clear],
        className="ph-j-older",
    )


def chip(key: str, title: str, *, is_on: bool) -> Component:
    """Return one filter; a tick goes with the colour."""
    return html.Button(
        [icon("check", 12), title],
        id={"type": "journal-chip", "key": key},
        type="button",
        n_clicks=0,
        className="ph-chip",
        **attrs({"aria-pressed": "true" if is_on else "false"}),
    )


def detail(shown: DetailView | None, wanted: str = "") -> Component:
    """Return the side panel: what happened, its data, what caused it, what it caused."""
    if shown is None:
        return panel("Event", _nothing(wanted))
    row = shown.row
    topic = html.Span(row.topic, className=classes("ph-mono", f"ph-{row.tone}" if row.tone else ""))
    fields = [html.Div([html.Dt(name), html.Dd(value)]) for name, value in shown.fields]
    effects: Component = html.P("none, end of the chain", className="ph-tx3 ph-t12")
    if shown.effects:
        effects = html.Ul([_link(link) for link in shown.effects], className="ph-chain")
    return panel(
        topic,
        html.Div(
            present(
                html.P(html.Strong(row.meaning)),
                html.P(f"{row.source}, {row.time} UTC{_on(shown.market_time)}", className="ph-tx2 ph-t12"),
                html.Dl(fields, className="ph-fields ph-inset ph-mono") if fields else None,
                html.H3("What caused it"),
                html.Ol([_link(link) for link in shown.chain], className="ph-chain"),
                html.H3("What it caused"),
                effects,
            ),
            className="ph-stack",
        ),
        remark=html.Span(row.event_id, className="ph-mono ph-tx3"),
    )  # fmt: skip


def _on(market_time: str) -> str:
    return f", market date {market_time}" if market_time else ""


def _nothing(wanted: str) -> Component:
    if wanted:
        return empty_state(
            "history",
            f"Event {wanted} is not kept",
            "Ticks are trimmed first. Its effects may still be in the list.",
        )
    return empty_state(
        "corner-down-right",
        "No event chosen",
        "Choose one to see what caused it and what it caused.",
    )


def _link(link: ChainLink) -> Component:
    row = link.row
    tone = f"ph-{row.tone}" if row.tone else "ph-tx2"
    head = html.Div(
        [html.Span(row.topic, className=f"ph-mono {tone}"), event_button(row)],
        className="ph-spread",
    )
    text = html.Div(
        [
            html.Span("this event" if link.is_own else row.meaning),
            html.Span(link.since, className="ph-tx3 ph-t11 ph-fixed"),
        ],
        className="ph-spread ph-chain-text",
    )
    return html.Li([head, text], className="ph-chain-own" if link.is_own else "")
