"""Tables with a caption and column headers: first column left, numbers right, hairlines between the rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dash import html

from dashboard.components.nodes import Id, Node, attrs, classes, optional_id


@dataclass(frozen=True, slots=True)
class Column:
    """One column; numbers stand at the right and have a fixed width, so a tick moves nothing."""

    title: str
    is_number: bool = True
    width: str = ""
    tip: str = ""
    class_name: str = ""
    hide_title: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of cells, each text or component.

    Parameters
    ----------
    attrs : mapping
        Attributes of the row itself, for example ``{"data-symbol": "AAPL"}``.
    """

    cells: Sequence[Node]
    id: Id | None = None
    class_name: str = ""
    is_selected: bool = False
    attrs: Mapping[str, str] = field(default_factory=dict)


def table(  # noqa: PLR0913 -- a table and its parts
    columns: Sequence[Column],
    rows: Sequence[Row | Sequence[Node]],
    *,
    caption: str,
    total: Sequence[Node] | None = None,
    id: Id | None = None,
    class_name: str = "",
    body_id: str | None = None,
) -> html.Table:
    """Return a table.

    Parameters
    ----------
    caption : str
        What a reader hears; not drawn.
    total : sequence of nodes, optional
        Last row, set apart.
    body_id : str, optional
        Id of the ``tbody``, for patches of all its rows.
    """
    head = html.Thead(html.Tr([_header(column) for column in columns]))
    body = html.Tbody(table_rows(columns, rows), **optional_id(body_id))
    foot = [html.Tfoot(_row(columns, Row(cells=total)))] if total else []
    return html.Table(
        [html.Caption(caption, className="ph-hidden"), head, body, *foot],
        className=classes("ph-table", class_name),
        **optional_id(id),
    )


def table_rows(columns: Sequence[Column], rows: Sequence[Row | Sequence[Node]]) -> list[html.Tr]:
    """Return the rows alone, for a patch of a table's body."""
    return [_row(columns, row if isinstance(row, Row) else Row(cells=row)) for row in rows]


def _header(column: Column) -> html.Th:
    extra = {"data-tip": column.tip} if column.tip else {}
    style = {"width": column.width} if column.width else {}
    return html.Th(
        html.Span(column.title, className="ph-hidden") if column.hide_title else column.title,
        scope="col",
        className=classes("ph-num" if column.is_number else None, column.class_name) or None,
        style=style,
        **attrs(extra),
    )


def _row(columns: Sequence[Column], row: Row) -> html.Tr:
    cells = [
        _cell(i, column, cell)
        for i, (column, cell) in enumerate(zip(columns, row.cells, strict=True))
    ]
    state = {"aria-selected": "true"} if row.is_selected else {}
    return html.Tr(
        cells,
        className=classes("ph-selected" if row.is_selected else None, row.class_name) or None,
        **optional_id(row.id),
        **attrs(state),
        **attrs(row.attrs),
    )


def _cell(place: int, column: Column, cell: Node) -> html.Td | html.Th:
    class_name = classes("ph-num" if column.is_number else None, column.class_name) or None
    if place == 0:
        return html.Th(cell, scope="row", className=class_name)
    return html.Td(cell, className=class_name)
