"""The forecast in numbers: densities that hold the shares they name, and outcomes told as they fell."""

from dataclasses import replace
from datetime import timedelta

import pytest

from dashboard.views.forecast import chosen_level, distribution, forecast_chart, outcome
from dashboard.views.forecast_facts import facts_view, level_rows
from dashboard.views.price_chart import instrument_of
from engine.domain.forecast import HORIZONS, QUANTILE_LEVELS
from engine.domain.sections import ForecastSection
from tests.dashboard.samples import SampleGateway, forecast, sample_values


def read(**changes):
    return SampleGateway(sample_values() | changes).read(None)


def with_previous():
    """Return a snapshot whose record before the newest was made one bar earlier, at that bar's close."""
    values = sample_values()
    columns = values["bars:AAPL"].columns
    newest = values["forecast:AAPL"].by_level["1"]
    earlier = replace(forecast("AAPL", columns.close[-2]), origin=newest.origin - timedelta(days=1))
    section = ForecastSection(by_level={"1": newest}, previous={"1": earlier})
    return read(**{"forecast:AAPL": section}), earlier, columns


def test_each_slice_of_the_distribution_holds_the_share_between_its_quantiles() -> None:
    snapshot = read()
    record = snapshot.value("forecast:AAPL").by_level["1"]
    spread = distribution(record, instrument_of(snapshot, "AAPL"))
    assert spread.horizon == max(HORIZONS)
    assert sum(s.density * s.width for s in spread.slices) == pytest.approx(0.998)
    assert sum(s.share for s in spread.slices if s.is_tail) == pytest.approx(0.05 - 0.001)


def test_value_at_risk_stands_at_the_five_percent_quantile() -> None:
    snapshot = read()
    record = snapshot.value("forecast:AAPL").by_level["1"]
    prices = dict(zip(QUANTILE_LEVELS, record.quantiles[-1].prices, strict=True))
    spread = distribution(record, instrument_of(snapshot, "AAPL"))
    assert spread.value_at_risk_price == prices[0.05]
    assert spread.value_at_risk == f"VaR 95<br>{(1 - prices[0.05] / record.spot) * 100:.1f}%"


def test_an_earlier_fan_is_shown_only_as_far_as_it_has_been_lived_through() -> None:
    snapshot, earlier, columns = with_previous()
    past = forecast_chart(snapshot, "AAPL", 1).past
    assert past.at == ("2008-09-25", "2008-09-26")
    assert [len(row) for row in past.rows] == [2] * 7
    assert past.rows[0][0] == earlier.spot == columns.close[-2]


def test_an_outcome_is_told_by_the_narrowest_band_that_holds_it() -> None:
    record = forecast("AAPL", 100.0)
    prices = dict(zip(QUANTILE_LEVELS, record.quantiles[0].prices, strict=True))
    assert "50%" in outcome(record, prices[0.5])
    assert "80%" in outcome(record, (prices[0.1] + prices[0.25]) / 2)
    assert "inside its 95%" in outcome(record, (prices[0.025] + prices[0.1]) / 2)
    assert "outside" in outcome(record, prices[0.999])


def test_the_facts_name_drift_with_its_error_and_the_seed() -> None:
    view = facts_view(read(), "AAPL", 1)
    facts = dict(view.facts)
    assert facts["Drift per bar"] == "−0.040% ± 0.110%"
    assert facts["Volatility per bar"] == "2.50%"
    assert facts["Seed"] == "4711"
    assert view.horizons == ("1 bar", "5 bars", "20 bars")
    assert [row.level for row in view.quantiles if row.is_median] == ["50.0%"]


def test_quantiles_are_read_at_their_own_level() -> None:
    record = read().value("forecast:AAPL").by_level["1"]
    prices = dict(zip(QUANTILE_LEVELS, record.quantiles[1].prices, strict=True))
    row = next(r for r in facts_view(read(), "AAPL", 1).quantiles if r.level == "97.5%")
    assert row.prices[1] in {f"{prices[0.975]:,.2f}", f"{prices[0.975]:,.1f}"}


def test_levels_that_are_not_built_say_so_and_cannot_be_chosen() -> None:
    rows = level_rows(read(), "AAPL", 1)
    assert [bool(row.refusal) for row in rows] == [False, True, True, True, True]
    assert [row.probability_up for row in rows[1:]] == ["–"] * 4
    assert chosen_level("4") == 1


def test_without_a_forecast_nothing_is_invented() -> None:
    values = {k: v for k, v in sample_values().items() if not k.startswith("forecast:")}
    snapshot = SampleGateway(values).read(None)
    view = forecast_chart(snapshot, "AAPL", 1)
    assert (view.fan, view.past, view.distribution) == (None, None, None)
    assert facts_view(snapshot, "AAPL", 1).quantiles == ()
