"""Which kernel answers which entry, by (group, name); what none answers, each with its reason.

A name may hold the wildcards of `fnmatch`: an exact name comes before a pattern, patterns in the order written.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import TypeVar

from tests.references import law_answers, returns_answers, trading_answers
from tests.references.returns_answers import Answer

Key = tuple[str, str]
Found = TypeVar("Found")

ANSWERS: dict[Key, Answer] = returns_answers.ANSWERS | law_answers.ANSWERS | trading_answers.ANSWERS
NOT_BUILT: dict[Key, str] = {
    ("bt", "*"): "the back-test of the lab is not built",
    (
        "garch",
        "demgbp_benchmark",
    ): "the fit starts as the library arch does, from weighted early shocks; the benchmark starts from the mean of all",
    (
        "regime",
        "hamilton1989",
    ): "the kernel knows regimes of mean and variance, not of the mean of an AR(4)",
    ("risk", "VaR_hist_linear"): "not adopted: the historical value at risk is an observed loss",
}
UNKNOWN = "no kernel is known here that answers this name"
LEFT_OUT: dict[Key, dict[str, str]] = {
    ("mc", "gbm_terminal"): dict.fromkeys(
        ("var", "prob_touch_90pct", "ES95"), "no screen shows it"
    ),
}


def find_answer(group: str, name: str) -> Answer | None:
    """Return what answers an entry, None where nothing does."""
    return _find(ANSWERS, (group, name))


def reason_for(group: str, name: str) -> str:
    """Return why nothing answers an entry."""
    return _find(NOT_BUILT, (group, name)) or UNKNOWN


def left_out(group: str, name: str) -> dict[str, str]:
    """Return the values of an answered entry that are not answered, with their reasons."""
    return LEFT_OUT.get((group, name), {})


def _find(table: Mapping[Key, Found], key: Key) -> Found | None:
    if key in table:
        return table[key]
    group, name = key
    for (its_group, pattern), found in table.items():
        if its_group == group and fnmatchcase(name, pattern):
            return found
    return None
