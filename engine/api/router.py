"""REST over the gateway: each route reads sections and answers; nothing here waits or computes."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path

from engine.api import answers
from engine.api.answers import Health, Reader, SignalAnswer, StatusAnswer

NAME = r"^[\w .^-]{1,64}$"


def build_router(gateway: Reader) -> APIRouter:
    """Return the routes under ``/api`` and ``/healthz``.

    Unknown paths under ``/api`` are the server's business: it knows every router.
    """
    router = APIRouter()

    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    async def health() -> Health:
        return answers.health(gateway.read(answers.HEALTH_SECTIONS))

    async def status() -> StatusAnswer:
        return answers.status(gateway.read(answers.STATUS_SECTIONS))

    async def signal(symbol: Annotated[str, Path(pattern=NAME)]) -> SignalAnswer:
        answer = answers.signal(symbol, gateway.read(("instruments", f"cycle:{symbol}")))
        if answer is None:
            raise HTTPException(404, f"{symbol} is not watched; /api/status lists what is")
        return answer

    router.add_api_route("/healthz", healthz, methods=["GET"])
    router.add_api_route("/api/health", health, methods=["GET"])
    router.add_api_route("/api/status", status, methods=["GET"])
    router.add_api_route("/api/signal/{symbol}", signal, methods=["GET"])
    return router
