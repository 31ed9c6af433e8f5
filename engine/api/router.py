"""REST over the gateway: each route reads sections and answers; nothing here waits or computes."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Path

from engine.api import answers
from engine.api.answers import Health, Reader, SignalAnswer, StatusAnswer
from engine.domain.errors import UnknownNameError

NAME = r"^[\w .^-]{1,64}$"


def build_router(gateway: Reader) -> APIRouter:
    """Return the routes under ``/api`` and ``/healthz``.

    Unknown paths under ``/api`` are the server's business: it knows every router. So is the form of an error: routes
    raise it.
    """
    router = APIRouter()

    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    async def health() -> Health:
        return answers.health(gateway.read(answers.HEALTH_SECTIONS))

    async def status() -> StatusAnswer:
        return answers.status(gateway.read(answers.STATUS_SECTIONS))

    async def signal(symbol: Annotated[str, Path(pattern=NAME)]) -> SignalAnswer:
        answer = answers.signal(
            symbol, gateway.read(("instruments", f"cycle:{symbol}", f"bars:{symbol}"))
        )
        if answer is None:
            raise UnknownNameError(
                f"symbol must be watched, was {symbol!r}; /api/status lists what is"
            )
        return answer

    routes: dict[str, Callable[..., Awaitable[object]]] = {
        "/healthz": healthz,
        "/api/health": health,
        "/api/status": status,
        "/api/signal/{symbol}": signal,
    }
    for path, answer in routes.items():
        router.add_api_route(path, answer, methods=["GET"])
        # who only watches asks for the head
        router.add_api_route(path, answer, methods=["HEAD"], include_in_schema=False)
    return router
