"""What Dash's own addresses take: nothing but what a page of ours sends, and no answer that hides a failure.

Dash answers a malformed request, an unknown callback and a failing callback all with status 500 and writes no log.
`Intake` stands around Dash and refuses by name what no page of ours sends; `CallbackFence` stands inside and says which
callback failed on the values it was given.
"""

import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from dash.exceptions import CallbackException, DependencyException, PreventUpdate

from dashboard.guard import App, Message, Receive, Scope, Send
from dashboard.problems import Problem, nothing_at
from engine.domain.errors import InvalidValueError, must
from engine.domain.payload import decode

CALLBACKS = "/_dash-update-component"
_SUITES = re.compile(r"^/_dash-component-suites/[^/]+/.+$")
_OPEN = frozenset({"/_dash-layout", "/_dash-dependencies", CALLBACKS})
_SENSELESS = (
    TypeError,
    ValueError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    CallbackException,
)
"""What a callback raises on a value of a kind that its page never sends."""

_NO_POST = Problem(status=405, error="Callbacks are sent with POST.", remedy="Use POST.")
_UNUSABLE = Problem(
    status=422, error="A value that was sent cannot be used here.", remedy="Load the page again."
)

_log = logging.getLogger(__name__)

Declared = Mapping[str, Mapping[str, Any]]
"""Dash's own table: output -> inputs and state, each a list of id and property."""


class Intake:
    """ASGI middleware around Dash: checks what is sent to callbacks, shuts what we do not use.

    Parameters
    ----------
    app : ASGI application
    callbacks : callable
        Returns the callbacks as Dash keeps them; asked with each request, because pages register late.
    """

    def __init__(self, app: App, *, callbacks: Callable[[], Declared]) -> None:
        self._app = app
        self._callbacks = callbacks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what a page of ours may ask, answer the rest."""
        path = scope.get("path", "")
        if not path.startswith("/_"):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":  # Dash's own socket neither conflates nor forgets
            await receive()
            await send({"type": "websocket.close", "code": 4404, "reason": "nothing lives here"})
        elif path not in _OPEN and not _SUITES.match(path):
            await nothing_at(path).response()(scope, receive, send)
        elif path != CALLBACKS:
            await self._app(scope, receive, send)
        elif scope["method"] != "POST":
            await _NO_POST.response({"Allow": "POST"})(scope, receive, send)
        else:
            await self._callback(scope, receive, send)

    async def _callback(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _whole(receive)
        try:
            check(body, self._callbacks())
        except InvalidValueError as error:
            _log.warning("a request was refused: %s", error)
            await Problem.of(error, 422).response()(scope, receive, send)
            return
        is_read = False

        async def again() -> Message:
            nonlocal is_read
            if is_read:
                return await receive()
            is_read = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app({**scope, "headers": _as_json(scope["headers"])}, again, send)


class CallbackFence:
    """ASGI middleware inside Dash: a callback that fails is logged, and answered without its inside."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and answer in place of Dash when something is raised."""
        if scope["type"] != "http" or not scope["path"].startswith("/_dash-"):
            await self._app(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        except PreventUpdate:
            raise
        except DependencyException:
            await nothing_at(scope["path"]).response()(scope, receive, send)
        except _SENSELESS:
            _log.exception("a callback failed on what it was sent")
            await _UNUSABLE.response()(scope, receive, send)
        except Exception:
            _log.exception("a callback failed")
            raise


def check(body: bytes, callbacks: Declared) -> None:
    """Refuse the body of a request that no page of ours sends.

    Parameters
    ----------
    body : bytes
        As it was sent.
    callbacks : mapping
        The callbacks as Dash keeps them.

    Raises
    ------
    InvalidValueError
        It is no JSON, names no callback, or does not bring that callback's inputs.
    """
    try:
        data = decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise must("body", "be JSON", body[:40], "send what the page sends") from error
    if not isinstance(data, dict):
        raise must("body", "be an object", type(data).__name__, "send what the page sends")
    output = data.get("output")
    declared = callbacks.get(output) if isinstance(output, str) else None
    if declared is None:
        raise must("output", "name a callback", str(output)[:80], "load the page again")
    _is_listed("inputs", data.get("inputs"), declared["inputs"])
    _is_listed("state", data.get("state", []), declared["state"])
    changed = data.get("changedPropIds", [])
    if not isinstance(changed, list) or not all(isinstance(name, str) for name in changed):
        raise must("changedPropIds", "be a list of text", str(changed)[:80], "load the page again")
    if not isinstance(data.get("outputs", []), list | dict):
        raise must(
            "outputs", "be a list or an object", str(data["outputs"])[:80], "load the page again"
        )


def _is_listed(name: str, sent: object, declared: Sequence[Mapping[str, str]]) -> None:
    """Refuse inputs that are not, one by one, those that a callback declares."""
    if not isinstance(sent, list) or len(sent) != len(declared):
        raise must(name, f"be a list of {len(declared)}", str(sent)[:80], "load the page again")
    for item, wanted in zip(sent, declared, strict=True):
        is_many = isinstance(item, list) and any(
            w in wanted["id"] for w in ('["ALL"]', '["ALLSMALLER"]')
        )
        for one in item if is_many else [item]:
            if not _is_the_one(one, wanted):
                named = f"{wanted['id']}.{wanted['property']}"
                raise must(name, f"bring {named}", str(one)[:80], "load the page again")


def _is_the_one(sent: object, wanted: Mapping[str, str]) -> bool:
    if not isinstance(sent, dict) or sent.get("property") != wanted["property"]:
        return False
    if not wanted["id"].startswith("{"):
        return sent.get("id") == wanted["id"]
    name = sent.get("id")
    return isinstance(name, dict) and name.keys() == json.loads(wanted["id"]).keys()


async def _whole(receive: Receive) -> bytes:
    """Return the whole body; the guard has capped it."""
    pieces = []
    while True:
        message = await receive()
        pieces.append(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body", False):
            return b"".join(pieces)


def _as_json(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the headers with the content named for what it was found to be: Dash ignores it otherwise."""
    kept = [pair for pair in headers if pair[0].lower() != b"content-type"]
    return [*kept, (b"content-type", b"application/json")]
