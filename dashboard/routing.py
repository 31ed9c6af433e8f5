"""Addresses beside Dash's own: the live websocket with its fallback, 404 where nothing lives, and links to pages.

Dash answers unknown paths with its page and status 200; here ``/api`` and ``/ws`` answer in JSON instead.
"""

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, FastAPI, Query, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict

from dashboard.channels import Client
from dashboard.guard import App, Message, Receive, Scope, Send
from dashboard.live import HubFullError, LiveHub
from dashboard.problems import Problem, nothing_at
from dashboard.wish import Wish
from engine.domain.errors import InvalidValueError

ALL_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
WISH_PAUSE_S = 0.05
"""A client's next wish is read after so long; until then it waits in the network."""
MAX_REASON_BYTES = 120
"""A closing frame has no room for more."""
FULL = "too many clients; try again later"
_OWN_PREFIXES = ("/_", "/api", "/ws", "/assets/", "/healthz", "/docs", "/redoc", "/openapi.json")


class LiveQuery(BaseModel):
    """What a browser whose websocket cannot open asks for; `Wish` has the rules."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    topics: str = ""
    since: int = 0
    epoch: str = ""


def build_live_router(hub: LiveHub) -> APIRouter:
    """Return the routes that carry live parts: ``/ws/live`` and ``/api/live``."""
    router = APIRouter()

    async def live_socket(socket: WebSocket) -> None:
        await serve_client(hub, socket)

    async def live_fallback(query: Annotated[LiveQuery, Query()]) -> Response:
        topics = tuple(topic for topic in query.topics.split(",") if topic)
        wish = Wish(topics=topics, since=query.since, epoch=query.epoch)
        try:
            return Response(await hub.fetch(wish), media_type="application/json")
        except HubFullError:
            words, _, remedy = FULL.partition("; ")
            problem = Problem(status=429, error=words, remedy=remedy)
            return problem.response({"Retry-After": "10"})

    router.add_api_websocket_route("/ws/live", live_socket)
    router.add_api_route("/api/live", live_fallback, methods=["GET"])
    return router


async def serve_client(hub: LiveHub, socket: WebSocket) -> None:
    """Serve one browser tab until it leaves: read its wishes, send it the newest state."""
    await socket.accept()
    try:
        client = hub.connect()
    except HubFullError:
        await socket.close(code=1013, reason=FULL)
        return
    reader = asyncio.create_task(_read_wishes(hub, client, socket))
    writer = asyncio.create_task(_send_frames(hub, client, socket))
    try:
        await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        hub.disconnect(client)
        for task in (reader, writer):
            task.cancel()
        await asyncio.gather(reader, writer, return_exceptions=True)
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # the other side has closed
            await socket.close()


async def _read_wishes(hub: LiveHub, client: Client, socket: WebSocket) -> None:
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            text = await socket.receive_text()
            try:
                await hub.subscribe(client, Wish.from_text(text))
            except InvalidValueError as error:
                reason = str(error).encode()[:MAX_REASON_BYTES].decode(errors="ignore")
                await socket.close(code=1008, reason=reason)
                return
            except HubFullError:
                await socket.close(code=1013, reason=FULL)
                return
            await asyncio.sleep(WISH_PAUSE_S)


async def _send_frames(hub: LiveHub, client: Client, socket: WebSocket) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while True:
            await socket.send_text(await hub.next_frame(client))


def add_not_found(server: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Answer what no route of `routers` does under ``/api`` and ``/ws``, and shut docs, in JSON; to be added last.

    A known path asked for by a wrong method gives 405, any other 404.
    """
    known = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]

    async def not_found(request: Request) -> Response:
        allowed = {
            m for r in known if r.path_regex.match(request.url.path) for m in r.methods or ()
        }
        if allowed:
            words, names = f"{request.method} means nothing here.", ", ".join(sorted(allowed))
            problem = Problem(status=405, error=words, remedy=f"Use {names}.")
            return problem.response({"Allow": names})
        return nothing_at(request.url.path).response()

    nested = [f"{prefix}/{{path:path}}" for prefix in ("/api", "/ws")]
    for path in (*nested, "/api", "/ws", "/docs", "/redoc", "/openapi.json"):
        server.add_api_route(path, not_found, methods=ALL_METHODS, include_in_schema=False)


class PageLinks:
    """ASGI middleware that serves the dashboard under every page's address, so that a link opens the page it names.

    Dash prepares itself only on its own root, so the request is handed to the root; an address without a page
    gets the same document with status 404.
    """

    def __init__(self, app: App, *, paths: frozenset[str]) -> None:
        self._app = app
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a page's address to the root; pass everything else on."""
        path = scope.get("path", "")
        is_page = scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}
        if not is_page or path == "/" or path.startswith(_OWN_PREFIXES):
            await self._app(scope, receive, send)
            return
        is_known = path.rstrip("/") in self._paths

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start" and not is_known:
                message = {**message, "status": 404}
            await send(message)

        await self._app({**scope, "path": "/", "raw_path": b"/"}, receive, marked)
