"""The frame around every page: its layout, its live parts and its callbacks."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from dash import Dash, Input, Output
from dash.development.base_component import Component

from dashboard.frame.bar import layout as layout
from dashboard.frame.dialogs import page_content
from dashboard.frame.parts import LIVE as LIVE
from dashboard.host import GatewayPort, send
from dashboard.page import PageModule
from engine.domain.commands import CommandEnvelope, HaltTrading, ResumeTrading
from engine.domain.errors import PilothouseError

_log = logging.getLogger(__name__)


def register(app: Dash, gateway: GatewayPort, pages: Sequence[PageModule]) -> None:
    """Put the frame's callbacks on the app: which page is shown, and commands from buttons."""
    from_path = {module.page.path: module for module in pages}

    @app.callback(
        Output("ph-page", "children"), Input("ph-url", "pathname"), Input("ph-url", "search")
    )
    async def show_page(path: str | None, search: str | None) -> Component:
        return await page_content(from_path, gateway, path or "/", search or "")

    @app.callback(
        Output("ph-intent-answer", "children"),
        Input("ph-intent", "data"),
        prevent_initial_call=True,
    )
    async def send_intent(intent: Mapping[str, Any] | None) -> str:
        return await asyncio.to_thread(send_command, gateway, intent or {})

    @app.callback(
        Output("ph-stop-answer", "children"),
        Input("ph-stop-hold", "n_clicks"),
        prevent_initial_call=True,
    )
    async def stop_trading(n_clicks: int | None) -> str:
        if not n_clicks:
            return ""
        return await asyncio.to_thread(send, gateway, HaltTrading(reason="Stopped by hand"))

    @app.callback(
        Output("ph-resume-answer", "children"),
        Input("ph-resume-hold", "n_clicks"),
        prevent_initial_call=True,
    )
    async def resume_trading(n_clicks: int | None) -> str:
        if not n_clicks:
            return ""
        return await asyncio.to_thread(send, gateway, ResumeTrading())


def send_command(gateway: GatewayPort, intent: Mapping[str, Any]) -> str:
    """Send the command that a button names; return words when it cannot be one, else nothing.

    The engine's own answer comes as a toast.
    """
    try:
        envelope = CommandEnvelope.from_data({**intent, "source": "dashboard", "actor": "local"})
        command = envelope.command
    except PilothouseError as error:
        _log.warning("a command was not sent: %s", error)
        return f"Command not sent. {error}"
    return send(gateway, command, envelope.command_id)
