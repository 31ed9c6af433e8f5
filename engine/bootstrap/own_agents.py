"""Agents of one's own: named in the configuration file, found by dotted path or as an installed entry point.

Only what the configuration names is loaded: an installed package alone starts nothing.
"""

import hashlib
import inspect
from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

from engine.agents.base import BaseAgent
from engine.domain.errors import ConfigurationError
from engine.settings.parts import AgentPart

GROUP = "pilothouse.agents"
"""Entry point group that packages use to offer agents."""


def load_kind(name: str, use: str) -> type[BaseAgent]:
    """Return the class of an agent.

    Parameters
    ----------
    name : str
        Its name in the configuration, for messages.
    use : str
        ``package.module:Class``, or the name of an entry point of the group ``pilothouse.agents``.

    Raises
    ------
    ConfigurationError
        It cannot be found or imported, or is no agent; the message names the setting.
    """
    field = f"agents.{name}.use"
    try:
        found = _imported(use) if ":" in use else _offered(use)
    except Exception as error:
        raise ConfigurationError(
            f"{field} must name a class that can be imported, was {use!r} ({type(error).__name__}: {error}); "
            "correct the path or install its package"
        ) from error
    if not (inspect.isclass(found) and issubclass(found, BaseAgent)):
        raise ConfigurationError(
            f"{field} must be a subclass of engine.BaseAgent, was {use!r}; see docs/how-to/write-an-agent.md"
        )
    return found


def _imported(use: str) -> object:
    module, _, attribute = use.partition(":")
    return getattr(import_module(module), attribute)


def _offered(use: str) -> object:
    offered = entry_points(group=GROUP)
    if use not in offered.names:
        known = ", ".join(sorted(offered.names)) or "none"
        raise LookupError(f"entry points of {GROUP}: {known}")
    return offered[use].load()


def load_kinds(
    parts: Mapping[str, AgentPart], taken: Iterable[str]
) -> dict[str, tuple[type[BaseAgent], AgentPart]]:
    """Return class and configuration of every agent that is enabled, by name.

    Raises
    ------
    ConfigurationError
        A name is taken by an agent of the crew, or a class cannot be used.
    """
    names = frozenset(taken)
    for name in parts:
        if name in names:
            raise ConfigurationError(
                f"agents.{name} must have a name of its own, was that of a built-in agent; choose another"
            )
    return {name: (load_kind(name, part.use), part) for name, part in parts.items() if part.enabled}


def sources_hash(kinds: Iterable[type[BaseAgent]]) -> str:
    """Return a hash over the modules that define the agents, empty for none: they are code of the run."""
    digest, count = hashlib.sha256(), 0
    for kind in kinds:
        file = inspect.getsourcefile(kind)
        digest.update(f"{kind.__module__}.{kind.__qualname__}".encode())
        digest.update(b"" if file is None else Path(file).read_bytes())
        count += 1
    return digest.hexdigest()[:12] if count else ""
