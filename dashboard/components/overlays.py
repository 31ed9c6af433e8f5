"""What lies over the page: toasts and dialogs."""

from dash import html

from dashboard.components.icons import icon
from dashboard.components.nodes import Id, Node, attrs, classes, dom_id, optional_id, present

TOAST_ICONS = {
    "done": "circle-check",
    "info": "info",
    "warn": "triangle-alert",
    "error": "circle-x",
}


def toast(
    kind: str, title: str, text: str, action: Node = None, *, id: Id | None = None
) -> html.Div:
    """Return a message 360 wide: icon, title, one line, one action.

    Parameters
    ----------
    kind : str
        "done", "info", "warn" or "error"; an error is spoken at once and stays.
    """
    return html.Div(
        present(
            icon(TOAST_ICONS[kind]),
            html.Div(
                [html.Strong(title), html.Span(text, className="ph-tx2 ph-t12")],
                className="ph-toast-text",
            ),
            action,
        ),
        className=classes("ph-toast", f"ph-toast-{kind}"),
        role="alert" if kind == "error" else "status",
        **optional_id(id),
        **attrs({"data-kind": kind}),
    )


def dialog(  # noqa: PLR0913 -- the anatomy of a dialog
    id: Id,
    title: str,
    children: Node | list[Node],
    footer: Node | list[Node] = None,
    *,
    icon_name: str = "",
    scope: Node = None,
    is_danger: bool = False,
    class_name: str = "",
) -> html.Dialog:
    """Return a dialog 488 wide, closed; Esc closes it and the focus goes back.

    A button with ``data-ph-open`` of its id opens it, one with ``data-ph-close`` inside closes it.

    Parameters
    ----------
    scope : node
        A pill at the right of the title that says what it is about.
    """
    title_id = f"{dom_id(id)}-title"
    mark = icon(icon_name, 20, class_name="ph-crit" if is_danger else "") if icon_name else None
    head = html.Div(
        present(
            mark,
            html.H2(title, id=title_id, className="ph-t16"),
            html.Span(scope, className="ph-push") if scope else None,
        ),
        className="ph-dialog-head",
    )
    body = html.Div(present(*_listed(children)), className="ph-dialog-body")
    foot = (
        html.Div(present(*_listed(footer)), className="ph-dialog-foot")
        if footer is not None
        else None
    )
    return html.Dialog(
        present(head, body, foot),
        className=classes("ph-dialog", class_name),
        **optional_id(id),
        **attrs({"aria-labelledby": title_id}),
    )


def _listed(children: Node | list[Node]) -> list[Node]:
    return children if isinstance(children, list) else [children]
