"""Calling a page's callbacks without a browser."""

import asyncio
import contextvars
import json
from typing import Any

from dash._callback_context import context_value
from dash._utils import AttributeDict


class Recorder:
    """Stands where a Dash application stands and keeps the functions that a page registers."""

    def __init__(self, module: Any, gateway: Any) -> None:
        self.found: dict[str, Any] = {}
        module.register(self, gateway)

    def callback(self, *_: Any, **__: Any) -> Any:
        def keep(function: Any) -> Any:
            assert asyncio.iscoroutinefunction(function), f"{function.__name__} must be async"
            self.found[function.__name__] = function
            return function

        return keep

    def call(self, name: str, *given: Any, touched: str | dict[str, str] = "") -> Any:
        """Run a callback as if `touched` had been clicked or changed."""
        id_ = touched if isinstance(touched, str) else json.dumps(touched, separators=(",", ":"))

        async def run() -> Any:
            context_value.set(AttributeDict(triggered_inputs=[{"prop_id": f"{id_}.n_clicks"}]))
            return await self.found[name](*given)

        return contextvars.copy_context().run(asyncio.run, run())
