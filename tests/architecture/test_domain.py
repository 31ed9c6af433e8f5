"""Meaning is immutable: every class of the domain that holds values is frozen, slotted and keyword-only."""

import dataclasses
import importlib
import inspect
import pkgutil

import pytest

import engine.domain

POSITIONAL = {"Event", "StrategyContext", "Section", "Snapshot"}
"""Built by hand in the founding documents' own examples, or positional for speed."""


def domain_classes() -> list[type]:
    found = []
    for info in pkgutil.iter_modules(engine.domain.__path__):
        module = importlib.import_module(f"engine.domain.{info.name}")
        found += [
            c
            for _, c in inspect.getmembers(module, inspect.isclass)
            if c.__module__ == module.__name__
        ]
    return found


VALUES = [c for c in domain_classes() if dataclasses.is_dataclass(c)]


def test_the_domain_has_value_classes() -> None:
    assert len(VALUES) > 40


@pytest.mark.parametrize("cls", VALUES, ids=lambda c: c.__name__)
def test_a_value_class_is_frozen_slotted_and_keyword_only(cls: type) -> None:
    params = cls.__dataclass_params__
    assert params.frozen
    assert "__slots__" in cls.__dict__
    assert cls.__name__ in POSITIONAL or all(f.kw_only for f in dataclasses.fields(cls))
