"""Why, and why not: the votes, their sum and the steps between the score and the order."""

from collections.abc import Sequence
from dataclasses import dataclass

from dash import html

from dashboard import formatting as fmt
from dashboard.components.icons import icon
from dashboard.components.meters import diverging_bar, score_axis
from dashboard.components.nodes import Node, attrs, classes, present
from dashboard.components.pills import side_pill
from dashboard.components.tables import Column, Row, table
from engine.domain.signals import SignalAction, StepOutcome

_OUTCOMES = {
    StepOutcome.PASSED: ("check", "ph-up", "passed"),
    StepOutcome.CLAMPED: ("check", "ph-warn", "cut"),
    StepOutcome.SKIPPED: ("minus", "ph-tx3", "skipped"),
    StepOutcome.REFUSED: ("x", "ph-crit", "refused"),
}

_COLUMNS = (
    Column("Strategy", is_number=False),
    Column("vote ×", width="48px"),
    Column("weight ×", width="56px"),
    Column("regime", width="44px"),
    Column("direction", width="58px", hide_title=True),
    Column("= part", width="56px"),
)


def check_row(outcome: StepOutcome, label: str, result: str, *, detail: str = "") -> html.Li:
    """Return one step: tick passed, minus skipped, cross refused; its result at the right."""
    mark, tone, word = _OUTCOMES[outcome]
    return html.Li(
        present(
            icon(mark, class_name=tone),
            html.Span(f"{word}: ", className="ph-hidden"),
            html.Span(
                present(label, html.Span(f" {detail}", className="ph-tx2") if detail else None),
                className="ph-cut",
            ),
            html.Span(
                result,
                className=classes(
                    "ph-check-result",
                    "ph-strong" if outcome is not StepOutcome.PASSED else "ph-tx2",
                ),
            ),
        ),
        className="ph-check",
    )


def check_list(rows: Sequence[html.Li]) -> html.Ul:
    """Return steps below each other."""
    return html.Ul(list(rows), className="ph-checks")


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteLine:
    """One strategy's line; the texts are rounded so that the parts shown add to the score shown."""

    name: str
    vote: str
    weight: str
    regime: str
    part: str
    part_value: float
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One check of the gate, as the card shows it."""

    outcome: StepOutcome
    label: str
    detail: str
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """What the why-card shows: a verdict, the votes, the score, the steps."""

    action: SignalAction
    headline: str
    sentence: str
    votes: tuple[VoteLine, ...]
    score: float
    threshold: float
    steps: tuple[Step, ...]


def verdict(action: SignalAction, headline: str, sentence: str) -> html.Div:
    """Return the signal with one sentence that holds the deciding numbers."""
    return html.Div(
        [
            side_pill(action),
            html.P([html.Strong(headline), " ", html.Span(sentence, className="ph-tx2")]),
        ],
        className="ph-verdict",
    )


def why_card(view: Why) -> html.Div:
    """Return the body of the card, from the verdict down to the steps."""
    scale = max((abs(line.part_value) for line in view.votes), default=1.0)
    rows = [_vote_row(line, scale) for line in view.votes]
    score_row = html.Div(
        [
            html.Strong("Score"),
            html.Span(
                [
                    html.Span("sum of parts ", className="ph-tx3 ph-t11"),
                    html.Strong(fmt.score(view.score)),
                ]
            ),
        ],
        className="ph-spread ph-t12",
    )
    steps = [
        check_row(step.outcome, step.label, step.result, detail=step.detail) for step in view.steps
    ]
    return html.Div(
        present(
            verdict(view.action, view.headline, view.sentence),
            table(
                _COLUMNS,
                rows,
                caption="Votes of the strategies and their parts of the score",
                class_name="ph-votes",
            ),
            score_row,
            score_axis(view.score, view.threshold),
            check_list(steps) if steps else None,
        ),
        className="ph-why",
    )


def _vote_row(line: VoteLine, scale: float) -> Row:
    name: Node = line.name
    if line.error:
        name = html.Span(
            [icon("circle-x", 12, class_name="ph-crit"), f" {line.name}"],
            **attrs({"data-tip": line.error}),
        )
    bar = diverging_bar(line.part_value, scale)
    return Row(cells=[name, line.vote, line.weight, line.regime, bar, html.Strong(line.part)])
