"""The bar below the chart that plays, pauses and steps a feed; each press is a command, the engine's answer a toast."""

import json
from collections.abc import Mapping

from dash import html

from dashboard.components.controls import field
from dashboard.components.icons import icon
from dashboard.components.nodes import Node, attrs, classes, present
from dashboard.patches import Patch
from dashboard.views.replay import SPEEDS, ReplayView

PREFIX = "replay"
JUMP_FIELD, JUMP_BUTTON, JUMP_ERROR = f"{PREFIX}-jump", f"{PREFIX}-jump-go", f"{PREFIX}-jump-error"


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
        ],
        className="ph-replay-jump",
    )


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
    text[f"{PREFIX}-until"] = view.until
    look = f"ph-i ph-i-{view.play_label.lower()}"
    return Patch(text=text, attrs=marks, cls={f"{PREFIX}-play-icon": look})
