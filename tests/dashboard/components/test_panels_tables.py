"""Panels, tables, overlays, the why-card and charts: anatomy and what a reader hears."""

import dash
import pytest

from dashboard.components import chart, overlays, panels, tables, why
from dashboard.components.controls import button
from dashboard.figures import template
from engine.domain.signals import SignalAction, StepOutcome
from tests.dashboard.components.trees import by_id, of_type, plain, text_of, walk


def test_a_panel_has_a_heading_and_drops_what_is_not_there():
    drawn = panels.panel("Watchlist", None, "body", remark="10", tools=button("CSV"))
    assert text_of(of_type(drawn, "H2")[0]) == "Watchlist"
    assert text_of(drawn) == "Watchlist10CSVbody"


def test_a_single_tool_and_several_tools_are_both_drawn():
    one = panels.panel("P", tools=button("A"))
    two = panels.panel("P", tools=[button("A"), button("B")])
    assert (len(of_type(one, "Button")), len(of_type(two, "Button"))) == (1, 2)


COLUMNS = (tables.Column("Symbol", is_number=False), tables.Column("Last"))


def test_a_table_has_caption_scopes_and_numbers_at_the_right():
    drawn = tables.table(COLUMNS, [("AAPL", "128.24")], caption="Prices", total=("Sum", "1"))
    assert text_of(of_type(drawn, "Caption")[0]) == "Prices"
    assert [node["props"]["scope"] for node in of_type(drawn, "Th")] == ["col", "col", "row", "row"]
    assert [node["props"]["className"] for node in of_type(drawn, "Td")] == ["ph-num", "ph-num"]


def test_a_row_of_the_wrong_length_is_an_error_and_not_a_shifted_column():
    with pytest.raises(ValueError, match="zip"):
        tables.table(COLUMNS, [("AAPL",)], caption="Prices")


def test_a_selected_row_says_so():
    row = tables.table_rows(COLUMNS, [tables.Row(cells=("AAPL", "1"), is_selected=True)])[0]
    assert plain(row)["props"]["aria-selected"] == "true"


@pytest.mark.parametrize(
    ("kind", "role"),
    [("done", "status"), ("info", "status"), ("warn", "status"), ("error", "alert")],
)
def test_only_an_error_interrupts_a_reader(kind, role):
    assert plain(overlays.toast(kind, "Weights applied", "30 to 20"))["props"]["role"] == role


def test_a_dialog_is_named_by_its_title_and_closed_until_asked_for():
    drawn = overlays.dialog("stop", "Stop everything", "body", [button("Cancel")])
    props = plain(drawn)["props"]
    assert text_of(by_id(drawn, props["aria-labelledby"])) == "Stop everything"
    assert "open" not in props


def vote(name, part, **changes):
    texts = {"vote": "−0.94", "weight": "30%", "regime": "0.9", "part": f"{part:+.3f}"}
    return why.VoteLine(name=name, part_value=part, **(texts | changes))


def test_the_why_card_shows_every_vote_and_every_step_with_its_outcome():
    steps = tuple(why.Step(outcome=o, label=o.value, detail="", result="r") for o in StepOutcome)
    view = why.Why(
        action=SignalAction.SELL,
        headline="Short kept, no order.",
        sentence="The change is below the trade band.",
        votes=(vote("Momentum", -0.254), vote("Breakout", 0.0, error="no bars")),
        score=-0.254,
        threshold=0.15,
        steps=steps,
    )
    drawn = why.why_card(view)
    text = text_of(drawn)
    assert all(name in text for name in ("Momentum", "Breakout", "−0.254", "Short kept, no order."))
    assert all(word in text for word in ("passed: ", "cut: ", "skipped: ", "refused: "))
    assert any(node["props"].get("data-tip") == "no bars" for node in walk(drawn))


def test_a_why_card_without_votes_is_still_drawn():
    view = why.Why(
        action=SignalAction.HOLD,
        headline="No vote yet.",
        sentence="",
        votes=(),
        score=0.0,
        threshold=0.15,
        steps=(),
    )
    assert "0.000" in text_of(why.why_card(view))


def test_a_chart_keeps_its_figure_in_a_store_under_the_name_that_patches_use():
    drawn = chart.chart("markets-chart", template.figure([]), label="no bars yet")
    assert plain(drawn)["props"]["id"] == "markets-chart"
    assert (
        by_id(drawn, chart.figure_id("markets-chart"))["props"]["data"]["layout"]["uirevision"]
        == "chart"
    )
    assert (
        by_id(drawn, chart.graph_id("markets-chart"))["props"]["config"]["displayModeBar"] is False
    )
    assert any(node["props"].get("aria-label") == "no bars yet" for node in walk(drawn))


def test_one_callback_serves_every_chart():
    app = dash.Dash("charts")
    app.layout = [
        chart.chart("a", template.figure([]), label="a"),
        chart.chart("b", template.figure([]), label="b"),
    ]
    chart.register(app)
    app._setup_server()
    callbacks = [c for c in app._callback_list if c["clientside_function"]]
    assert len(callbacks) == 1
    assert callbacks[0]["clientside_function"]["namespace"] == "pilothouse"


@pytest.mark.parametrize("kind", ["lines", "chart", "rows"])
def test_a_skeleton_tells_a_reader_that_it_loads(kind):
    assert text_of(panels.skeleton(kind)) == "Loading"
