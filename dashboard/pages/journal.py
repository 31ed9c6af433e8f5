"""Journal: everything that happened, filtered, searched, and traced back to its first cause."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import dash
from dash import ALL, Input, Output, State, ctx, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dashboard import formatting as fmt
from dashboard.blocks import journal as part
from dashboard.components.controls import button
from dashboard.components.nodes import attrs
from dashboard.components.panels import panel
from dashboard.host import GatewayPort
from dashboard.page import LivePart, Page
from dashboard.patches import Patch
from dashboard.views import journal as view
from engine.domain.events import EventType
from engine.domain.log import LogRow, LogSection
from engine.domain.sections import Snapshot

PAGE = Page(path="/journal", title="Journal", icon="book-open", key="j")

ROOT, BODY, DETAIL, STATUS, HEAD, STORE = (
    "journal-root", "journal-body", "journal-detail", "journal-status", "journal-head", "journal-store",
)  # fmt: skip
SEARCH, HOLD, OLDER, CSV, DOWNLOAD = (
    "journal-search", "journal-hold", "journal-older", "journal-csv", "journal-download",
)  # fmt: skip
N_LIVE, N_FOUND, N_OLDER, N_EXPORT = 50, 200, 200, 10_000
CHIP = {"type": "journal-chip", "key": ALL}
NOTHING = "Nothing has happened yet. Events appear as the feed runs."
NONE_KEPT = "The journal keeps no event of this kind."


def layout(gateway: GatewayPort, query: Mapping[str, str]) -> Component:
    """Return the page: the newest events, and the event of the address beside them."""
    kept = state(
        [key for key in query.get("show", "").split(",") if key], query.get("q", "").strip()
    )
    chosen = query.get("event", "")
    found, status = _list(gateway, kept)
    shown = _detail(gateway, chosen)
    listed = html.Div(
        [
            part.event_table(found, BODY, N_FOUND),
            part.below(OLDER, SEARCH),
        ],
        className="ph-scroll ph-j-scroll",
        tabIndex=0,
        role="region",
        **attrs({"aria-label": "Events", "data-ph-arrows": ""}),
    )  # fmt: skip
    return html.Div(
        [
            panel(
                "Journal",
                _bar(kept),
                html.P(status, id=STATUS, className="ph-tx2 ph-t12 ph-j-status", role="status"),
                listed,
                remark=html.Span(_head_words(gateway, kept), id=HEAD, className="ph-panel-remark"),
                tools=[part.hold_button(HOLD), button("CSV", "ghost", "download", id=CSV, small=True),
                       dcc.Download(id=DOWNLOAD)],
                class_name="ph-area-list ph-journal-panel",
            ),
            html.Div(shown, id=DETAIL, className="ph-area-event ph-panel-host"),
            dcc.Store(id=part.CHOSEN),
            dcc.Store(id=STORE, data=kept),
        ],
        id=ROOT,
        className="ph-page ph-page-journal ph-page-journal-plain",
        **attrs({"data-topics": topics(kept), "data-ph-here": address(kept, chosen),
                 "data-ph-choose": part.CHOSEN, "data-ph-marked": chosen, "data-ph-show": DETAIL}),
    )  # fmt: skip


def state(
    kinds: Sequence[str], text: str, *, newest: int | None = None, n_shown: int = 0
) -> dict[str, Any]:
    """Return what the page shows: filters, search, and of a held list its newest event and length."""
    return {"kinds": list(kinds), "text": text, "newest": newest, "n_shown": n_shown}


def topics(kept: Mapping[str, Any]) -> str:
    """Return the live topics: a search, a held list and ticks stand still."""
    if kept["newest"] is not None:
        return f"journal.head:{kept['newest']}"
    if kept["text"] or view.TICKS.key in kept["kinds"]:
        return ""
    return "journal.rows:" + (",".join(kept["kinds"]).replace(",", "|") or "all")


def address(kept: Mapping[str, Any], event: str) -> str:
    """Return the address that shows the same screen.

    Examples
    --------
    >>> address(state(["orders", "risk"], "PG"), "9572"), address(state([], ""), "")
    ('/journal?show=orders,risk&q=PG&event=9572', '/journal')
    """
    parts = {"show": ",".join(kept["kinds"]), "q": kept["text"], "event": event}
    query = urlencode({name: value for name, value in parts.items() if value}, safe=",")
    return f"{PAGE.path}?{query}" if query else PAGE.path


def _bar(kept: Mapping[str, Any]) -> Component:
    on = kept["kinds"]
    chips = [part.chip(k.key, k.title, is_on=k.key in on) for k in (*view.KINDS, view.TICKS)]
    group = html.Div(
        [part.chip("", "All", is_on=not on), *chips],
        className="ph-chips",
        role="group",
        **attrs({"aria-label": "Kinds of events"}),
    )
    return html.Div([part.search_box(SEARCH, kept["text"]), group], className="ph-j-bar")


def _mark(is_on: bool) -> str:
    return "true" if is_on else "false"


# -- read ------------------------------------------------------------------------------------------------------


def _log(snapshot: Snapshot) -> LogSection:
    return snapshot.value("log") or LogSection()


def _asked(
    gateway: GatewayPort,
    kept: Mapping[str, Any],
    limit: int,
    before: int | None = None,
    *,
    is_whole: bool = False,
) -> tuple[LogRow, ...]:
    """Return rows of the journal; a search finds everything, a list without one leaves out what the live list does."""
    types = tuple(EventType(name) for name in sorted(view.types_of(kept["kinds"])))
    is_brief = not (kept["text"] or is_whole)
    found: tuple[LogRow, ...] = gateway.ask(
        "events", types=types, text=kept["text"], before_seq=before, limit=limit, is_brief=is_brief
    )
    return found


def _numbered(gateway: GatewayPort, text: str) -> tuple[LogRow, ...]:
    """Return the event whose number was searched for, where it is kept."""
    seq = view.number_in(text)
    if seq is None:
        return ()
    every = tuple(EventType)
    found: tuple[LogRow, ...] = gateway.ask(
        "events", types=every, text="", before_seq=seq + 1, limit=1
    )
    return tuple(row for row in found if row.seq == seq)


def _list(gateway: GatewayPort, kept: Mapping[str, Any]) -> tuple[str, str]:
    """Return the rows and the status line: live ones from the log, searched ones and ticks from the journal."""
    is_asked = kept["text"] or view.TICKS.key in kept["kinds"]
    if not is_asked:
        if kept["kinds"]:  # the log has the newest of all kinds, and maybe none of these
            return _drawn(_asked(gateway, kept, N_LIVE), kept), ""
        return _live(_log(gateway.read(("log",))), ()), ""
    found = _searched(gateway, kept)
    rows = _drawn(found, kept)
    if not kept["text"]:
        return rows, "Ticks stand still here; choose All to go live again."
    return rows, view.found_words(len(found), kept["text"], is_whole=len(found) < N_FOUND)


def _searched(gateway: GatewayPort, kept: Mapping[str, Any]) -> tuple[LogRow, ...]:
    """Return what a search finds; the event of that number first."""
    numbered = _numbered(gateway, kept["text"])
    others = (row for row in _asked(gateway, kept, N_FOUND) if row not in numbered)
    return (*numbered, *others)[:N_FOUND]


def _live(log: LogSection, kinds: Sequence[str]) -> str:
    shown = view.rows_view(log.rows, kinds)[:N_LIVE]
    return part.rows(shown, NOTHING)


def _detail(gateway: GatewayPort, seq: str) -> Component:
    if not seq.isdecimal():
        return part.detail(None)
    found = gateway.ask("event_detail", seq=int(seq))
    return part.detail(None if found is None else view.detail_view(found), fmt.event_id(int(seq)))


def _head_words(gateway: GatewayPort, kept: Mapping[str, Any]) -> str:
    log = _log(gateway.read(("log",)))
    return (
        view.later_words(log.head, kept["newest"])
        or "newest first, without ticks, further levels and steps of rehearsals"
    )


# -- live ------------------------------------------------------------------------------------------------------


def render_rows(snapshot: Snapshot, argument: str) -> Patch:
    """Return the newest events; those of the chosen kinds are put above what the page was given."""
    kinds, log = [key for key in argument.split("|") if key != "all"], _log(snapshot)
    name = "data-ph-newer" if kinds else "data-ph-rows"
    return Patch(attrs={BODY: {name: _live(log, kinds)}})


def render_head(snapshot: Snapshot, newest: str) -> Patch:
    """Return how far a held list has fallen behind."""
    return Patch(text={HEAD: view.later_words(_log(snapshot).head, int(newest))})


LIVE = (
    LivePart(
        name="journal.rows", sections=("log",), render=render_rows, min_interval_s=1.0, is_slow=True
    ),
    LivePart(name="journal.head", sections=("log",), render=render_head, min_interval_s=1.0),
)


# -- intent ----------------------------------------------------------------------------------------------------


def register(app: dash.Dash, gateway: GatewayPort) -> None:
    """Connect filters, search, hold, older events, the choice of an event, export."""

    @app.callback(
        Output(BODY, "data-ph-rows"), Output(STATUS, "children"), Output(HEAD, "children"),
        Output(CHIP, "aria-pressed"), Output(HOLD, "aria-pressed"), Output(STORE, "data"), Output(ROOT, "data-topics"),
        Output(ROOT, "data-ph-here"),
        Input(CHIP, "n_clicks"), Input(SEARCH, "value"), Input(HOLD, "n_clicks"), Input(OLDER, "n_clicks"),
        State(CHIP, "id"), State(STORE, "data"), State(part.CHOSEN, "data"),
        prevent_initial_call=True,
    )  # fmt: skip
    async def show(*given: Any) -> Any:  # noqa: ANN401 -- Dash's own order
        text, ids, kept, chosen = given[1], given[4], given[5], given[6]
        return await asyncio.to_thread(
            _shown, gateway, (ctx.triggered_id, (text or "").strip(), ids, kept, chosen or "")
        )

    @app.callback(
        Output(DETAIL, "children"), Output(ROOT, "data-ph-here", allow_duplicate=True),
        Input(part.CHOSEN, "data"), State(STORE, "data"), prevent_initial_call=True,
    )  # fmt: skip
    async def choose(seq: str | None, kept: dict[str, Any]) -> tuple[Component, str]:
        if not seq:
            raise PreventUpdate
        return await asyncio.to_thread(_detail, gateway, str(seq)), address(kept, str(seq))

    @app.callback(
        Output(DOWNLOAD, "data"), Input(CSV, "n_clicks"), State(STORE, "data"),
        prevent_initial_call=True,
    )  # fmt: skip
    async def export(clicks: int | None, kept: dict[str, Any]) -> dict[str, str]:
        if not clicks:
            raise PreventUpdate
        found = await asyncio.to_thread(
            _asked, gateway, kept, N_EXPORT, _before(kept), is_whole=True
        )
        return {"content": view.csv_text(found), "filename": "journal.csv", "type": "text/csv"}


def _before(kept: Mapping[str, Any]) -> int | None:
    return None if kept["newest"] is None else int(kept["newest"]) + 1


Wish = tuple[Any, str, Sequence[Mapping[str, str]], Mapping[str, Any], str]
"""(what was touched, search text, ids of the chips, what is shown, chosen event)"""


def _shown(gateway: GatewayPort, wish: Wish) -> tuple[Any, ...]:
    """Return the page after what a person did."""
    touched, text, ids, kept, chosen = wish
    if touched == OLDER:
        rows, status, kept = _older(gateway, kept)
    elif touched == HOLD and (shown := _to_hold(gateway, kept)):
        rows, status, kept = _drawn(shown, kept), "", _held(kept, shown)
    else:
        kept = state(toggled(kept["kinds"], touched), text)
        rows, status = _list(gateway, kept)
    marks = [_mark(i["key"] in kept["kinds"] or not (i["key"] or kept["kinds"])) for i in ids]
    return (
        rows, status, _head_words(gateway, kept), marks, _mark(kept["newest"] is not None), kept,
        topics(kept), address(kept, chosen),
    )  # fmt: skip


def _drawn(shown: Sequence[LogRow], kept: Mapping[str, Any]) -> str:
    text = kept["text"]
    nothing = view.found_words(0, text, is_whole=True) if text else NONE_KEPT
    return part.rows(view.rows_view(shown, kept["kinds"]), nothing, is_search=bool(text))


def _to_hold(gateway: GatewayPort, kept: Mapping[str, Any]) -> tuple[LogRow, ...]:
    """Return what a press on Hold keeps; nothing when that frees the list, or when there is nothing to keep."""
    return _asked_or_live(gateway, kept) if kept["newest"] is None else ()


def _held(kept: Mapping[str, Any], shown: Sequence[LogRow]) -> dict[str, Any]:
    """Return the state with the list held at its newest event; an empty list cannot be held."""
    newest = shown[0].seq if shown else None
    return state(kept["kinds"], kept["text"], newest=newest, n_shown=len(shown))


def _asked_or_live(gateway: GatewayPort, kept: Mapping[str, Any]) -> tuple[LogRow, ...]:
    if kept["text"] or view.TICKS.key in kept["kinds"]:
        return _asked(gateway, kept, N_FOUND)
    types = view.types_of(kept["kinds"])
    rows = [row for row in _log(gateway.read(("log",))).rows if row.event_type in types]
    return tuple(rows[:N_LIVE])


def _older(gateway: GatewayPort, kept: Mapping[str, Any]) -> tuple[str, str, dict[str, Any]]:
    """Return the list held where it is, and longer by what came before; the journal gives all of it at once."""
    if kept["newest"] is None:
        kept = _held(kept, _asked_or_live(gateway, kept))
    found = _asked(gateway, kept, kept["n_shown"] + N_OLDER, _before(kept))
    status = "" if len(found) > kept["n_shown"] else "The journal keeps nothing older of this kind."
    return _drawn(found, kept), status, _held(kept, found)


def toggled(kinds: Sequence[str], touched: object) -> list[str]:
    """Return the filters that are on after a click; "All" (the empty key) clears them.

    Examples
    --------
    >>> toggled([], {"key": "risk"}), toggled(["risk"], {"key": ""}), toggled(["risk"], "search")
    (['risk'], [], ['risk'])
    """
    key = touched.get("key") if isinstance(touched, dict) else None
    if key is None:
        return list(kinds)
    if not key:
        return []
    return [k for k in (*kinds, key) if (k in kinds) != (k == key)]
