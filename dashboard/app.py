"""The composition root: host, pages, frame, live parts and server become one Dash application.

Nothing is kept at module level, so one application after another in a process is fine.
"""

import base64
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from dash import Dash, html
from dash.development.base_component import Component
from fastapi import FastAPI

from dashboard import frame
from dashboard.components import chart
from dashboard.guard import Guard, Policy
from dashboard.host import Host
from dashboard.intake import CallbackFence, Intake
from dashboard.live import LiveHub
from dashboard.page import PageModule
from dashboard.pages import page_modules
from dashboard.problems import Problem, add_handlers
from dashboard.routing import PageLinks, add_not_found, build_live_router
from engine.api.router import build_router
from engine.domain.errors import PilothouseError

THEME_SCRIPT = (
    '(function(){var t=null;try{t=localStorage.getItem("ph-theme")}catch(e){}'
    'if(t!=="light"&&t!=="dark"){t=matchMedia("(prefers-color-scheme: light)").matches?"light":"dark"}'
    'document.documentElement.setAttribute("data-bs-theme",t)})();'
)
"""Runs before the first paint, so that no page flashes in the other theme; allowed by its hash."""

_INDEX = """<!DOCTYPE html>
<html lang="en" data-bs-theme="dark">
    <head>
        {%metas%}
        <title>{%title%}</title>
        <link rel="icon" type="image/svg+xml" href="/assets/favicon.svg">
        <script>THEME</script>
        {%css%}
    </head>
    <body>
        {%app_entry%}
        <noscript>Pilothouse draws live prices and needs JavaScript; switch it on for this address.</noscript>
        <footer>
            {%config%}
            {%scripts%}
            {%renderer%}
        </footer>
    </body>
</html>"""


def create_app(
    host: Host | None = None, *, policy: Policy | None = None, is_dev: bool = False
) -> Dash:
    """Return the application; its `server` is the ASGI application to serve.

    Parameters
    ----------
    host : Host, optional
        The engine; without it one is built from the settings.
    policy : Policy, optional
        What the guard lets through; without it this machine alone, without password.
    is_dev : bool
        Offer ``/docs`` and ``/openapi.json``.
    """
    engine_host = host if host is not None else _host_from_settings()
    pages = page_modules()
    parts = [*frame.LIVE, *(part for page in pages for part in page.live)]
    hub = LiveHub(engine_host.gateway, parts, now=time.time)
    app = Dash(
        name="dashboard",
        server=build_server(engine_host, hub, pages, is_dev=is_dev),  # type: ignore[arg-type] # Dash takes a FastAPI application here
        assets_folder=str(assets_folder()),
        assets_ignore=r"^plotly-",  # loaded by the first chart, not by every page
        index_string=_INDEX.replace("THEME", THEME_SCRIPT),
        title="Pilothouse",
        update_title="",
        use_pages=False,
        pages_folder="",
        add_log_handler=False,
    )
    app.backend.websocket_capability = (
        False  # else each tab keeps a worker that knocks at Dash's own, shut socket
    )
    _draw(app, engine_host, pages)
    paths = frozenset(module.page.path.rstrip("/") for module in pages)
    protect(app, policy or Policy(), paths, (script_hash(THEME_SCRIPT),))
    return app


def _host_from_settings() -> Host:
    from engine.bootstrap import build_host
    from engine.settings import load_settings

    return build_host(load_settings(), version("pilothouse"))


def _draw(app: Dash, host: Host, pages: Sequence[PageModule]) -> None:
    """Put layout and callbacks on the app; Dash checks every id against all pages together."""
    gateway = host.gateway
    listed = [module.page for module in pages]

    def whole_frame() -> Component:
        return frame.layout(gateway, listed)

    drawn = [module.layout(gateway, {}) for module in pages]
    samples = [module.sample() for module in pages if module.sample is not None]
    whole = html.Div([whole_frame(), *drawn, *samples])
    app.validation_layout = whole  # type: ignore[assignment] # Dash declares None and takes a component
    app.layout = whole_frame
    chart.register(app)
    frame.register(app, gateway, pages)
    for module in pages:
        module.register(app, gateway)


def build_server(
    host: Host, hub: LiveHub, pages: Sequence[PageModule] = (), *, is_dev: bool = False
) -> FastAPI:
    """Return the FastAPI application: engine and hub live as long as it does; Dash is put on it afterwards.

    Parameters
    ----------
    pages : sequence of PageModule
        Those whose own routes are served.
    is_dev : bool
        Offer ``/docs`` and ``/openapi.json``.
    """

    @asynccontextmanager
    async def life(server: FastAPI) -> AsyncIterator[None]:
        try:
            await host.start()
        except PilothouseError as error:
            server.state.failure = error  # said in plain words by the process
            raise
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
    add_handlers(server)
    own = (page.routes(host.gateway) for page in pages if page.routes is not None)
    routers = (build_live_router(hub), build_router(host.gateway), *own)
    for router in routers:
        server.include_router(router, responses={"default": {"model": Problem}})
    add_not_found(server, routers)
    server.add_middleware(CallbackFence)  # before Dash is put on, so that it stands inside
    return server


def protect(
    app: Dash, policy: Policy, paths: frozenset[str], extra_hashes: tuple[str, ...]
) -> None:
    """Put page links and the guard around a Dash application; the guard last, so that it stands outermost."""
    server: FastAPI = app.server
    server.add_middleware(PageLinks, paths=paths)
    server.add_middleware(Intake, callbacks=lambda: app.callback_map)
    server.add_middleware(Guard, policy=policy, script_hashes=_hashes(app, extra_hashes))


def _hashes(app: Dash, extra: tuple[str, ...]) -> Callable[[], tuple[str, ...]]:
    def hashes() -> tuple[str, ...]:
        return (*extra, *(f"'{value}'" for value in (h.strip("'") for h in app.csp_hashes())))

    return hashes


def assets_folder() -> Path:
    """Return the folder of styles and scripts: beside the package in a checkout, inside it when installed.

    Raises
    ------
    FileNotFoundError
        The installation is incomplete.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "assets", package.parent / "assets"):
        if (folder / "live.js").is_file():
            return folder
    raise FileNotFoundError(f"assets must lie beside or in {package}; install the package again")


def script_hash(script: str) -> str:
    """Return the source expression that allows one inline script in a content security policy."""
    return f"'sha256-{base64.b64encode(sha256(script.encode()).digest()).decode()}'"
