"""The map of correlations: every value in its cell, the colour from the value."""

from dashboard.blocks import risk as blocks
from dashboard.components.heat_map import heat_map
from dashboard.views import risk_series as series
from tests.dashboard.samples import SampleGateway


def cells(drawn):
    """Return head, and (text, share, class) of each cell, row by row."""
    body = drawn.children[1]
    return [
        (
            row.children[0].children,
            [
                (c.children, (getattr(c, "style", None) or {}).get("--ph-share"), getattr(c, "className", None))
                for c in row.children[1:]
            ],
        )
        for row in body.children
    ]  # fmt: skip


def test_each_value_stands_in_its_cell_and_gives_its_colour():
    drawn = heat_map(
        ["A", "B"], [[None, -0.534], [0.25, None]], [["", "−.53"], [".25", ""]], caption="c"
    )
    assert cells(drawn) == [
        ("A", [("", None, None), ("−.53", "53%", "ph-heat-cell ph-heat-against")]),
        ("B", [(".25", "25%", "ph-heat-cell"), ("", None, None)]),
    ]
    assert [th.children for th in drawn.children[2].children.children[1:]] == ["A", "B"]


def test_the_risk_page_draws_all_symbols_and_no_diagonal():
    view = series.correlation_view(SampleGateway().read())
    (drawn,) = blocks.correlation_map(view)
    found = cells(drawn)
    assert [name for name, _ in found] == list(view.symbols)
    assert len(found) == 10
    for k, (_, row) in enumerate(found):
        assert [not text for text, _, _ in row] == [i == k for i in range(10)]


def test_without_correlations_the_page_says_what_they_wait_for():
    (nothing,) = blocks.correlation_map(series.correlation_view(SampleGateway({}).read()))
    assert series.NEEDS in str(nothing)
