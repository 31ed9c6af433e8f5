"""The pages: every module here is one, found by being here, shown in the order of the rail."""

import pkgutil
from importlib import import_module

from dashboard.page import PageModule

_RAIL = (
    "Markets",
    "Forecast",
    "Risk",
    "Strategies",
    "Agents",
    "Portfolio",
    "Lab",
    "Workflows",
    "Journal",
    "Settings",
)


def page_modules() -> tuple[PageModule, ...]:
    """Return every page that exists, in the order of the rail; unknown titles come last."""
    names = [item.name for item in pkgutil.iter_modules(__path__) if not item.name.startswith("_")]
    pages = [PageModule.of(import_module(f"{__name__}.{name}")) for name in names]
    return tuple(sorted(pages, key=_place))


def _place(module: PageModule) -> tuple[int, str]:
    title = module.page.title
    return (_RAIL.index(title) if title in _RAIL else len(_RAIL), title)
