"""Journal: everything that happened, filtered, searched, and traced back to its first cause."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import dash
from dash import ALL, Input, Output, State, ctx, dcc, html
from dash.development.base_component import Component

from dashboard.components.controls import button, field
from dashboard.components.nodes import attrs, classes
from dashboard.components.panels import empty_state, panel
from dashboard.components.tables import Column, Row, table, table_rows
from dashboard.host import GatewayPort
from dashboard.page import LivePart, Page
from dashboard.patches import Patch
from dashboard.views.journal import (
    KINDS,
    DetailView,
    RowView,
    csv_text,
    detail_view,
    rows_view,
    types_of,
)
from engine.domain.events import EventType
from engine.domain.log import LogRow
from engine.domain.sections import Snapshot

PAGE = Page(path="/journal", title="Journal", icon="book-open", key="j")

LIST, BODY, DETAIL, MORE, CSV, DOWNLOAD = (
    "journal-list", "journal-body", "journal-detail", "journal-more", "journal-csv", "journal-download",
)  # fmt: skip
SEARCH, FILTERS, ROOT, STATE = "journal-search", "journal-filters", "journal-root", "journal-state"
N_FOUND = 400
COLUMNS = (
    Column("Event", is_number=False, width="76px", class_name="ph-mono"),
    Column("Time", is_number=False, width="108px", class_name="ph-mono"),
    Column("Topic", is_number=False, width="168px", class_name="ph-mono"),
    Column("Source", is_number=False, width="120px"),
    Column("What it means", is_number=False),
    Column("Caused by", width="88px", class_name="ph-mono"),
)


def layout(gateway: GatewayPort, query: Mapping[str, str]) -> Component:
    """Return the page: the newest events, and the event of the address beside them."""
    kinds = [key for key in query.get("show", "").split(",") if key]
    snapshot = gateway.read(("log",))
    chosen = query.get("event", "")
    detail = _ask_event(gateway, int(chosen)) if chosen.isdigit() else None
    return html.Div(
        [
            panel(
                "Journal",
                _bar(kinds),
                html.Div(
                    [
                        table(COLUMNS, _rows(_log(snapshot), kinds), caption="Events, newest first", id=LIST,
                              body_id=BODY, class_name="ph-table-dense ph-journal"),
                        html.P("", id=STATE, className="ph-tx3 ph-t12", role="status"),
                    ],
                    className="ph-scroll",
                    tabIndex=0,
                    role="region",
                    **attrs({"aria-label": "Events"}),
                ),
                remark="newest first, ticks left out",
                tools=[button("CSV", "ghost", "download", id=CSV, small=True), dcc.Download(id=DOWNLOAD)],
                class_name="ph-area-list",
            ),
            html.Div(_detail(detail), id=DETAIL, className="ph-area-event ph-panel-host"),
        ],
        id=ROOT,
        className="ph-page ph-page-journal ph-page-journal-plain",
        **attrs({"data-topics": topic(kinds)}),
    )  # fmt: skip


def topic(kinds: Sequence[str]) -> str:
    """Return the live topic of a choice of filters."""
    return "journal.rows:" + ",".join(kinds)


def _bar(kinds: Sequence[str]) -> Component:
    chips = [_chip(kind.key, kind.title, kind.key in kinds) for kind in KINDS]
    search = field(SEARCH, "Search", "", hide_label=True, kind="search")
    return html.Div(
        [search, html.Div([_chip("", "All", not kinds), *chips], className="ph-chips", id=FILTERS,
                          role="group", **attrs({"aria-label": "Kinds of events"}))],
        className="ph-journal-bar",
    )  # fmt: skip


def _chip(key: str, title: str, is_on: bool) -> Component:
    return html.Button(
        title,
        id={"type": "journal-chip", "key": key},
        type="button",
        n_clicks=0,
        className="ph-chip",
        **attrs({"aria-pressed": "true" if is_on else "false"}),
    )


def _rows(rows: Sequence[LogRow], kinds: Sequence[str]) -> list[Row]:
    views = rows_view(rows, kinds)
    if not views:
        text = (
            "No event of this kind yet."
            if kinds
            else "Nothing has happened yet. Events appear as the feed runs."
        )
        return [Row(cells=("", "", "", "", text, ""), class_name="ph-tx3")]
    return [_row(view) for view in views]


def _row(view: RowView) -> Row:
    link = dcc.Link(view.event_id, href=f"/journal?event={view.seq}", className="ph-row-link")
    topic_name = html.Span(view.topic, className=f"ph-{view.tone}" if view.tone else "")
    return Row(cells=(link, view.time, topic_name, view.source, view.meaning, view.cause))


def _detail(detail: DetailView | None) -> Component:
    if detail is None:
        return panel("Event", empty_state("corner-down-right", "No event chosen",
                     "Choose an event to see what caused it and what it caused."))  # fmt: skip
    fields = [html.Div([html.Dt(name), html.Dd(value)]) for name, value in detail.fields]
    return panel(
        html.Span(
            detail.row.topic,
            className=classes("ph-mono", f"ph-{detail.row.tone}" if detail.row.tone else None),
        ),
        html.P(html.Strong(detail.row.meaning)),
        html.Dl(fields, className="ph-fields ph-mono"),
        html.H3("What caused it", className="ph-t13"),
        html.Ol(
            [_link(row, row.seq == detail.row.seq) for row in detail.chain], className="ph-chain"
        ),
        html.H3("What it caused", className="ph-t13"),
        html.Ul([_link(row, False) for row in detail.effects], className="ph-chain")
        if detail.effects
        else html.P("none, end of the chain", className="ph-tx3"),
        remark=f"{detail.row.event_id} · {detail.row.time} {detail.market_time}".strip(),
    )


def _link(row: RowView, is_own: bool) -> Component:
    head = html.Div(
        [html.Span(row.topic, className="ph-mono"),
         dcc.Link(row.event_id, href=f"/journal?event={row.seq}", className="ph-mono ph-num")],
        className="ph-chain-head",
    )  # fmt: skip
    text = "this event" if is_own else row.meaning
    return html.Li([head, html.Div(text)], className="ph-chain-own" if is_own else "")


def _log(snapshot: Snapshot) -> tuple[LogRow, ...]:
    section = snapshot.value("log")
    return () if section is None else tuple(section.rows)


def _ask_event(gateway: GatewayPort, seq: int) -> DetailView | None:
    found = gateway.ask("event_detail", seq=seq)
    return None if found is None else detail_view(found)


def _find(gateway: GatewayPort, kinds: Sequence[str], text: str) -> tuple[LogRow, ...]:
    types = tuple(EventType(name) for name in sorted(types_of(kinds)))
    found: tuple[LogRow, ...] = gateway.ask("events", types=types, text=text, limit=N_FOUND)
    return found


def _live_rows(snapshot: Snapshot, argument: str) -> Patch:
    kinds = [key for key in argument.split(",") if key]
    return Patch(props={BODY: {"children": table_rows(COLUMNS, _rows(_log(snapshot), kinds))}})


LIVE = (LivePart(name="journal.rows", sections=("log",), render=_live_rows, min_interval_s=1.0),)


def register(app: dash.Dash, gateway: GatewayPort) -> None:
    """Connect filters, search, export."""

    @app.callback(
        Output(BODY, "children"), Output(ROOT, "data-topics"), Output(STATE, "children"),
        Output({"type": "journal-chip", "key": ALL}, "aria-pressed"),
        Input({"type": "journal-chip", "key": ALL}, "n_clicks"), Input(SEARCH, "value"),
        State({"type": "journal-chip", "key": ALL}, "aria-pressed"),
        State({"type": "journal-chip", "key": ALL}, "id"),
        prevent_initial_call=True,
    )  # fmt: skip
    async def choose(
        _clicks: list[int], text: str | None, pressed: list[str], ids: list[dict[str, str]]
    ) -> Any:  # noqa: ANN401 -- Dash's own tuple
        keys = toggled([i["key"] for i in ids], pressed, ctx.triggered_id)
        found = await asyncio.to_thread(_found, gateway, keys, (text or "").strip())
        marks = [
            "true" if key in keys or (not key and not keys) else "false"
            for key in (i["key"] for i in ids)
        ]
        return *found, marks

    @app.callback(
        Output(DOWNLOAD, "data"),
        Input(CSV, "n_clicks"),
        State(SEARCH, "value"),
        prevent_initial_call=True,
    )
    async def export(_n: int, text: str | None) -> Any:  # noqa: ANN401 -- Dash's own dictionary
        rows = await asyncio.to_thread(_find, gateway, (), (text or "").strip())
        return {"content": csv_text(rows), "filename": "journal.csv"}


def _found(gateway: GatewayPort, keys: Sequence[str], text: str) -> tuple[list[html.Tr], str, str]:
    """Return rows, live topic and status line: a search stands still, without one the list is live."""
    if not text:
        return table_rows(COLUMNS, _rows(_log(gateway.read(("log",))), keys)), topic(keys), ""
    rows = _find(gateway, keys, text)
    words = f"{len(rows)} events hold “{text}”, newest first. Clear the search to go live again."
    return table_rows(COLUMNS, _rows(rows, ())), "", words


def toggled(keys: Sequence[str], pressed: Sequence[str], clicked: object) -> list[str]:
    """Return the filters that are on after a click; "All" (the empty key) clears them.

    Examples
    --------
    >>> toggled(["", "orders", "risk"], ["true", "false", "false"], {"type": "journal-chip", "key": "risk"})
    ['risk']
    >>> toggled(["", "orders", "risk"], ["false", "true", "true"], {"type": "journal-chip", "key": ""})
    []
    """
    on = [key for key, mark in zip(keys, pressed, strict=True) if mark == "true" and key]
    key = clicked.get("key") if isinstance(clicked, dict) else None
    if key is None:
        return on
    if not key:
        return []
    return [k for k in keys if k and ((k in on) != (k == key))]
