"""The book: each horizon settled once, with the right close, and level 3 taught in order."""

from datetime import UTC, datetime

import numpy as np
import pytest

from engine.domain.forecast import HORIZONS
from engine.forecasts.adaptive_crew import EXPERTS, AdaptiveCrew, Experts
from engine.forecasts.book import ForecastBook, Issued
from engine.forecasts.past import Past
from engine.kernels.scoring import LEVEL_SCORES, pit_quantiles
from tests.forecasts.pasts import past_of, restless

RETURNS = restless(120)
PAST = past_of(RETURNS)
ROWS = np.stack([0.01 * np.sqrt(h) * LEVEL_SCORES for h in HORIZONS])


class Notebook(AdaptiveCrew):
    """A crew that writes down what it learns."""

    def __init__(self) -> None:
        super().__init__()
        self.learned: list[tuple[int, int, float]] = []

    def learn(self, settled) -> None:
        super().learn(settled)
        issued = settled.issued
        self.learned.append((issued.horizon, issued.origin, settled.outcome))


def issue(book: ForecastBook, past: Past, level: int = 1, crew: AdaptiveCrew | None = None) -> None:
    adaptive = ()
    if crew is not None:
        said = np.stack([ROWS] * len(EXPERTS), axis=1)
        experts = Experts(horizons=HORIZONS, quantiles=said)
        adaptive = crew.issue(past.symbol, book.number(past), experts)
    origin = datetime.fromtimestamp(past.places[-1], UTC)
    book.issue(past, origin, Issued(level=level, quantiles=ROWS, adaptive=adaptive))


def test_each_horizon_is_settled_once_with_the_close_of_its_bar():
    book = ForecastBook(AdaptiveCrew())
    issue(book, PAST.until(50))
    found = [(n, row) for n in range(50, 80) for row in book.settle(PAST.until(n))]
    assert [(n, row.horizon) for n, row in found] == [(51, 1), (55, 5), (60, 10), (70, 20)]
    for n, row in found:
        outcome = np.log(PAST.closes[n - 1] / PAST.closes[49])
        scaled = ROWS[HORIZONS.index(row.horizon)][None, :]
        assert row.pit == pytest.approx(pit_quantiles(scaled, [outcome])[0], abs=1e-6)
        assert row.origin.timestamp() == PAST.closes_at[49]
        assert row.crps > 0.0


@pytest.mark.parametrize("horizon", HORIZONS)
def test_a_forecast_is_settled_and_learned_from_no_bar_before_its_horizon(horizon: int):
    crew = Notebook()
    book = ForecastBook(crew)
    issue(book, PAST.until(50), 3, crew)
    early = book.settle(PAST.until(50 + horizon - 1))
    assert horizon not in {row.horizon for row in early} | {h for h, _, _ in crew.learned}
    (row,) = book.settle(PAST.until(50 + horizon))
    assert row.horizon == crew.learned[-1][0] == horizon


def test_a_gap_of_bars_settles_all_that_came_due_meanwhile():
    book, step = ForecastBook(AdaptiveCrew()), ForecastBook(AdaptiveCrew())
    for n in range(50, 55):
        issue(book, PAST.until(n))
        issue(step, PAST.until(n))
    one_by_one = [row for n in range(55, 76) for row in step.settle(PAST.until(n))]
    at_once = book.settle(PAST.until(75))
    assert len(at_once) == 5 * len(HORIZONS)
    place = {(row.origin, row.horizon): row for row in one_by_one}
    assert {(row.origin, row.horizon): row for row in at_once} == place
    assert book.settle(PAST.until(80)) == ()


def test_level_3_learns_in_order_even_over_a_gap():
    crew = Notebook()
    book = ForecastBook(crew)
    for n in range(50, 60):
        assert book.number(PAST.until(n)) == n - 49
        issue(book, PAST.until(n), 1)
        issue(book, PAST.until(n), 3, crew)
        assert book.number(PAST.until(n)) == n - 49, "all levels of a bar have one number"
    book.settle(PAST.until(90))
    for horizon in HORIZONS:
        mine = [(origin, outcome) for h, origin, outcome in crew.learned if h == horizon]
        assert [origin for origin, _ in mine] == list(range(1, 11))
        closes = np.log(PAST.closes)
        assert mine[3][1] == pytest.approx(closes[52 + horizon] - closes[52])
    assert crew.state("AAA", 20).n == 10


def test_what_is_forgotten_is_not_settled_and_what_was_learned_of_it_goes_too():
    crew = AdaptiveCrew()
    book = ForecastBook(crew)
    other = past_of(RETURNS, "BBB")
    for past in (PAST, other):
        issue(book, past.until(50), 3, crew)
        book.settle(past.until(51))
        issue(book, past.until(51), 3, crew)
    book.forget("AAA")
    assert book.settle(PAST.until(80)) == ()
    assert crew.state("AAA", 1).n == 0
    assert crew.state("BBB", 1).n == 1
    assert len(book.settle(other.until(80))) == 7


def test_prices_without_times_settle_even_when_the_memory_is_full():
    book, kept = ForecastBook(AdaptiveCrew()), 40

    def seen(n: int) -> Past:
        return Past(symbol="AAA", closes=PAST.closes[n - kept : n], n_before=n - kept)

    issue(book, seen(60))
    rows = [row for n in range(61, 82) for row in book.settle(seen(n))]
    assert [row.horizon for row in rows] == list(HORIZONS)


def test_quantiles_that_cross_by_rounding_are_put_in_order():
    book = ForecastBook(AdaptiveCrew())
    crossed = ROWS.copy()
    crossed[:, [3, 4]] = crossed[:, [4, 3]]
    book.issue(PAST.until(50), datetime(2001, 1, 1, tzinfo=UTC), Issued(level=2, quantiles=crossed))
    (row,) = book.settle(PAST.until(51))
    assert 0.0 < row.pit < 1.0
