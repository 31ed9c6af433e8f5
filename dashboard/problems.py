"""The one shape of a refusal: whatever this server does not answer, it says so as a `Problem` in JSON.

`docs/rest.md` describes it for those who write programs against ``/api``.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Self

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from engine.domain.errors import (
    EngineAbsentError,
    InvalidValueError,
    JournalError,
    StoreError,
    UnknownNameError,
    must,
)
from engine.domain.payload import Payload

MAX_SHOWN = 80
"""Characters of a value that was sent; what is longer is cut."""
_WORDING = re.compile(r"(?P<error>(?P<field>.+?) must .+); (?P<remedy>.+)", re.DOTALL)
_STATUS_OF: Mapping[type[Exception], int] = {
    InvalidValueError: 422,
    UnknownNameError: 404,
    EngineAbsentError: 503,
    JournalError: 503,
    StoreError: 503,
}
_SERVERS_OWN = 500
"""From this status on no parameter is at fault."""
_RETRY_S = "2"

Handler = Callable[[Request, Exception], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem(Payload):
    """Why a request was not answered.

    Parameters
    ----------
    status : int
        The status of the answer.
    error : str
        What was wrong, with the value that was given.
    remedy : str
        What to do instead.
    field : str or None
        The parameter at fault; None when it is none of them.
    """

    status: int
    error: str
    remedy: str
    field: str | None = None

    @classmethod
    def of(cls, error: Exception, status: int) -> Self:
        """Return the problem in an error of the house's wording: ``<name> must <rule>, was <value>; <remedy>``.

        Examples
        --------
        >>> Problem.of(must("since", "be 0 or more", -1, "send the v of a frame"), 422).field
        'since'
        """
        found = _WORDING.fullmatch(str(error))
        if found is None:
            return cls(status=status, error=str(error), remedy="See /api/health, then try again.")
        return cls(
            status=status,
            error=found["error"],
            remedy=found["remedy"],
            field=found["field"] if status < _SERVERS_OWN else None,
        )

    def response(self, headers: Mapping[str, str] | None = None) -> Response:
        """Return the answer, which is an ASGI application as well."""
        return Response(self.to_json(), self.status, headers, media_type="application/json")


def nothing_at(path: str) -> Problem:
    """Return the problem of an address without anything behind it."""
    words = f"Nothing lives at {path[:MAX_SHOWN]!r}."
    return Problem(status=404, error=words, remedy="docs/rest.md names what there is.")


def add_handlers(server: FastAPI) -> None:
    """Answer what routes of `server` raise."""
    for kind, status in _STATUS_OF.items():
        server.add_exception_handler(kind, _handler(status))
    server.add_exception_handler(RequestValidationError, _refuse_parameters)
    server.add_exception_handler(HTTPException, _refuse_request)


def _handler(status: int) -> Handler:
    headers = {"Retry-After": _RETRY_S} if status == _STATUS_OF[EngineAbsentError] else None

    async def handle(_: Request, error: Exception) -> Response:
        return Problem.of(error, status).response(headers)

    return handle


async def _refuse_parameters(_: Request, error: Exception) -> Response:
    """Answer the first parameter that breaks its declaration, by name."""
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    name = str(first["loc"][-1])
    if first["type"] == "json_invalid":
        why = f"{first['ctx']['error']} at character {first['loc'][-1]}"
        broken = must("body", f"be JSON ({why})", "something else", "correct it there")
        return Problem.of(broken, _STATUS_OF[InvalidValueError]).response()
    if first["type"] == "extra_forbidden":
        rule, remedy = "be left out", "no parameter has this name"
    else:
        rule, remedy = first["msg"].partition(" should ")[2] or "be given", "correct it"
    broken = must(name, rule, str(first["input"])[:MAX_SHOWN], remedy)
    return Problem.of(broken, _STATUS_OF[InvalidValueError]).response()


async def _refuse_request(request: Request, error: Exception) -> Response:
    """Answer what the framework itself refuses, as a method that it does not know."""
    if not isinstance(error, HTTPException):
        raise error
    words = f"{request.method} {request.url.path[:MAX_SHOWN]!r} is not answered: {error.detail}."
    problem = Problem(
        status=error.status_code, error=words, remedy="docs/rest.md names what there is."
    )
    return problem.response(error.headers)
