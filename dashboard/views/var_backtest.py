"""Was the VaR right: losses of a year of bars beside what was stated before each, and what tests say of each method."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dashboard import formatting as fmt
from dashboard.views.ages import AgeView, age_of
from engine.domain.risk import PORTFOLIO
from engine.domain.sections import InstrumentsSection, Snapshot
from engine.domain.var_backtest import COLUMNS, METHODS, BacktestSection, VarTest

DRAWN, BESIDE = "parametric", "historical"
"""The method whose exceptions are marked, and the one dashed beside it."""
NAMES = {"historical": "historical", "parametric": "parametric", "monte_carlo": "Monte Carlo"}
SHAPES = {"historical": "triangle", "parametric": "diamond", "monte_carlo": "circle"}
_TONES = {
    "green": ("up", "circle-check"),
    "yellow": ("warn", "minus"),
    "red": ("crit", "triangle-alert"),
}
NO_CLOSES = "The first losses are held against their VaR once a history is there."
_ROUND = 1e-4
_HUNDRED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class LossesView:
    """Changes in percent with the values at risk stated before them (drawn below zero), oldest first.

    `is_beyond` marks losses above `value_at_risk`; a value is None where its method stated nothing.
    """

    at: tuple[datetime, ...]
    change: tuple[float, ...]
    value_at_risk: tuple[float | None, ...]
    beside: tuple[float | None, ...]
    is_beyond: tuple[bool, ...]
    remark: str
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodView:
    """One method: exceptions over expected ones and the chances of both tests, at 95 and at 99 %."""

    name: str
    shape: str
    at_95: str
    kupiec_95: str
    at_99: str
    kupiec_99: str
    clusters: str
    zone: str
    tone: str
    icon: str
    tip: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TestsView:
    """The methods, what was lived through since the start, and what it comes to in words."""

    methods: tuple[MethodView, ...]
    live: str
    words: str


def scope_of(snapshot: Snapshot) -> str:
    """Return whose losses are shown: the account's while it holds something, else the first index's or symbol's."""
    account: BacktestSection | None = snapshot.value(f"backtest:{PORTFOLIO}")
    if account is not None and account.rows:
        return PORTFOLIO
    instruments: InstrumentsSection | None = snapshot.value("instruments")
    known = (
        [i for i in instruments.instruments if f"backtest:{i.symbol}" in snapshot]
        if instruments
        else []
    )
    index = next((i for i in known if not i.is_tradable), None)
    return (index or known[0]).symbol if known else ""


def age_view(snapshot: Snapshot) -> AgeView:
    """Return how old the outcomes of the scope shown are."""
    return age_of(snapshot, f"backtest:{scope_of(snapshot)}")


def losses_view(snapshot: Snapshot) -> LossesView:
    """Return the last bars of the scope shown."""
    scope = scope_of(snapshot)
    section: BacktestSection | None = snapshot.value(f"backtest:{scope}") if scope else None
    rows = section.rows if section is not None else ()
    drawn, beside = COLUMNS.index((DRAWN, 0.99)), COLUMNS.index((BESIDE, 0.99))
    stated = [row.stated[drawn] for row in rows]
    beyond = tuple(v is not None and -row.change > v for row, v in zip(rows, stated, strict=True))
    whose = _whose(scope)
    n = fmt.count(len(rows))
    return LossesView(
        at=tuple(fmt.from_epoch(row.at) for row in rows),
        change=tuple(_HUNDRED * row.change for row in rows),
        value_at_risk=tuple(_below(v) for v in stated),
        beside=tuple(_below(row.stated[beside]) for row in rows),
        is_beyond=beyond,
        remark=f"{whose} against VaR 99, {n} bars" if rows else "",
        summary=f"{whose} of {n} bars: {sum(beyond)} losses beyond the {DRAWN} VaR 99."
        if rows
        else NO_CLOSES,
    )


def tests_view(snapshot: Snapshot) -> TestsView:
    """Return what the outcomes of the scope shown say of each method."""
    scope = scope_of(snapshot)
    section: BacktestSection | None = snapshot.value(f"backtest:{scope}") if scope else None
    if section is None or not section.tests:
        return TestsView(methods=(), live="", words=NO_CLOSES)
    by_place = {(test.method, round(_HUNDRED * test.confidence)): test for test in section.tests}
    methods = tuple(
        _method(method, by_place.get((method, 95)), by_place.get((method, 99)))
        for method in METHODS
    )
    return TestsView(
        methods=methods,
        live=_live(section),
        words=_verdict(section, scope),
    )


def words_of(snapshot: Snapshot, symbol: str) -> str:
    """Return in a sentence whether the historical VaR 99 was right: the account's, or a symbol's if nothing is held."""
    for scope in (PORTFOLIO, symbol):
        section: BacktestSection | None = snapshot.value(f"backtest:{scope}")
        test = _historical(section.tests) if section is not None else None
        if test is not None:
            return (
                f"In {fmt.plural(test.n, 'bar')} {_whose(scope)} lost more than the VaR 99 "
                f"{fmt.plural(test.exceptions, 'time')}, {fmt.number(test.expected, 1)} expected: {test.zone}."
            )
    return "Not counted yet: no loss is held against its VaR so far."


def _historical(tests: Sequence[VarTest]) -> VarTest | None:
    return next((t for t in tests if (t.method, t.confidence) == (BESIDE, 0.99)), None)


def _method(method: str, at_95: VarTest | None, at_99: VarTest | None) -> MethodView:
    tone, icon = _TONES[at_99.zone] if at_99 is not None else ("grey", "circle-dashed")
    return MethodView(
        name=NAMES[method], shape=SHAPES[method],
        at_95=_count(at_95), kupiec_95=_chance(None if at_95 is None else at_95.kupiec),
        at_99=_count(at_99), kupiec_99=_chance(None if at_99 is None else at_99.kupiec),
        clusters=_chance(None if at_99 is None else at_99.independence),
        zone=at_99.zone if at_99 is not None else fmt.UNKNOWN, tone=tone, icon=icon,
        tip="" if at_99 is None else _tip(at_99),
    )  # fmt: skip


def _count(test: VarTest | None) -> str:
    """Return exceptions over expected ones.

    Examples
    --------
    >>> _count(None)
    '–'
    """
    return (
        fmt.UNKNOWN
        if test is None
        else f"{fmt.count(test.exceptions)} / {fmt.number(test.expected, 1)}"
    )


def _chance(value: float | None) -> str:
    """Return a chance with three places; a small one as a bound.

    Examples
    --------
    >>> _chance(0.3804), _chance(0.00002), _chance(None)
    ('0.380', '<0.001', '–')
    """
    if value is None:
        return fmt.UNKNOWN
    return "<0.001" if value < 5 * _ROUND else fmt.number(value, 3)


def _tip(test: VarTest) -> str:
    return (
        f"{fmt.count(test.exceptions)} of n = {fmt.count(test.n)}; a true VaR 99 has {fmt.count(test.fewest)} to "
        f"{fmt.count(test.most)} in 95% of cases; yellow from {fmt.count(test.yellow_from)}, "
        f"red from {fmt.count(test.red_from)}"
    )


def _live(section: BacktestSection) -> str:
    test = _historical(section.live)
    if test is None:
        return "Since the start: no close yet, n = 0."
    return (
        f"Since the start: {fmt.count(test.exceptions)} beyond the {BESIDE} VaR 99 in {fmt.plural(test.n, 'bar')}, "
        f"{fmt.number(test.expected, 1)} expected."
    )


def _verdict(section: BacktestSection, scope: str) -> str:
    """Return in a sentence which methods were right."""
    red = [NAMES[t.method] for t in section.tests if t.confidence == 0.99 and t.zone == "red"]  # noqa: PLR2004
    held = "today's positions" if scope == PORTFOLIO else scope
    n = fmt.count(len(section.rows))
    if not red:
        return f"No method is in the red over the last {n} bars of {held}."
    return f"Over the last {n} bars of {held} too many losses went beyond the VaR 99: {', '.join(red)}."


def _whose(scope: str) -> str:
    return "today's positions" if scope == PORTFOLIO else scope


def _below(value: float | None) -> float | None:
    return None if value is None else -_HUNDRED * value
