"""The ASGI application around the dashboard: its life, its guard, and the order in which its routes are asked."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from dash import Dash
from fastapi import FastAPI

from dashboard.guard import Guard, Policy
from dashboard.host import Host
from dashboard.live import LiveHub
from dashboard.routing import PageLinks, add_not_found, build_live_router, refuse_value
from engine.api.router import build_router
from engine.domain.errors import InvalidValueError


def build_server(host: Host, hub: LiveHub, *, is_dev: bool = False) -> FastAPI:
    """Return the FastAPI application: engine and hub live as long as it does; Dash is put on it afterwards.

    Parameters
    ----------
    is_dev : bool
        Offer ``/docs`` and ``/openapi.json``.
    """

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        await host.start()
        try:
            await hub.start()
            yield
        finally:
            await hub.stop()
            await host.stop()

    server = FastAPI(
        title="Pilothouse",
        lifespan=life,
        docs_url="/docs" if is_dev else None,
        redoc_url=None,
        openapi_url="/openapi.json" if is_dev else None,
    )
    server.add_exception_handler(InvalidValueError, refuse_value)
    server.include_router(build_live_router(hub))
    server.include_router(build_router(host.gateway))
    add_not_found(server)
    return server


def protect(
    app: Dash, policy: Policy, paths: frozenset[str], extra_hashes: tuple[str, ...]
) -> None:
    """Put page links and the guard around a Dash application; the guard last, so that it stands outermost."""
    server: FastAPI = app.server
    server.add_middleware(PageLinks, paths=paths)
    server.add_middleware(Guard, policy=policy, script_hashes=_hashes(app, extra_hashes))


def _hashes(app: Dash, extra: tuple[str, ...]) -> Callable[[], tuple[str, ...]]:
    def hashes() -> tuple[str, ...]:
        return (*extra, *(f"'{value}'" for value in (h.strip("'") for h in app.csp_hashes())))

    return hashes
