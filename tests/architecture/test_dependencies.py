"""What the program imports it also declares, and what it declares it imports."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
OWN = {"dashboard", "engine", "benchmarks"}
NOT_IMPORTED = {"tzdata"}  # zoneinfo reads it where the system has no time zones
"""Declared for another library's sake."""


def declared() -> set[str]:
    lines = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    return {_plain(re.match(r"[\w.-]+", line).group()) for line in lines}  # type: ignore[union-attr]


PART_OF = {"pydantic-core": "pydantic"}
"""Released and pinned with another."""


def _plain(name: str) -> str:
    plain = re.sub(r"[-_.]+", "-", name).lower()
    return PART_OF.get(plain, plain)


def imported(*folders: str) -> dict[str, str]:
    """Return the top-level names of other people's packages, each with a file that imports it."""
    found: dict[str, str] = {}
    for folder in folders:
        for file in (ROOT / folder).rglob("*.py"):
            for name in _names(ast.parse(file.read_text(encoding="utf-8"))):
                found.setdefault(name, str(file.relative_to(ROOT)))
    return {n: f for n, f in found.items() if n not in OWN | set(sys.stdlib_module_names)}


def _names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def test_every_imported_package_is_declared():
    """A wheel installed elsewhere brings what is declared, and nothing else."""
    homes = packages_distributions()
    of = {name: {_plain(d) for d in homes[name]} for name in imported("engine", "dashboard")}
    missing = {
        n: imported("engine", "dashboard")[n] for n, homes in of.items() if not homes & declared()
    }
    assert missing == {}


def test_every_declared_package_is_imported():
    homes = packages_distributions()
    used = {
        _plain(d) for name in imported("engine", "dashboard", "benchmarks") for d in homes[name]
    }
    assert declared() - used - NOT_IMPORTED == set()
    assert not NOT_IMPORTED & used
