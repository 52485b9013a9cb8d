"""One log line a request, and the request's own name, which the answer tells too."""

import logging
import re
import time
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crmcore.logs import log_context, new_request_id
from crmcore.metrics import request_seconds, requests

REQUEST_ID = "X-Request-ID"
# What a proxy or a client may call its request; anything else could forge a line.
_SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")

access = logging.getLogger("rapport.access")


class AccessLog:
    """One line a request: method, path without its query, status, milliseconds, request, conversation.

    A sane ``X-Request-ID`` is taken over, any other is replaced; the answer carries it, and so does every
    line that is written on behalf of the request.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status: Any = "-"
        request_id = _request_id(Headers(scope=scope).get(REQUEST_ID, ""))
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = request_id
            await send(message)

        with log_context(request_id=request_id):
            try:
                await self._app(scope, receive, send_and_note)
            finally:
                took = time.perf_counter() - started
                requests.labels(
                    scope["method"] if scope["method"] in _METHODS else "other", str(status)
                ).inc()
                if status != "-" and not _is_stream(scope["path"]):
                    request_seconds.observe(took)
                conversation_id = scope["state"].get("conversation_id")
                # A word between status and time, because the mask takes digits in a row for a phone number.
                access.info(
                    "%s %s: %s after %.0f ms", scope["method"], scope["path"], status, took * 1000,
                    extra={
                        "event": "request",
                        "status": status,
                        "duration_ms": round(took * 1000, 1),
                        **({"conversation_id": conversation_id} if conversation_id else {}),
                    },
                )  # fmt: skip


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _request_id(given: str) -> str:
    return given if _SANE.fullmatch(given) else new_request_id()


def _is_stream(path: str) -> bool:
    """A live line lasts as long as the page is open, which says nothing about speed."""
    return path.endswith("/stream")
