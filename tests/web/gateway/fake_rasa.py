"""A server with the real shape of Rasa's REST channel and HTTP API, that misbehaves on demand."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route


@dataclass
class FakeRasa:
    """``answer`` is the body of the webhook; ``status``, ``hangs`` and ``trickles`` break it."""

    answer: str = '[{"recipient_id": "c.0", "text": "Hello!"}]'
    status: int = 200
    hangs: bool = False
    trickles: bool = False
    tracker: dict[str, Any] = field(default_factory=dict)
    received: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/webhooks/rest/webhook", self._webhook, methods=["POST"]),
                Route("/conversations/{sender}/tracker", self._tracker),
                Route("/status", self._status),
            ]
        )

    async def _webhook(self, request: Request) -> Response:
        self.received.append(await request.json())
        if self.hangs:
            await asyncio.sleep(30)
        if self.trickles:
            return StreamingResponse(_blanks())
        return Response(self.answer, self.status, media_type="application/json")

    async def _tracker(self, request: Request) -> Response:
        self.paths.append(f"{request.url.path}?{request.url.query}")
        return Response(json.dumps(self.tracker), self.status, media_type="application/json")

    async def _status(self, request: Request) -> Response:
        return Response('{"model_file": "m.tar.gz"}', self.status, media_type="application/json")


async def _blanks() -> AsyncIterator[bytes]:
    """An answer that never ends, though something always comes."""
    for _ in range(300):
        yield b" "
        await asyncio.sleep(0.1)
