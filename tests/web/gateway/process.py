"""The gateway as a process of its own, so that a test can kill it: ``process.py DATABASE PORT HELD``.

While the file ``HELD`` is there, its brain does not answer.
"""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn

from crmcore.conversations import Reply
from crmcore.store.database import Store
from tests.builders import a_crm
from tests.web.gateway.chat import FakeBrain, some_settings
from web.app import create_app
from web.gateway.limits import Buckets, Limits
from web.live import Live


class SlowBrain(FakeBrain):
    """Takes a moment, so that a kill hits the middle of a turn."""

    def __init__(self, held: Path) -> None:
        super().__init__()
        self._held = held

    async def answer(
        self, sender: str, text: str, metadata: Mapping[str, Any], payload: str | None = None
    ) -> Sequence[Reply]:
        await asyncio.sleep(0.02)
        while self._held.exists():  # noqa: ASYNC110 - the test makes and removes it
            await asyncio.sleep(0.01)
        return [Reply(f"You said: {text}")]


def main(database: str, port: str, held: str) -> None:
    store = Store(f"sqlite:///{database}")
    crm = replace(a_crm(store), clock=lambda: datetime.now(UTC))
    many = Limits(messages=Buckets(1000, 100), writes=Buckets(1000, 100), reads=Buckets(1000, 100))
    app = create_app(crm, SlowBrain(Path(held)), Live(crm), some_settings(Path(database).parent), limits=many)
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning", access_log=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
