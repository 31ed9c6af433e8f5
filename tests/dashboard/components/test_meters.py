"""Meters: geometry from values, one level for colour and words, patches that equal a fresh drawing."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.components import meters
from dashboard.components.sparklines import (
    SPARK_HEIGHT,
    sparkline,
    sparkline_patch,
    sparkline_style,
)
from tests.dashboard.components.trees import by_id, plain, walk


def gauge_of(use, **changes):
    return meters.Gauge(
        id="es",
        name="ES 95",
        value="1.06",
        unit="%",
        use=use,
        of_limit="85% of limit",
        money="$1,086",
        **changes,
    )


@pytest.mark.parametrize(
    ("use", "level"), [(0.79, "ok"), (0.8, "warn"), (1.0, "warn"), (1.0001, "crit"), (None, "none")]
)
def test_amber_begins_at_four_fifths_of_the_limit_and_red_only_beyond_it(use, level):
    assert plain(meters.gauge(gauge_of(use)))["props"]["data-level"] == level


@given(st.floats(min_value=0, max_value=1e6))
def test_an_arc_never_leaves_its_scale(use):
    place = float(plain(meters.gauge(gauge_of(use)))["props"]["style"]["--ph-v"])
    assert place == pytest.approx(min(1.0, use / 1.25), abs=1e-4)


def test_a_gauge_says_value_use_and_methods_to_a_reader():
    marks = (meters.Mark(shape="circle", use=0.85, label="Monte Carlo 1.06%"),)
    assert plain(meters.gauge(gauge_of(0.85, marks=marks)))["props"]["aria-label"] == (
        "ES 95 1.06%, 85% of limit, Monte Carlo 1.06%"
    )


def style_of(text):
    return dict(part.split(": ", 1) for part in text.split("; "))


def test_a_patched_gauge_equals_one_drawn_anew():
    marks = (meters.Mark(shape="circle", use=1.1, label="Monte Carlo"),)
    view = gauge_of(1.1, marks=marks)
    drawn, patch = meters.gauge(view), meters.gauge_patch(view)
    props = plain(drawn)["props"]
    assert style_of(patch.attrs["es"]["style"]) == props["style"]
    assert patch.attrs["es"]["data-level"] == props["data-level"]
    assert patch.attrs["es"]["aria-label"] == props["aria-label"]
    assert (
        style_of(patch.attrs["es-mark-0"]["style"]) == by_id(drawn, "es-mark-0")["props"]["style"]
    )
    for component_id, text in patch.text.items():
        assert by_id(drawn, component_id)["props"]["children"] == text


def test_a_patched_limit_bar_equals_one_drawn_anew():
    view = meters.LimitBar(
        id="dl",
        name="Daily loss",
        window="today",
        value="5.6%",
        limit="5%",
        use=1.12,
        left="over by 0.6 pts",
    )
    drawn, patch = meters.limit_bar(view), meters.limit_bar_patch(view)
    assert style_of(patch.attrs["dl"]["style"]) == plain(drawn)["props"]["style"]
    assert patch.attrs["dl"]["data-level"] == "crit"
    for component_id, text in patch.text.items():
        assert by_id(drawn, component_id)["props"]["children"] == text


@given(st.lists(st.floats(min_value=-1e9, max_value=1e9), min_size=2, max_size=60))
def test_a_sparkline_stays_inside_its_box(values):
    style = sparkline_style(values)
    heights = [
        float(y)
        for y in re.findall(
            r",(-?[\d.]+)", re.search(r"points='([^']*)'", style["--ph-spark"]).group(1)
        )
    ]
    assert len(heights) == len(values)
    assert all(0 <= y <= SPARK_HEIGHT for y in heights)


def test_a_flat_series_is_a_line_in_the_middle():
    assert sparkline_style([5.0, 5.0])["--ph-end"] == "0.500"


def test_a_rising_series_ends_above_a_falling_one():
    assert float(sparkline_style([1, 2, 3])["--ph-end"]) < float(
        sparkline_style([3, 2, 1])["--ph-end"]
    )


@pytest.mark.parametrize("values", [[], [1.0]])
def test_too_few_values_draw_no_line_and_no_dot(values):
    props = plain(sparkline(values, label="none yet"))["props"]
    assert props["data-empty"] == "true"


def test_a_patched_sparkline_equals_one_drawn_anew():
    props = plain(sparkline([1, 3, 2], label="up", tone="up", id="s"))["props"]
    attrs = sparkline_patch("s", [1, 3, 2], label="up", tone="up").attrs["s"]
    assert attrs["style"] == "; ".join(f"{k}: {v}" for k, v in props["style"].items())
    assert (attrs["data-tone"], attrs["aria-label"]) == (props["data-tone"], props["aria-label"])


@pytest.mark.parametrize(
    ("count", "zone"), [(0, "green"), (4, "green"), (5, "yellow"), (9, "yellow"), (10, "red")]
)
def test_the_basel_zones_begin_at_five_and_ten(count, zone):
    assert meters.zone_of(count) == zone


def test_a_count_beyond_the_strip_stays_on_it():
    drawn = meters.backtest_strip(
        [meters.Exceptions(count=40, shapes=("triangle",), label="historical")]
    )
    mark = next(node for node in walk(drawn) if node["props"].get("className") == "ph-strip-mark")
    assert mark["props"]["style"]["--ph-at"] == "1.0000"


@pytest.mark.parametrize(("value", "side"), [(0.1, "right"), (-0.1, "left")])
def test_a_diverging_bar_grows_to_the_side_of_its_sign(value, side):
    fill = list(walk(meters.diverging_bar(value, 0.2)))[1]["props"]["className"]
    assert fill.endswith(side)
    assert plain(meters.diverging_bar(value, 0.2))["props"]["style"]["--ph-v"] == "0.5000"


@pytest.mark.parametrize(
    ("score", "side"), [(-0.495, "dn"), (0.1, "none"), (0.15, "none"), (0.151, "up")]
)
def test_a_score_in_the_dead_zone_has_no_side(score, side):
    assert plain(meters.score_axis(score, 0.15))["props"]["data-side"] == side


def test_the_fill_of_a_score_runs_from_the_dead_zone_to_the_score():
    style = plain(meters.score_axis(-0.5, 0.2))["props"]["style"]
    assert (style["--ph-from"], style["--ph-to"]) == ("0.2500", "0.4000")
