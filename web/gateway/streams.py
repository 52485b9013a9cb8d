"""The customer's live line: an event stream that goes on after a sequence number and is never unbounded."""

import asyncio
import contextlib
import json
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Iterator
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from crmcore.errors import CrmError, StoreUnavailable

SEND_SECONDS = 20.0  # A reader who takes nothing for so long is cut; he comes back where he was.
RETRY_SECONDS = 5.0


class StreamsFull(CrmError):
    """The process holds as many streams as it may."""

    retry_after = RETRY_SECONDS

    def __init__(self) -> None:
        super().__init__("too many live connections at this moment; try again in some seconds")


class Streams:
    """Counts the open streams. One conversation's oldest stream makes room for its newest, because a
    phone that changed its network leaves a dead one behind."""

    def __init__(self, of_conversation: int, of_address: int, in_all: int) -> None:
        self._of_conversation = of_conversation
        self._of_address = of_address
        self._in_all = in_all
        self._open: dict[str, list[asyncio.Event]] = defaultdict(list)
        self._addresses: Counter[str] = Counter()

    @contextlib.contextmanager
    def place(self, conversation_id: str, address: str) -> Iterator[asyncio.Event]:
        """Hold one place; yields the event that is set when the place is taken away."""
        places = self._open[conversation_id]
        cut = asyncio.Event()
        places.append(cut)
        self._addresses[address] += 1
        if len(places) > self._of_conversation:
            places[0].set()
        try:
            yield cut
        finally:
            places.remove(cut)
            if not places:
                self._open.pop(conversation_id, None)
            self._addresses[address] -= 1
            if not self._addresses[address]:
                del self._addresses[address]

    def require_room(self, address: str) -> None:
        """Raise ``StreamsFull`` when no further stream may be opened, or none from this address."""
        if self._addresses[address] >= self._of_address or len(self) >= self._in_all:
            raise StreamsFull

    def __len__(self) -> int:
        return self._addresses.total()


def event(name: str, data: dict[str, Any], number: int | None = None) -> bytes:
    """One server-sent event; ``number`` is where a client goes on after a break."""
    head = f"event: {name}\n" if number is None else f"event: {name}\nid: {number}\n"
    return f"{head}data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


PING = b":ping\n\n"


class EventStream(Response):
    """Sends events until they end, the client leaves, reads nothing any more, or loses his place."""

    media_type = "text/event-stream"

    def __init__(
        self, events: AsyncGenerator[bytes], streams: Streams, conversation_id: str, address: str
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._events = events
        self._streams = streams
        self._conversation_id = conversation_id
        self._address = address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        with self._streams.place(self._conversation_id, self._address) as cut:
            ends = [
                asyncio.create_task(self._send_all(send)),
                asyncio.create_task(_until_gone(receive)),
                asyncio.create_task(cut.wait()),
            ]
            try:
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in ends:
                    task.cancel()
                outcomes = await asyncio.gather(*ends, return_exceptions=True)
        failure = outcomes[0]
        # Without the database there is nothing to send; the client comes back and is told so.
        foreseen = isinstance(failure, TimeoutError | OSError | StoreUnavailable)
        if isinstance(failure, Exception) and not foreseen:
            raise failure
        if not isinstance(failure, TimeoutError | OSError):
            with contextlib.suppress(TimeoutError, OSError):
                async with asyncio.timeout(1):
                    await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_all(self, send: Send) -> None:
        async with contextlib.aclosing(self._events) as events:
            async for chunk in events:
                async with asyncio.timeout(SEND_SECONDS):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
