"""The two pages: what they draw at once, what their callbacks return, what their live parts change."""

import json

import pytest
from dash.development.base_component import Component

from dashboard.blocks.replay_bar import intent
from dashboard.pages import forecast, markets
from dashboard.patches import encode_patch
from engine.domain.commands import CommandEnvelope, JumpReplay
from tests.dashboard import forecasts
from tests.dashboard.samples import SampleGateway, sample_values


def ids(component: Component) -> set[str]:
    parts = [component, *component._traverse()]
    return {json.dumps(part.id) for part in parts if getattr(part, "id", None)}


ARGUMENTS = {"markets.head": "AAPL:1D", "markets.tick": "AAPL:1D", "markets.chart": "AAPL:1D:2",
             "markets.strip": "AAPL:2", "forecast.since": "AAPL:0"}  # fmt: skip


def argument_of(part) -> str:
    """Return an argument as the page's own topics have it."""
    if "{arg}" not in "".join(part.sections):
        return ""
    usual = "AAPL:2:one:20:1:80" if part.name.startswith("forecast.") else "AAPL"
    return ARGUMENTS.get(part.name, usual)


def text(component: Component) -> str:
    return repr(component)


@pytest.mark.parametrize("module", [markets, forecast])
def test_a_page_is_drawn_whole_before_anything_is_known(module) -> None:
    known, unknown = (
        ids(module.layout(SampleGateway(), {})),
        ids(module.layout(SampleGateway({}), {})),
    )
    outputs = {json.dumps(name) for name in (module.ROOT, module.HEAD, module.SUMMARY)}
    assert outputs <= known & unknown


@pytest.mark.parametrize(("module", "query", "expected"), [
    (markets, {"symbol": "GOOG", "tf": "1W"}, "markets.chart:GOOG:1W:1"),
    (markets, {"symbol": "NOPE", "tf": "1m"}, "markets.chart:AAPL:1D:1"), (markets, {}, "markets.fills:AAPL"),
    (forecast, {"symbol": "JPM", "level": "1"}, "forecast.chart:JPM:1:one:20:1:80"),
    (forecast, {"symbol": "JPM", "level": "3", "view": "all"}, "forecast.side:JPM:3:all:20:1:80"),
    (markets, {"level": "4"}, "markets.strip:AAPL:4"),
])  # fmt: skip
def test_the_address_decides_what_is_shown(module, query, expected) -> None:
    root = module.layout(SampleGateway(), query).to_plotly_json()["props"]
    assert expected in root["data-topics"].split()


@pytest.mark.parametrize("module", [markets, forecast])
@pytest.mark.parametrize(("asked", "said"), [
    ("NOPE", "NOPE is not watched"), ("A" * 99, f"{'A' * 16}… is not watched"), ("GOOG", ""), ("", ""),
])  # fmt: skip
def test_a_symbol_that_is_not_watched_is_named(module, asked: str, said: str) -> None:
    parts = module.layout(SampleGateway(), {"symbol": asked})._traverse()
    notes = [part.children for part in parts if getattr(part, "role", None) == "status"]
    assert [note for note in notes if "watched" in str(note)] == ([said] if said else [])


def test_choosing_a_row_moves_chart_card_topics_and_address_together() -> None:
    head, figure, words, _strip, _why, remark, topics, address = markets.chosen(
        SampleGateway(), [{"symbol": "GOOG"}], "1W"
    )
    assert figure["layout"]["uirevision"] == "GOOG:1W"
    assert words.startswith("GOOG, weekly candles")
    assert remark.startswith("GOOG")
    assert "markets.why:GOOG" in topics
    assert address == "/?symbol=GOOG&tf=1W&level=1"
    assert "Google" in text(head[0])


def test_no_row_chosen_shows_the_first_symbol() -> None:
    assert markets.chosen(SampleGateway(), [], "1D")[-1] == "/?symbol=AAPL&tf=1D&level=1"


def test_a_symbol_that_is_shown_is_not_drawn_again():
    gateway, ibm = SampleGateway(), [{"symbol": "IBM"}]
    here = markets.chosen(gateway, ibm, "1D", 2)[-1]
    assert markets.is_shown(gateway, ibm, "1D", 2, here)
    assert markets.is_shown(gateway, None, "1D", 1, "/?symbol=AAPL&tf=1D&level=1")
    for rows, timeframe, level in (([{"symbol": "AAPL"}], "1D", 2), (ibm, "1W", 2), (ibm, "1D", 1)):
        assert not markets.is_shown(gateway, rows, timeframe, level, here)


def test_a_jump_is_one_command_from_the_dashboard() -> None:
    gateway = SampleGateway()
    assert markets.jumped(gateway, "2008-10-10") == ("", "", True, "")
    (command, actor, source) = gateway.sent[0]
    assert isinstance(command, JumpReplay)
    assert (command.to.date().isoformat(), actor, source) == ("2008-10-10", "local", "dashboard")


def test_a_jump_to_nowhere_sends_nothing_and_says_what_to_enter() -> None:
    gateway = SampleGateway()
    assert "Enter a day" in markets.jumped(gateway, "soon")[0]
    assert gateway.sent == []
    assert "can't jump" in markets.jumped(SampleGateway({}), "2008-10-10")[0]


def test_a_jump_back_asks_first_and_goes_only_to_the_day_that_it_asked_about() -> None:
    gateway = SampleGateway()
    error, title, is_hidden, _ = markets.jumped(gateway, "2008-09-10")
    assert (error, title, is_hidden) == ("", "Jump back to 2008-09-10", False)
    assert markets.jumped(gateway, "2008-09-11", agreed=title)[1] == "Jump back to 2008-09-11"
    assert gateway.sent == []
    assert markets.jumped(gateway, "2008-09-10", agreed=title) == ("", "", True, "")
    assert gateway.sent[0][0].to.date().isoformat() == "2008-09-10"


@pytest.mark.parametrize(("name", "params"), [
    ("PauseReplay", {}), ("ResumeReplay", {}), ("StepReplay", {}), ("SetReplaySpeed", {"bars_per_minute": 60}),
])  # fmt: skip
def test_each_button_of_the_replay_bar_names_a_command_that_exists(name, params) -> None:
    data = json.loads(intent(name, params))
    assert type(CommandEnvelope(command_id="c", **data).command).__name__ == name


@pytest.mark.parametrize("module", [markets, forecast])
def test_every_live_part_draws_what_is_known_and_what_is_not(module) -> None:
    for gateway in (SampleGateway(), SampleGateway({})):
        for part in module.LIVE:
            argument = argument_of(part)
            snapshot = gateway.read(part.section_names(argument))
            assert encode_patch(part.render(snapshot, argument)).startswith(b"{")


def test_live_parts_read_all_they_draw() -> None:
    whole = SampleGateway().read(None)
    for part in (*markets.LIVE, *forecast.LIVE):
        argument = argument_of(part)
        own = SampleGateway().read(part.section_names(argument))
        assert encode_patch(part.render(own, argument)) == encode_patch(
            part.render(whole, argument)
        ), part.name


def test_ids_that_patches_write_to_stand_on_the_page() -> None:
    drawn = ids(markets.layout(SampleGateway(), {}))
    for part in markets.LIVE:
        patch = part.render(SampleGateway().read(None), argument_of(part))
        for name in (*patch.text, *patch.cls, *patch.attrs, *patch.age):
            assert json.dumps(name) in drawn, name


def test_the_wheel_zooms_the_price_chart_and_scrolls_the_page_elsewhere() -> None:
    for module, has_wheel in ((markets, True), (forecast, False)):
        parts = module.layout(SampleGateway(), {})._traverse()
        (config,) = [part.config for part in parts if type(part).__name__ == "Graph"]
        assert config["scrollZoom"] is has_wheel


def test_the_fan_of_the_markets_page_is_that_of_the_chosen_level() -> None:
    values = sample_values()
    values["forecast:AAPL"] = forecasts.five(values["bars:AAPL"].columns)
    values["card:AAPL"] = forecasts.cards()
    _, figure, words, strip, *_, topics, address = markets.chosen(
        SampleGateway(values), [], "1D", 4
    )
    fourth = values["forecast:AAPL"].by_level["4"]
    drawn = next(trace for trace in figure["data"] if trace["name"] == "forecast median")
    assert list(drawn["y"]) == list(fourth.fan[3])
    assert "Level 4 Multi-factor" in text(strip)
    assert "n = 250" in text(strip)
    assert "markets.chart:AAPL:1D:4" in topics
    assert address.endswith("level=4")
    assert "median" in words
