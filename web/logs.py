"""What may be written into a log: never a query string, a token, a text, an address or a code."""

import logging
import re
import time
from collections.abc import Iterable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

access = logging.getLogger("rapport.access")

_MASKS = (
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), "[token]"),
    (re.compile(r"\brap_[\w-]+"), "[key]"),
    (re.compile(r"(?i)\bbearer\s+\S+"), "[token]"),
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "[e-mail]"),
    # Six digits and more, also in groups: codes, phone and card numbers. Times and versions stay.
    (re.compile(r"(?<![\w.:-])\+?\d(?:[ -]?\d){5,}(?![\w:])"), "[number]"),
)


def mask(text: str) -> str:
    """The text without e-mail addresses, tokens and runs of six digits or more."""
    for pattern, replacement in _MASKS:
        text = pattern.sub(replacement, text)
    return text


class MaskPersonal(logging.Filter):
    """Masks the finished line, whatever the logger and its arguments were; traces included."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = mask(record.getMessage())
        record.args = None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = mask(record.exc_text)
        return True


def mask_logs(handlers: Iterable[logging.Handler]) -> None:
    """Put the mask on handlers and not on loggers, so that no logger goes past it."""
    for handler in handlers:
        if not any(isinstance(existing, MaskPersonal) for existing in handler.filters):
            handler.addFilter(MaskPersonal())


def all_handlers() -> list[logging.Handler]:
    """Those of the root logger and of the server's own, and the one that Python falls back to."""
    loggers = (logging.getLogger(name) for name in ("", "uvicorn", "uvicorn.error", "uvicorn.access"))
    last = [logging.lastResort] if logging.lastResort else []
    return [handler for logger in loggers for handler in logger.handlers] + last


class AccessLog:
    """One line a request: method, path without its query, status, milliseconds."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status: Any = "-"

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            took = (time.perf_counter() - started) * 1000
            access.info("%s %s %s %.0f ms", scope["method"], scope["path"], status, took)
