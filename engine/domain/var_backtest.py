"""Values at risk held against what the bar after them lost: outcomes, and what they say of each method.

Returns are simple, values at risk positive fractions; an exception is a loss above the value stated before.
"""

from dataclasses import dataclass

from engine.domain.payload import Payload

METHODS = ("historical", "parametric", "monte_carlo")
CONFIDENCES = (0.95, 0.99)
COLUMNS = tuple((method, confidence) for method in METHODS for confidence in CONFIDENCES)
"""What the values of an outcome are, in order."""
N_BARS = 250
"""Outcomes that a back-test looks back on: a year of days, for which Basel defines its zones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VarOutcome(Payload):
    """One closed bar.

    Parameters
    ----------
    at : int
        When it closed, epoch seconds.
    change : float
        Its simple return.
    stated : tuple of six floats or None
        What was stated at the close before, as `COLUMNS` says; None where a method gave nothing.
    """

    at: int
    change: float
    stated: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VarsSettled(Payload):
    """Outcomes of one scope, oldest first: the payload of VAR_SETTLED (as they came) and VAR_WALKED (of the past)."""

    symbol: str
    rows: tuple[VarOutcome, ...]
    schema: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class VarTest(Payload):
    """What outcomes say of one method.

    Parameters
    ----------
    n, exceptions : int
        Outcomes with a statement, and losses above it.
    fewest, most : int
        Exceptions that Kupiec's test does not reject at 5 %.
    kupiec, independence, conditional : float or None
        Chances of a larger likelihood ratio; None where there is nothing to test, the last two also below 99 %.
    zone : str
        "green", "yellow" or "red", by the cumulative binomial probability; Basel's zones for 99 % over 250 bars.
    """

    method: str
    confidence: float
    n: int
    exceptions: int
    expected: float
    fewest: int
    most: int
    kupiec: float | None
    independence: float | None
    conditional: float | None
    zone: str
    yellow_from: int
    red_from: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestSection(Payload):
    """``backtest:SCOPE``: the last outcomes, oldest first, and what they say.

    Of a symbol outcomes that came live stand in place of those that were walked; of the account (`PORTFOLIO`) the rows
    are those of today's positions, and what came live, with the positions of then, is in `live` alone, which judges the
    historical VaR 99.
    """

    rows: tuple[VarOutcome, ...] = ()
    tests: tuple[VarTest, ...] = ()
    n_live: int = 0
    live: tuple[VarTest, ...] = ()
