"""A series as a line of 56 x 20, drawn as a mask so that it takes the colour of the theme."""

from collections.abc import Sequence
from urllib.parse import quote

from dash import html

from dashboard.components.nodes import attrs, optional_id
from dashboard.patches import Patch

SPARK_WIDTH, SPARK_HEIGHT = 56, 20
_SPARK_MARGIN = 2.0
_MIN_POINTS = 2


def _spark_y(values: Sequence[float]) -> list[float]:
    low, high = min(values), max(values)
    extent = (high - low) or 1.0
    inner = SPARK_HEIGHT - 2 * _SPARK_MARGIN
    middle = 0.5 if high == low else 0.0
    return [_SPARK_MARGIN + inner * (1.0 - (value - low) / extent - middle) for value in values]


def sparkline_style(values: Sequence[float]) -> dict[str, str]:
    """Return the custom properties that draw a line: a mask, so it takes the text's colour, and the end's height.

    Shape (n,) oldest first; fewer than two values draw nothing.
    """
    if len(values) < _MIN_POINTS:
        return {"--ph-spark": "none"}
    heights = _spark_y(values)
    step = (SPARK_WIDTH - 3) / (len(values) - 1)
    path = " ".join(f"{i * step:.1f},{y:.1f}" for i, y in enumerate(heights))
    svg = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {SPARK_WIDTH} {SPARK_HEIGHT}'>"
        f"<polyline points='{path}' fill='none' stroke='black' stroke-width='1.25' stroke-linejoin='round'/></svg>"
    )
    address = "data:image/svg+xml," + quote(svg, safe=" =:/,'")
    return {"--ph-spark": f'url("{address}")', "--ph-end": f"{heights[-1] / SPARK_HEIGHT:.3f}"}


def sparkline(
    values: Sequence[float], *, label: str, id: str | None = None, tone: str = ""
) -> html.Span:
    """Return a grey line of 56 x 20 with its end dot in the colour of `tone` ("up", "dn" or "")."""
    return html.Span(
        className="ph-spark",
        role="img",
        style=sparkline_style(values),
        **optional_id(id),
        **attrs(
            {
                "aria-label": label,
                "data-tone": tone or "none",
                "data-empty": str(len(values) < _MIN_POINTS).lower(),
            }
        ),
    )


def sparkline_patch(id: str, values: Sequence[float], *, label: str, tone: str = "") -> Patch:
    """Return what brings a drawn sparkline to these values."""
    style = "; ".join(f"{name}: {value}" for name, value in sparkline_style(values).items())
    empty = str(len(values) < _MIN_POINTS).lower()
    return Patch(
        attrs={
            id: {
                "style": style,
                "aria-label": label,
                "data-tone": tone or "none",
                "data-empty": empty,
            }
        }
    )
