"""Patches: what is empty is not sent, the last word wins, components travel as Dash reads them."""

import json
import math

import numpy as np
from dash import html

from dashboard.patches import Patch, encode_patch, merge


def test_only_what_holds_something_is_encoded():
    assert json.loads(encode_patch(Patch(text={"a": "1"}))) == {"text": {"a": "1"}}
    assert encode_patch(Patch()) == b"{}"


def test_a_component_in_a_property_is_encoded_as_dash_reads_it():
    patch = Patch(props={"rows": {"children": [html.Span("−2.80%", className="ph-dn")]}})
    child = json.loads(encode_patch(patch))["props"]["rows"]["children"][0]
    assert child["type"] == "Span"
    assert child["namespace"] == "dash_html_components"
    assert child["props"]["children"] == "−2.80%"


def test_not_a_number_is_sent_as_null_because_json_has_no_word_for_it():
    patch = Patch(plot={"chart": [["restyle", {"y": [np.array([1.0, math.nan])]}, [0]]]})
    assert b"NaN" not in encode_patch(patch)


def test_a_later_patch_wins_per_id_and_leaves_the_others():
    whole = merge([Patch(text={"a": "1", "b": "2"}, cls={"a": "x"}), Patch(text={"a": "3"})])
    assert whole.text == {"a": "3", "b": "2"}
    assert whole.cls == {"a": "x"}


def test_attributes_of_one_element_are_joined_and_plot_calls_follow_each_other():
    first = Patch(
        attrs={"g": {"style": "--ph-v: 1", "data-level": "ok"}}, plot={"c": [["relayout", {}]]}
    )
    second = Patch(attrs={"g": {"data-level": "warn"}}, plot={"c": [["restyle", {}]]})
    whole = merge([first, second])
    assert whole.attrs == {"g": {"style": "--ph-v: 1", "data-level": "warn"}}
    assert whole.plot == {"c": [["relayout", {}], ["restyle", {}]]}


def test_merging_changes_none_of_the_patches():
    first = Patch(text={"a": "1"})
    merge([first, Patch(text={"a": "2"})])
    assert first.text == {"a": "1"}
