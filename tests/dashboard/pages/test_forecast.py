"""The Forecast page: what it draws at once, what a choice changes, what a what-if answers and never stores."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from dash.exceptions import PreventUpdate
from fastapi import FastAPI
from fastapi.testclient import TestClient

from dashboard.blocks import forecast_controls as ctl
from dashboard.blocks import report_card as card
from dashboard.blocks.forecast_panels import CHART
from dashboard.pages import forecast as page
from dashboard.patches import encode_patch
from dashboard.views.report_card import report_view
from engine.domain.errors import InvalidValueError, UnknownNameError
from engine.domain.sections import BarsSection, ForecastSection
from tests.dashboard import forecasts as f
from tests.dashboard.samples import SampleGateway, columns, sample_values

AAPL = columns("AAPL")
WISH = {"symbol": "AAPL", "level": "3", "view": "one", "horizon": "20", "card": "1", "edges": "80",
        "paths": 800, "steps": 20, "shock": 0, "volatility": 1, "run": 0, "n": 7}  # fmt: skip


def gateway(**changes):
    own = {"forecast:AAPL": f.five(AAPL), "card:AAPL": f.cards()}
    made = SampleGateway(sample_values() | own | changes)
    made.answers["past_forecasts"] = lambda level, count, **_: f.past_forecasts(AAPL, level, count)
    made.answers["simulate"] = f.simulate(lambda _: AAPL)
    return made


def choose(**changes):
    given = {
        "symbol": "AAPL",
        "level": "3",
        "view": "one",
        "horizon": "20",
        "card": "1",
        "edges": "80",
        "shown": list("12345"),
    }
    return page.chosen(gateway(), (*(given | changes).values(), 0))


def ids(component):
    parts = [component, *component._traverse()]
    choices = [option["label"] for part in parts for option in getattr(part, "options", None) or ()]
    parts += [
        part
        for label in choices
        if not isinstance(label, str)
        for part in (label, *label._traverse())
    ]
    return {json.dumps(part.id) for part in parts if getattr(part, "id", None)}


# -- what is shown -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["one", "all"])
def test_ids_that_patches_write_to_stand_on_the_page(mode) -> None:
    drawn = ids(page.layout(gateway(), {"symbol": "AAPL", "view": mode}))
    for part in page.LIVE:
        argument = "AAPL:0" if part.name == "forecast.since" else f"AAPL:3:{mode}:20:1:80"
        patch = part.render(gateway().read(None), argument)
        for name in (*patch.text, *patch.cls, *patch.attrs, *patch.age, *patch.props):
            assert json.dumps(name) in drawn, name


def test_live_parts_read_all_they_draw() -> None:
    for part in page.LIVE:
        argument = "AAPL:0" if part.name == "forecast.since" else "AAPL:3:one:20:1:80"
        own = gateway().read(part.section_names(argument))
        whole = part.render(gateway().read(None), argument)
        assert encode_patch(part.render(own, argument)) == encode_patch(whole), part.name


def test_the_switch_to_all_five_changes_chart_card_and_address_together() -> None:
    _, figure, words, *_, class_name, _stored, topics, address = choose(view="all")
    assert figure["layout"]["uirevision"] == "forecast:AAPL:all:20"
    assert words.startswith("AAPL, 80% bands after 20 d")
    assert class_name.endswith("ph-fc-all")
    assert "forecast.chart:AAPL:3:all:20:1:80" in topics.split()
    assert "view=all" in address


def test_an_eye_leaves_a_level_out_of_chart_address_and_topics() -> None:
    found = choose(view="all", shown=["1", "3", "5"])
    drawn = {t["name"]: bool(t["x"]) for t in found[1]["data"] if t["name"].endswith(" low")}
    assert [name for name, is_drawn in drawn.items() if is_drawn] == ["L1 low", "L3 low", "L5 low"]
    *_, topics, address = found
    assert address.endswith("hide=24")
    assert "forecast.chart:AAPL:3:all:20:1:80:24" in topics.split()
    again = page.live_chart(gateway().read(None), "AAPL:3:all:20:1:80:24")
    assert "level 2" not in again.text[page.SUMMARY]


def test_the_chosen_level_is_always_drawn_and_its_eye_says_so() -> None:
    options, open_ = choose(view="all", level="2", shown=["1", "3"])[4:6]
    assert [option["value"] for option in options if option["disabled"]] == ["2"]
    assert "Level 2, chosen and so always drawn" in repr(options[1]["label"])
    assert open_ == ["1", "2", "3"]
    assert "Draw level 4" in repr(page.layout(gateway(), {"symbol": "AAPL", "hide": "4"}))


def test_zoom_survives_another_level() -> None:
    keys = {choose(level=level)[1]["layout"]["uirevision"] for level in "12345"}
    assert len(keys) == 1


def test_the_page_shows_n_behind_every_horizon_of_the_card() -> None:
    drawn = repr(page.layout(gateway(), {"symbol": "AAPL"}))
    assert all(f"n {n}'" in drawn for n in (250, 50, 25, 12))
    assert "rehearsed on history" in drawn


def test_below_twenty_the_card_says_not_enough_and_gives_no_letter() -> None:
    view = report_view(gateway().read(None), page.place_of("AAPL", {"card": "20", "view": "all"}))
    drawn = repr(card.report(view, is_all=True))
    assert "no grade at 20 d, n = 12, not enough yet" in drawn
    none = report_view(
        gateway(**{"card:AAPL": f.CardSection()}).read(None), page.place_of("AAPL", {})
    )
    assert "n = 0 of 20" in repr(card.report(none, is_all=False))


def test_a_miss_in_the_card_has_its_own_shape() -> None:
    view = report_view(gateway().read(None), page.place_of("AAPL", {}))
    drawn = repr(card.report(view, is_all=False))
    assert drawn.count("ph-rc-whisker ph-rc-missed") == 3
    assert "progressbar" in repr(card.progress(report_view(
        gateway(**{"card:AAPL": f.cards(n_walked=9)}).read(None), page.place_of("AAPL", {}))))  # fmt: skip


def test_where_nobody_keeps_records_no_earlier_fan_is_drawn() -> None:
    alone = gateway()

    def unknown(**_):
        raise UnknownNameError("question must be one of events, was 'past_forecasts'; correct it")

    alone.answers["past_forecasts"] = unknown
    figure = page.chosen(alone, ("AAPL", "1", "one", "20", "1", "80", list("12345"), 0))[1]
    assert all(not trace.get("x") for trace in figure["data"][:9])


def test_the_card_is_exported_as_it_is_counted_at_every_horizon() -> None:
    file = page.csv_file(gateway(), "AAPL")
    assert file["filename"] == "report-card-AAPL.csv"
    rows = list(csv.DictReader(io.StringIO(file["content"])))
    assert [(row["level"], row["horizon_bars"]) for row in rows] == [
        (str(level), str(h)) for level in range(1, 6) for h in (1, 5, 10, 20)
    ]
    led, small = rows[5], rows[3]
    assert (led["grade"], led["n"], led["skill"], led["dm_t"]) == ("A", "50", "0.026", "-2.3")
    assert (small["n"], small["grade"]) == ("12", ""), "no letter below twenty"
    counted = {(c.level, c.horizon): c for c in f.cards().cards}
    for row in rows:
        card_ = counted[int(row["level"]), int(row["horizon_bars"])]
        assert float(row["inside_80"]) == pytest.approx(card_.inside[1] / card_.n, rel=1e-5)
        assert float(row["inside_95_low"]) < float(row["inside_95"]) <= float(row["inside_95_high"])
        assert tuple(int(row[f"pit_{k}"]) for k in range(1, 11)) == card_.pit_counts
    assert rows[16]["fault"] == "bands too narrow: 38% inside the 50% band"


def test_what_nobody_knows_is_empty_in_the_export_and_nothing_in_it_runs() -> None:
    fault = f.level_card(2, 1, 30, f.SHARES[2], fault="=HYPERLINK(1), and more")
    few = gateway(**{"card:AAPL": f.CardSection(cards=(fault,))})
    rows = list(csv.DictReader(io.StringIO(page.csv_file(few, "AAPL")["content"])))
    assert rows[4]["fault"] == "'=HYPERLINK(1), and more"
    assert {row["n"] for row in rows[5:]} == {"0"}
    assert {row[name] for row in rows[5:] for name in ("grade", "skill", "crps", "pit_1")} == {""}


# -- what-if -----------------------------------------------------------------------------------------------


def test_a_what_if_moves_the_chart_and_says_that_it_is_not_stored() -> None:
    asked = gateway()
    answer = page.answered(asked, WISH | {"shock": -10, "volatility": 2})
    assert answer["n"] == 7
    method, step = answer["step"]
    assert (method, step["meta"]["key"]) == ("advance", "forecast:AAPL:one:20")
    assert "shock −10% · volatility ×2.00" in answer["text"][ctl.WORDS]
    assert asked.sent == []
    assert not any(
        topic.startswith(("forecast.chart", "forecast.side")) for topic in answer["topics"].split()
    )
    (question,) = asked.answers["simulate"].asked
    stored = asked.values["forecast:AAPL"].by_level["3"]
    assert (question["n_paths"], question["n_steps"], question["seed"]) == (800, 20, stored.seed)


def test_a_what_if_of_all_five_asks_each_level() -> None:
    asked = gateway()
    answer = page.answered(asked, WISH | {"view": "all"})
    assert [q["level"] for q in asked.answers["simulate"].asked] == [1, 2, 3, 4, 5]
    assert answer["text"]["forecast-differ-0-name"] == "Medians"


def test_a_what_if_writes_only_to_what_stands_on_the_page() -> None:
    drawn = ids(page.layout(gateway(), {"symbol": "AAPL"}))
    answer = page.answered(gateway(), WISH)
    assert {json.dumps(name) for name in answer["text"]} <= drawn


def test_a_what_if_that_the_engine_refuses_says_why() -> None:
    def refuse(**_):
        raise InvalidValueError("volatility must lie between 0 and 10, was 11; 1 is as usual")

    asked = gateway()
    asked.answers["simulate"] = refuse
    answer = page.answered(asked, WISH)
    assert answer["text"][ctl.WORDS].startswith("Not simulated: volatility must")
    assert "step" not in answer


def test_the_script_asks_without_dash_between() -> None:
    app = FastAPI()
    app.include_router(page.build_routes(gateway()))
    with TestClient(app) as client:
        told = client.post("/api/what-if", json=WISH | {"shock": -10})
        assert told.status_code == 200
        assert told.json()["n"] == 7
        assert "shock −10%" in told.json()["text"][ctl.WORDS]
        assert client.post("/api/what-if", json=["no", "wish"]).status_code == 422


def test_a_bar_that_closes_under_a_what_if_is_told() -> None:
    snapshot = gateway().read(None)
    before_last = AAPL.closes_at[-2]
    (words,) = page.live_since(snapshot, f"AAPL:{before_last}").text.values()
    assert words == "a bar has closed since: Re-run starts at the newest"
    (none,) = page.live_since(snapshot, f"AAPL:{AAPL.closes_at[-1]}").text.values()
    assert none == ""


def test_earlier_fans_are_asked_for_again_only_every_few_bars() -> None:
    bars = sample_values()["bars:AAPL"]
    assert isinstance(bars, BarsSection)

    def keys(horizon: int) -> int:
        """Return how often they are asked for while twenty bars close, one a day."""
        last = bars.columns.closes_at[-1]
        moved = (
            replace(bars.columns, closes_at=tuple(last + (n + k) * 86_400 for k in range(-299, 1)))
            for n in range(20)
        )
        place = page.place_of("AAPL", {"horizon": horizon})
        found = (gateway(**{"bars:AAPL": BarsSection(columns=each)}).read(None) for each in moved)
        return len({page._bar(snapshot, place) for snapshot in found})

    assert keys(1) == 20
    assert keys(20) in {4, 5}
    step = page.past_step(gateway(), "forecast.chart:AAPL:3:one:20:1:80")["step"]
    assert len(step[1]["sets"]) == 9
    with pytest.raises(PreventUpdate):
        page.past_step(gateway(), "forecast.chart:AAPL:3:all:20:1:80")


def test_the_chart_is_named_as_the_script_knows_it() -> None:
    script = (Path(page.__file__).parents[2] / "assets" / "forecast.js").read_text(encoding="utf-8")
    assert f'[data-chart="{CHART}"]' in script
    none = gateway(**{"forecast:AAPL": ForecastSection()})
    assert "No forecast yet" in repr(page.layout(none, {"symbol": "AAPL"}))
