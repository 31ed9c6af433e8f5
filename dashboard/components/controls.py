"""What a person presses, drags or types: native elements, labelled, with the states of the design.

Keyboard steps, the fill under a slider's thumb, holds and tooltips are `assets/controls.js`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import dash_bootstrap_components as dbc
from dash import html

from dashboard.components.icons import icon
from dashboard.components.nodes import Id, Node, attrs, classes, dom_id, optional_id, present

BUTTON_KINDS = frozenset({"primary", "neutral", "ghost", "danger-outline", "danger"})


def button(  # noqa: PLR0913 -- the design's own list of states
    label: str,
    kind: str = "neutral",
    icon_name: str | None = None,
    *,
    id: Id | None = None,
    small: bool = False,
    busy: str = "",
    disabled_reason: str = "",
    label_id: str | None = None,
    class_name: str = "",
) -> html.Button:
    """Return a button.

    Parameters
    ----------
    kind : str
        One of `BUTTON_KINDS`; one primary button per panel.
    busy : str
        What it is doing, for example "Starting…"; takes the label's place and ends clicks.
    disabled_reason : str
        Why it does nothing now. It stays in the tab order and says so on hover and focus.
    label_id : str, optional
        Id of the label's text, for patches.
    """
    data: dict[str, str] = {}
    mark = "circle-dashed" if busy else icon_name
    if busy:
        data = {"aria-disabled": "true", "aria-busy": "true"}
    elif disabled_reason:
        mark = "lock"
        data = {"aria-disabled": "true", "data-tip": disabled_reason}
    text = html.Span(busy or label, id=label_id) if label_id else html.Span(busy or label)
    reason = html.Span(f", {disabled_reason}", className="ph-hidden") if disabled_reason else None
    return html.Button(
        present(icon(mark, class_name="ph-i-busy" if busy else "") if mark else None, text, reason),
        type="button",
        n_clicks=0,
        className=classes(
            "ph-btn",
            f"ph-btn-{'locked' if disabled_reason and not busy else kind}",
            "ph-btn-s" if small else None,
            class_name,
        ),
        **optional_id(id),
        **attrs(data),
    )


def icon_button(  # noqa: PLR0913 -- the design's own list of states
    name: str,
    label: str,
    *,
    id: Id | None = None,
    size: int = 16,
    pressed: bool | None = None,
    disabled_reason: str = "",
    class_name: str = "",
) -> html.Button:
    """Return a button with only an icon; `label` names it and shows as its tooltip.

    `pressed` makes it a toggle, as a lock is.
    """
    data = {
        "aria-label": f"{label}, {disabled_reason}" if disabled_reason else label,
        "data-tip": disabled_reason or label,
    }
    if pressed is not None:
        data["aria-pressed"] = "true" if pressed else "false"
    if disabled_reason:
        data["aria-disabled"] = "true"
    return html.Button(
        icon(name, size),
        type="button",
        n_clicks=0,
        className=classes("ph-ibtn", class_name),
        **optional_id(id),
        **attrs(data),
    )


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a segment or a radio list; one with a reason cannot be taken and is struck through."""

    value: str
    label: str
    disabled_reason: str = ""


def segments(
    id: Id, options: Sequence[Option], value: str | None, *, label: str, is_kept: bool = False
) -> html.Div:
    """Return a row of segments; a radio group, so arrows move in it and `value` can be read by callbacks.

    `is_kept` lets the browser remember the choice over visits.
    """
    kept = {"persistence": True, "persistence_type": "local"} if is_kept else {}
    return html.Div(
        dbc.RadioItems(
            options=[
                {"label": _with_reason(o), "value": o.value, "disabled": bool(o.disabled_reason)}
                for o in options
            ],
            value=value,
            class_name="ph-seg-items",
            **kept,
            **optional_id(id),
        ),
        className="ph-seg",
        role="radiogroup",
        **attrs({"aria-label": label}),
    )


def _with_reason(option: Option) -> html.Span | str:
    if not option.disabled_reason:
        return option.label
    hidden = html.Span(f", {option.disabled_reason}", className="ph-hidden")
    return html.Span([option.label, hidden], **attrs({"data-tip": option.disabled_reason}))


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several radios with its consequence in numbers."""

    value: str
    title: str
    consequence: str


def choices(
    id: Id, options: Sequence[Choice], value: str, *, label: str, is_danger: bool = False
) -> html.Div:
    """Return radios below each other, each with what would follow from it."""
    return html.Div(
        dbc.RadioItems(
            options=[
                {
                    "label": html.Span(
                        [html.Strong(o.title), html.Span(o.consequence, className="ph-tx2 ph-t12")]
                    ),
                    "value": o.value,
                }
                for o in options
            ],
            value=value,
            **optional_id(id),
        ),
        className=classes("ph-choices", "ph-choices-danger" if is_danger else None),
        role="radiogroup",
        **attrs({"aria-label": label}),
    )


def switch(
    id: Id, on: bool, label: str, *, text: str = "", disabled_reason: str = ""
) -> html.Button:
    """Return a switch; it shows the state that the engine answered, so a click only asks.

    Read ``n_clicks`` with the state of ``aria-checked``; set ``aria-checked`` to "true" or "false".
    """
    data = {"aria-checked": "true" if on else "false", "aria-label": label}
    if disabled_reason:
        data |= {
            "aria-disabled": "true",
            "data-tip": disabled_reason,
            "aria-label": f"{label}, {disabled_reason}",
        }
    return html.Button(
        present(html.Span(className="ph-switch-track"), html.Span(text) if text else None),
        type="button",
        role="switch",
        n_clicks=0,
        className="ph-switch",
        **optional_id(id),
        **attrs(data),
    )


def field(  # noqa: PLR0913 -- the anatomy of a field
    id: Id,
    label: str,
    value: str | float | None,
    *,
    hint: str = "",
    error: str = "",
    unit: str = "",
    locked_reason: str = "",
    kind: str = "text",
    hide_label: bool = False,
) -> html.Label:
    """Return a labelled field; hint or error belong to the label, so a reader hears them with the name.

    The message has the id ``{id}-message`` where `id` is text.
    """
    message_id = optional_id(f"{id}-message" if isinstance(id, str) else None)
    message = (
        html.Span([icon("circle-x", 12), error], className="ph-field-error", **message_id)
        if error
        else html.Span(locked_reason or hint, className="ph-field-hint", **message_id)
    )
    box = html.Span(
        present(
            dbc.Input(
                value=value,
                type="text",
                inputmode="decimal" if kind == "number" else None,
                disabled=bool(locked_reason),
                autocomplete="off",
                debounce=True,
                class_name="ph-input",
                **optional_id(id),
            ),
            html.Span(unit, className="ph-field-unit") if unit else None,
            icon("lock") if locked_reason else None,
        ),
        className="ph-field-box",
    )
    name = html.Span(label, className="ph-hidden" if hide_label else "ph-field-name")
    return html.Label(
        present(name, box, message if error or hint or locked_reason else None),
        className=classes(
            "ph-field",
            "ph-field-bad" if error else None,
            "ph-field-locked" if locked_reason else None,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Slider:
    """What a slider shows, in the unit that its label speaks (percent for a weight).

    Parameters
    ----------
    value, low, high, step : float
        The thumb and its bounds.
    current : float, optional
        What is in force: the ghost tick.
    cap : float, optional
        What the thumb may not pass: the dotted tick.
    unit : str
        Written behind each number that is read out.
    """

    value: float
    low: float = 0.0
    high: float = 100.0
    step: float = 1.0
    current: float | None = None
    cap: float | None = None
    unit: str = "%"

    def place(self, value: float) -> str:
        """Return where a value stands on the track, as a share of its length."""
        extent = self.high - self.low
        share = (value - self.low) / extent if extent else 0.0
        return f"{min(1.0, max(0.0, share)):.4f}"

    def spoken(self) -> str:
        """Return what a reader says: "35%, current 20%, cap 50%"."""
        parts = [f"{self.value:g}{self.unit}"]
        if self.current is not None:
            parts.append(f"current {self.current:g}{self.unit}")
        if self.cap is not None:
            parts.append(f"cap {self.cap:g}{self.unit}")
        return ", ".join(parts)


def weight_slider(id: Id, label: str, slider: Slider, *, locked: bool = False) -> html.Div:
    """Return a slider on a native range input: thumb proposed, tick current, dots cap.

    The script keeps the fill and the spoken value in step with the thumb and stops it at the cap.
    """
    data = {"data-unit": slider.unit, "data-spoken": slider.spoken()}
    style = {"--ph-v": slider.place(slider.value)}
    ticks: list[Node] = []
    if slider.current is not None:
        data["data-current"] = f"{slider.current:g}"
        ticks.append(
            html.Span(className="ph-slider-now", style={"--ph-at": slider.place(slider.current)})
        )
    if slider.cap is not None:
        data["data-cap"] = f"{slider.cap:g}"
        ticks.append(
            html.Span(className="ph-slider-cap", style={"--ph-at": slider.place(slider.cap)})
        )
    range_input = dbc.Input(
        type="range",
        value=slider.value,
        min=slider.low,
        max=slider.high,
        step=slider.step,
        disabled=locked,
        class_name="ph-range",
        **optional_id(id),
    )
    name = html.Label(label, htmlFor=dom_id(id), className="ph-hidden")
    return html.Div(
        present(name, html.Span(className="ph-slider-fill"), *ticks, range_input),
        className=classes("ph-slider", "ph-slider-locked" if locked else None),
        style=style,
        **attrs(data),
    )


def hold_button(id: Id, label: str, *, disabled_reason: str = "") -> html.Button:
    """Return a button that acts only after it was held for 1.2 s; ``n_clicks`` counts completed holds.

    Enter never confirms; Space held does.
    """
    data = {"data-hold": "1200"}
    if disabled_reason:
        data |= {"aria-disabled": "true", "data-tip": disabled_reason}
    return html.Button(
        present(
            html.Span(className="ph-hold-fill"),
            html.Span(label, className="ph-hold-label"),
            html.Span(", hold to confirm", className="ph-hidden"),
        ),
        type="button",
        n_clicks=0,
        className="ph-btn ph-btn-danger ph-hold",
        **optional_id(id),
        **attrs(data),
    )
