"""One entry against the kernel that answers it: passed, failed, uncovered or without data."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from engine.domain.errors import PilothouseError, is_number
from tests.references.answers import UNKNOWN, find_answer, left_out, reason_for
from tests.references.inputs import Case, MissingDataError, UnknownFormError


class Verdict(StrEnum):
    """What came of an entry."""

    PASSED = "passed"
    FAILED = "failed"
    UNCOVERED = "uncovered"
    NO_DATA = "no data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """A value that is not what was expected; `name` is empty where the entry has only one."""

    name: str
    expected: object
    actual: object
    allowed: float

    def __str__(self) -> str:
        named = f"{self.name}: " if self.name else ""
        return f"{named}expected {self.expected}, was {self.actual}, allowed {self.allowed:.3g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one entry.

    Parameters
    ----------
    entry_id, name : str
        As in the file; the name with its group.
    verdict : Verdict
    reason : str
        Why it is uncovered, without data, or could not be compared.
    misses : tuple of Miss
        Values that differ.
    left_out : dict of str to str
        Values of a covered entry that no kernel answers, with their reasons.
    """

    entry_id: str
    name: str
    verdict: Verdict
    reason: str = ""
    misses: tuple[Miss, ...] = ()
    left_out: Mapping[str, str]


def check(case: Case) -> Outcome:
    """Return what the kernel says of an entry."""
    entry = case.entry
    group, name = str(entry["group"]), str(entry["name"])
    answer = find_answer(group, name)
    if answer is None:
        return _outcome(case, Verdict.UNCOVERED, reason_for(group, name))
    try:
        actual = answer(case)
    except MissingDataError as error:
        return _outcome(case, Verdict.NO_DATA, str(error))
    except UnknownFormError as error:
        return _outcome(case, Verdict.UNCOVERED, str(error))
    except (PilothouseError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        return _outcome(case, Verdict.FAILED, f"no answer: {type(error).__name__}: {error}")
    return _compared(case, _as_dict(actual))


def _compared(case: Case, actual: Mapping[str, object]) -> Outcome:
    expected = _as_dict(case.entry["expected"])
    known = left_out(case.entry["group"], case.entry["name"])
    unanswered = {name: known.get(name, UNKNOWN) for name in expected if name not in actual}
    if len(unanswered) == len(expected):
        return _outcome(case, Verdict.UNCOVERED, UNKNOWN)
    misses = []
    for name in expected.keys() & actual.keys():
        allowed = tolerance(case, expected[name])
        if not _is_within(actual[name], expected[name], allowed):
            misses.append(
                Miss(name=name, expected=expected[name], actual=actual[name], allowed=allowed)
            )
    return Outcome(
        entry_id=str(case.entry["id"]), name=_name(case),
        verdict=Verdict.FAILED if misses else Verdict.PASSED,
        misses=tuple(sorted(misses, key=lambda miss: miss.name)), left_out=unanswered,
    )  # fmt: skip


def tolerance(case: Case, expected: object) -> float:
    """Return how far a value may lie from the expected one: the wider of both tolerances of the entry."""
    size = abs(expected) if is_number(expected) else 0.0
    relative, absolute = case.entry.get("tol_rel") or 0.0, case.entry.get("tol_abs") or 0.0
    return max(absolute, relative * size)


def _is_within(actual: object, expected: object, allowed: float) -> bool:
    return is_number(actual) and is_number(expected) and abs(actual - expected) <= allowed


def _as_dict(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {"": value}


def _outcome(case: Case, verdict: Verdict, reason: str) -> Outcome:
    return Outcome(
        entry_id=str(case.entry["id"]),
        name=_name(case),
        verdict=verdict,
        reason=reason,
        left_out={},
    )


def _name(case: Case) -> str:
    return f"{case.entry['group']}.{case.entry['name']}"
