"""The Risk page as a whole: its layout, its live parts, its export."""

from dataclasses import replace

import plotly.io.json
import pytest

from dashboard.pages import risk as page
from dashboard.patches import encode_patch
from tests.dashboard.samples import SampleGateway, sample_values


def without(*names):
    return SampleGateway({n: v for n, v in sample_values().items() if n not in names})


def text_of(component):
    return plotly.io.json.to_json_plotly(component)


def all_ids(component):
    found = {getattr(component, "id", None)}
    for item in component._traverse():
        found.add(str(getattr(item, "id", None)))
    return found


def test_every_id_that_a_live_part_writes_to_stands_in_the_layout():
    gateway = SampleGateway()
    known = all_ids(page.layout(gateway, {}))
    snapshot = gateway.read()
    for part in page.LIVE:
        patch = part.render(snapshot, "")
        wanted = {*patch.text, *patch.cls, *patch.attrs, *patch.age}
        wanted |= {name for name in patch.props if not name.startswith("{")}
        assert wanted <= known, part.name


@pytest.mark.parametrize("part", page.LIVE, ids=lambda part: part.name)
def test_live_parts_are_encodable_and_idempotent(part):
    snapshot = SampleGateway().read()
    assert encode_patch(part.render(snapshot, "")) == encode_patch(part.render(snapshot, ""))


def test_topics_of_the_page_are_its_live_parts():
    assert set(page.TOPICS.split()) == {part.name for part in page.LIVE}


@pytest.mark.parametrize(
    "missing", ["risk:portfolio", "portfolio", "trading", "alerts", "instruments"]
)
def test_the_page_stands_while_a_section_is_unknown(missing):
    gateway = without(missing)
    assert text_of(page.layout(gateway, {}))
    for part in page.LIVE:
        encode_patch(part.render(gateway.read(), ""))


def test_an_empty_engine_gives_a_page_without_numbers():
    drawn = text_of(page.layout(SampleGateway({}), {}))
    assert "No alert yet" in drawn
    assert "No limit measured yet" in drawn
    assert "0.52" not in drawn


def test_an_alert_carries_the_command_that_acknowledges_it():
    drawn = text_of(page.layout(SampleGateway(), {}))
    assert r"\"params\": {\"alert_id\": \"a1\"}" in drawn
    section = sample_values()["alerts"]
    seen = replace(section, rows=tuple(replace(r, is_acknowledged=True) for r in section.rows))
    drawn = text_of(page.layout(SampleGateway(sample_values() | {"alerts": seen}), {}))
    assert r"\"alert_id\": \"a1\"" not in drawn


def test_the_account_part_is_drawn_from_one_snapshot():
    patch = {part.name: part for part in page.LIVE}["risk.account"].render(
        SampleGateway().read(), ""
    )
    assert {page.LEVEL, page.GAUGES, page.FACTS, page.LIMITS} <= set(patch.props)
    assert set(patch.age) == set(page.AGES)


def test_the_export_is_a_file_of_all_symbols():
    file = page.csv_file(SampleGateway())
    assert file["filename"] == "risk.csv"
    assert len(file["content"].splitlines()) == 11
