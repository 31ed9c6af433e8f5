"""The watchlist as a grid: whole rows once, then ticks that its script merges into them, so nothing flashes."""

from collections.abc import Mapping, Sequence
from typing import Any

import dash_ag_grid as dag
import dash_bootstrap_components as dbc
from dash import html

from dashboard.components.nodes import attrs

ROW_HEIGHT = 44
_PLAIN = {"suppressMovable": True, "resizable": False, "suppressHeaderMenuButton": True}

COLUMNS: list[dict[str, Any]] = [
    {"field": "symbol", "headerName": "Symbol", "cellRenderer": "PhSymbol", "flex": 1, "minWidth": 80},
    {"field": "p", "colId": "spark", "headerName": "30 bars", "cellRenderer": "PhSpark", "width": 66,
     "sortable": False},
    {"field": "p", "colId": "last", "headerName": "Last", "cellRenderer": "PhLast", "width": 76,
     "type": "rightAligned"},
    {"field": "signal", "headerName": "Signal", "cellRenderer": "PhSignal", "width": 60, "cellClass": "ph-cell-middle"},
    {"field": "risk", "headerName": "Risk", "cellRenderer": "PhRisk", "width": 34},
    {"field": "a", "colId": "age", "headerName": "Age", "cellRenderer": "PhAge", "width": 68, "sortable": False,
     "type": "rightAligned"},
]  # fmt: skip


def watch_grid(
    grid_id: str, rows: Sequence[Mapping[str, object]], selected: str
) -> list[dag.AgGrid | html.Div]:
    """Return the grid and the element whose attributes carry its news.

    The parts of the live transport write ``data-ticks`` and ``data-rows`` of ``{grid_id}-feed``.
    """
    grid = dag.AgGrid(
        id=grid_id,
        rowData=list(rows),
        columnDefs=COLUMNS,
        defaultColDef=_PLAIN,
        selectedRows=[row for row in rows if row["symbol"] == selected],
        getRowId="params.data.symbol",
        dashGridOptions={
            "rowHeight": ROW_HEIGHT,
            "headerHeight": 28,
            "animateRows": False,
            "suppressColumnVirtualisation": True,
            "suppressDragLeaveHidesColumns": True,
            "ensureDomOrder": True,
            "rowSelection": {
                "mode": "singleRow",
                "checkboxes": False,
                "enableClickSelection": True,
            },
        },
        className="ph-grid ph-watchlist",
        style={"height": "100%", "width": "100%"},
    )
    feed = html.Div(id=f"{grid_id}-feed", hidden=True, **attrs({"data-grid-feed": grid_id}))
    return [grid, feed]


def grid_filter(grid_id: str, label: str) -> html.Label:
    """Return the quick filter: what is typed narrows the rows at once."""
    box = dbc.Input(
        id=f"{grid_id}-filter",
        type="search",
        placeholder="Filter",
        class_name="ph-quick-filter",
        autocomplete="off",
    )
    return html.Label(
        [html.Span(label, className="ph-hidden"), box],
        className="ph-quick",
        **attrs({"data-grid-filter": grid_id}),
    )
