"""A fake of a Rasa server as a process of its own: ``fake_rasa_process.py PORT MEMORY SEED``.

It speaks the shape of Rasa's REST channel and HTTP API and nothing more: it answers "You said: …" after a
few milliseconds, and remembers the last message of each sender in the file ``MEMORY``, which all fakes
of a fleet share as real servers share their tracker's database. Like Rasa it remembers at the end of a turn.
"""

import asyncio
import random
import sqlite3
import sys
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

SHORTEST, LONGEST = 0.002, 0.015  # Seconds of a turn.


class Memory:
    def __init__(self, path: str) -> None:
        self._db = sqlite3.connect(path, timeout=30, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute("CREATE TABLE IF NOT EXISTS trackers (sender TEXT PRIMARY KEY, message_id INTEGER)")

    def remember(self, sender: str, message_id: int) -> None:
        self._db.execute("INSERT OR REPLACE INTO trackers VALUES (?, ?)", (sender, message_id))

    def last(self, sender: str) -> int | None:
        row = self._db.execute("SELECT message_id FROM trackers WHERE sender = ?", (sender,)).fetchone()
        return None if row is None else int(row[0])


def app(memory: Memory, rng: random.Random) -> Starlette:
    async def webhook(request: Request) -> JSONResponse:
        said: dict[str, Any] = await request.json()
        await asyncio.sleep(rng.uniform(SHORTEST, LONGEST))
        memory.remember(said["sender"], said["metadata"].get("message_id", 0))
        return JSONResponse([{"recipient_id": said["sender"], "text": f"You said: {said['message']}"}])

    async def tracker(request: Request) -> JSONResponse:
        last = memory.last(request.path_params["sender"])
        return JSONResponse({"latest_message": {"metadata": {"message_id": last}}, "active_loop": {}})

    async def status(_request: Request) -> JSONResponse:
        return JSONResponse({"model_file": "none, this is a fake"})

    return Starlette(
        routes=[
            Route("/webhooks/rest/webhook", webhook, methods=["POST"]),
            Route("/conversations/{sender}/tracker", tracker),
            Route("/status", status),
        ]
    )


if __name__ == "__main__":
    port, memory, seed = sys.argv[1:]
    uvicorn.run(
        app(Memory(memory), random.Random(int(seed))), host="127.0.0.1", port=int(port), log_level="error"
    )
