"""The composition root: host, pages, frame, live parts and server become one Dash application.

Nothing is kept at module level, so one application after another in a process is fine.
"""

import base64
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from dash import Dash, html
from dash.development.base_component import Component

from dashboard import frame
from dashboard.components import chart
from dashboard.guard import Policy
from dashboard.host import Host
from dashboard.live import LiveHub
from dashboard.page import PageModule
from dashboard.pages import page_modules
from dashboard.server import build_server, protect

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
    hub = LiveHub(engine_host.gateway, parts, now=time.time, is_owner=lambda: engine_host.is_owner)
    server = build_server(engine_host, hub, is_dev=is_dev)
    app = Dash(
        name="dashboard",
        server=server,  # type: ignore[arg-type] # Dash takes a FastAPI application here and does not say so
        assets_folder=str(assets_folder()),
        index_string=_INDEX.replace("THEME", THEME_SCRIPT),
        title="Pilothouse",
        update_title="",
        use_pages=False,
        pages_folder="",
        add_log_handler=False,
    )
    _draw(app, engine_host, pages)
    paths = frozenset(module.page.path.rstrip("/") for module in pages)
    protect(app, policy or Policy(), paths, (script_hash(THEME_SCRIPT),))
    return app


def _host_from_settings() -> Host:
    from engine.bootstrap import build_host
    from engine.settings import load_settings

    host: Host = build_host(load_settings())
    return host


def _draw(app: Dash, host: Host, pages: Sequence[PageModule]) -> None:
    """Put layout and callbacks on the app; Dash checks every id against all pages together."""
    gateway = host.gateway
    listed = [module.page for module in pages]

    def whole_frame() -> Component:
        return frame.layout(gateway, listed)

    app.validation_layout = html.Div(  # type: ignore[assignment] # Dash declares None and takes a component
        [whole_frame(), *(module.layout(gateway, {}) for module in pages)]
    )
    app.layout = whole_frame
    chart.register(app)
    frame.register(app, gateway, pages)
    for module in pages:
        module.register(app, gateway)


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
