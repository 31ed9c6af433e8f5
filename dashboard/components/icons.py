"""Lucide icons as masks over the text colour (`assets/05-icons.css`); only those listed here are shipped."""

from dash import html

from dashboard.components.nodes import attrs, classes
from engine.domain.errors import must

ICONS = frozenset(
    {
        "activity",
        "arrow-down",
        "arrow-down-up",
        "arrow-right",
        "arrow-up",
        "arrow-up-right",
        "ban",
        "bell",
        "bell-off",
        "book-open",
        "bot",
        "briefcase",
        "calendar",
        "camera",
        "candlestick-chart",
        "check",
        "chevron-down",
        "chevron-left",
        "chevron-right",
        "chevron-up",
        "circle-check",
        "circle-dashed",
        "circle-pause",
        "circle-play",
        "circle-stop",
        "circle-x",
        "clock",
        "copy",
        "corner-down-right",
        "database",
        "download",
        "ellipsis",
        "expand",
        "external-link",
        "eye",
        "eye-off",
        "fast-forward",
        "file-json",
        "flask-conical",
        "gauge",
        "git-commit-horizontal",
        "git-compare",
        "grid-2x2",
        "history",
        "info",
        "key-round",
        "keyboard",
        "layers",
        "link-2",
        "list-filter",
        "loader",
        "lock",
        "lock-open",
        "maximize-2",
        "menu",
        "minus",
        "moon",
        "octagon-x",
        "palette",
        "pause",
        "pencil",
        "play",
        "plus",
        "radio",
        "refresh-cw",
        "rotate-ccw",
        "rotate-cw",
        "scale",
        "search",
        "send",
        "settings",
        "shield-alert",
        "ship-wheel",
        "skip-back",
        "skip-forward",
        "sliders-horizontal",
        "square",
        "step-back",
        "step-forward",
        "sun",
        "table",
        "timer",
        "trash-2",
        "trending-up",
        "triangle-alert",
        "undo-2",
        "upload",
        "user",
        "wifi-off",
        "workflow",
        "x",
        "zap",
    }
)
"""Names of the shipped icons, as Lucide has them."""


def icon(name: str, size: int = 16, *, class_name: str = "") -> html.Span:
    """Return an icon of 12, 14, 16 or 20 px; it is decoration, the word beside it carries the meaning.

    Raises
    ------
    InvalidValueError
        If the icon is not shipped.
    """
    if name not in ICONS:
        raise must(
            "icon",
            "be shipped in assets/05-icons.css",
            name,
            "add its outline there and its name to ICONS",
        )
    size_class = None if size == 16 else f"ph-i-{size}"  # noqa: PLR2004 -- the size that needs no class
    return html.Span(
        className=classes("ph-i", size_class, f"ph-i-{name}", class_name),
        **attrs({"aria-hidden": "true"}),
    )
