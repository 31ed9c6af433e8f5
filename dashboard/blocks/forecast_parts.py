"""What stands around the forecast's chart: head, the five rows, figures, differences, and what it rests on."""

from collections.abc import Sequence

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from dashboard.components.icons import icon
from dashboard.components.nodes import Node, attrs, present
from dashboard.components.pills import age, grade, grade_classes, grade_words, pill
from dashboard.views.forecast_facts import Figures, Head, LevelRow
from dashboard.views.forecast_grounds import Grounds
from dashboard.views.forecast_place import LEVELS, Place

AGE, LEVEL, SHOWN = "forecast-age", "forecast-level", "forecast-shown"
LEGEND_ONE = (
    ("ph-key-50", "50%"), ("ph-key-80", "80%"), ("ph-key-95", "95%"), ("ph-key-median", "median"),
    ("ph-key-real", "realised"), ("ph-key-past", "past forecasts"), ("ph-key-alike", "looked alike (L5)"),
    ("ph-key-tail", "lowest 5%"),
)  # fmt: skip
Differences = Sequence[tuple[str, str, str]]


def legend() -> list[Component]:
    """Return the keys of both charts; the page's mode shows one of them."""
    one = [
        html.Span([html.Span(className=f"ph-key-fill {key}"), words]) for key, words in LEGEND_ONE
    ]
    five = [html.Span([html.Span(className=f"ph-dash ph-dash-{k}"), f"L{k}"]) for k in range(1, 6)]
    filled = html.Span([html.Span(className="ph-key-fill ph-key-80"), "chosen level filled"])
    five += [html.Span("lines: edges of the band"), filled]
    hidden = attrs({"aria-hidden": "true"})
    return [
        html.Div(one, className="ph-fan-keys ph-t11 ph-only-one", **hidden),
        html.Div(five, className="ph-fan-keys ph-t11 ph-only-all", **hidden),
    ]


_STATES = {
    "Paused": ("warn", "Paused", "circle-pause"),
    "Stopped": ("grey", "Stopped", "circle-stop"),
    "Failed": ("crit", "Failed", "circle-x"),
    "Not set up": ("grey", "Not set up", "circle-dashed"),
}


def head(view: Head) -> list[Component | str]:
    """Return price, level, when it was issued, how old it is, and what is wrong."""
    text = "never" if view.received_at is None else ""
    return present(
        html.Span(view.spot, className="ph-t16 ph-aged"),
        pill("acc", view.title, id="forecast-level-name"),
        html.Span(view.issued, className="ph-tx3 ph-t12 ph-cut ph-fc-issued"),
        age(AGE, view.received_at, view.budget_s, text, is_behind=view.is_behind),
        pill(*_STATES[view.state], tip=view.trouble) if view.state else None,
        html.Span(
            [icon("triangle-alert", 12), " ", view.stands_in],
            className="ph-warn ph-t12 ph-cut",
            **attrs({"data-tip": view.stands_in}),
        )
        if view.stands_in
        else None,
    )


# -- the five levels ---------------------------------------------------------------------------------------


def level_options(rows: Sequence[LevelRow]) -> list[dict[str, object]]:
    """Return the rows of the table as choices: the whole row is the label of its radio."""
    return [{"label": _row(row), "value": str(row.level)} for row in rows]


def eye_options(place: Place) -> list[dict[str, object]]:
    """Return an eye for each level; the chosen one is always drawn."""
    return [
        {
            "label": html.Span(
                [
                    icon("eye", 14),
                    icon("eye-off", 14),
                    html.Span(_eye_words(n, is_chosen=n == place.level), className="ph-hidden"),
                ]
            ),
            "value": str(n),
            "disabled": n == place.level,
        }
        for n in (each.value for each in LEVELS)
    ]


def _eye_words(level: int, *, is_chosen: bool) -> str:
    return f"Level {level}, chosen and so always drawn" if is_chosen else f"Draw level {level}"


def eye_values(place: Place) -> list[str]:
    """Return the levels whose eyes are open."""
    return [str(n) for n in place.shown]


def level_table(rows: Sequence[LevelRow], place: Place) -> html.Div:
    """Return the five levels as one radio group with heads over its columns, arrows move in it; before it the eyes."""
    heads = html.Div(
        [
            html.Span("Level", className="ph-fc-c-name"),
            html.Span("P(up)"),
            html.Span("80% band", className="ph-only-one"),
            html.Span("Band", className="ph-only-all"),
            html.Span("Skill", className="ph-only-one"),
            html.Span("Grade", className="ph-only-one"),
            html.Span("Width", className="ph-only-all"),
        ],
        className="ph-fc-row ph-fc-heads ph-t11 ph-tx3",
        **attrs({"aria-hidden": "true"}),
    )
    radios = dbc.RadioItems(
        options=level_options(rows), value=str(place.level), id=LEVEL, class_name="ph-fc-levels"
    )
    eyes = dbc.Checklist(
        options=eye_options(place), value=eye_values(place), id=SHOWN, class_name="ph-fc-eyes"
    )
    tip = attrs(
        {"aria-label": "Levels drawn", "data-tip": "Draw a level in the chart, or leave it out"}
    )
    table = [
        html.Div(eyes, role="group", className="ph-only-all", **tip),
        html.Div(radios, role="radiogroup", **attrs({"aria-label": "Level"})),
    ]
    return html.Div([heads, html.Div(table, className="ph-fc-table")])


def _row(row: LevelRow) -> html.Span:
    cells = _cells(row)
    return html.Span(
        [
            html.Span(
                [
                    html.Span(className=f"ph-dash ph-dash-{row.level} ph-only-all"),
                    html.Strong(f"L{row.level}"),
                    html.Span(f" {row.name}", className="ph-fc-lname"),
                ],
                className="ph-fc-c-name",
            ),
            html.Span(row.up, id=cells["up"], className="ph-aged"),
            html.Span(row.band, id=cells["band"], className="ph-aged"),
            html.Span(row.skill, id=cells["skill"], className="ph-only-one ph-tx2"),
            html.Span(
                grade(row.letter, row.graded_at, row.n, id=cells["grade"]), className="ph-only-one"
            ),
            html.Span(row.width, id=cells["width"], className="ph-only-all ph-aged"),
        ],
        id=f"forecast-row-{row.level}",
        className="ph-fc-row",
        **attrs({"data-tip": row.note}),
    )  # fmt: skip


def row_tips(rows: Sequence[LevelRow]) -> dict[str, dict[str, str]]:
    """Return what each row says on hover, by id."""
    return {f"forecast-row-{row.level}": {"data-tip": row.note} for row in rows}


def _cells(row: LevelRow) -> dict[str, str]:
    return {
        cell: f"forecast-row-{row.level}-{cell}"
        for cell in ("up", "band", "skill", "grade", "width")
    }


def _graded(row: LevelRow) -> tuple[str, str]:
    return grade_words(row.letter, row.graded_at, row.n)


def row_texts(rows: Sequence[LevelRow]) -> dict[str, str]:
    """Return the words of every cell by its id."""
    found: dict[str, str] = {}
    for row in rows:
        cells = _cells(row)
        found |= {cells["up"]: row.up, cells["band"]: row.band, cells["skill"]: row.skill}
        found |= {cells["width"]: row.width, cells["grade"]: _graded(row)[0]}
    return found


def row_classes(rows: Sequence[LevelRow]) -> dict[str, str]:
    """Return the class names of every grade by its id."""
    return {_cells(row)["grade"]: grade_classes(row.letter, row.n) for row in rows}


def row_attrs(rows: Sequence[LevelRow]) -> dict[str, dict[str, str]]:
    """Return what a reader hears of every grade by its id."""
    said = {_cells(row)["grade"]: _graded(row)[1] for row in rows}
    return {name: {"aria-label": words, "data-tip": words} for name, words in said.items()}


# -- figures and differences -------------------------------------------------------------------------------


def figures(view: Figures) -> list[html.Div]:
    """Return the six figures; names and values have ids of their own."""
    return [
        html.Div(
            [
                html.Dt(name, id=f"forecast-figure-{i}-name"),
                html.Dd(value, id=f"forecast-figure-{i}", className="ph-kpi-value"),
            ],
            id=f"forecast-figure-{i}-kpi",
            className="ph-kpi",
            **attrs({"data-tip": tip}),
        )
        for i, (name, value, tip) in enumerate(view)
    ]


def figure_tips(view: Figures) -> dict[str, str]:
    """Return what each figure says on hover, by id."""
    return {f"forecast-figure-{i}-kpi": tip for i, (_, _, tip) in enumerate(view)}


def figure_texts(view: Figures) -> dict[str, str]:
    """Return names and values of the figures by id."""
    found: dict[str, str] = {}
    for i, (name, value, _) in enumerate(view):
        found |= {f"forecast-figure-{i}-name": name, f"forecast-figure-{i}": value}
    return found


N_DIFFERENCES = 3
LONG = 24
"""Letters of a fact that may be cut, so that it is said in full on hover."""


def differences(view: Differences) -> list[html.Div]:
    """Return where the levels differ, line by line."""
    padded = [*view, *[("", "", "")] * (N_DIFFERENCES - len(view))]
    return [
        html.Div(
            [
                html.Dt(name, id=f"forecast-differ-{i}-name"),
                html.Dd(html.Strong(span, id=f"forecast-differ-{i}-span", className="ph-aged")),
                html.Dd(words, id=f"forecast-differ-{i}-words", className="ph-tx2"),
            ]
        )
        for i, (name, span, words) in enumerate(padded)
    ]


def difference_texts(view: Differences) -> dict[str, str]:
    """Return the words of the differences by id."""
    padded = [*view, *[("", "", "")] * (N_DIFFERENCES - len(view))]
    found: dict[str, str] = {}
    for i, parts in enumerate(padded):
        names = ("name", "span", "words")
        found |= {f"forecast-differ-{i}-{n}": text for n, text in zip(names, parts, strict=True)}
    return found


# -- what it rests on --------------------------------------------------------------------------------------


def grounds(view: Grounds) -> list[Component | str]:
    """Return the facts in a line, then what is the level's own."""
    facts = [
        html.Div(
            [html.Dt(name), html.Dd(value, **attrs({"data-tip": value} if len(value) > LONG else {}))],
            className="ph-fc-seed" if name == "Seed" else None,
        )
        for name, value in view.facts
    ]  # fmt: skip
    return present(
        html.Dl(facts, className="ph-fc-facts") if facts else None,
        _weights(view),
        _regime(view),
        _alike(view),
        html.Span(view.stress, className="ph-tx2") if view.stress else None,
        html.Span(view.note, className="ph-tx3 ph-fc-note") if view.note else None,
    )


def _weights(view: Grounds) -> Node:
    if not view.weights:
        return None
    parts = [
        html.Span(
            html.Span(f"{name} {text}", className="ph-fc-weight-name"),
            className=f"ph-fc-weight ph-fc-weight-{i % 2}",
            style={"flexGrow": share},
            **attrs({"data-tip": f"{name}: {text} of the combination at the shortest horizon"}),
        )
        for i, (name, share, text) in enumerate(view.weights)
    ]
    said = ", ".join(f"{name} {text}" for name, _, text in view.weights)
    return html.Div(
        parts, className="ph-fc-strip", role="img", **attrs({"aria-label": f"Experts: {said}"})
    )


def _regime(view: Grounds) -> Node:
    if view.stressed is None:
        return None
    calm = html.Span(className="ph-fc-calm", style={"flexGrow": 1 - view.stressed})
    stressed = html.Span(className="ph-fc-stressed", style={"flexGrow": view.stressed})
    bar = html.Span([calm, stressed], className="ph-fc-regime", **attrs({"aria-hidden": "true"}))
    return html.Div([bar, html.Span(view.stressed_words)], className="ph-line ph-fc-regime-line")


def _alike(view: Grounds) -> Node:
    if not view.alike:
        return None
    days = [
        html.Li([html.Strong(each.day), html.Span(f" distance {each.distance}", className="ph-tx3")])
        for each in view.alike
    ]  # fmt: skip
    return html.Div(
        [html.Span("Looked alike", className="ph-tx3"), html.Ul(days, className="ph-fc-alike")],
        className="ph-line",
    )
