"""uvicorn's HTTP protocol with a bound on the head of a request, in bytes and in seconds.

Without it a head may grow for ever and a connection that never sends one stays open for ever. A proxy in
front (docs/security.md) bounds both as well; this is for an installation that has none yet.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD = 32 * 1024  # Bytes of the request line and all headers.
HEAD_SECONDS = 15.0  # From the connection, or the first byte of a later request, to the end of the head.


class HeadTooLarge(Exception):
    """Raised inside the parser, whose caller answers it with 400 and closes the connection."""


class BoundedProtocol(HttpToolsProtocol):
    """Answers 400 to a head that is too large, and closes a connection whose head does not come."""

    _head = 0  # Bytes of the head so far.
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_here()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        # The parser tells of a header when it is whole, so what is not whole yet is counted here.
        if self._deadline is not None:
            self._head += len(data)
        super().data_received(data)
        if self._deadline is not None and self._head > MAX_HEAD and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._wait_for_head()

    def on_headers_complete(self) -> None:
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        self._head_is_here()
        if size > MAX_HEAD:
            raise HeadTooLarge
        super().on_headers_complete()

    def _wait_for_head(self) -> None:
        if self._deadline is None:
            self._head = 0
            self._deadline = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _head_is_here(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
