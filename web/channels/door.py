"""What stands before the socket: how many may knock, how many may stay, and from which pages."""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from web.errors import error_answer
from web.gateway.limits import Limits, TooMany
from web.gateway.session import address_of

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class SocketDoor:
    """Counts new connections before the protocol spends anything on them.

    A refusal here is one of the transport, so a widget behind it tries again by itself, ever more slowly.
    """

    def __init__(self, app: ASGIApp, limits: Limits, is_full: Callable[[str], bool]) -> None:
        self._app = app
        self._limits = limits
        self._is_full = is_full

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "sid" not in parse_qs(scope.get("query_string", b"").decode("latin-1")):
            address = address_of(HTTPConnection(scope))
            try:
                await asyncio.to_thread(self._limits.sockets.take, address)
                if self._is_full(address):
                    raise TooMany(10.0)
            except TooMany as full:
                answer: ASGIApp = error_answer(429, "too_many", str(full), {"Retry-After": "10"})
                refusal = answer if scope["type"] == "http" else WebSocketClose(1013)
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


def may_open(origin: str, environ: dict[str, Any], listed: tuple[str, ...]) -> bool:
    """Whether a page of this origin may open a socket: a listed one, or our own page on loopback."""
    if origin in listed:
        return True
    page = urlsplit(origin)
    return page.hostname in LOOPBACK and page.netloc == environ.get("HTTP_HOST")
