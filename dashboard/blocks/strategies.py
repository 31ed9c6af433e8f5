"""The blocks of the Strategies page: one line per strategy, its record, the ballots, the bar that applies."""

import json
from collections.abc import Sequence
from typing import Any

import dash
from dash import html
from dash.development.base_component import Component

from dashboard import formatting as fmt
from dashboard.components.controls import Slider, field, icon_button, switch, weight_slider
from dashboard.components.icons import icon
from dashboard.components.nodes import Node, attrs, classes, present
from dashboard.components.pills import pill
from dashboard.components.tables import Column, table
from dashboard.views.proposals import WHOLE, Proposal
from dashboard.views.strategies import (
    BallotView,
    ChangeView,
    RecordsView,
    RecordView,
    RowView,
    apply_view,
    rows_view,
)
from dashboard.views.weight_words import lock_words
from engine.domain.sections import StrategiesSection

HEADS = ("On", "Strategy", "Win rate", "Weight", "Proposed", "", "Change")


def part_id(part: str, name: str) -> dict[str, str]:
    """Return the id of one part of a strategy's line."""
    return {"type": f"strategies-{part}", "name": name}


def step_id(name: str, by: int) -> dict[str, str]:
    """Return the id of a button that moves a weight by some points."""
    return {"type": "strategies-step", "name": name, "by": str(by)}


def weight_list(rows: Sequence[RowView]) -> html.Div:
    """Return the lines of all strategies under their heads."""
    heads = html.Div(
        [html.Span(head) for head in HEADS], className="ph-weight ph-weight-head ph-not-phone",
        **attrs({"aria-hidden": "true"}),
    )  # fmt: skip
    return html.Div([heads, html.Ul([_line(row) for row in rows])], className="ph-weights")


def _line(row: RowView) -> html.Li:
    name = html.Div(
        [html.Strong(row.title), html.Span(row.description, className="ph-tx3 ph-t12")],
        className="ph-weight-name",
    )
    wins = html.Div(
        [
            html.Span(row.win_rate, id=f"win-{row.name}"),
            html.Span(row.sample, id=f"sample-{row.name}", className="ph-tx3 ph-t11"),
        ],
        id=f"wins-{row.name}",
        className="ph-weight-wins ph-num",
        **attrs({"data-tip": row.win_tip}),
    )
    number = field(
        part_id("number", row.name), f"Weight of {row.title} in percent", str(row.proposed),
        unit="%", kind="number", hide_label=True,
    )  # fmt: skip
    change = html.Span(
        row.change,
        id=part_id("change", row.name),
        className=change_class(row.change),
        **attrs({"data-then": then_text(row.current, row.proposed)}),
    )
    return html.Li(
        [
            html.Div(switch(part_id("on", row.name), row.is_on, f"{row.title} votes"), className="ph-weight-on"),
            name,
            wins,
            html.Div([_step(row, -1), _slider(row), _step(row, 1)], className="ph-weight-slide"),
            html.Div(number, className="ph-weight-number ph-field-num"),
            _lock(row),
            html.Div(change, className="ph-weight-change ph-num"),
        ],
        id=f"strategy-{row.name}",
        className=line_class(row.is_on),
    )  # fmt: skip


def line_class(is_on: bool) -> str:
    """Return the classes of a line; one that is switched off steps back."""
    return classes("ph-weight", None if is_on else "ph-weight-off")


def change_class(change: str) -> str:
    """Return the classes of a change: proposed ones in the accent."""
    return "ph-tx3" if change == "0" else "ph-acc ph-strong"


def then_text(current: int, proposed: int) -> str:
    """Return "30 → 20%", or the weight alone where nothing is proposed: what a phone shows in place of the change."""
    return f"{proposed}%" if current == proposed else f"{current} → {proposed}%"


def _step(row: RowView, by: int) -> html.Button:
    way = "more" if by > 0 else "less"
    return icon_button(
        "plus" if by > 0 else "minus", f"{row.title} 1 point {way}",
        id=step_id(row.name, by),
    )  # fmt: skip


def _slider(row: RowView) -> html.Div:
    drawn = weight_slider(
        part_id("slider", row.name), f"Weight of {row.title}",
        Slider(value=row.proposed, current=row.current), locked=row.is_locked,
    )  # fmt: skip
    drawn.id = part_id("slide", row.name)  # type: ignore[attr-defined] # a prop of every Dash component
    drawn.style = slide_style(row)  # type: ignore[attr-defined] # a prop of every Dash component
    return drawn


def slide_style(row: RowView) -> dict[str, str]:
    """Return where the tick stands, as a share of the track; the script sets the thumb's place."""
    return {"--ph-now": f"{row.current / WHOLE:.4f}"}


def slide_class(row: RowView) -> str:
    """Return the classes of a slider."""
    return classes("ph-slider", "ph-slider-locked" if row.is_locked else None)


def _lock(row: RowView) -> html.Div:
    button = icon_button(
        "lock-open", f"Lock {row.title}", id=part_id("lock", row.name), pressed=row.is_locked
    )
    button.children = [icon("lock-open"), icon("lock")]
    return html.Div(button, className="ph-weight-lock")


def record_list(records: RecordsView) -> list[Component]:
    """Return how often each strategy was right, on one axis around 50%."""
    ends = html.Div(
        [html.Span(end) for end in records.axis], className="ph-record-axis",
        **attrs({"aria-hidden": "true"}),
    )  # fmt: skip
    lines = html.Ul([_record(row) for row in records.rows], className="ph-records")
    return [lines, ends, html.P(records.verdict, className="ph-tx2 ph-t12")]


def _record(row: RecordView) -> html.Li:
    marks: list[Node] = [html.Span(className="ph-record-even")]
    if row.low_at is not None and row.high_at is not None and row.rate_at is not None:
        line = {"--ph-from": f"{row.low_at:.4f}", "--ph-to": f"{row.high_at:.4f}"}
        marks += [
            html.Span(className="ph-record-line", style=line),
            html.Span(className="ph-record-dot", style={"--ph-at": f"{row.rate_at:.4f}"}),
        ]
    words = html.Span(row.interval or row.sample, className="ph-tx3 ph-t11 ph-fixed")
    return html.Li(
        [
            html.Span(row.title, className="ph-cut"),
            html.Strong(row.rate, className="ph-num"),
            html.Span(present(*marks), className="ph-record-track", **attrs({"aria-hidden": "true"})),
            words,
        ],
        className="ph-record ph-t12",
    )  # fmt: skip


def ballot_table(titles: Sequence[str], body: str, body_id: str) -> Component:
    """Return the votes by symbol under their heads; the browser draws the rows (`assets/rows.js`)."""
    columns = (
        Column("Symbol", is_number=False, width="56px"),
        *(Column(title) for title in titles),
        Column("Score", tip="as decided on the last closed bar, regime factors in it"),
        Column("Proposed", tip="the same votes with the proposed weights"),
    )
    made = table(columns, (), caption="Votes by symbol and strategy", class_name="ph-ballots")
    caption, head = made.children[:2]
    span = str(len(columns))
    rows = html.Tbody(id=body_id, **attrs({"data-ph-rows": body, "data-ph-span": span}))
    drawn = html.Table([caption, head, rows], className="ph-table ph-ballots")
    label = {"aria-label": "Votes"}
    return html.Div(drawn, className="ph-ballot-scroll", tabIndex=0, role="region", **attrs(label))


def ballot_rows(ballots: Sequence[BallotView], *, is_open: bool) -> str:
    """Return a row per symbol: votes, the score as decided and, while a proposal is open, as it would be."""
    body = [
        ["ph-behind" if ballot.behind else "", "", _ballot(ballot, is_open=is_open)]
        for ballot in ballots
    ]
    if not body:
        body = [["ph-tx3", "", [["", "No symbol is watched yet."]]]]
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _ballot(ballot: BallotView, *, is_open: bool) -> list[list[str]]:
    score = _decided(ballot.score, ballot.action)
    proposed = ["ph-num ph-tx3", fmt.UNKNOWN]
    if is_open:
        is_changed = ballot.action != ballot.proposed_action
        proposed = _decided(ballot.proposed, ballot.proposed_action, is_changed=is_changed)
    return [["", ballot.symbol], *map(_vote, ballot.votes), score, proposed]


def _vote(value: float | None) -> list[str]:
    tone = fmt.tone(value, 2)
    words = fmt.number(value, 2, signed=True)
    return [f"ph-num ph-{tone or 'tx3'}", "0" if value is not None and not tone else words]


def _decided(score: float | None, action: str, *, is_changed: bool = False) -> list[str]:
    if score is None:
        return ["ph-num ph-tx3", fmt.UNKNOWN]
    tone = {"BUY": "ph-up", "SELL": "ph-dn"}.get(action, "ph-tx2")
    names = classes("ph-num", tone, "ph-ballot-changed" if is_changed else None)
    return [names, f"{action} {fmt.score(score)}".strip()]


def scrolled(body: Sequence[Component], label: str) -> html.Div:
    """Return a body that scrolls and that keys reach."""
    label_of = {"aria-label": label}
    return html.Div(list(body), className="ph-scroll", tabIndex=0, role="region", **attrs(label_of))


def apply_lines(lines: Sequence[tuple[str, int, int]]) -> list[Component]:
    """Return "Momentum 30 → 20" for each weight that would change."""
    return [
        html.Span(
            [
                f"{title} ",
                html.Span(str(now), className="ph-tx3"),
                " → ",
                html.Strong(str(then), className="ph-acc"),
            ],
            className="ph-fixed",
        )
        for title, now, then in lines
    ]


def history_lines(changes: Sequence[ChangeView]) -> list[html.Li]:
    """Return the applied changes, newest first."""
    return [_change(change) for change in changes]


def _change(change: ChangeView) -> html.Li:
    head = [html.Strong(change.title), pill("grey", "in force") if change.is_in_force else None]
    return html.Li(
        present(
            html.Div(present(*head), className="ph-spread"),
            html.Div(change.detail, className="ph-tx2 ph-t12"),
            html.Div(change.when, className="ph-tx3 ph-t11") if change.when else None,
        )
    )


def proposal_line(n_changes: int) -> list[Component]:
    """Return the line over the history while a proposal is open."""
    if not n_changes:
        return []
    words = html.Div(
        [
            html.Strong("Proposal, not applied"),
            html.Div(f"{fmt.plural(n_changes, 'weight')} changed", className="ph-tx3 ph-t11"),
        ]
    )
    return [html.Div([icon("circle-dashed", class_name="ph-acc"), words], className="ph-line")]


def parameter_blocks(
    parameters: Sequence[tuple[str, Sequence[tuple[str, str]]]],
) -> list[Component]:
    """Return each strategy's parameters in force."""
    return [
        html.Section(
            [
                html.H3(title, className="ph-t12 ph-strong"),
                html.Dl([_parameter(*fact) for fact in facts], className="ph-param-list ph-t12"),
            ]
        )
        for title, facts in parameters
    ]


def _parameter(name: str, value: str) -> html.Div:
    return html.Div([html.Dt(name, className="ph-tx2"), html.Dd(value, className="ph-num")])


def screen(section: StrategiesSection, proposal: Proposal, *, is_whole: bool) -> tuple[Any, ...]:
    """Return everything on screen that follows from a proposal, in the order of the callback's outputs.

    Every output costs the browser a pass over the page. What moving a weight cannot change, like locks and what is
    in force, is therefore left out unless `is_whole`.
    """
    rows = [row for row in rows_view(section, proposal) if row.name in proposal.weights]
    kept = [dash.no_update] * len(rows)
    applied = apply_view(section, proposal)
    locked = [row.is_locked for row in rows] if is_whole else kept
    return (
        [row.proposed for row in rows],
        locked,
        [str(row.proposed) for row in rows],
        locked,
        [row.change for row in rows],
        [change_class(row.change) for row in rows],
        [then_text(row.current, row.proposed) for row in rows],
        ["true" if row.is_locked else "false" for row in rows] if is_whole else kept,
        [slide_style(row) for row in rows] if is_whole else kept,
        [slide_class(row) for row in rows] if is_whole else kept,
        [str(row.current) for row in rows] if is_whole else kept,
        apply_lines(applied.lines),
        applied.words,
        classes("ph-t11", f"ph-{applied.tone or 'tx3'}"),
        applied.label,
        "false" if applied.is_ready else "true",
        lock_words(proposal) if is_whole else dash.no_update,
        proposal_line(len(applied.lines)),
    )
