"""The report card as plain elements: coverage with its intervals, outcomes by tenth, skill, grades."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashboard import formatting as fmt
from dashboard.components.icons import icon
from dashboard.components.nodes import Node, attrs, classes, present
from dashboard.components.panels import empty_state
from dashboard.components.pills import grade
from dashboard.components.tables import Column, Row, table
from dashboard.views.report_card import BANDS, Cover, LevelReport, Pit, ReportView, Skill

NEEDS = (
    "Every forecast is stored and settled at its horizon; the first grade needs "
    f"{fmt.MIN_SAMPLE} that don't overlap."
)


def report(view: ReportView, *, is_all: bool) -> list[Component | str]:
    """Return the card of one level beside the others, or of all five."""
    if not view.is_known:
        walk = f" History is being rehearsed: {view.walked_words}." if view.walked_words else ""
        return [
            empty_state(
                "circle-dashed",
                f"No grade yet at {view.horizon}, n = 0 of {fmt.MIN_SAMPLE}",
                NEEDS + walk,
            )
        ]
    parts = [_coverage(view), _pits(view) if is_all else _pit(view)]
    parts.append(_grades(view) if is_all else _skills(view))
    return [html.Div(parts, className=classes("ph-rc", "ph-rc-all" if is_all else None))]


def progress(view: ReportView) -> list[Component | str]:
    """Return how far the rehearsal is, nothing when it is over."""
    if view.walked is None:
        return []
    bar = html.Span(
        html.Span(style={"width": f"{100 * view.walked:.1f}%"}),
        className="ph-rc-walk",
        role="progressbar",
        **attrs({"aria-label": view.walked_words, "aria-valuenow": f"{100 * view.walked:.0f}",
                 "aria-valuemin": "0", "aria-valuemax": "100"}),
    )  # fmt: skip
    return [bar, html.Span(view.walked_words, className="ph-tx2 ph-t12")]


def _title(text: str, remark: str, *more: Node) -> html.Div:
    return html.Div(
        present(html.H3(text), html.Span(remark, className="ph-tx3 ph-t12 ph-cut"), *more),
        className="ph-line ph-rc-title",
    )


# -- coverage ----------------------------------------------------------------------------------------------


def _coverage(view: ReportView) -> html.Div:
    heads = [html.Span("")] + [
        html.Span(html.Span(f"{band}%", style={"left": _at(target)}), className="ph-rc-target")
        for band, target in zip(BANDS, view.targets, strict=True)
    ]
    cells: list[Component] = []
    for level in view.levels:
        cells.append(_name(level))
        cells += (
            [_whisker(cover, level.is_chosen) for cover in level.covers]
            if level.covers
            else [html.Span(fmt.sample(level.n), className="ph-tx3 ph-t11 ph-rc-none")]
        )
    key = html.Span(
        [html.Span(className="ph-rc-miss"), "misses its target"],
        className="ph-tx2 ph-t11 ph-rc-key",
    )
    return html.Div(
        [
            _title("Coverage", "observed share with 95% Wilson interval", key),
            html.Div([*heads, *cells], className="ph-rc-cover"),
        ]
    )


def _name(level: LevelReport) -> html.Strong:
    return html.Strong(f"L{level.level}", className="ph-acc" if level.is_chosen else None)


def _at(place: float) -> str:
    return f"{100 * place:.1f}%"


def _from_right(place: float) -> str:
    return _at(1 - place)


def _whisker(cover: Cover, is_chosen: bool) -> html.Span:
    tone = "ph-rc-missed" if not cover.is_met else "ph-rc-chosen" if is_chosen else None
    return html.Span(
        [
            html.Span(className="ph-rc-goal", style={"left": _at(cover.target_at)}),
            html.Span(className="ph-rc-line", style={"left": _at(cover.low_at), "right": _from_right(cover.high_at)}),
            html.Span(className="ph-rc-dot" if cover.is_met else "ph-rc-miss", style={"left": _at(cover.at)}),
            html.Span(cover.text, className="ph-rc-share ph-t11", style={"left": _at(cover.at)}),
        ],
        className=classes("ph-rc-whisker", tone),
        role="img",
        **attrs({"aria-label": cover.words, "data-tip": cover.words}),
    )  # fmt: skip


# -- PIT ---------------------------------------------------------------------------------------------------


def _bars(pit: Pit, is_chosen: bool) -> html.Div:
    foot, height = pit.strip
    return html.Div(
        [
            html.Span(className="ph-pit-strip", style={"bottom": _at(foot), "height": _at(height)}),
            *[
                html.Span(
                    className=classes("ph-pit-bar", "ph-pit-out" if out else None),
                    style={"height": _at(share)},
                )
                for share, out in zip(pit.heights, pit.out, strict=True)
            ],
            html.Span(className="ph-pit-even", style={"bottom": _at(pit.even_at)}),
        ],
        className=classes("ph-pit", "ph-pit-chosen" if is_chosen else None),
        role="img",
        **attrs({"aria-label": pit.words, "data-tip": pit.words}),
    )


def _pit(view: ReportView) -> html.Div:
    level = next((x for x in view.levels if x.is_chosen), view.levels[0])
    title = f"PIT, level {level.level}"
    if level.pit is None:
        text = html.P(f"Level {level.level}: {fmt.sample(level.n)}.", className="ph-tx3 ph-t12")
        return html.Div([_title(title, "flat means calibrated"), text])
    ticks = [html.Span(text, style={"bottom": _at(place)}) for text, place in level.pit.ticks]
    words = f"{level.pit.n_out} of 10 outside the 95% strip {level.pit.low} to {level.pit.high}"
    return html.Div(
        [
            _title(title, f"flat means calibrated, n = {level.n}"),
            html.Div(
                [
                    html.Div(ticks, className="ph-pit-ticks ph-t11", **attrs({"aria-hidden": "true"})),
                    _bars(level.pit, is_chosen=True),
                ],
                className="ph-pit-large",
            ),
            html.Div(
                [html.Span("0"), html.Span(words, className="ph-warn" if level.pit.n_out else None), html.Span("1")],
                className="ph-pit-foot ph-t11",
            ),
        ]
    )  # fmt: skip


def _pits(view: ReportView) -> html.Div:
    rows: list[Component] = []
    for level in view.levels:
        rows.append(_name(level))
        if level.pit is None:
            rows += [html.Span(fmt.sample(level.n), className="ph-tx3 ph-t11"), html.Span("")]
            continue
        out = html.Span(
            f"{level.pit.n_out} of 10 out", className="ph-warn" if level.pit.n_out else "ph-tx3"
        )
        rows += [_bars(level.pit, level.is_chosen), out]
    return html.Div(
        [_title("PIT", "flat means calibrated"), html.Div(rows, className="ph-pit-rows ph-t12")]
    )


# -- skill and grades --------------------------------------------------------------------------------------


def _skills(view: ReportView) -> html.Div:
    rows: list[Component] = []
    for level in view.levels:
        rows += [_name(level), _skill_bar(level, view.zero)]
    return html.Div(
        [
            _title("CRPS skill vs level 1", view.horizon),
            html.Div(rows, className="ph-rc-skill ph-t12"),
            _verdict(view),
        ]
    )  # fmt: skip


def _skill_bar(level: LevelReport, zero: float) -> html.Span:
    line = html.Span(className="ph-rc-zero", style={"left": _at(zero)})
    bar = level.bar
    if bar is None:
        text = "reference" if level.skill.value is not None else fmt.sample(level.n)
        style = {"right": _from_right(zero)}
        return html.Span([line, html.Span(text, className="ph-rc-skill-words", style=style)])
    drawn = html.Span(
        className=classes("ph-rc-skill-bar", "ph-rc-skill-chosen" if level.is_chosen else None),
        style={"left": _at(bar.start), "right": _from_right(bar.end)},
    )
    beside = {"right": _from_right(bar.start)} if bar.is_worse else {"left": _at(bar.end)}
    return html.Span(
        [line, drawn, html.Span(level.skill.text, className="ph-rc-skill-words", style=beside)]
    )


def _verdict(view: ReportView) -> html.Div:
    faults = [
        html.P([icon("triangle-alert", 12), " ", fault], className="ph-warn ph-t12") for fault in view.faults
    ]  # fmt: skip
    verdict = html.P(view.verdict, className="ph-tx2 ph-t12") if view.verdict else None
    return html.Div(present(verdict, *faults), className="ph-rc-verdict")


def _grades(view: ReportView) -> html.Div:
    heads = [Column(_horizon(words, n)) for _, words, n in view.horizons]
    rows = [
        Row(
            cells=[html.Strong(f"L{level.level}"), *[_graded(skill) for skill in level.grades]],
            is_selected=level.is_chosen,
        )
        for level in view.levels
    ]
    drawn = table(
        [Column("Level", is_number=False, width="44px"), *heads],
        rows,
        caption="CRPS skill against level 1 and grade of coverage at each horizon",
        class_name="ph-rc-grades",
    )
    return html.Div([_title("CRPS skill against level 1, grade", ""), drawn, _verdict(view)])


def _horizon(words: str, n: int) -> str:
    return f"{words} n {fmt.count(n)}"


def _graded(skill: Skill) -> html.Span:
    tone = "ph-strong" if skill.value is not None and fmt.tone(skill.value, 3) == "up" else "ph-tx2"
    return html.Span(
        [html.Span(skill.text, className=tone), grade(skill.letter, skill.horizon, skill.n)]
    )


def horizon_labels(horizons: Sequence[tuple[int, str, int]]) -> dict[str, str]:
    """Return the n behind each horizon by the id of its words."""
    return {n_id(h): f"n {fmt.count(n)}" for h, _, n in horizons}


def n_id(horizon: int) -> str:
    """Return the id of the n behind a horizon."""
    return f"forecast-n-{horizon}"
