"""What is behind the market is so by its bars, whatever the clock says."""

from dataclasses import replace
from datetime import timedelta

import pytest

from dashboard.views import ages
from dashboard.views.forecast_facts import facts_view
from dashboard.views.markets import strip_view, var_view
from dashboard.views.risk import age_view
from engine.domain.sections import Section, Snapshot
from tests.dashboard.samples import NOW, SampleGateway


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
    assert facts_view(seen, "AAPL", 1).is_behind is expected


def test_what_is_not_known_is_not_behind() -> None:
    assert not ages.is_behind(SampleGateway({}).read(None), "risk:portfolio")
    assert not ages.is_behind(snapshot(None), "risk:portfolio")
