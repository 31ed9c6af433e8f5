"""Whose risk it is: parts that sum to the whole, the largest first, and words where there are none."""

from dataclasses import replace

import pytest

from dashboard.blocks import risk as blocks
from dashboard.views.risk_contribution import contribution_view
from engine.agents.risk_figures import no_position
from engine.domain.risk import Contribution
from engine.domain.sections import RiskSection
from tests.dashboard.samples import SampleGateway, sample_values

ROWS = (
    Contribution(symbol="JPM", share=0.026, component=-0.001, incremental=-0.0015),
    Contribution(symbol="AAPL", share=-0.095, component=0.004, incremental=0.0035),
    Contribution(symbol="PG", share=-0.10, component=0.002, incremental=0.001),
)


def shown(metrics):
    section = RiskSection(metrics=metrics)
    return SampleGateway(sample_values() | {"risk:portfolio": section}).read()


def of_account(rows):
    return replace(sample_values()["risk:portfolio"].metrics, contributions=rows)


def test_parts_are_ordered_and_sum_to_the_whole():
    view = contribution_view(shown(of_account(ROWS)))
    assert [part.symbol for part in view.parts] == ["AAPL", "PG", "JPM"]
    assert sum(part.part for part in view.parts) == pytest.approx(1.0)
    assert [part.percent for part in view.parts] == ["80.0%", "40.0%", "−20.0%"]
    assert (view.parts[0].share, view.parts[2].share) == ("−9.5%", "+2.6%")
    assert (view.total, view.largest) == ("0.50%", pytest.approx(0.8))
    assert [part.without for part in view.parts] == ["−0.35%", "−0.10%", "+0.15%"]


@pytest.mark.parametrize(
    ("metrics", "words"),
    [(of_account(()), "needs 30 returns"), (no_position(0.0, 0.0), "No position held")],
)
def test_without_parts_it_says_why(metrics, words):
    values = sample_values()
    account = (
        values["portfolio"]
        if metrics.note != "no position"
        else replace(values["portfolio"], positions=())
    )
    section = RiskSection(metrics=metrics)
    snapshot = SampleGateway(values | {"risk:portfolio": section, "portfolio": account}).read()
    view = contribution_view(snapshot)
    assert view.parts == ()
    assert words in view.words
    assert words in str(blocks.contribution_block(view))
