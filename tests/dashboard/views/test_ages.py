"""What is behind the market is so by its bars, whatever the clock says."""

from dataclasses import replace
from datetime import timedelta

import pytest

from dashboard.pages import risk as risk_page
from dashboard.views import ages
from dashboard.views.account_risk import age_view
from dashboard.views.forecast_facts import head_view as forecast_head
from dashboard.views.forecast_place import Place
from dashboard.views.markets import strip_view, var_view
from dashboard.views.risk_lists import symbols_view
from engine.agents.risk_figures import no_position
from engine.domain.sections import RiskSection, Section, Snapshot, Stamp
from engine.domain.var_backtest import BacktestSection
from tests.dashboard.samples import NOW, WALL, SampleGateway, sample_values

DAY = timedelta(days=1)


def snapshot(as_of):
    """Return the samples with risk and forecast as of a moment; the last bar closed on Friday."""
    found = SampleGateway().read(None)
    changed = {
        name: Section(name, section.value, replace(section.stamp, as_of=as_of))
        if name in {"risk:portfolio", "forecast:AAPL"}
        else section
        for name, section in found.sections.items()
    }
    return Snapshot(1, changed)


@pytest.mark.parametrize(("days", "expected"), [(0, False), (1, False), (2, True), (30, True)])
def test_a_number_is_behind_when_more_than_one_bar_closed_since(days: int, expected: bool) -> None:
    seen = snapshot(NOW - timedelta(days=days))
    assert ages.is_behind(seen, "risk:portfolio") is expected
    assert var_view(seen, "AAPL").is_behind is expected
    assert age_view(seen).is_behind is expected
    assert strip_view(seen, "AAPL").is_behind is expected
    assert forecast_head(seen, Place(symbol="AAPL")).is_behind is expected


def test_what_is_not_known_is_not_behind() -> None:
    assert not ages.is_behind(SampleGateway({}).read(None), "risk:portfolio")
    assert not ages.is_behind(snapshot(None), "risk:portfolio")


def test_risk_of_an_account_that_holds_nothing_is_as_old_as_the_account() -> None:
    """The engine tells it once; the account goes on saying that nothing is held."""
    flat = RiskSection(metrics=no_position(0.0, 0.0))
    account = replace(sample_values()["portfolio"], positions=())
    found = SampleGateway(sample_values() | {"risk:portfolio": flat, "portfolio": account}).read()
    old = Section("risk:portfolio", flat, Stamp(version=1, as_of=NOW - 9 * DAY, computed_at=1.0))
    seen = Snapshot(1, {**found.sections, "risk:portfolio": old})
    for told in (var_view(seen, "AAPL"), age_view(seen)):
        assert (told.received_at, told.is_behind) == (WALL, False)
    assert var_view(seen, "AAPL").note == "no position held"


def test_risk_of_a_position_keeps_its_own_age() -> None:
    seen = snapshot(NOW - 9 * DAY)
    assert var_view(seen, "AAPL").is_behind
    assert var_view(seen, "AAPL").note == "n = 500 returns"


def test_what_follows_from_several_sections_is_as_old_as_the_oldest_of_them() -> None:
    stamps = {"bars:AAPL": (NOW, 50.0, 9.0), "bars:IBM": (NOW - 9 * DAY, 40.0, 90.0)}
    sections = SampleGateway().read().sections
    seen = Snapshot(
        1,
        {**sections}
        | {
            name: Section(
                name,
                sections["bars:AAPL"].value,
                Stamp(version=1, as_of=as_of, computed_at=at, budget_s=budget),
            )
            for name, (as_of, at, budget) in stamps.items()
        },
    )
    names = [*stamps, "bars:UNKNOWN"]
    assert ages.age_of_all(seen, names) == ages.AgeView(
        received_at=40.0, budget_s=90.0, is_behind=True
    )
    assert not ages.age_of_all(seen, ["bars:AAPL"]).is_behind
    assert ages.age_of_all(seen, ["bars:UNKNOWN"]).received_at is None


def test_every_panel_of_risk_tells_its_age_and_a_patch_renews_it() -> None:
    gateway = SampleGateway(
        sample_values() | {"backtest:SPX": BacktestSection(rows=(), tests=(), n_live=0, live=())}
    )
    drawn = [
        str(node.id)
        for node in risk_page.layout(gateway, {})._traverse()
        if "data-received" in getattr(node, "_prop_names", ()) or hasattr(node, "data-received")
    ]
    symbols = {f"risk-age-{row.symbol}" for row in symbols_view(gateway.read())}
    panels = {*risk_page.AGES, risk_page.AGE_LOSSES, risk_page.AGE_TESTS, risk_page.AGE_MAP}
    assert panels | symbols >= set(drawn) >= panels
    renewed = {name for part in risk_page.LIVE for name in part.render(gateway.read(), "").age}
    assert renewed == panels
