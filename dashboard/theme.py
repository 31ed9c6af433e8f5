"""The colours of both themes and what each is laid on; `assets/00-tokens.css` says the same, held to it by a test.

Figures name a colour as ``var(--ph-acc)`` and leave it to the browser, so one encoding serves both themes.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Theme(StrEnum):
    """The value of ``data-bs-theme`` on the root element."""

    DARK = "dark"
    LIGHT = "light"


TOKENS: Mapping[Theme, Mapping[str, str]] = MappingProxyType(
    {
        Theme.DARK: MappingProxyType(
            {
                "bg": "#0B0E12",
                "s1": "#12161C",
                "s2": "#1A1F27",
                "s3": "#242B35",
                "line": "#232A33",
                "ctl": "#5E6B7C",
                "tx": "#E8ECF1",
                "tx2": "#A9B4C2",
                "tx3": "#8793A3",
                "acc": "#9AA5FF",
                "on-acc": "#0B0E12",
                "up": "#2CC7B4",
                "dn": "#FF8552",
                "warn": "#F2C14E",
                "warn-f": "#F2C14E",
                "crit": "#FF5D73",
                "on-crit": "#1A0509",
                "heat": "#5660BC",
            }
        ),
        Theme.LIGHT: MappingProxyType(
            {
                "bg": "#EEF1F5",
                "s1": "#FFFFFF",
                "s2": "#F4F6F9",
                "s3": "#E3E8EE",
                "line": "#E1E6ED",
                "ctl": "#7F8B9A",
                "tx": "#11161D",
                "tx2": "#465364",
                "tx3": "#5B6878",
                "acc": "#4A4FD8",
                "on-acc": "#FFFFFF",
                "up": "#05655F",
                "dn": "#A83A0B",
                "warn": "#8A5A00",
                "warn-f": "#C77F00",
                "crit": "#C3123A",
                "on-crit": "#FFFFFF",
                "heat": "#8387E6",
            }
        ),
    }
)

SOFT_OPACITY: Mapping[Theme, Mapping[str, float]] = MappingProxyType(
    {
        Theme.DARK: MappingProxyType(
            {"acc": 0.14, "up": 0.14, "dn": 0.14, "warn": 0.14, "crit": 0.14}
        ),
        Theme.LIGHT: MappingProxyType(
            {"acc": 0.10, "up": 0.10, "dn": 0.09, "warn": 0.16, "crit": 0.09}
        ),
    }
)
"""Fill behind pills and selected rows: the colour at this opacity, as token ``acc-s`` and so on."""

SURFACES = ("s1", "s2", "s3")
TEXTS = ("tx", "tx2", "tx3", "acc", "up", "dn", "warn", "crit")
"""Tokens that may colour text on every surface."""

GRAPHICS = ("ctl", "warn-f")
"""Tokens that only ever draw: outlines, arcs, bars."""


def token(name: str, opacity: float | None = None) -> str:
    """Return the colour as figures write it; the browser puts in the value of the theme.

    Examples
    --------
    >>> token("acc"), token("acc", 0.17)
    ('var(--ph-acc)', 'var(--ph-acc|0.17)')
    """
    return f"var(--ph-{name})" if opacity is None else f"var(--ph-{name}|{opacity:g})"


def _channels(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def blend(colour: str, opacity: float, surface: str) -> str:
    """Return what a colour at an opacity looks like over a surface, as ``#RRGGBB``.

    Examples
    --------
    >>> blend("#FFFFFF", 0.5, "#000000")
    '#808080'
    """
    mixed = (
        opacity * over + (1 - opacity) * under
        for over, under in zip(_channels(colour), _channels(surface), strict=True)
    )
    return "#" + "".join(f"{round(channel * 255):02X}" for channel in mixed)


def luminance(colour: str) -> float:
    """Return the relative luminance of an sRGB colour, 0 to 1 (WCAG 2.2)."""
    red, green, blue = map(_linear, _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    is_dark = channel <= 0.04045  # noqa: PLR2004 -- where sRGB's straight part ends
    return channel / 12.92 if is_dark else ((channel + 0.055) / 1.055) ** 2.4


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21.

    Examples
    --------
    >>> round(contrast("#000000", "#FFFFFF"), 1)
    21.0
    """
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)
