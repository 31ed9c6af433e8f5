"""A map of correlations: a table whose cells take their colour from their value, which stands in each of them."""

from collections.abc import Sequence

from dash import html

from dashboard.components.nodes import attrs, classes


def heat_map(
    names: Sequence[str],
    values: Sequence[Sequence[float | None]],
    texts: Sequence[Sequence[str]],
    *,
    caption: str,
) -> html.Table:
    """Return the map, first name at the top left; a cell without a value stays empty.

    Parameters
    ----------
    names : sequence of str, length n
    values, texts : sequences of shape (n, n)
        Between -1 and +1, and the same as words.
    caption : str
        What a reader hears; not drawn.
    """
    rows = [
        html.Tr(
            [
                html.Th(name, **attrs({"scope": "row"})),
                *(_cell(v, t) for v, t in zip(row, words, strict=True)),
            ]
        )
        for name, row, words in zip(names, values, texts, strict=True)
    ]
    foot = [html.Td(), *(html.Th(name, **attrs({"scope": "col"})) for name in names)]
    return html.Table(
        [
            html.Caption(caption, className="ph-hidden"),
            html.Tbody(rows),
            html.Tfoot(html.Tr(foot)),
        ],
        className="ph-heat",
    )


def _cell(value: float | None, text: str) -> html.Td:
    if value is None:
        return html.Td(text)
    return html.Td(
        text,
        className=classes("ph-heat-cell", "ph-heat-against" if value < 0 else None),
        style={"--ph-share": f"{100 * abs(value):.0f}%"},
    )
