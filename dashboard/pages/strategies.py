"""Strategies: switches, weights with a proposal before it is applied, votes, records, parameters, history with undo."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import dash
from dash import ALL, ClientsideFunction, Input, Output, State, ctx, dcc, html
from dash.development.base_component import Component

from dashboard import deeds
from dashboard.blocks import strategies as blocks
from dashboard.blocks.aging import aged, panel_age, told_age
from dashboard.components.controls import button
from dashboard.components.icons import icon
from dashboard.components.nodes import attrs, dom_id
from dashboard.components.panels import empty_state, panel
from dashboard.components.pills import pill
from dashboard.deeds import APPLY, DEEDS, DISCARD, EQUAL, FORCE, REFUSED, RESET
from dashboard.host import GatewayPort, send
from dashboard.page import LivePart, Page
from dashboard.patches import Patch, PropValue
from dashboard.views import proposals, weight_words
from dashboard.views import strategies as view
from dashboard.views.ages import age_of
from dashboard.views.proposals import Proposal
from engine.domain.commands import SetStrategyEnabled, SetStrategyWeights
from engine.domain.payload import Payload
from engine.domain.sections import Section, Snapshot, Stamp, StrategiesSection, StrategyRow

PAGE = Page(path="/strategies", title="Strategies", icon="sliders-horizontal", key="s")

SECTIONS = ("strategies", "instruments", "cycle:*", "bars:*")
ROOT, STORE, BAR_TICK, SENT = (
    "strategies-root", "strategies-proposal", "strategies-tick", "strategies-sent",
)  # fmt: skip
VOTES, VOTE_WORDS, RECORDS, HISTORY, OPEN_LINE, PARAMETERS = (
    "strategies-votes", "strategies-vote-words", "strategies-records", "strategies-history",
    "strategies-open", "strategies-parameters",
)  # fmt: skip
APPLY_LABEL, LINES, WORDS, LOCK_WORDS = (
    "strategies-apply-label", "strategies-lines", "strategies-words", "strategies-locks",
)  # fmt: skip
UNDO = "strategies-undo"
AGES = ("strategies-age-weights", "strategies-age-votes", "strategies-age-records")
OFF_WORDS = "strategies-off"
TOPICS = "strategies.rows strategies.history strategies.records strategies.refused"


def layout(gateway: GatewayPort, query: Mapping[str, str]) -> Component:  # noqa: ARG001 -- nothing of the address
    """Return the page with the weights in force as the proposal."""
    snapshot = gateway.read(SECTIONS)
    is_known = bool(_section(snapshot).rows)
    return html.Div(
        _whole(snapshot) if is_known else _waiting(),
        id=ROOT,
        className="ph-page ph-page-strategies",
        **attrs({"data-topics": TOPICS if is_known else "strategies.wait"}),
    )


def sample_layout() -> Component:
    """Return the page with one strategy in it, so that Dash knows the ids before the engine runs."""
    section = StrategiesSection(rows=(StrategyRow(name="sample", title="Sample"),))
    sections = {"strategies": Section("strategies", section, Stamp(version=0))}
    return html.Div(_whole(Snapshot(version=0, sections=sections)))


def _section(snapshot: Snapshot) -> StrategiesSection:
    return snapshot.value("strategies") or StrategiesSection()


def _waiting() -> list[Component]:
    text = "The engine is starting; strategies appear with it."
    nothing = empty_state("sliders-horizontal", "No strategy yet", text)
    return [panel("Strategy weights", nothing, class_name="ph-area-weights")]


def _whole(snapshot: Snapshot) -> list[Component]:
    section = _section(snapshot)
    proposal = proposals.begin(view.shares(section))
    parameters = html.Div(
        blocks.parameter_blocks(view.parameters_view(section)), id=PARAMETERS, className="ph-params"
    )
    records = html.Div(blocks.record_list(view.records_view(section)), id=RECORDS)
    shown = age_of(snapshot, "strategies")
    votes_age, records_age = (panel_age(name, shown) for name in AGES[1:])
    side = [
        aged(
            panel(
                "How they vote", *_votes_body(snapshot, proposal), remark="newest vote, −1 sell to +1 buy",
                tools=votes_age,
            )
        ),
        aged(
            panel(
                "Were they right?", records, tools=records_age,
                remark="votes whose next close moved their way, 95% interval by bars",
            )
        ),
    ]  # fmt: skip
    return [
        aged(_weights(section, proposal, panel_age(AGES[0], shown))),
        _apply_panel(section, proposal),
        panel(
            "Parameters",
            blocks.scrolled([parameters], "Parameters"),
            remark="in force",
            class_name="ph-area-parameters",
        ),
        _history_panel(section),
        html.Div(side, className="ph-strategies-side"),
        dcc.Store(id=STORE, data=proposal.to_data()),
        dcc.Store(id=DEEDS),
        html.Div(id=FORCE, title=_force(section), hidden=True),
        html.Div(id=REFUSED, title="", hidden=True),
        html.Div(id=BAR_TICK, title="", hidden=True),
        html.Div(id=SENT, className="ph-intent-answer", role="alert"),
    ]


def _weights(section: StrategiesSection, proposal: Proposal, its_age: Component) -> html.Section:
    foot = html.Div(
        [
            pill("up", "Sum 100%", "circle-check"),
            html.Span(weight_words.lock_words(proposal), id=LOCK_WORDS, className="ph-tx2 ph-t12"),
            html.Span(weight_words.off_words(section), id=OFF_WORDS, className="ph-warn ph-t12", role="status"),
        ],
        className="ph-line ph-weights-foot",
    )  # fmt: skip
    return panel(
        "Strategy weights",
        blocks.weight_list(view.rows_view(section, proposal)),
        foot,
        remark="tick = in force",
        tools=[
            its_age,
            button("Equalise", "ghost", "scale", id=EQUAL, small=True),
            button("Reset", "ghost", "rotate-cw", id=RESET, small=True),
        ],
        class_name="ph-area-weights",
        is_flush=True,
    )


def _votes_body(snapshot: Snapshot, proposal: Proposal) -> tuple[Component, Component]:
    body, words = _votes(snapshot, proposal)
    titles = [row.title for row in _section(snapshot).rows]
    said = html.P(words, id=VOTE_WORDS, className="ph-tx2 ph-t12 ph-vote-words", role="status")
    return blocks.ballot_table(titles, body, VOTES), said


def _votes(snapshot: Snapshot, proposal: Proposal) -> tuple[str, str]:
    ballots = view.ballots_view(snapshot, proposal)
    body = blocks.ballot_rows(ballots, is_open=proposal.is_open)
    return body, view.ballot_words(ballots, proposal)


def _history_panel(section: StrategiesSection) -> Component:
    lines = blocks.history_lines(view.history_view(section))
    body = [
        html.Div(id=OPEN_LINE, className="ph-history-open"),
        html.Ol(lines, id=HISTORY, className="ph-history"),
    ]
    return panel(
        "History",
        blocks.scrolled(body, "History"),
        tools=[button("Undo last", "ghost", "undo-2", id=UNDO, small=True)],
        class_name="ph-area-history",
    )


def _apply_panel(section: StrategiesSection, proposal: Proposal) -> Component:
    found = view.apply_view(section, proposal)
    apply = html.Button(
        [icon("lock"), html.Span(found.label, id=APPLY_LABEL)],
        id=APPLY,
        type="button",
        n_clicks=0,
        className="ph-btn ph-btn-primary ph-apply-go",
        **attrs({"aria-disabled": "true"}),
    )
    about = html.Div(
        [
            html.Div(blocks.apply_lines(found.lines), id=LINES, className="ph-apply-lines"),
            html.Div(found.words, id=WORDS, className="ph-tx3 ph-t11", role="status"),
        ],
        className="ph-apply-about",
    )
    return html.Section(
        [about, button("Discard", "ghost", id=DISCARD), apply],
        className="ph-panel ph-apply ph-area-apply",
        **attrs({"aria-label": "Apply the proposal"}),
    )


# -- live --------------------------------------------------------------------------------------------------------


def _force(section: StrategiesSection) -> str:
    return json.dumps(view.shares(section))


def _live_rows(snapshot: Snapshot, _: str) -> Patch:
    """Return records and switches, and tell the proposal what is in force and that a bar was voted on."""
    section = _section(snapshot)
    if not section.rows:
        return Patch()
    rows = view.rows_view(section, proposals.begin(view.shares(section)))
    text: dict[str, str] = {OFF_WORDS: weight_words.off_words(section)}
    marks: dict[str, dict[str, str]] = {}
    for row in rows:
        text |= {f"win-{row.name}": row.win_rate, f"sample-{row.name}": row.sample}
        marks[dom_id(blocks.part_id("on", row.name))] = {
            "aria-checked": "true" if row.is_on else "false"
        }
        marks[f"wins-{row.name}"] = {"data-tip": row.win_tip}
    cls = {f"strategy-{row.name}": blocks.line_class(row.is_on) for row in rows}
    stamp = snapshot.stamp("strategies")
    closed = view.newest_close(snapshot)
    tick = f"{stamp.computed_at:.3f} {closed}" if stamp is not None else ""
    props: dict[str, dict[str, PropValue]] = {
        FORCE: {"title": _force(section)},
        BAR_TICK: {"title": tick},
    }
    found = age_of(snapshot, "strategies")
    ages = dict.fromkeys(AGES, told_age(found)) if found.received_at else {}
    return Patch(text=text, cls=cls, attrs=marks, props=props, age=ages)


def _live_refused(snapshot: Snapshot, _: str) -> Patch:
    """Tell the proposal which weights the engine refused last, and why."""
    found = weight_words.refused_weights(snapshot)
    return Patch(props={REFUSED: {"title": json.dumps(found)}}) if found else Patch()


def _live_history(snapshot: Snapshot, _: str) -> Patch:
    section = _section(snapshot)
    lines = blocks.history_lines(view.history_view(section))
    words = "" if section.history else "nothing to undo"
    undo = {"aria-disabled": "false" if section.history else "true", "data-tip": words}
    return Patch(props={HISTORY: {"children": lines}}, attrs={UNDO: undo})


def _live_records(snapshot: Snapshot, _: str) -> Patch:
    found = blocks.record_list(view.records_view(_section(snapshot)))
    return Patch(props={RECORDS: {"children": found}})


def _live_wait(snapshot: Snapshot, _: str) -> Patch:
    """Return the whole page as soon as there is a strategy."""
    if not _section(snapshot).rows:
        return Patch()
    return Patch(props={ROOT: {"children": _whole(snapshot), "data-topics": TOPICS}})


LIVE = (
    LivePart(
        name="strategies.rows", sections=("strategies", "instruments", "bars:*"), render=_live_rows, min_interval_s=0.5
    ),
    LivePart(name="strategies.history", sections=("strategies",), render=_live_history, min_interval_s=0.5),
    LivePart(name="strategies.refused", sections=("answers",), render=_live_refused),
    LivePart(name="strategies.records", sections=("strategies",), render=_live_records, min_interval_s=1.0),
    LivePart(name="strategies.wait", sections=SECTIONS, render=_live_wait, min_interval_s=0.5),
)  # fmt: skip


# -- intent ------------------------------------------------------------------------------------------------------


def _every(part: str) -> dict[str, Any]:
    return {"type": f"strategies-{part}", "name": ALL}


def register(app: dash.Dash, gateway: GatewayPort) -> None:
    """Connect sliders, numbers, locks, switches and the buttons."""

    @app.callback(
        Output(STORE, "data"),
        Output(_every("slider"), "value"), Output(_every("slider"), "disabled"),
        Output(_every("number"), "value"), Output(_every("number"), "disabled"),
        Output(_every("change"), "children"), Output(_every("change"), "className"),
        Output(_every("change"), "data-then"), Output(_every("lock"), "aria-pressed"),
        Output(_every("slide"), "style"), Output(_every("slide"), "className"),
        Output(_every("slide"), "data-current"),
        Output(LINES, "children"), Output(WORDS, "children"), Output(WORDS, "className"),
        Output(APPLY_LABEL, "children"), Output(APPLY, "aria-disabled"),
        Output(LOCK_WORDS, "children"), Output(OPEN_LINE, "children"),
        Input(DEEDS, "data"), State(STORE, "data"),
        prevent_initial_call=True,
    )  # fmt: skip
    async def propose(noted: dict[str, Any], kept: dict[str, Any]) -> Any:  # noqa: ANN401 -- Dash's own tuple
        return await asyncio.to_thread(deeds.answer, gateway, kept, noted)

    told_to = (
        ("tellDeeds", Input(STORE, "data")),
        ("noteForce", Input(FORCE, "title")),
        ("noteRefused", Input(REFUSED, "title")),
    )
    for name, told in told_to:
        app.clientside_callback(  # type: ignore[no-untyped-call]
            ClientsideFunction(namespace="pilothouse", function_name=name), told
        )

    @app.callback(
        Output(VOTES, "data-ph-rows"), Output(VOTE_WORDS, "children"),
        Input(STORE, "data"), Input(BAR_TICK, "title"), prevent_initial_call=True,
    )  # fmt: skip
    async def show_votes(kept: dict[str, Any], _tick: str) -> Any:  # noqa: ANN401 -- Dash's own tuple
        return await asyncio.to_thread(_drawn_votes, gateway, kept)

    @app.callback(
        Output(SENT, "children"),
        Input(UNDO, "n_clicks"), Input(_every("on"), "n_clicks"), prevent_initial_call=True,
    )  # fmt: skip
    async def act(_undo: int, _clicks: list[int]) -> Any:  # noqa: ANN401 -- Dash's own value
        if not _triggered_value():
            return dash.no_update
        return await asyncio.to_thread(send_act, gateway, ctx.triggered_id)


def _triggered_value() -> Any:  # noqa: ANN401 -- whatever the control holds
    return ctx.triggered[0]["value"] if ctx.triggered else None


def send_act(gateway: GatewayPort, trigger: object) -> str:
    """Send what a switch or Undo asks for; return words when it could not be sent."""
    section = _section(gateway.read(("strategies",)))
    if isinstance(trigger, Mapping):
        is_on = next((row.enabled for row in section.rows if row.name == trigger["name"]), False)
        return send(gateway, SetStrategyEnabled(strategy=trigger["name"], enabled=not is_on))
    return "".join(send(gateway, command) for command in undo_commands(section))


def undo_commands(section: StrategiesSection) -> tuple[Payload, ...]:
    """Return what brings back the weights and switches from before the newest change."""
    if not section.history:
        return ()
    last = section.history[0]
    found: list[Payload] = []
    if last.previous and last.previous != last.weights:
        found.append(SetStrategyWeights(weights=dict(last.previous)))
    found.extend(
        SetStrategyEnabled(strategy=name, enabled=was_on)
        for name, was_on in last.previous_enabled.items()
        if last.enabled.get(name) != was_on
    )
    return tuple(found)


def _drawn_votes(gateway: GatewayPort, kept: Mapping[str, Any]) -> tuple[str, str]:
    return _votes(gateway.read(SECTIONS), Proposal.from_data(kept))
