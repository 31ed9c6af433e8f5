"""Forecast: where a symbol may go, how sure that is, and how often that was right."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import dash
import plotly.graph_objects as go
from dash import ClientsideFunction, Input, Output, State, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate
from fastapi import APIRouter, Response
from plotly.io.json import to_json_plotly

from dashboard.blocks import forecast_controls as ctl
from dashboard.blocks import forecast_panels as panels
from dashboard.blocks import forecast_parts as parts
from dashboard.blocks import report_card as card
from dashboard.components.chart import figure_data, figure_id
from dashboard.components.nodes import attrs
from dashboard.figures.five_levels import five_figure, replace_five
from dashboard.figures.forecast import forecast_figure, replace_all, replace_past
from dashboard.host import GatewayPort
from dashboard.page import LivePart, Page
from dashboard.patches import Patch
from dashboard.views import forecast_facts as facts
from dashboard.views.bars import has_times
from dashboard.views.five_levels import FiveChart, differences, five_chart
from dashboard.views.forecast_chart import ForecastChart, forecast_chart
from dashboard.views.forecast_place import (
    LEVELS,
    NAMES,
    Place,
    hidden_by,
    place_from,
    place_of,
    usual_level,
)
from dashboard.views.markets import chosen_symbol, not_watched
from dashboard.views.past_fans import n_seen, past_key
from dashboard.views.price_chart import columns_of, forecast_of
from dashboard.views.report_card import report_view
from dashboard.views.report_csv import csv_text
from dashboard.views.what_if import WhatIf, label_words, since_words, stored_values, what_if_of
from engine.domain.errors import PilothouseError
from engine.domain.forecast import Forecast
from engine.domain.sections import Snapshot

PAGE = Page(path="/forecast", title="Forecast", icon="trending-up", key="f")

ROOT, BAR, PAST, DRAWN = "forecast-root", "forecast-bar", "forecast-past", "forecast-drawn"
HEAD, SUMMARY, CHART = panels.HEAD, panels.SUMMARY, panels.CHART
LEVEL, SHOWN = parts.LEVEL, parts.SHOWN


def layout(gateway: GatewayPort, query: Mapping[str, str]) -> Component:
    """Return the page at the place of the address."""
    asked = query.get("symbol", "")
    symbol = chosen_symbol(gateway.read(("instruments",)), asked)
    snapshot = _read(gateway, symbol)
    place = place_of(symbol, query, usual_level(snapshot, symbol))
    view = _view(snapshot, place, _records(gateway, place))
    return html.Div(
        [
            html.H1(PAGE.title, className="ph-hidden"),
            panels.fan_panel(snapshot, place, view, _figure(view), not_watched(snapshot, asked)),
            html.Div(panels.side(snapshot, place), className="ph-area-side ph-col"),
            panels.report_panel(snapshot, place),
            dcc.Store(id=PAST),
            html.Div(id=DRAWN, hidden=True),
            html.Div(id=BAR, hidden=True, **attrs({"data-bar": _bar(snapshot, place)})),
        ],
        id=ROOT,
        className=_class(place),
        **attrs(_address(place) | {"data-age-scope": "", "data-what-if": "no"}),
    )


def _class(place: Place) -> str:
    return f"ph-page ph-page-forecast ph-fc-{place.mode}"


def _address(place: Place) -> dict[str, str]:
    names = ("chart", "side", "card", "bar") if place.symbol else ()
    topics = " ".join(f"forecast.{name}:{place.argument}" for name in names)
    return {"data-topics": topics, "data-address": place.address}


def _read(gateway: GatewayPort, symbol: str) -> Snapshot:
    names = (
        "engine",
        "instruments",
        "agents",
        f"bars:{symbol}",
        f"forecast:{symbol}",
        f"card:{symbol}",
    )
    return gateway.read(names)


def _records(gateway: GatewayPort, place: Place) -> tuple[Forecast, ...]:
    """Return the stored forecasts of the bars in view; none where nobody keeps them."""
    if place.is_all or not place.symbol:
        return ()
    try:
        found: tuple[Forecast, ...] = gateway.ask(
            "past_forecasts", symbol=place.symbol, level=place.level, count=n_seen(place.horizon)
        )
    except PilothouseError:
        return ()
    return found


def _view(
    snapshot: Snapshot, place: Place, records: tuple[Forecast, ...] = ()
) -> ForecastChart | FiveChart:
    return five_chart(snapshot, place) if place.is_all else forecast_chart(snapshot, place, records)


def _figure(view: ForecastChart | FiveChart) -> go.Figure:
    return five_figure(view) if isinstance(view, FiveChart) else forecast_figure(view)


def _step(view: ForecastChart | FiveChart) -> list[Any]:
    return replace_five(view) if isinstance(view, FiveChart) else replace_all(view)


def _bar(snapshot: Snapshot, place: Place) -> str:
    return past_key(columns_of(snapshot, place.symbol), place.horizon)


# -- live --------------------------------------------------------------------------------------------------


def live_chart(snapshot: Snapshot, argument: str) -> Patch:
    """Return the chart at the newest closed bar."""
    view = _view(snapshot, place_from(argument))
    return Patch(plot={CHART: [_step(view)]}, text={SUMMARY: view.label})


def live_side(snapshot: Snapshot, argument: str) -> Patch:
    """Return head, rows, figures and grounds of the newest forecasts."""
    place = place_from(argument)
    head, rows = facts.head_view(snapshot, place), facts.level_rows(snapshot, place)
    told = (head.received_at or 0.0, head.budget_s, float(head.is_behind))
    figures = facts.figures_view(snapshot, place)
    text = parts.row_texts(rows) | parts.figure_texts(figures)
    text |= parts.difference_texts(differences(snapshot, place))
    text |= {panels.NONE_WHY: head.why_none}
    stored = forecast_of(snapshot, place.symbol, str(place.level))
    return Patch(
        props={
            HEAD: {"children": parts.head(head)},
            panels.GROUNDS: {"children": panels.grounds(snapshot, place)},
            panels.NONE: {"hidden": head.is_known},
            ctl.CONTROLS: {"data-stored": ctl.stored_text(stored_values(stored, place.horizon))},
        },
        text=text,
        attrs=parts.row_tips(rows) | {name: {"data-tip": tip} for name, tip in parts.figure_tips(figures).items()},
        age={} if head.received_at is None else {parts.AGE: told},
    )  # fmt: skip


def live_card(snapshot: Snapshot, argument: str) -> Patch:
    """Return the report card, and what of the rows follows from it."""
    place = place_from(argument)
    view, rows = report_view(snapshot, place), facts.level_rows(snapshot, place)
    text = card.horizon_labels(view.horizons) | {
        panels.CARD_REMARK: view.remark,
        panels.NOTE: facts.rows_note(snapshot, place),
        panels.TRUST: facts.trust_words(snapshot, place),
    }
    return Patch(
        props={
            panels.CARD: {"children": card.report(view, is_all=place.is_all)},
            panels.CARD_WALK: {"children": card.progress(view)},
        },
        text=text,
        cls=parts.row_classes(rows),
        attrs=parts.row_attrs(rows),
    )


def live_bar(snapshot: Snapshot, argument: str) -> Patch:
    """Return what asks for other earlier fans."""
    return Patch(props={BAR: {"data-bar": _bar(snapshot, place_from(argument))}})


def live_since(snapshot: Snapshot, argument: str) -> Patch:
    """Return how many bars have closed since the one that a what-if starts from."""
    symbol, _, epoch = argument.partition(":")
    return Patch(text={ctl.SINCE: since_words(columns_of(snapshot, symbol), int(epoch or 0))})


_SECTIONS = ("instruments", "bars:{arg}", "forecast:{arg}")
LIVE = (
    LivePart(name="forecast.chart", sections=_SECTIONS, render=live_chart, min_interval_s=0.5),
    LivePart(name="forecast.side", sections=(*_SECTIONS, "card:{arg}", "agents", "engine"), render=live_side,
             min_interval_s=0.5),
    LivePart(name="forecast.card", sections=(*_SECTIONS, "card:{arg}"), render=live_card, min_interval_s=1.0),
    LivePart(name="forecast.bar", sections=("bars:{arg}",), render=live_bar, min_interval_s=1.0),
    LivePart(name="forecast.since", sections=("bars:{arg}",), render=live_since, min_interval_s=1.0),
)  # fmt: skip


# -- callbacks ---------------------------------------------------------------------------------------------


def register(app: dash.Dash, gateway: GatewayPort) -> None:
    """Connect the choices, the reload of a chart, earlier fans, and the controls."""

    @app.callback(
        Output(HEAD, "children"), Output(figure_id(CHART), "data"), Output(SUMMARY, "children"),
        Output(LEVEL, "options"), Output(SHOWN, "options"), Output(SHOWN, "value"),
        Output(panels.GROUNDS, "children"), Output(panels.CARD, "children"),
        Output(panels.CARD_REMARK, "children"), Output(ROOT, "className"), Output(ctl.CONTROLS, "data-stored"),
        Output(ROOT, "data-topics"), Output(ROOT, "data-address"),
        Input(panels.SYMBOL, "value"), Input(LEVEL, "value"), Input(panels.MODE, "value"),
        Input(panels.HORIZON, "value"),
        Input(panels.CARD_HORIZON, "value"), Input(ctl.EDGE, "value"), Input(SHOWN, "value"),
        Input(ctl.RESET, "n_clicks"),
        prevent_initial_call=True,
    )  # fmt: skip
    async def choose(*given: Any) -> Any:  # noqa: ANN401 -- Dash's own order
        return await asyncio.to_thread(chosen, gateway, given)

    @app.callback(
        Output(PAST, "data"), Input(BAR, "data-bar"), State(ROOT, "data-topics"),
        prevent_initial_call=True,
    )  # fmt: skip
    async def past(_bar: str, topics: str) -> Any:  # noqa: ANN401 -- a call of the chart
        return await asyncio.to_thread(past_step, gateway, topics)

    @app.callback(
        Output(panels.DOWNLOAD, "data"), Input(panels.CSV, "n_clicks"), State(panels.SYMBOL, "value"),
        prevent_initial_call=True,
    )  # fmt: skip
    async def export(_n: int, symbol: str) -> dict[str, str]:
        return await asyncio.to_thread(csv_file, gateway, symbol)

    _register_script(app)


def _register_script(app: dash.Dash) -> None:
    """Connect the place, answers and earlier fans with the script, which reads the controls itself."""
    for name, given in (
        ("forecastPlace", (Input(ROOT, "data-address"), Input(ctl.CONTROLS, "data-stored"))),
        ("forecastPast", (Input(PAST, "data"),)),
    ):
        app.clientside_callback(  # type: ignore[no-untyped-call]
            ClientsideFunction(namespace="pilothouse", function_name=name),
            Output(DRAWN, f"data-{name.lower()}"),
            *given,
        )


def chosen(gateway: GatewayPort, given: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return everything that speaks of the chosen place."""
    symbol = chosen_symbol(gateway.read(("instruments",)), given[0] or "")
    asked = dict(zip(NAMES, given[1:6], strict=True)) | {"hide": hidden_by(given[6])}
    place = place_of(symbol, asked)
    snapshot = _read(gateway, symbol)
    view, address = _view(snapshot, place, _records(gateway, place)), _address(place)
    report, stored = report_view(snapshot, place), forecast_of(snapshot, symbol, str(place.level))
    return (
        parts.head(facts.head_view(snapshot, place)), figure_data(_figure(view)), view.label,
        parts.level_options(facts.level_rows(snapshot, place)),
        parts.eye_options(place), parts.eye_values(place), panels.grounds(snapshot, place),
        card.report(report, is_all=place.is_all), report.remark, _class(place),
        ctl.stored_text(stored_values(stored, place.horizon)),
        address["data-topics"], address["data-address"],
    )  # fmt: skip


def csv_file(gateway: GatewayPort, asked: str) -> dict[str, str]:
    """Return the report card of a symbol as a file."""
    symbol = chosen_symbol(gateway.read(("instruments",)), asked or "")
    content = csv_text(gateway.read((f"card:{symbol}",)), symbol)
    return {"content": content, "filename": f"report-card-{symbol}.csv", "type": "text/csv"}


def past_step(gateway: GatewayPort, topics: str) -> dict[str, Any]:
    """Return the call that draws the earlier fans anew at the newest bar."""
    place = next((place_from(topic.partition(":")[2]) for topic in (topics or "").split()), None)
    if place is None or place.is_all:
        raise PreventUpdate
    view = forecast_chart(_read(gateway, place.symbol), place, _records(gateway, place))
    return {"step": replace_past(view)}


def build_routes(gateway: GatewayPort) -> APIRouter:
    """Return the route by which the script asks what a wish would come to; nothing is stored by it."""
    router = APIRouter()

    async def what_if(wish: dict[str, Any]) -> Response:
        found = await asyncio.to_thread(answered, gateway, wish)
        return Response(to_json_plotly(found), media_type="application/json")

    router.add_api_route("/api/what-if", what_if, methods=["POST"])
    return router


def answered(gateway: GatewayPort, wish: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a what-if came to: a call of the chart, words by their ids, and the live topics that go on."""
    symbol = chosen_symbol(gateway.read(("instruments",)), str(wish.get("symbol", "")))
    asked = what_if_of(symbol, wish)
    snapshot = _read(gateway, symbol)
    began = time.perf_counter()
    try:
        found = _simulated(gateway, snapshot, asked)
    except PilothouseError as error:
        return {"n": wish.get("n"), "text": {ctl.WORDS: f"Not simulated: {error}"}}
    took = time.perf_counter() - began
    place = asked.place
    first = found[place.level]
    view: ForecastChart | FiveChart = (
        five_chart(snapshot, place, found)
        if place.is_all
        else forecast_chart(snapshot, place, what_if=first)
    )
    text: dict[str, str] = {}
    if (
        place.is_all
    ):  # else the other rows would speak of another horizon, and of a world without the wish
        text |= parts.row_texts(facts.level_rows(snapshot, place, found))
    figures = facts.figures_view(snapshot, place, first)
    text |= parts.figure_texts(figures)
    tips = parts.figure_tips(figures)
    text |= parts.difference_texts(differences(snapshot, place, found if place.is_all else None))
    text |= {
        ctl.WORDS: label_words(
            asked, first, took, has_time=has_times(columns_of(snapshot, symbol))
        ),
        SUMMARY: f"What-if, not stored: {view.label}",
    }
    topics = [t for t in _address(place)["data-topics"].split() if t.startswith("forecast.card")]
    topics.append(f"forecast.since:{symbol}:{int(first.origin.timestamp())}")
    return {
        "n": wish.get("n"), "step": _step(view), "text": text, "tips": tips, "topics": " ".join(topics),
    }  # fmt: skip


def _simulated(gateway: GatewayPort, snapshot: Snapshot, asked: WhatIf) -> dict[int, Forecast]:
    """Return the answers by level: that of the chosen one, or of all five."""
    levels = [each.value for each in LEVELS] if asked.place.is_all else [asked.place.level]
    stored = {n: forecast_of(snapshot, asked.place.symbol, str(n)) for n in levels}
    return {n: gateway.ask("simulate", **asked.asked(n, stored[n])) for n in levels}
