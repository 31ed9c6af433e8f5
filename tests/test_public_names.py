"""The lazy table of `engine`, its stub and what importing it costs."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import engine

STUB = Path(engine.__file__).with_suffix(".pyi")
HEAVY = ("numpy", "pandas", "sqlalchemy", "msgspec", "diskcache", "apscheduler", "asyncio")


def _names_of_the_stub() -> dict[str, tuple[str, str]]:
    """Public name -> (module, name there), as the stub says."""
    found: dict[str, tuple[str, str]] = {}
    for node in ast.parse(STUB.read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                assert alias.asname, f"{alias.name} is not re-exported; write `as {alias.name}`"
                found[alias.asname] = (node.module, alias.name)
        elif isinstance(node, ast.Assign):
            found[node.targets[0].id] = found[node.value.id]
    return found


def test_the_stub_and_the_table_name_the_same_things():
    table = {
        name: (home, engine._OTHER_NAMES.get(name, name)) for name, home in engine._HOMES.items()
    }
    assert _names_of_the_stub() == table


def test_public_names_are_sorted_and_listed():
    assert engine.__all__ == sorted(engine.__all__)
    assert set(engine.__all__) <= set(dir(engine))


@pytest.mark.parametrize("name", sorted(engine._HOMES))
def test_each_public_name_leads_to_its_module(name):
    home = importlib.import_module(engine._HOMES[name])
    assert getattr(engine, name) is getattr(home, engine._OTHER_NAMES.get(name, name))


def test_an_unknown_name_is_an_attribute_error_that_repeats_it():
    with pytest.raises(AttributeError, match="NoSuchThing"):
        _ = engine.NoSuchThing


def _modules_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys; print('\\n'.join(sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return set(run.stdout.split())


def test_importing_the_engine_loads_nothing_heavy():
    assert not _modules_after("import engine") & set(HEAVY)
    assert "numpy" in _modules_after("from engine import Signal"), "control: the probe sees numpy"
