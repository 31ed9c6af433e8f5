"""Who may talk to this server and what leaves it: one pure-ASGI guard over http and websocket.

Dash's own hooks see neither assets nor the websocket handshake, so everything passes here first.
"""

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from dashboard.problems import Problem

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
MAX_BODY_BYTES = 1_000_000
OPEN_PATHS = frozenset({"/healthz"})
"""Answered without a password: they say "ok" and nothing else."""

_FAILED = Problem(
    status=500, error="The server failed on this request.", remedy="Its log says why; try again."
)
_FOREIGN_SITE = Problem(
    status=403,
    error="The request came from another site.",
    remedy="Send it from this server's own pages.",
)
_NO_PASSWORD = Problem(
    status=401, error="A password is needed.", remedy="Give the one in PILOTHOUSE_PASSWORD_FILE."
)
_BEGIN_AN_ANSWER = frozenset(
    {"http.response.start", "websocket.accept", "websocket.http.response.start"}
)
TOO_LONG = 1009
"""A websocket's close code for a message that is longer than allowed."""
_STATIC_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the guard lets through.

    Parameters
    ----------
    hosts : frozenset of str
        Names that the Host header may give beside the loopback ones; without port.
    password : str or None
        When given, every request needs it (HTTP basic, any user name).
    max_body_bytes : int
        Longest request body, and longest message of a websocket.
    """

    hosts: frozenset[str] = frozenset()
    password: str | None = None
    max_body_bytes: int = MAX_BODY_BYTES

    def __repr__(self) -> str:
        """Return the policy without its password."""
        return f"Policy(hosts={sorted(self.hosts)!r}, password={'set' if self.password else None})"

    def allows_host(self, host: str) -> bool:
        """Return whether a Host header names this server."""
        return host_name(host) in LOCAL_HOSTS | self.hosts

    def allows_password(self, header: str) -> bool:
        """Return whether an Authorization header carries the password; takes the same time either way."""
        if self.password is None:
            return True
        scheme, _, token = header.partition(" ")
        try:
            decoded = base64.b64decode(token, validate=True) if scheme.lower() == "basic" else b""
        except (binascii.Error, ValueError):
            decoded = b""
        given = decoded.partition(b":")[2]
        return hmac.compare_digest(sha256(given).digest(), sha256(self.password.encode()).digest())


def host_name(host: str) -> str:
    """Return the name in a Host header, without port and brackets, in lower case.

    Examples
    --------
    >>> host_name("[::1]:8050"), host_name("LocalHost:80"), host_name("evil@x")
    ('::1', 'localhost', '')
    """
    if any(character in host for character in "@/?#\\ "):
        return ""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_same_origin(origin: str, host: str) -> bool:
    """Return whether a page from `origin` was served under this very Host header."""
    parts = urlsplit(origin)
    return parts.scheme in {"http", "https"} and parts.netloc.lower() == host.lower() != ""


def content_security_policy(script_hashes: Iterable[str]) -> str:
    """Return the policy header: everything from here, inline scripts only by hash.

    Styles may be inline: Plotly and Dash set them on elements.
    """
    scripts = " ".join(["'self'", *script_hashes])
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src {scripts}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


class BodyTooLargeError(Exception):
    """A request body went over the cap while it was read."""


class _Body:
    """A request's body as it comes in, up to a number of bytes."""

    def __init__(self, receive: Receive, max_bytes: int) -> None:
        self._receive = receive
        self._left = max_bytes

    @property
    def is_too_long(self) -> bool:
        return self._left < 0

    async def receive(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self.is_too_long:
            raise BodyTooLargeError
        return message


class Guard:
    """ASGI middleware that refuses what the policy does not allow and adds the security headers.

    Parameters
    ----------
    app : ASGI application
        What is guarded.
    policy : Policy
        What is allowed.
    script_hashes : callable
        Hashes of the inline scripts; asked when a response starts, because Dash adds scripts late.
    """

    def __init__(
        self, app: App, *, policy: Policy, script_hashes: Callable[[], Iterable[str]]
    ) -> None:
        self._app = app
        self._policy = policy
        self._script_hashes = script_hashes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, refuse or pass on one connection."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = _headers(scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await refusal.response()(scope, receive, self._dressed(send, scope))
            return
        started, body = False, _Body(receive, self._policy.max_body_bytes)

        async def counted_send(message: Message) -> None:
            nonlocal started
            if body.is_too_long and not started:
                raise BodyTooLargeError  # who reads the body may take that for a malformed one, and say so
            started = started or message["type"] == "http.response.start"
            await dressed(message)

        dressed = self._dressed(send, scope)
        try:
            await self._app(scope, body.receive, counted_send)
        except BodyTooLargeError:
            if not started:
                await self._too_large().response()(scope, receive, dressed)
        except Exception:
            if not started:
                await _FAILED.response()(scope, receive, dressed)
            raise

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._handshake_refusal(_headers(scope))
        dressed = self._dressed(send, scope)
        if refusal is None:
            await self._app(scope, self._capped_messages(receive, send), dressed)
            return
        await receive()  # the handshake must be read before it can be refused
        if "websocket.http.response" in scope.get("extensions", {}):
            await refusal.response()(scope, receive, dressed)
        else:
            await send({"type": "websocket.close", "code": 4403, "reason": "not allowed"})

    def _handshake_refusal(self, headers: dict[str, str]) -> Problem | None:
        """Return what is wrong when a websocket may not open: a browser lets any site ask for one."""
        origin, host = headers.get("origin", ""), headers.get("host", "")
        if not self._policy.allows_host(host):
            return _foreign_host(host)
        if not is_same_origin(origin, host):
            return _FOREIGN_SITE
        return (
            None if self._policy.allows_password(headers.get("authorization", "")) else _NO_PASSWORD
        )

    def _capped_messages(self, receive: Receive, send: Send) -> Receive:
        async def capped() -> Message:
            message = await receive()
            said = message.get("text") or message.get("bytes") or ""
            if len(said) <= self._policy.max_body_bytes:
                return message
            await send({"type": "websocket.close", "code": TOO_LONG, "reason": "message too long"})
            return {"type": "websocket.disconnect", "code": TOO_LONG}

        return capped

    def _refusal(self, scope: Scope, headers: dict[str, str]) -> Problem | None:
        """Return what is wrong when the request may not pass."""
        host = headers.get("host", "")
        if not self._policy.allows_host(host):
            return _foreign_host(host)
        if scope["method"] not in SAFE_METHODS and not _is_own_page(headers, host):
            return _FOREIGN_SITE
        if scope["path"] not in OPEN_PATHS and not self._policy.allows_password(
            headers.get("authorization", "")
        ):
            return _NO_PASSWORD
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._policy.max_body_bytes:
            return self._too_large()
        return None

    def _too_large(self) -> Problem:
        words = f"The body is longer than {self._policy.max_body_bytes:,} bytes."
        return Problem(status=413, error=words, remedy="Send less.")

    def _dressed(self, send: Send, scope: Scope) -> Send:
        """Return a `send` that adds the security headers to every answer."""

        async def dressed(message: Message) -> None:
            if message["type"] in _BEGIN_AN_ANSWER:
                headers = [*message.get("headers", ()), *_STATIC_HEADERS]
                policy = content_security_policy(self._script_hashes())
                headers.append((b"content-security-policy", policy.encode()))
                if not scope["path"].startswith(("/assets/", "/_dash-component-suites/")):
                    headers.append((b"cache-control", b"no-store"))
                if message.get("status") == HTTPStatus.UNAUTHORIZED:
                    headers.append(
                        (b"www-authenticate", b'Basic realm="Pilothouse", charset="UTF-8"')
                    )
                message = {**message, "headers": headers}
            await send(message)

        return dressed


def _foreign_host(host: str) -> Problem:
    remedy = "Use 127.0.0.1, or name the host in PILOTHOUSE_ALLOWED_HOSTS."
    return Problem(
        status=421, error=f"This server does not answer for {host[:100]!r}.", remedy=remedy
    )


def _headers(scope: Scope) -> dict[str, str]:
    """Return the headers by lower-case name; of a repeated one the values are joined, which no check accepts."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _is_own_page(headers: dict[str, str], host: str) -> bool:
    """Return whether an unsafe request comes from our pages, or from a program that is no browser.

    A browser sends Origin with every unsafe request and Sec-Fetch-Site beside it; a program sends neither.
    """
    origin = headers.get("origin")
    if origin is not None:
        return is_same_origin(origin, host)
    return headers.get("sec-fetch-site", "same-origin") in {"same-origin", "none"}
