"""Outside services with their breakers, and what all agents share: parts of the queue panel."""

import json
from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashboard.components.nodes import attrs
from dashboard.patches import Patch
from dashboard.views.resources import HALF_OPEN_SOON, ApiRow, PoolView

APIS, POOL_WORDS = "agents-apis", "agents-pool-words"
POOL = {"requests": "Requests", "limits": "Rate limits", "cache": "Cache", "cpu": "CPU work"}


def services(rows: Sequence[ApiRow]) -> Component:
    """Return the outside services, none where none was called; the browser draws the lines."""
    return html.Ul(id=APIS, className="ph-apis", **attrs({"data-ph-rows": service_rows(rows)}))


def service_rows(rows: Sequence[ApiRow]) -> str:
    """Return the outside services as plain rows: glyph and state, then how calls end and wait."""
    return json.dumps([line for row in rows for line in _lines(row)], ensure_ascii=False)


def _lines(row: ApiRow) -> list[object]:
    tone = "ph-tx2" if row.tone == "tx3" else f"ph-{row.tone}"
    count: dict[str, str] = {}
    if row.next_try_at is not None:
        count = {
            "phDue": f"{row.next_try_at:.3f}", "phBefore": "next try in ", "phOver": HALF_OPEN_SOON,
        }  # fmt: skip
    head = [
        [f"ph-i ph-i-12 ph-i-{row.glyph} ph-{row.tone}", ""],
        ["ph-mono", row.api],
        [f"ph-api-state {tone}", row.state],
        ["ph-api-next ph-tx2 ph-fixed", "", count],
    ]
    more = [["ph-api-more ph-tx3", f"{row.used}; {row.limit}"]]
    return [["", "", head], ["", "", more]]


def pool_box(shown: PoolView) -> html.Details:
    """Return what all agents share, in a line that opens."""
    summary = html.Summary(
        [
            html.Span("Shared resources"),
            html.Span(shown.words, id=POOL_WORDS, className="ph-tx3 ph-cut"),
        ],
        className="ph-t12",
    )
    facts = [
        html.Div([html.Dt(title), html.Dd(getattr(shown, name), id=f"agents-pool-{name}")])
        for name, title in POOL.items()
    ]
    return html.Details([summary, html.Dl(facts, className="ph-facts")], className="ph-fold")


def resources_patch(rows: Sequence[ApiRow], shown: PoolView) -> Patch:
    """Return the newest figures of services and shared resources."""
    text = {f"agents-pool-{name}": getattr(shown, name) for name in POOL}
    marks = {APIS: {"data-ph-rows": service_rows(rows)}}
    return Patch(text=text | {POOL_WORDS: shown.words}, attrs=marks)
