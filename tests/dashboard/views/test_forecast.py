"""The forecast in numbers: shares that add up, earlier fans that never overlap, levels told apart."""

import itertools
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.blocks import forecast_parts
from dashboard.views import five_levels as five
from dashboard.views.forecast_chart import forecast_chart
from dashboard.views.forecast_facts import figures_view, head_view, level_rows, rows_note
from dashboard.views.forecast_grounds import grounds_view
from dashboard.views.forecast_place import Place, not_made, place_from, place_of, usual_level
from dashboard.views.forecast_reading import probability_up, reading
from dashboard.views.forecast_spread import distribution
from dashboard.views.markets import strip_view
from dashboard.views.past_fans import n_seen, outcome, past_fans
from dashboard.views.price_chart import price_chart
from dashboard.views.what_if import what_if_of
from engine.domain.agents import AgentStatus
from engine.domain.forecast import HORIZONS, QUANTILE_LEVELS, HorizonQuantiles
from engine.domain.sections import (
    AgentRow,
    AgentsSection,
    BarsSection,
    EngineSection,
    ForecastSection,
)
from tests.dashboard import forecasts as f
from tests.dashboard.samples import SampleGateway, columns, minutes, sample_values

AAPL = columns("AAPL")
PLACE = Place(symbol="AAPL", level=3)


def read(**changes):
    own = {"forecast:AAPL": f.five(AAPL), "card:AAPL": f.cards()}
    return SampleGateway(sample_values() | own | changes).read(None)


def without():
    return read(**{"forecast:AAPL": ForecastSection()})


# -- place -------------------------------------------------------------------------------------------------


@given(
    level=st.integers(1, 5), mode=st.sampled_from(["one", "all"]), horizon=st.sampled_from(HORIZONS),
    card=st.sampled_from(HORIZONS), edges=st.sampled_from([50, 80, 95]), hide=st.sets(st.integers(1, 5)),
)  # fmt: skip
def test_a_place_comes_back_from_its_topic_and_its_address(
    level, mode, horizon, card, edges, hide
) -> None:
    hidden = tuple(sorted(hide - {level}))
    place = Place(
        symbol="BRK.B",
        level=level,
        mode=mode,
        horizon=horizon,
        card=card,
        edges=edges,
        hidden=hidden,
    )
    assert place_from(place.argument) == place
    said = dict(parse_qsl(urlsplit(place.address).query))
    assert place_of(said.pop("symbol"), said) == place
    assert len(place.argument) <= 64


def test_an_address_without_a_level_shows_the_one_that_votes_and_risk_go_by() -> None:
    made = {str(n): replace(f.made(AAPL, n), is_primary=n == 4) for n in (1, 2, 3, 4, 5)}
    assert usual_level(read(**{"forecast:AAPL": ForecastSection(by_level=made)}), "AAPL") == 4
    stood_in = replace(made["1"], is_primary=True, origin=made["1"].origin - timedelta(days=1))
    both = {"1": stood_in, "4": made["4"]}
    assert usual_level(read(**{"forecast:AAPL": ForecastSection(by_level=both)}), "AAPL") == 4
    del made["4"]
    assert usual_level(read(**{"forecast:AAPL": ForecastSection(by_level=made)}), "AAPL") == 1
    assert usual_level(without(), "AAPL") == 1


def test_before_the_first_forecast_the_level_is_the_first_that_the_engine_is_set_to() -> None:
    engine = EngineSection(state="running", levels=(2, 4))
    none = {"engine": engine, "forecast:AAPL": ForecastSection()}
    assert usual_level(read(**none), "AAPL") == 2
    made = {"4": replace(f.made(AAPL, 4), is_primary=True)}
    both = {
        "engine": engine,
        "forecast:AAPL": ForecastSection(by_level=made),
    }  # short history: another stands in
    assert usual_level(read(**both), "AAPL") == 4


def test_a_level_that_is_never_forecast_is_not_promised_with_the_next_bar() -> None:
    engine = EngineSection(state="running", levels=(2, 4))
    said = [not_made(read(engine=engine), level) for level in (1, 2)]
    assert said == ["Level 1 is not forecast: MC_LEVELS is 2, 4.", ""]
    assert not_made(without(), 1) == ""


# -- reading -----------------------------------------------------------------------------------------------


def test_the_share_below_a_stored_quantile_is_its_level() -> None:
    found = reading(f.made(AAPL, 2), 5)
    for level, price in zip(QUANTILE_LEVELS, found.prices, strict=True):
        assert found.share_below(price) == pytest.approx(level)


def test_beyond_the_outermost_quantile_only_a_bound_is_told() -> None:
    found = reading(f.made(AAPL, 1), 1)
    assert found.share_words(found.prices[0] * 0.5) == "< 0.1%"
    assert found.share_below(found.prices[-1] * 2) == 0.999


def test_probability_up_is_counted_at_the_last_step_and_read_off_before() -> None:
    forecast = f.made(AAPL, 3, n_steps=20)
    assert probability_up(forecast, 20) == forecast.probability_up
    assert probability_up(forecast, 5) == pytest.approx(
        1 - reading(forecast, 5).share_below(forecast.spot)
    )
    assert probability_up(replace(forecast, quantiles=(), fan=()), 5) is None


def test_a_horizon_without_stored_quantiles_is_read_off_the_fan() -> None:
    forecast = f.made(AAPL, 1, n_steps=33)
    found = reading(forecast, 33)
    assert found.band(95) == (forecast.fan[0][-1], forecast.fan[-1][-1])
    assert reading(forecast, 34) is None


def test_the_distribution_holds_all_between_its_outermost_quantiles() -> None:
    found = reading(f.made(AAPL, 3), 20)
    spread = distribution(found, "20 d", str)
    assert sum(s.share for s in spread.slices) == pytest.approx(0.998)
    tail = sum(s.share for s in spread.slices if s.is_tail)
    assert 0.02 < tail < 0.06
    assert spread.value_at_risk_price == found.at(0.05)
    assert spread.value_at_risk == f"VaR 95 {(1 - found.at(0.05) / found.spot) * 100:.1f}%"


@pytest.mark.parametrize(("close", "decimals"), [(99.9, 2), (100.0, 1)])
def test_markets_and_the_forecast_page_write_a_band_alike(close, decimals) -> None:
    bars = replace(AAPL, close=(*AAPL.close[:-1], close))
    section = ForecastSection(by_level={"3": f.made(bars, 3, n_steps=20)})
    snapshot = read(**{"bars:AAPL": BarsSection(columns=bars), "forecast:AAPL": section})
    band = level_rows(snapshot, PLACE)[2].band
    assert len(band.rpartition(".")[2]) == decimals
    assert strip_view(snapshot, "AAPL", 3).band_80 == band
    assert price_chart(snapshot, "AAPL", "1D", "3").fan.words.endswith(f"80% band {band}")
    assert f"80% band {band}" in forecast_chart(snapshot, PLACE).fan.words


# -- earlier fans ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("horizon", HORIZONS)
def test_earlier_fans_never_overlap_and_have_all_been_lived_through(horizon) -> None:
    records = f.past_forecasts(AAPL, 1, n_seen(horizon))
    found = past_fans(records, AAPL, horizon)
    assert 2 <= len(found) <= 3
    ends = [(fan.at[0], fan.at[-1]) for fan in found]
    assert all(len(fan.at) == horizon + 1 == len(fan.rows[0]) for fan in found)
    assert all(end < start for (_, end), (start, _) in itertools.pairwise(ends))
    assert ends[-1][1] == forecast_chart(read(), PLACE).closes.now
    assert all(fan.rows[0][0] == AAPL.close[-1 - ago] for fan, ago in ((found[-1], horizon),))


def test_a_record_of_another_time_is_not_drawn() -> None:
    (record,) = f.past_forecasts(AAPL, 1, 0)
    assert past_fans([record], AAPL, 1) == ()
    elsewhere = replace(record, origin=record.origin.replace(hour=1))
    assert past_fans([elsewhere], AAPL, 1) == ()


def test_an_outcome_is_told_by_the_narrowest_band_that_holds_it() -> None:
    record = f.made(AAPL, 1)
    found = reading(record, 5)
    assert "held: the close fell inside its 50% band" in outcome(record, found.at(0.5), 5)
    assert "80%" in outcome(record, (found.at(0.1) + found.at(0.25)) / 2, 5)
    assert "missed" in outcome(record, found.at(0.999), 5)


# -- one level ---------------------------------------------------------------------------------------------


def test_the_fan_is_cut_at_the_horizon_and_starts_at_the_close() -> None:
    view = forecast_chart(read(), replace(PLACE, horizon=5))
    assert len(view.fan.at) == 6
    assert {row[0] for row in view.fan.rows} == {AAPL.close[-1]}
    assert view.distribution.title == "after 5 d"


@pytest.mark.parametrize("horizon", HORIZONS)
def test_the_axes_hold_closes_fans_and_bands_to_their_end(horizon) -> None:
    place = replace(PLACE, horizon=horizon)
    one = forecast_chart(read(), place, f.past_forecasts(AAPL, 3, n_seen(horizon)))
    all_five = five.five_chart(read(), replace(place, mode="all", edges=50))
    rows = [*one.fan.rows, *(row for fan in one.past for row in fan.rows)]
    bands = [band for line in all_five.levels for band in line.bands]
    for view, drawn, end in ((one, rows, one.fan.at[-1]), (all_five, bands, all_five.steps[-1])):
        low, high = view.closes.y_range
        prices = [*view.closes.close, *(value for row in drawn for value in row)]
        assert low < min(prices) <= max(prices) < high
        assert view.closes.x_range[0] == view.closes.at[0]
        assert view.closes.x_range[1] > end


def test_look_alikes_are_drawn_on_the_steps_of_the_fan() -> None:
    view = forecast_chart(read(), Place(symbol="AAPL", level=5, horizon=10))
    assert [len(path) for path in view.analogues] == [11] * 3
    assert {path[0] for path in view.analogues} == {AAPL.close[-1]}
    assert forecast_chart(read(), PLACE).analogues == ()


def test_a_what_if_is_drawn_to_its_own_end() -> None:
    answer = f.made(AAPL, 3, n_steps=33)
    view = forecast_chart(read(), PLACE, what_if=answer)
    assert len(view.fan.at) == 34
    assert view.distribution.title == "after 33 d"


def test_without_a_forecast_nothing_is_invented() -> None:
    view = forecast_chart(without(), PLACE)
    assert (view.fan, view.distribution, view.past, view.analogues) == (None, None, (), ())
    assert view.label == "AAPL: no forecast yet"
    assert {value for _, value, _ in figures_view(without(), PLACE)} == {"–"}
    assert {row.up for row in level_rows(without(), PLACE)} == {"–"}
    assert grounds_view(None).facts == ()


# -- all five ----------------------------------------------------------------------------------------------


@given(st.lists(st.floats(0, 100), min_size=1, max_size=6), st.floats(0.1, 5))
def test_labels_are_moved_apart_and_keep_their_order(places, gap) -> None:
    moved = five.apart(places, gap)
    order = sorted(range(len(places)), key=lambda i: places[i])
    steps = [moved[b] - moved[a] for a, b in itertools.pairwise(order)]
    assert all(step >= gap - 1e-9 for step in steps)
    assert sum(moved) == pytest.approx(sum(places), abs=1e-6)


def test_all_five_show_the_edges_that_were_asked_for() -> None:
    view = five.five_chart(read(), Place(symbol="AAPL", level=2, mode="all", edges=95))
    forecasts = read().value("forecast:AAPL").by_level
    assert [line.level for line in view.levels] == [1, 2, 3, 4, 5]
    assert [line.level for line in view.levels if line.is_chosen] == [2]
    assert view.levels[0].low == forecasts["1"].fan[0][:21]
    assert len(view.labels) == 10
    assert view.median_label.startswith("L2 median")


def test_where_they_differ_names_the_widest_and_the_narrowest() -> None:
    medians, width, _ = five.differences(read(), replace(PLACE, mode="all"))
    assert medians[2].endswith(" of the price apart")
    assert "L3 is" in width[2]
    assert "as wide as L4" in width[2]
    assert five.differences(without(), PLACE) == ()


def straight(middle: float, slope: float, level: int = 3):
    """Return a forecast from 100 whose quantile p lies at ``middle + slope (p - 0.5)`` after every horizon."""
    prices = tuple(middle + slope * (p - 0.5) for p in QUANTILE_LEVELS)
    made = replace(
        f.made(AAPL, level), spot=100.0, touch_below=0.31, touch_above=0.22, drawdown_95=-0.17
    )
    return replace(
        made, quantiles=tuple(HorizonQuantiles(horizon=h, prices=prices) for h in HORIZONS)
    )


def test_the_six_figures_are_those_of_the_forecast() -> None:
    section = ForecastSection(by_level={"3": straight(104.0, 40.0)})
    view = figures_view(read(**{"forecast:AAPL": section}), replace(PLACE, horizon=5))
    values = {name: value for name, value, _ in view}
    assert values == {
        "P(up) 5 d": "60.0%", "Median": "104.0", "P(−10% or worse)": "15.0%", "Touch −10% in 50 d": "31.0%",
        "Touch +10% in 50 d": "22.0%", "Drawdown 95, 50 d": "−17.0%",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("mode", "edges", "band", "width"),
    [
        ("one", 95, "88.0–120.0", "32.0"),
        ("all", 95, "85.0–123.0", "38.0"),
        ("all", 50, "94.0–114.0", "20.0"),
    ],
)
def test_a_row_is_read_at_the_band_that_is_shown(mode, edges, band, width) -> None:
    section = ForecastSection(by_level={"3": straight(104.0, 40.0)})
    place = replace(PLACE, mode=mode, edges=edges, horizon=5)
    row = level_rows(read(**{"forecast:AAPL": section}), place)[2]
    assert (row.up, row.band.replace("\u2009", ""), row.width) == ("60.0%", band, width)


@pytest.mark.parametrize(("second", "median", "side"), [
    (120.0, "16.0% of the price apart", "all above 50%"), (90.0, "14.0% of the price apart", "on both sides of 50%"),
])  # fmt: skip
def test_where_they_differ_is_counted(second, median, side) -> None:
    levels = {"2": straight(104.0, 40.0, 2), "3": straight(second, 80.0)}
    place = replace(PLACE, mode="all", horizon=5)
    snapshot = read(**{"forecast:AAPL": ForecastSection(by_level=levels)})
    medians, width, up = five.differences(snapshot, place)
    assert medians[2] == median
    assert width == ("80% width", "32.0\u2009–\u200964.0", "L3 is 2.0 × as wide as L2")
    assert up[2] == side


def test_before_a_forecast_the_bars_own_unit_is_named() -> None:
    minutes_ = BarsSection(columns=minutes("AAPL"))
    nothing = {"bars:AAPL": minutes_, "forecast:AAPL": ForecastSection()}
    names = [name for name, _, _ in figures_view(read(**nothing), replace(PLACE, horizon=5))]
    assert names[0] == "P(up) 5 bars"
    assert level_rows(read(**nothing), PLACE)[0].graded_at == "1 bar"


def test_a_level_that_is_missing_is_left_out_of_all_five() -> None:
    by_level = {k: v for k, v in f.five(AAPL).by_level.items() if k != "4"}
    view = five.five_chart(read(**{"forecast:AAPL": ForecastSection(by_level=by_level)}), PLACE)
    assert [line.level for line in view.levels] == [1, 2, 3, 5]


def test_a_hidden_level_is_neither_drawn_nor_compared() -> None:
    place = replace(PLACE, mode="all", hidden=(2, 4))
    view = five.five_chart(read(), place)
    assert [line.level for line in view.levels] == [1, 3, 5]
    assert {level for _, _, level in view.labels} == {1, 3, 5}
    assert "level 3" in view.label
    assert "level 4" not in view.label
    assert "L4" not in five.differences(read(), place)[1][2]
    alone = replace(place, hidden=(1, 2, 4, 5))
    assert five.differences(read(), alone) == (("Levels", "1 shown", "show another to compare"),)


def test_a_what_if_leaves_out_what_is_hidden() -> None:
    answers = {level: f.made(AAPL, level, n_steps=7) for level in f.SIGMAS}
    view = five.five_chart(read(), replace(PLACE, mode="all", hidden=(1,)), answers)
    assert [line.level for line in view.levels] == [2, 3, 4, 5]
    asked = what_if_of("AAPL", {"level": "3", "view": "all", "hide": "13"})
    assert asked.place.hidden == (1,), "the chosen level is never hidden"


# -- beside the chart --------------------------------------------------------------------------------------


def test_rows_say_what_each_level_says_and_how_it_did() -> None:
    rows = level_rows(read(), PLACE)
    assert [row.letter for row in rows] == ["A", "B", "A", "A", "C"]
    assert rows[4].skill == "−0.8%"
    assert (
        rows_note(read(), PLACE)
        == "Skill and grade at 1 d, n = 250. At 20 d n = 12, not enough yet."
    )


def test_a_level_that_stands_in_for_a_higher_one_says_so() -> None:
    note = "level 2 stands in for level 3: n = 40 returns, needs 250"
    by_level = {"3": replace(f.made(AAPL, 3), note=note)}
    head = head_view(read(**{"forecast:AAPL": ForecastSection(by_level=by_level)}), PLACE)
    assert head.stands_in.startswith("Level 2 stands in for level 3")


@pytest.mark.parametrize(("status", "words"), [
    (AgentStatus.PAUSED, "paused"), (AgentStatus.STOPPED, "stopped"), (AgentStatus.ERROR, "failed"),
])  # fmt: skip
def test_while_the_agent_is_still_the_head_says_why_nothing_comes(status, words) -> None:
    row = AgentRow(agent_id="monte_carlo", title="Monte Carlo", status=status, reason="by hand")
    snapshot = read(agents=AgentsSection(rows=(row,)), **{"forecast:AAPL": ForecastSection()})
    head = head_view(snapshot, PLACE)
    assert words in head.trouble
    assert words in head.state.lower()
    assert head.state in repr(forecast_parts.head(head)), "the pill says the same"
    assert head.why_none == head.trouble


def test_a_missing_forecast_says_what_there_is() -> None:
    only = ForecastSection(by_level={"1": f.made(AAPL, 1)})
    assert "there is one of level 1" in head_view(read(**{"forecast:AAPL": only}), PLACE).why_none
    assert "300 closed bars so far" in head_view(without(), PLACE).why_none


def test_each_level_tells_what_is_its_own() -> None:
    third, fourth, fifth = (grounds_view(f.made(AAPL, level)) for level in (3, 4, 5))
    assert [text for _, _, text in third.weights] == ["46%", "31%", "14%", "9%"]
    assert fourth.stressed_words == "next bar stressed: calm 29.0%, stressed 71.0%"
    assert fifth.alike[0].day == "19 Jul 2002"
    assert "1.0% of the paths" in fifth.stress


def test_figures_name_the_time_they_look_ahead() -> None:
    names = [name for name, _, _ in figures_view(read(), replace(PLACE, horizon=5))]
    assert names[:3] == ["P(up) 5 d", "Median", "P(−10% or worse)"]
    assert names[3:] == ["Touch −10% in 50 d", "Touch +10% in 50 d", "Drawdown 95, 50 d"]
