"""Was the VaR right, in words and counts that the outcomes themselves give."""

from dataclasses import replace

import pytest

from dashboard.views import var_backtest as view
from engine.core.projection import var_backtest as fold
from engine.domain.sections import InstrumentsSection
from engine.domain.var_backtest import BacktestSection, VarOutcome
from tests.dashboard.samples import SampleGateway, backtest, sample_values

STATED = (0.02, 0.03, 0.02, 0.03, 0.02, None)


def snapshot(**changes: object):
    values = sample_values() | {name.replace("__", ":"): value for name, value in changes.items()}
    return SampleGateway({n: v for n, v in values.items() if v is not None}).read()


def section(n: int, beyond: int, *, n_live: int = 0) -> BacktestSection:
    rows = tuple(
        VarOutcome(at=86_400 * i, change=-0.05 if i < beyond else 0.01, stated=STATED)
        for i in range(n)
    )
    live = rows[n - n_live :]
    return BacktestSection(
        rows=rows, tests=fold.judgements(rows), n_live=n_live, live=fold.judgements(live)
    )


def test_the_account_is_shown_while_it_holds_something_else_the_index():
    assert view.scope_of(snapshot()) == "portfolio"
    empty = snapshot(backtest__portfolio=BacktestSection(), backtest__AAPL=section(40, 1))
    assert view.scope_of(empty) == "AAPL"
    known = sample_values()["instruments"]
    assert isinstance(known, InstrumentsSection)
    index = replace(known.instruments[-1], is_tradable=False)
    both = snapshot(
        backtest__portfolio=None, backtest__AAPL=section(40, 1), **{f"backtest__{index.symbol}": section(40, 1)},
        instruments=InstrumentsSection(instruments=(*known.instruments[:-1], index)),
    )  # fmt: skip
    assert view.scope_of(both) == index.symbol
    assert view.scope_of(snapshot(backtest__portfolio=None)) == ""


def test_counts_stand_over_what_is_promised_with_the_chance_of_each_test():
    found = view.tests_view(snapshot(backtest__portfolio=section(250, 6)))
    historical, parametric, simulated = found.methods
    assert (historical.at_95, historical.at_99) == ("6 / 12.5", "6 / 2.5")
    assert historical.kupiec_99 == "0.059"  # Kupiec's table: 6 of 250 at 1 %
    assert (historical.zone, historical.tone) == ("yellow", "warn")
    assert "yellow from 5, red from 10" in historical.tip
    assert (simulated.at_99, simulated.zone, simulated.kupiec_99) == ("–", "–", "–"), (
        "it stated nothing"
    )
    assert simulated.at_95 == parametric.at_95 == "6 / 12.5"
    assert found.words == "No method is in the red over the last 250 bars of today's positions."


def test_a_red_method_is_named_and_a_small_chance_is_a_bound():
    found = view.tests_view(snapshot(backtest__portfolio=section(250, 40)))
    assert found.methods[0].kupiec_99 == "<0.001"
    assert found.words.endswith("went beyond the VaR 99: historical, parametric.")


def test_what_was_lived_through_is_counted_apart():
    found = view.tests_view(snapshot(backtest__portfolio=section(250, 3, n_live=20)))
    assert found.live == "Since the start: 0 beyond the historical VaR 99 in 20 bars, 0.2 expected."
    found = view.tests_view(snapshot(backtest__portfolio=section(250, 3)))
    assert found.live == "Since the start: no close yet, n = 0."


def test_without_outcomes_it_says_what_it_waits_for():
    shot = snapshot(backtest__portfolio=None)
    assert view.tests_view(shot).words == view.losses_view(shot).summary == view.NO_CLOSES
    assert view.losses_view(shot).at == ()
    assert view.words_of(shot, "AAPL").startswith("Not counted yet")


def test_changes_are_percent_and_values_at_risk_below_zero():
    found = view.losses_view(snapshot())
    told = backtest()
    assert found.change == tuple(100 * row.change for row in told.rows)
    assert set(found.value_at_risk) == {-1.55}
    assert set(found.beside) == {-1.2}
    assert found.remark == "today's positions against VaR 99, 250 bars"
    assert f"{sum(found.is_beyond)} losses beyond the parametric VaR 99" in found.summary


@pytest.mark.parametrize(
    ("account", "words"),
    [
        (section(250, 6), "In 250 bars today's positions lost more than the VaR 99 6 times, 2.5 expected: yellow."),
        (BacktestSection(), "In 40 bars AAPL lost more than the VaR 99 1 time, 0.4 expected: green."),
    ],
)  # fmt: skip
def test_markets_says_it_in_a_sentence(account: BacktestSection, words: str):
    shot = snapshot(backtest__portfolio=account, backtest__AAPL=section(40, 1))
    assert view.words_of(shot, "AAPL") == words
