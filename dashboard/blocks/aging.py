"""A panel with its age at the right of its head: its numbers turn grey when they grow stale."""

from dash import html

from dashboard.components.pills import age
from dashboard.views.ages import AgeView


def aged(section: html.Section) -> html.Section:
    """Return the panel as the scope of the age in its head."""
    setattr(section, "data-age-scope", "")
    return section


def panel_age(id: str, shown: AgeView) -> html.Span:
    """Return the age for a panel's tools; the live script keeps counting."""
    text = "" if shown.received_at else "never"
    return age(id, shown.received_at, shown.budget_s, text, is_behind=shown.is_behind)


def told_age(shown: AgeView) -> tuple[float, float, float]:
    """Return what a patch tells of an age that is known."""
    return shown.received_at or 0.0, shown.budget_s, float(shown.is_behind)
