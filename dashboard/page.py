"""What a page tells the application: where it lives and which of its parts move.

A page module holds `PAGE`, `layout(gateway, query)`, `register(app, gateway)` and `LIVE`;
the composition root collects them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from dash import Dash
from dash.development.base_component import Component
from fastapi import APIRouter

from dashboard.patches import Patch
from engine.domain.sections import Snapshot

Render = Callable[[Snapshot, str], Patch]
"""(sections, argument of the topic) to the complete newest state of the part."""

Layout = Callable[[Any, Mapping[str, str]], Component]
"""(gateway, query of the address) to the page, drawn with what is known now."""

Register = Callable[[Dash, Any], None]
"""(app, gateway): puts the page's callbacks on the app given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of the dashboard.

    Parameters
    ----------
    path : str
        Address, starting with a slash.
    title : str
        Name in the rail, the palette and the window.
    icon : str
        Lucide name of the icon in the rail.
    key : str
        Letter that opens it after "g".
    """

    path: str
    title: str
    icon: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LivePart:
    """A part of a page that the live transport keeps up to date.

    Parameters
    ----------
    name : str
        What a topic starts with, like "risk.gauges"; the topic may go on with ":ARGUMENT".
    sections : tuple of str
        What it is drawn from. ``{arg}`` stands for the argument up to its first colon,
        ``kind:*`` for every subject of a kind.
    render : callable
        Pure: the same sections give the same patch.
    min_interval_s : float
        Rendered at most this often.
    is_slow : bool
        Rendered in a thread, because it takes more than a few milliseconds.
    is_urgent : bool
        Rendered and sent before all others: a price does not wait for a chart.
    """

    name: str
    sections: tuple[str, ...]
    render: Render
    min_interval_s: float = 0.2
    is_slow: bool = False
    is_urgent: bool = False

    def section_names(self, argument: str) -> tuple[str, ...]:
        """Return the section names with the argument filled in; a ``*`` at the end stays."""
        subject = argument.partition(":")[0]
        return tuple(name.replace("{arg}", subject) for name in self.sections)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageModule:
    """A page with what its module gives.

    `sample` draws what appears only once something is known (rows with pattern ids), so that Dash can check
    the ids of every callback at the start; a module gives it as ``sample_layout()``. `routes` answers what the page's
    script asks without Dash between them; a module gives it as ``build_routes(gateway)``.
    """

    page: Page
    layout: Layout
    register: Register
    live: tuple[LivePart, ...] = ()
    routes: Callable[[Any], APIRouter] | None = None
    sample: Callable[[], Component] | None = None

    @classmethod
    def of(cls, module: ModuleType) -> "PageModule":
        """Return the page that a module of `dashboard.pages` defines."""
        return cls(
            page=module.PAGE,
            layout=module.layout,
            register=module.register,
            live=tuple(getattr(module, "LIVE", ())),
            routes=getattr(module, "build_routes", None),
            sample=getattr(module, "sample_layout", None),
        )
