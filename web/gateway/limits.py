"""What stands before everything else: how large a request may be and how many may come."""

import asyncio
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crmcore.errors import CrmError

MAX_API_BODY = 256 * 1024  # Bytes: a batch of orders below /api/.
MAX_BODY = 32 * 1024  # Bytes: a message of 2,000 characters, each written as a pair of \uXXXX, fits.
BODY_SECONDS = 10.0  # A body that trickles in for longer is given up.


class TooMany(CrmError):
    """More requests than allowed; ``retry_after`` says in how many seconds one more is."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"too many requests; send the next one in {retry_after:.1f} s")
        self.retry_after = retry_after


class Buckets:
    """Token buckets by name in memory. The least recently used ones are forgotten, so the size is bounded.

    Each bucket holds at most ``burst`` tokens and gains ``per_second``; a request takes one.
    """

    def __init__(
        self, burst: int, per_second: float, size: int = 20_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.burst = burst
        self.per_second = per_second
        self._size = size
        self._clock = clock
        self._lock = threading.Lock()
        self._held: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, as of

    def times(self, factor: float) -> "Buckets":
        """Empty buckets of another size."""
        return Buckets(max(int(self.burst * factor), 1), self.per_second * factor, self._size, self._clock)

    def take(self, name: str) -> None:
        """Take one token or raise ``TooMany``."""
        with self._lock:
            now = self._clock()
            tokens, since = self._held.pop(name, (float(self.burst), now))
            tokens = min(self.burst, tokens + (now - since) * self.per_second)
            allowed = tokens >= 1
            self._held[name] = (tokens - 1 if allowed else tokens, now)
            while len(self._held) > self._size:
                self._held.popitem(last=False)
        if not allowed:
            raise TooMany((1 - tokens) / self.per_second)

    def __len__(self) -> int:
        return len(self._held)


@dataclass(frozen=True)
class Limits:
    """The limits of one process. An address may be a whole office, so it may do more than one person."""

    messages: Buckets = field(default_factory=lambda: Buckets(burst=30, per_second=1.0))  # A conversation.
    writes: Buckets = field(default_factory=lambda: Buckets(burst=200, per_second=10.0))  # An address.
    sessions: Buckets = field(default_factory=lambda: Buckets(burst=60, per_second=0.5))  # An address.
    reads: Buckets = field(default_factory=lambda: Buckets(burst=60, per_second=5.0))  # A conversation.
    typing: Buckets = field(default_factory=lambda: Buckets(burst=10, per_second=1.0))  # A conversation.
    keys: Buckets = field(default_factory=lambda: Buckets(burst=600, per_second=50.0))  # A program's key.
    refused_keys: Buckets = field(default_factory=lambda: Buckets(burst=30, per_second=0.5))  # An address.
    sockets: Buckets = field(default_factory=lambda: Buckets(burst=200, per_second=5.0))  # An address.
    sockets_of_address: int = 100
    sockets_open: int = 2_000
    streams_of_conversation: int = 6
    streams_of_address: int = 200
    streams: int = 2_000

    @classmethod
    def times(cls, factor: float) -> "Limits":
        """The limits of requests multiplied; those of streams and sockets stay, because they bound memory."""

        usual = cls()
        return cls(
            usual.messages.times(factor),
            usual.writes.times(factor),
            usual.sessions.times(factor),
            usual.reads.times(factor),
            usual.typing.times(factor),
            usual.keys.times(factor),
            usual.refused_keys.times(factor),
            usual.sockets.times(factor),
        )


class BodyLimit:
    """Refuses a large body before anybody parses it, at the declared size or while it arrives."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = MAX_API_BODY if scope["path"].startswith("/api/") else MAX_BODY
        if _declared(scope, most) > most:
            await _refuse(send, 413, "too_large", f"a request has at most {most} bytes")
            return
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _read(receive, most)
        except TimeoutError:
            await _refuse(send, 408, "too_slow", f"a request has {BODY_SECONDS:.0f} s to arrive")
            return
        if body is None:
            await _refuse(send, 413, "too_large", f"a request has at most {most} bytes")
            return
        given = False

        async def receive_again() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return body

        await self._app(scope, receive_again, send)


async def _read(receive: Receive, most: int) -> Message | None:
    """The whole body as one message, or None when it is too large."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return message  # The client left; the app is told.
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > most:
            return None
        parts.append(part)
        if not message.get("more_body", False):
            return {"type": "http.request", "body": b"".join(parts), "more_body": False}


def _declared(scope: Scope, most: int) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else most + 1
    return 0


async def _refuse(send: Send, status: int, code: str, message: str) -> None:
    body = json.dumps({"error": {"code": code, "message": message}}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),  # The rest of the body is not wanted on this connection.
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
