"""Markets: the watchlist, the chosen symbol with its forecast on the same axis, why it was traded or not, the risk."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import dash
from dash import ClientsideFunction, Input, Output, State, ctx, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dashboard.blocks import market_panels
from dashboard.blocks import market_sides as sides
from dashboard.blocks.replay_bar import (
    BACK_ASK,
    BACK_CANCEL,
    BACK_DAY,
    BACK_GO,
    JUMP_BUTTON,
    JUMP_ERROR,
    JUMP_FIELD,
    back_title,
    replay_bar,
    replay_class,
    replay_patch,
)
from dashboard.components.chart import chart, figure_data, figure_id
from dashboard.components.controls import Option, segments
from dashboard.components.nodes import Node, attrs, classes
from dashboard.components.panels import empty_state, panel
from dashboard.components.pills import age
from dashboard.components.watch_grid import grid_filter, watch_grid
from dashboard.figures.markets import advance, price_figure, tick
from dashboard.host import GatewayPort
from dashboard.page import LivePart, Page
from dashboard.patches import Patch, merge
from dashboard.views import bars, watchlist
from dashboard.views.forecast_place import LEVELS, chosen_level, usual_level
from dashboard.views.markets import (
    chosen_symbol,
    head_view,
    not_watched,
    strip_view,
)
from dashboard.views.price_chart import columns_of, forming_view, price_chart
from dashboard.views.replay import STILL, is_back, jump_moment, replay_view
from dashboard.views.why import why_view
from engine.domain.commands import JumpReplay
from engine.domain.errors import PilothouseError
from engine.domain.sections import Snapshot

PAGE = Page(path="/", title="Markets", icon="candlestick-chart", key="m")

ROOT, GRID, CHART, AGAIN, HEAD, SUMMARY = (
    "markets-root", "markets-watch", "markets-price", "markets-again", "markets-head", "markets-summary",
)  # fmt: skip
VAR_SECTIONS = (
    "risk:portfolio", "portfolio", "trading", "bars:{arg}", "backtest:portfolio", "backtest:{arg}",
)  # fmt: skip
STRIP, TIMEFRAME, LEVEL, WATCH_AGE, REPLAY = (
    "markets-strip", "markets-tf", "markets-level", "markets-watch-age", "markets-replay",
)  # fmt: skip


def layout(gateway: GatewayPort, query: Mapping[str, str]) -> Component:
    """Return the page with the symbol and the timeframe of the address."""
    found = gateway.read(("instruments",))
    symbol = chosen_symbol(found, query.get("symbol", ""))
    snapshot = _read(gateway, symbol)
    timeframe = _timeframe(snapshot, symbol, query.get("tf", ""))
    level = chosen_level(query.get("level", ""), usual_level(snapshot, symbol))
    return html.Div(
        [
            html.H1(PAGE.title, className="ph-hidden"),
            _watch_panel(snapshot, symbol, not_watched(found, query.get("symbol", ""))),
            _chart_area(snapshot, symbol, timeframe, level),
            sides.why_panel(snapshot, symbol),
            sides.activity_panel(snapshot, symbol),
            sides.var_panel(snapshot, symbol),
            dcc.Store(id=AGAIN),
        ],
        id=ROOT,
        className="ph-page ph-page-markets",
        **attrs(_address(symbol, timeframe, level)),
    )


def _address(symbol: str, timeframe: str, level: int) -> dict[str, str]:
    """Return what the root says of itself: its live topics, and the address that shows the same screen."""
    place = f"{symbol}:{timeframe}"
    moving = [f"markets.{part}:{place}" for part in ("head", "tick")]
    moving += [f"markets.chart:{place}:{level}", f"markets.strip:{symbol}:{level}"]
    moving += [f"markets.{part}:{symbol}" for part in ("why", "fills", "var")]
    still = ["markets.rows", "markets.replay"]
    query = urlencode({"symbol": symbol, "tf": timeframe, "level": level})
    return {
        "data-topics": " ".join(["markets.ticks", *(moving if symbol else []), *still]),
        "data-address": f"/?{query}" if symbol else "/",
    }


def _read(gateway: GatewayPort, symbol: str) -> Snapshot:
    names = (
        "engine", "instruments", "quotes", "feed", "portfolio", "trading", "strategies", "risk:*", "cycle:*",
        f"bars:{symbol}", f"forecast:{symbol}", f"card:{symbol}", f"markers:{symbol}", "backtest:portfolio",
        f"backtest:{symbol}",
    )  # fmt: skip
    return gateway.read(names)


def _timeframe(snapshot: Snapshot, symbol: str, asked: str) -> str:
    return bars.chosen_timeframe(asked, bars.bar_seconds(columns_of(snapshot, symbol)))


# -- watchlist -----------------------------------------------------------------------------------


def _watch_panel(snapshot: Snapshot, symbol: str, note: str = "") -> html.Section:
    rows = watchlist.grid_rows(snapshot)
    n_rows = str(len(rows)) if rows else None
    body: list[Node] = (
        list(watch_grid(GRID, rows, symbol))
        if rows
        else [*watch_grid(GRID, rows, symbol), _waiting()]
    )
    return panel(
        "Watchlist",
        *body,
        remark=html.Span(note, className="ph-t12 ph-warn", role="status") if note else n_rows,
        tools=[_price_age(snapshot), grid_filter(GRID, "Filter the watchlist")],
        is_flush=True,
        class_name="ph-area-watch",
    )


def _waiting() -> html.Div:
    return empty_state("radio", "No symbol yet", "The watchlist fills when the feed has started.")


def _price_age(snapshot: Snapshot) -> html.Span:
    at = [row.a for row in watchlist.tick_rows(snapshot)]
    text = "never" if not at else ""
    return age(WATCH_AGE, max(at, default=None), watchlist.budget_s(snapshot), text)


# -- chart ----------------------------------------------------------------------------------------------


def _chart_area(snapshot: Snapshot, symbol: str, timeframe: str, level: int) -> html.Div:
    view = replay_view(snapshot)
    bar = html.Section(
        replay_bar(view or STILL),
        id=REPLAY,
        className=replay_class(view),
        **attrs({"aria-label": "Replay"}),
    )
    return html.Div(
        [_chart_panel(snapshot, symbol, timeframe, level), bar], className="ph-area-chart"
    )


def _chart_panel(snapshot: Snapshot, symbol: str, timeframe: str, level: int) -> html.Section:
    view = price_chart(snapshot, symbol, timeframe, str(level))
    drawn = html.Div(
        [
            chart(CHART, price_figure(view), label=f"Price and forecast. {view.label}", has_wheel=True),
            html.P("MA 10, MA 30 dashed · ▲▼ fill △▽ signal",
                   className="ph-chart-words"),
            market_panels.jump_to_live(),
            html.Div(_levels(level), className="ph-fan-levels"),
            html.P(view.label, id=SUMMARY, className="ph-hidden"),
            None if view.bars.at else empty_state("clock", "No bar yet", "Bars appear when one has closed."),
        ],
        className="ph-price",
    )  # fmt: skip
    return html.Section(
        [
            html.Header(
                [
                    html.Div(market_panels.head(head_view(snapshot, symbol, timeframe)), id=HEAD),
                    market_panels.chart_tools(symbol),
                    _timeframes(snapshot, symbol, timeframe),
                ],
                className="ph-chart-head",
            ),
            drawn,
            html.Div(market_panels.strip(strip_view(snapshot, symbol, level)), id=STRIP, className="ph-strip-host"),
        ],
        className="ph-panel ph-chart-panel",
        **attrs({"data-chart-host": "", "data-chart-again": AGAIN, "data-age-of": "forecast"}),
    )  # fmt: skip


def _timeframes(snapshot: Snapshot, symbol: str, timeframe: str) -> html.Div:
    seconds = bars.bar_seconds(columns_of(snapshot, symbol))
    options = [Option(f.key, f.key, bars.refusal(f, seconds)) for f in bars.TIMEFRAMES]
    return segments(TIMEFRAME, options, timeframe, label="Timeframe")


def _levels(level: int) -> html.Div:
    options = [Option(str(each.value), f"L{each.value}") for each in LEVELS]
    return segments(LEVEL, options, str(level), label="Level of the fan")


# -- live -------------------------------------------------------------------------------------------------


def _place(argument: str) -> tuple[str, str]:
    symbol, _, timeframe = argument.partition(":")
    return symbol, timeframe


def _level_of(argument: str) -> tuple[str, int]:
    """Return what stands before the last colon, and the level behind it."""
    place, _, level = argument.rpartition(":")
    return place, chosen_level(level)


def live_ticks(snapshot: Snapshot, _: str = "") -> Patch:
    """Return the last prices of the whole list: less than 4 kB for twenty symbols."""
    newest = max((row.a for row in watchlist.tick_rows(snapshot)), default=None)
    ages = {} if newest is None else {WATCH_AGE: (newest, watchlist.budget_s(snapshot))}
    return Patch(attrs={f"{GRID}-feed": {"data-ticks": watchlist.ticks_text(snapshot)}}, age=ages)


def live_rows(snapshot: Snapshot, _: str = "") -> Patch:
    """Return what of the list changes once per bar."""
    return Patch(attrs={f"{GRID}-feed": {"data-rows": watchlist.rows_text(snapshot)}})


def live_head(snapshot: Snapshot, argument: str) -> Patch:
    """Return the figures over the chart."""
    view = head_view(snapshot, *_place(argument))
    text = {
        "markets-last": view.last,
        "markets-change": view.change,
        "markets-difference": view.difference,
    }
    text |= {f"markets-leg-{i}": value for i, (_, value) in enumerate(view.legend)}
    tone = f"ph-{view.tone}" if view.tone else "ph-tx2"
    ages = (
        {}
        if view.received_at is None
        else {"markets-age": (view.received_at, watchlist.budget_s(snapshot))}
    )
    return Patch(text=text, cls={"markets-move": classes("ph-move ph-aged", tone)}, age=ages)


def live_tick(snapshot: Snapshot, argument: str) -> Patch:
    """Return the open bar and the price tag."""
    return Patch(plot={CHART: [tick(forming_view(snapshot, *_place(argument)))]})


def live_chart(snapshot: Snapshot, argument: str) -> Patch:
    """Return the newest closed bar with the fan that grows out of it."""
    place, level = _level_of(argument)
    view = price_chart(snapshot, *_place(place), str(level))
    return Patch(plot={CHART: [advance(view)]}, text={SUMMARY: view.label})


def live_strip(snapshot: Snapshot, argument: str) -> Patch:
    """Return the forecast in one line."""
    return Patch(
        props={STRIP: {"children": market_panels.strip(strip_view(snapshot, *_level_of(argument)))}}
    )


def live_replay(snapshot: Snapshot, _: str = "") -> Patch:
    """Return where the feed stands."""
    view = replay_view(snapshot)
    return merge([replay_patch(view or STILL), Patch(cls={REPLAY: replay_class(view)})])


_BARS = ("instruments", "bars:{arg}")
_AT_ONCE: Mapping[str, Any] = {"min_interval_s": 0.05, "is_urgent": True}
LIVE = (
    LivePart(name="markets.ticks", sections=("instruments", "quotes"), render=live_ticks, **_AT_ONCE),
    LivePart(name="markets.rows", sections=("quotes", *watchlist.SECTIONS), render=live_rows, min_interval_s=1.0),
    LivePart(name="markets.head", sections=("quotes", *_BARS), render=live_head, **_AT_ONCE),
    LivePart(name="markets.tick", sections=("quotes", *_BARS), render=live_tick, **_AT_ONCE),
    LivePart(name="markets.chart", sections=(*_BARS, "forecast:{arg}", "markers:{arg}"), render=live_chart),
    LivePart(name="markets.strip", sections=("engine", "forecast:{arg}", "card:{arg}", *_BARS), render=live_strip),
    LivePart(name="markets.why", sections=("cycle:{arg}", "strategies", "bars:{arg}"), render=sides.live_why,
             min_interval_s=0.5),
    LivePart(name="markets.fills", sections=("instruments", "portfolio", "bars:{arg}"), render=sides.live_fills,
             min_interval_s=0.5),
    LivePart(name="markets.var", sections=VAR_SECTIONS,
             render=sides.live_var, min_interval_s=2.0),
    LivePart(name="markets.replay", sections=("feed", "portfolio"), render=live_replay, min_interval_s=0.5),
)  # fmt: skip


# -- callbacks --------------------------------------------------------------------------------------------


def register(app: dash.Dash, gateway: GatewayPort) -> None:
    """Connect the choice of symbol and timeframe, the reload of a chart, and the jump."""

    @app.callback(
        Output(HEAD, "children"), Output(figure_id(CHART), "data"), Output(SUMMARY, "children"),
        Output(STRIP, "children"), Output(sides.WHY, "children"), Output(sides.WHY_REMARK, "children"),
        Output(ROOT, "data-topics"), Output(ROOT, "data-address"),
        Input(GRID, "selectedRows"), Input(TIMEFRAME, "value"), Input(LEVEL, "value"), Input(AGAIN, "data"),
        State(ROOT, "data-address"),
        prevent_initial_call=True,
    )  # fmt: skip
    async def choose(
        rows: list[dict[str, Any]] | None,
        timeframe: str,
        level: str,
        _again: float | None,
        shown: str,
    ) -> Any:  # noqa: ANN401 -- Dash's own tuple
        by_grid_alone = {name.split(".")[0] for name in ctx.triggered_prop_ids} == {GRID}
        if by_grid_alone and is_shown(gateway, rows, timeframe, chosen_level(level), shown):
            raise PreventUpdate  # the grid has marked the row of the symbol that the page came with
        return await asyncio.to_thread(chosen, gateway, rows, timeframe, chosen_level(level))

    @app.callback(
        Output(JUMP_ERROR, "children"), Output(BACK_DAY, "children"), Output(BACK_ASK, "hidden"),
        Output(JUMP_FIELD, "value"),
        Input(JUMP_BUTTON, "n_clicks"), Input(JUMP_FIELD, "n_submit"), Input(BACK_GO, "n_clicks"),
        State(JUMP_FIELD, "value"), State(BACK_DAY, "children"),
        prevent_initial_call=True,
    )  # fmt: skip
    async def jump(*given: Any) -> Any:  # noqa: ANN401 -- Dash's own order
        if not any(given[:3]):
            raise PreventUpdate
        agreed = str(given[4] or "") if ctx.triggered_id == BACK_GO else ""
        return await asyncio.to_thread(jumped, gateway, str(given[3] or ""), agreed)

    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction(namespace="pilothouse", function_name="hideQuestion"),
        Output(BACK_ASK, "hidden", allow_duplicate=True),
        Input(JUMP_FIELD, "value"), Input(BACK_CANCEL, "n_clicks"), State(BACK_DAY, "children"),
        prevent_initial_call=True,
    )  # fmt: skip


def _symbol_of(gateway: GatewayPort, rows: Sequence[Mapping[str, Any]] | None) -> str:
    asked = str(rows[0].get("symbol", "")) if rows else ""
    return chosen_symbol(gateway.read(("instruments",)), asked)


def is_shown(
    gateway: GatewayPort,
    rows: Sequence[Mapping[str, Any]] | None,
    timeframe: str,
    level: int,
    address: str,
) -> bool:
    """Return whether the page at `address` shows the chosen symbol already."""
    wanted = _address(_symbol_of(gateway, rows), timeframe, level)
    return wanted["data-address"] == address


def chosen(
    gateway: GatewayPort,
    rows: Sequence[Mapping[str, Any]] | None,
    timeframe: str,
    level: int = 1,
) -> tuple[Any, ...]:
    """Return everything that speaks of the chosen symbol."""
    symbol = _symbol_of(gateway, rows)
    snapshot = _read(gateway, symbol)
    view = price_chart(snapshot, symbol, timeframe, str(level))
    why = why_view(snapshot, symbol)
    address = _address(symbol, view.timeframe, level)
    return (
        market_panels.head(head_view(snapshot, symbol, view.timeframe)), figure_data(price_figure(view)), view.label,
        market_panels.strip(strip_view(snapshot, symbol, level)), market_panels.why(why), why.remark,
        address["data-topics"], address["data-address"],
    )  # fmt: skip


def jumped(gateway: GatewayPort, text: str, agreed: str = "") -> tuple[Any, ...]:
    """Return error, heading, whether the question is hidden, and the field after a wish to jump to the day written.

    A jump forward is sent at once. A jump back ends the account, so it is sent only with the heading that asked for
    this very day.
    """
    view = replay_view(gateway.read(("feed", "portfolio")))
    if view is None:
        return "This feed can't jump", "", True, dash.no_update
    title = back_title(text.strip())
    try:
        moment = jump_moment(text, view)
        if is_back(moment, view) and agreed != title:
            return "", title, False, dash.no_update
        gateway.send(JumpReplay(to=moment), actor="local", source="dashboard")
    except (ValueError, PilothouseError) as error:
        return str(error), "", True, dash.no_update
    return "", "", True, ""
