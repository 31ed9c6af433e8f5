"""The bar below the chart that plays, pauses and steps a feed; each press is a command, the engine's answer a toast."""

import json
from collections.abc import Mapping

from dash import html

from dashboard.components.controls import button, field
from dashboard.components.icons import icon
from dashboard.components.nodes import Node, attrs, classes, present
from dashboard.patches import Patch
from dashboard.views.replay import SPEEDS, ReplayView

PREFIX = "replay"
JUMP_FIELD, JUMP_BUTTON, JUMP_ERROR = f"{PREFIX}-jump", f"{PREFIX}-jump-go", f"{PREFIX}-jump-error"
BACK_ASK, BACK_DAY, BACK_GO, BACK_CANCEL = (
    f"{PREFIX}-back", f"{PREFIX}-back-day", f"{PREFIX}-back-go", f"{PREFIX}-back-cancel",
)  # fmt: skip
BACK_ENDS, BACK_STARTS = f"{PREFIX}-back-ends", f"{PREFIX}-back-starts"


def intent(name: str, params: Mapping[str, object] | None = None) -> str:
    """Return what a button sends when it is pressed."""
    return json.dumps({"name": name, "params": dict(params or {})}, separators=(",", ":"))


def replay_bar(view: ReplayView) -> html.Div:
    """Return the bar."""
    return html.Div(
        present(
            html.Div(
                [
                    _button("play", view.play_label, view.play_command, "ph-ibtn-solid"),
                    _button("step", "Step one bar", "StepReplay", "ph-ibtn-plain", "step-forward"),
                ],
                className="ph-line",
            ),
            html.Div(
                [_speed(view, speed) for speed in SPEEDS],
                className="ph-seg ph-speeds",
                role="group",
                **attrs({"aria-label": "Bars a minute"}),
            ),
            _track(view),
            _jump(view),
            html.P("This feed runs with the wall clock.", className="ph-replay-words ph-tx3"),
        ),
        className="ph-replay",
    )


def _button(name: str, label: str, command: str, look: str, icon_name: str = "") -> html.Button:
    data = {"aria-label": label, "data-tip": label, "data-ph-intent": intent(command)}
    if command == "StepReplay":
        data["data-ph-repeats"] = ""  # two clicks are two bars
    return html.Button(
        html.Span(
            id=f"{PREFIX}-{name}-icon",
            className=f"ph-i ph-i-{icon_name or label.lower()}",
            **attrs({"aria-hidden": "true"}),
        ),
        id=f"{PREFIX}-{name}",
        type="button",
        className=classes("ph-ibtn", look),
        **attrs(data),
    )


def _speed(view: ReplayView, speed: int) -> html.Button:
    return html.Button(
        f"×{speed}",
        id=f"{PREFIX}-speed-{speed}",
        type="button",
        className="ph-seg-btn",
        **attrs(
            {
                "aria-pressed": "true" if view.is_speed(speed) else "false",
                "aria-label": f"{speed} {'bar' if speed == 1 else 'bars'} a minute",
                "data-ph-intent": intent("SetReplaySpeed", {"bars_per_minute": speed}),
            }
        ),
    )


def _track(view: ReplayView) -> Node:
    return html.Div(
        [
            html.Div(
                [
                    html.Strong(view.day, id=f"{PREFIX}-day"),
                    html.Span(view.bar, id=f"{PREFIX}-bar", className="ph-tx3 ph-t11"),
                ],
                className="ph-replay-place",
            ),
            html.Div(html.Span(className="ph-replay-fill"), className="ph-replay-line"),
            html.Span(view.until, id=f"{PREFIX}-until", className="ph-replay-until ph-tx3 ph-t11"),
        ],
        id=f"{PREFIX}-track",
        className="ph-replay-track",
        role="progressbar",
        style={"--ph-v": f"{view.progress or 0:.4f}"},
        **attrs(_progress(view)),
    )


def _progress(view: ReplayView) -> dict[str, str]:
    return {
        "aria-label": "Bars played",
        "aria-valuemin": "0",
        "aria-valuemax": "100",
        "aria-valuenow": f"{100 * (view.progress or 0):.0f}",
        "aria-valuetext": view.bar,
    }


def _jump(view: ReplayView) -> html.Div:
    return html.Div(
        [
            field(
                JUMP_FIELD, "Jump to a day, written as 2008-10-01", view.iso_day, hide_label=True
            ),
            html.Button(
                icon("calendar"),
                id=JUMP_BUTTON,
                type="button",
                n_clicks=0,
                className="ph-ibtn ph-ibtn-solid",
                **attrs({"aria-label": "Jump to the day", "data-tip": _jump_tip(view)}),
            ),
            html.Span(id=JUMP_ERROR, className="ph-replay-error", role="status"),
            _ask(view),
        ],
        id=f"{PREFIX}-jump-box",
        className="ph-replay-jump",
        **attrs({"data-follow": view.iso_day}),
    )


def _ask(view: ReplayView) -> html.Div:
    """Return what a jump back asks first; `hidden` until then, with the focus on Cancel."""
    words = [
        html.Strong("", id=BACK_DAY, className="ph-t12"),
        html.P(view.back_ends, id=BACK_ENDS),
        html.P(view.back_starts, id=BACK_STARTS),
    ]
    buttons = [
        button("Cancel", "ghost", id=BACK_CANCEL),
        button("Jump back", "danger-outline", id=BACK_GO),
    ]
    return html.Div(
        [*words, html.Div(buttons, className="ph-line")],
        id=BACK_ASK,
        hidden=True,
        className="ph-replay-ask ph-t12",
        role="group",
        **attrs(
            {
                "aria-labelledby": BACK_DAY,
                "aria-describedby": f"{BACK_ENDS} {BACK_STARTS}",
                "data-ask": BACK_CANCEL,
                "data-ask-from": JUMP_BUTTON,
            }
        ),
    )


def back_title(day: str) -> str:
    """Return the heading of the question.

    Examples
    --------
    >>> back_title("2008-09-10")
    'Jump back to 2008-09-10'
    """
    return f"Jump back to {day}"


def _jump_tip(view: ReplayView) -> str:
    return f"A day from {view.jump_from} to {view.jump_to}. A jump back starts a new run with a fresh paper account."


def replay_class(view: ReplayView | None) -> str:
    """Return the class of the bar's panel: which of its controls the feed can obey."""
    off = "ph-replay-off" if view is None else None
    endless = "ph-replay-endless" if view is not None and not view.jump_to else None
    return classes("ph-panel ph-replay-panel", off, endless)


def replay_patch(view: ReplayView) -> Patch:
    """Return what brings a drawn bar to this state."""
    marks = {
        f"{PREFIX}-play": {
            "aria-label": view.play_label,
            "data-tip": view.play_label,
            "data-ph-intent": intent(view.play_command),
        }
    }
    marks |= {
        f"{PREFIX}-speed-{speed}": {"aria-pressed": "true" if view.is_speed(speed) else "false"}
        for speed in SPEEDS
    }
    text = {f"{PREFIX}-day": view.day, f"{PREFIX}-bar": view.bar}
    marks[f"{PREFIX}-track"] = {"style": f"--ph-v: {view.progress or 0:.4f}", **_progress(view)}
    marks[JUMP_BUTTON] = {"data-tip": _jump_tip(view)}
    marks[f"{PREFIX}-jump-box"] = {"data-follow": view.iso_day}
    text |= {
        f"{PREFIX}-until": view.until,
        BACK_ENDS: view.back_ends,
        BACK_STARTS: view.back_starts,
    }
    look = f"ph-i ph-i-{view.play_label.lower()}"
    return Patch(text=text, attrs=marks, cls={f"{PREFIX}-play-icon": look})
