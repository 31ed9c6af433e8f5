"""Addresses beside Dash's own: the live websocket with its fallback, 404 where nothing lives, and links to pages.

Dash answers unknown paths with its page and status 200; here ``/api`` and ``/ws`` answer in JSON instead.
"""

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, FastAPI, Query, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from dashboard.guard import App, Message, Receive, Scope, Send
from dashboard.live import Client, HubFullError, LiveHub
from dashboard.wish import Wish
from engine.domain.errors import InvalidValueError

ALL_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
WISH_PAUSE_S = 0.05
"""A client's next wish is read after so long; until then it waits in the network."""
FULL = "too many clients; try again later"
_OWN_PREFIXES = ("/_", "/api", "/ws", "/assets/", "/healthz", "/docs", "/redoc", "/openapi.json")


def build_live_router(hub: LiveHub) -> APIRouter:
    """Return the routes that carry live parts: ``/ws/live`` and ``/api/live``."""
    router = APIRouter()

    async def live_socket(socket: WebSocket) -> None:
        await serve_client(hub, socket)

    async def live_fallback(
        topics: Annotated[str, Query(max_length=8_192)] = "",
        since: Annotated[int, Query(ge=0)] = 0,
        epoch: Annotated[str, Query(max_length=32)] = "",
    ) -> Response:
        asked = [topic for topic in topics.split(",") if topic]
        try:
            wish = Wish.from_data({"topics": asked, "since": since, "epoch": epoch})
        except InvalidValueError as error:
            return JSONResponse({"error": str(error)}, status_code=422)
        try:
            return Response(await hub.fetch(wish), media_type="application/json")
        except HubFullError:
            return JSONResponse({"error": FULL}, status_code=429, headers={"Retry-After": "10"})

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
                wish = Wish.from_text(text)
            except InvalidValueError as error:
                await socket.close(code=1008, reason=str(error)[:100])
                return
            try:
                await hub.subscribe(client, wish)
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
            words = f"{request.method} means nothing here."
            answer = {"error": words, "remedy": f"Use {', '.join(sorted(allowed))}."}
            return JSONResponse(answer, 405, {"Allow": ", ".join(sorted(allowed))})
        words = f"Nothing lives at {request.url.path[:100]!r}."
        remedy = "See /api/status for what there is."
        return JSONResponse({"error": words, "remedy": remedy}, status_code=404)

    nested = [f"{prefix}/{{path:path}}" for prefix in ("/api", "/ws")]
    for path in (*nested, "/api", "/ws", "/docs", "/redoc", "/openapi.json"):
        server.add_api_route(path, not_found, methods=ALL_METHODS, include_in_schema=False)


async def refuse_value(_: object, error: Exception) -> Response:
    """Answer a value that breaks its rule with 422 and the rule."""
    return JSONResponse({"error": str(error)}, status_code=422)


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
