"""Controls: each has a name, says why it is locked, and speaks its value."""

import pytest

from dashboard.components import controls as ui
from tests.dashboard.components.trees import by_id, of_type, plain, text_of, walk


def test_a_locked_button_stays_focusable_and_gives_its_reason_to_eye_and_ear():
    props = plain(ui.button("Stop", disabled_reason="trading is halted"))["props"]
    assert props["aria-disabled"] == "true"
    assert "disabled" not in props
    assert props["data-tip"] == "trading is halted"
    assert text_of(ui.button("Stop", disabled_reason="trading is halted")).endswith(
        "trading is halted"
    )


def test_a_busy_button_says_what_it_does_and_takes_no_click():
    drawn = ui.button("Start", busy="Starting…")
    assert text_of(drawn) == "Starting…"
    assert plain(drawn)["props"]["aria-disabled"] == "true"


@pytest.mark.parametrize("kind", sorted(ui.BUTTON_KINDS))
def test_a_free_button_is_not_marked_as_disabled(kind):
    props = plain(ui.button("Run once", kind))["props"]
    assert "aria-disabled" not in props
    assert f"ph-btn-{kind}" in props["className"]


def test_an_icon_button_is_named_and_a_toggle_says_whether_it_is_pressed():
    props = plain(ui.icon_button("lock", "Lock momentum", pressed=False))["props"]
    assert props["aria-label"] == "Lock momentum"
    assert props["aria-pressed"] == "false"
    assert "aria-pressed" not in plain(ui.icon_button("camera", "Save"))["props"]


def test_segments_are_a_named_radio_group_and_a_refused_one_keeps_its_reason():
    options = [ui.Option("1m", "1m", "the feed has daily bars"), ui.Option("1D", "1D")]
    drawn = ui.segments("tf", options, "1D", label="Timeframe")
    assert plain(drawn)["props"]["role"] == "radiogroup"
    assert plain(drawn)["props"]["aria-label"] == "Timeframe"
    radios = by_id(drawn, "tf")["props"]
    assert [option["disabled"] for option in radios["options"]] == [True, False]
    assert "the feed has daily bars" in text_of(radios["options"][0]["label"])


@pytest.mark.parametrize("on", [True, False])
def test_a_switch_says_its_state_in_words_of_the_platform(on):
    props = plain(ui.switch("s", on, "Momentum on"))["props"]
    assert props["role"] == "switch"
    assert props["aria-checked"] == str(on).lower()
    assert props["aria-label"] == "Momentum on"


def test_the_message_of_a_field_belongs_to_its_label():
    drawn = ui.field("var", "VaR limit", "130", hint="0.1 – 20%", error="Enter 0.1 to 20%")
    assert plain(drawn)["type"] == "Label"
    assert "Enter 0.1 to 20%" in text_of(drawn)
    assert "0.1 – 20%" not in text_of(drawn)
    assert by_id(drawn, "var")["type"] == "Input"


def test_a_slider_is_labelled_and_speaks_value_current_and_cap():
    slider = ui.Slider(value=35, current=20, cap=50)
    drawn = ui.weight_slider({"type": "weight", "name": "momentum"}, "Weight of momentum", slider)
    assert slider.spoken() == "35%, current 20%, cap 50%"
    label = of_type(drawn, "Label")[0]["props"]
    assert label["children"] == "Weight of momentum"
    assert label["htmlFor"] == '{"name":"momentum","type":"weight"}'
    assert plain(drawn)["props"]["data-cap"] == "50"


@pytest.mark.parametrize(
    ("value", "place"),
    [(0, "0.0000"), (35, "0.3500"), (100, "1.0000"), (130, "1.0000"), (-5, "0.0000")],
)
def test_a_value_stands_on_the_track_and_never_beside_it(value, place):
    assert ui.Slider(value=0).place(value) == place


def test_a_slider_without_extent_does_not_divide_by_zero():
    assert ui.Slider(value=5, low=5, high=5).place(5) == "0.0000"


def test_a_hold_button_counts_no_click_at_birth_and_tells_a_reader_to_hold():
    drawn = ui.hold_button("flat", "Hold to stop and flatten")
    assert plain(drawn)["props"]["n_clicks"] == 0
    assert plain(drawn)["props"]["data-hold"] == "1200"
    assert "hold to confirm" in text_of(drawn)


def test_no_control_submits_a_form():
    drawn = [
        ui.button("a"),
        ui.icon_button("x", "b"),
        ui.switch("c", True, "c"),
        ui.hold_button("d", "d"),
    ]
    assert all(
        node["props"]["type"] == "button"
        for one in drawn
        for node in walk(one)
        if node["type"] == "Button"
    )
