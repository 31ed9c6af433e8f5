"""Small graphics of one number: gauges, limit bars, diverging bars, the score's axis, the back-test strip.

Drawn with CSS from a few custom properties, so that a patch of one attribute moves them; nothing moves smoothly.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dash import html

from dashboard import formatting as fmt
from dashboard.components.icons import icon
from dashboard.components.nodes import attrs, classes, present
from dashboard.patches import Patch

GAUGE_SCALE = 1.25
"""A gauge ends at this multiple of its limit, a limit bar at `BAR_SCALE`."""
BAR_SCALE = 1.2
WARN_FROM = 0.8
GREEN_UP_TO, YELLOW_UP_TO, ZONE_WIDTH = 4, 9, 5


def level_of(use: float | None) -> str:
    """Return how near a limit is: "ok" below 80% of it, "warn" from there, "crit" beyond it.

    Examples
    --------
    >>> level_of(0.79), level_of(0.8), level_of(1.0), level_of(1.01), level_of(None)
    ('ok', 'warn', 'warn', 'crit', 'none')
    """
    if use is None:
        return "none"
    if use > 1:
        return "crit"
    return "warn" if use >= WARN_FROM else "ok"


def _share(value: float) -> str:
    return f"{min(1.0, max(0.0, value)):.4f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One method's value inside a gauge's arc."""

    shape: str
    use: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """What a gauge shows.

    Parameters
    ----------
    id : str
        The texts below it have the ids ``{id}-value``, ``{id}-of`` and ``{id}-money``.
    value, unit, name : str
        Centre: "1.06", "%", "ES 95".
    use : float, optional
        Value over limit; None while nothing is known.
    of_limit, money : str
        Below: "85% of limit", "$1,086".
    size : int
        108, 136 or 160.
    is_limited : bool
        False where no limit is set: `use` then only places the arc, and nothing is drawn of a limit.
    """

    id: str
    name: str
    value: str = fmt.UNKNOWN
    unit: str = ""
    use: float | None = None
    of_limit: str = ""
    money: str = ""
    marks: tuple[Mark, ...] = ()
    size: int = 136
    is_limited: bool = True


MARK_SHAPES = {"circle": "●", "diamond": "◆", "triangle": "▲"}


def gauge(view: Gauge) -> html.Figure:
    """Return a gauge: an arc of 240°, the limit as a tick, the zone beyond it, one mark per method."""
    dial = html.Div(
        present(
            html.Span(className="ph-gauge-arc"),
            html.Span(className="ph-gauge-limit"),
            *(_gauge_mark(view, i, mark) for i, mark in enumerate(view.marks)),
            html.Div(
                [
                    html.Span(
                        [
                            html.Span(view.value, id=f"{view.id}-value"),
                            html.Small(view.unit, id=f"{view.id}-unit"),
                        ],
                        className="ph-gauge-value",
                    ),
                    html.Span(view.name, className="ph-gauge-name"),
                ],
                className="ph-gauge-text",
            ),
        ),
        className="ph-gauge-dial",
    )
    foot = [
        html.Span(view.of_limit, id=f"{view.id}-of", className="ph-gauge-of"),
        html.Span(view.money, id=f"{view.id}-money", className="ph-gauge-money")
        if view.money
        else None,
    ]
    return html.Figure(
        present(dial, *foot),
        id=view.id,
        className="ph-gauge",
        role="img",
        style=_gauge_style(view),
        **attrs({"aria-label": gauge_label(view), "data-level": _gauge_level(view)}),
    )


def _gauge_level(view: Gauge) -> str:
    return level_of(view.use) if view.is_limited else "none"


def _gauge_style(view: Gauge) -> dict[str, str]:
    return {"--ph-v": _share((view.use or 0.0) / GAUGE_SCALE), "--ph-size": f"{view.size}px"}


def _gauge_mark(view: Gauge, place: int, mark: Mark) -> html.Span:
    return html.Span(
        html.Span(MARK_SHAPES[mark.shape], className=f"ph-mark-{mark.shape}"),
        id=f"{view.id}-mark-{place}",
        className="ph-gauge-mark",
        style={"--ph-at": _share(mark.use / GAUGE_SCALE)},
        **attrs({"aria-hidden": "true"}),
    )


def gauge_label(view: Gauge) -> str:
    """Return what a reader hears of a gauge."""
    said = [
        f"{view.name} {view.value}{view.unit}",
        view.of_limit,
        *(mark.label for mark in view.marks),
    ]
    return ", ".join(part for part in said if part)


def gauge_patch(view: Gauge) -> Patch:
    """Return what brings a drawn gauge to this state; its number of marks stays."""
    style = "; ".join(f"{name}: {value}" for name, value in _gauge_style(view).items())
    attrs = {
        view.id: {
            "style": style,
            "data-level": _gauge_level(view),
            "aria-label": gauge_label(view),
        }
    }
    for i, mark in enumerate(view.marks):
        attrs[f"{view.id}-mark-{i}"] = {"style": f"--ph-at: {_share(mark.use / GAUGE_SCALE)}"}
    texts = {"value": view.value, "unit": view.unit, "of": view.of_limit}
    if view.money:
        texts["money"] = view.money
    return Patch(text={f"{view.id}-{part}": text for part, text in texts.items()}, attrs=attrs)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitBar:
    """One limit and how much of it is used: name, window, what is left, "1.06%" of "1.25%"."""

    id: str
    name: str
    value: str
    limit: str
    use: float | None
    window: str = ""
    left: str = ""


def limit_bar(view: LimitBar) -> html.Div:
    """Return a row of 42 with a bar on a scale of 1.2 times the limit; the mark is the limit."""
    return html.Div(
        [
            html.Div(
                [
                    html.Span(view.name),
                    html.Span(
                        view.window, id=f"{view.id}-window", className="ph-tx3 ph-t11 ph-cut"
                    ),
                    html.Span(
                        [icon("triangle-alert", 12), html.Span(view.left, id=f"{view.id}-left")],
                        className="ph-limit-left",
                    ),
                    html.Span(
                        [
                            html.Strong(view.value, id=f"{view.id}-value"),
                            html.Span(
                                f" of {view.limit}", id=f"{view.id}-limit", className="ph-tx2"
                            ),
                        ],
                        className="ph-fixed",
                    ),
                ],
                className="ph-limit-text",
            ),
            html.Div(html.Span(className="ph-limit-fill"), className="ph-limit-track"),
        ],
        id=view.id,
        className="ph-limit",
        style={"--ph-v": _share((view.use or 0.0) / BAR_SCALE)},
        **attrs({"data-level": level_of(view.use)}),
    )


def limit_bar_patch(view: LimitBar) -> Patch:
    """Return what brings a drawn limit bar to this state."""
    texts = {
        "window": view.window,
        "left": view.left,
        "value": view.value,
        "limit": f" of {view.limit}",
    }
    attrs = {
        "style": f"--ph-v: {_share((view.use or 0.0) / BAR_SCALE)}",
        "data-level": level_of(view.use),
    }
    return Patch(
        text={f"{view.id}-{part}": text for part, text in texts.items()}, attrs={view.id: attrs}
    )


def diverging_bar(value: float | None, scale: float, *, kind: str = "") -> html.Span:
    """Return a bar left or right of its axis; `scale` is the value that fills one half.

    `kind` replaces the colour of the sign: "grey" for a share or a cost, which is neither good nor bad.
    """
    share = 0.0 if value is None or not scale else min(1.0, abs(value) / scale)
    side = kind or fmt.tone(value) or "none"
    return html.Span(
        html.Span(
            className=classes("ph-div-fill", "ph-div-left" if (value or 0) < 0 else "ph-div-right")
        ),
        className=classes("ph-div", f"ph-div-{side}"),
        style={"--ph-v": f"{share:.4f}"},
        **attrs({"aria-hidden": "true"}),
    )


def score_axis(score: float, threshold: float) -> html.Div:
    """Return the axis from -1 to +1 with the dead zone shaded, the score as a triangle over it."""
    at = (min(1.0, max(-1.0, score)) + 1) / 2
    low, high = (1 - threshold) / 2, (1 + threshold) / 2
    start, end = (at, low) if at < low else (high, at) if at > high else (0.5, 0.5)
    style = {"--ph-at": f"{at:.4f}", "--ph-low": f"{low:.4f}", "--ph-high": f"{high:.4f}"}
    style |= {"--ph-from": f"{start:.4f}", "--ph-to": f"{end:.4f}"}
    ends = (
        ("−1", "0"),
        (fmt.number(-threshold), f"{low:.4f}"),
        (fmt.number(threshold, signed=True), f"{high:.4f}"),
        ("+1", "1"),
    )
    return html.Div(
        [
            html.Span(className="ph-score-mark"),
            html.Span(
                [html.Span(className="ph-score-dead"), html.Span(className="ph-score-fill")],
                className="ph-score-track",
            ),
            *(
                html.Span(text, className="ph-score-end", style={"--ph-at": place})
                for text, place in ends
            ),
        ],
        className="ph-score",
        role="img",
        style=style,
        **attrs(
            {
                "aria-label": f"score {fmt.score(score)}, dead zone up to {fmt.number(threshold)} either way",
                "data-side": "dn" if at < low else "up" if at > high else "none",
            }
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Exceptions:
    """How often a method's VaR 99 was passed in 250 days; methods with one count share a marker."""

    count: int
    shapes: tuple[str, ...]
    label: str


def backtest_strip(results: Sequence[Exceptions]) -> html.Div:
    """Return the Basel zones in thirds with each method's count over its place."""
    marks = [
        html.Span(
            [
                html.Span(
                    [*(MARK_SHAPES[s] for s in result.shapes), f" {result.count}"],
                    className="ph-strip-count",
                ),
                html.Span(className="ph-strip-tip"),
            ],
            className="ph-strip-mark",
            style={"--ph-at": _share(result.count / (3 * ZONE_WIDTH))},
        )
        for result in results
    ]
    zones = [html.Span(className=f"ph-strip-{zone}") for zone in ("green", "yellow", "red")]
    words = [html.Span(text) for text in ("Green 0–4", "Yellow 5–9", "Red 10+")]
    said = "; ".join(f"{r.label} {r.count}, {zone_of(r.count)}" for r in results)
    return html.Div(
        [
            *marks,
            html.Div(zones, className="ph-strip-zones"),
            html.Div(words, className="ph-strip-words"),
        ],
        className="ph-strip",
        role="img",
        **attrs({"aria-label": f"exceptions of VaR 99 in 250 days: {said}"}),
    )


def zone_of(count: int) -> str:
    """Return the Basel zone of a count of exceptions: "green", "yellow" or "red"."""
    if count <= GREEN_UP_TO:
        return "green"
    return "yellow" if count <= YELLOW_UP_TO else "red"
