"""The panels beside the chart of Markets: fills, why-card, value at risk; each drawn at once, and as its patch.

A patch names the same ids as its panel, so both stand together here. The symbol tells how long a bar lasts.
"""

from dash import html

from dashboard.blocks import market_panels
from dashboard.components.nodes import attrs
from dashboard.components.panels import panel
from dashboard.components.pills import age
from dashboard.components.tables import table, table_rows
from dashboard.patches import Patch
from dashboard.views.markets import activity_view, var_view
from dashboard.views.why import why_view
from engine.domain.sections import Snapshot

WHY, WHY_REMARK, FILLS, VAR, VAR_TITLE, VAR_AGE = (
    "markets-why", "markets-why-remark", "markets-fills", "markets-var", "markets-var-title", "markets-var-age",
)  # fmt: skip


def activity_panel(snapshot: Snapshot, symbol: str) -> html.Section:
    """Return the newest fills."""
    drawn = table(
        market_panels.FILL_COLUMNS,
        market_panels.fill_rows(activity_view(snapshot, symbol)),
        caption="Latest fills, newest first: change of weight, then the position after it",
        class_name="ph-activity",
        body_id=FILLS,
    )
    box = html.Div(
        drawn, className="ph-scroll", tabIndex=0, role="region", **attrs({"aria-label": "Fills"})
    )
    return panel("Activity", box, remark="change, position after", class_name="ph-area-activity")


def live_fills(snapshot: Snapshot, symbol: str) -> Patch:
    """Return the newest fills."""
    rows = market_panels.fill_rows(activity_view(snapshot, symbol))
    return Patch(props={FILLS: {"children": table_rows(market_panels.FILL_COLUMNS, rows)}})


def why_panel(snapshot: Snapshot, symbol: str) -> html.Section:
    """Return why a symbol was traded or not."""
    view = why_view(snapshot, symbol)
    label = attrs({"aria-label": "Why, and why not"})
    return panel(
        "Why, and why not",
        html.Div(market_panels.why(view), id=WHY, tabIndex=0, role="region", **label),
        tools=[html.Span(view.remark, id=WHY_REMARK, className="ph-tx3 ph-t12")],
        class_name="ph-area-why",
    )


def live_why(snapshot: Snapshot, argument: str) -> Patch:
    """Return the newest why-card."""
    view = why_view(snapshot, argument)
    return Patch(props={WHY: {"children": market_panels.why(view)}}, text={WHY_REMARK: view.remark})


def var_panel(snapshot: Snapshot, symbol: str) -> html.Section:
    """Return the value at risk of the portfolio."""
    view = var_view(snapshot, symbol)
    text = "never" if view.received_at is None else ""
    drawn = panel(
        html.Span(view.title, id=VAR_TITLE),
        html.Div(market_panels.var(view), id=VAR, className="ph-var"),
        remark="portfolio",
        tools=[
            age(VAR_AGE, view.received_at, view.budget_s or 0.0, text, is_behind=view.is_behind)
        ],
        class_name="ph-area-var",
    )
    setattr(drawn, "data-age-scope", "")
    return drawn


def live_var(snapshot: Snapshot, symbol: str) -> Patch:
    """Return the gauges of the portfolio."""
    view = var_view(snapshot, symbol)
    known = view.received_at is not None
    told = (view.received_at or 0.0, view.budget_s or 0.0, float(view.is_behind))
    ages = {VAR_AGE: told} if known else {}
    text = {VAR_TITLE: view.title}
    return Patch(text=text, props={VAR: {"children": market_panels.var(view)}}, age=ages)
