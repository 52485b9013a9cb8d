"""A real Rasa whose own database fails is noticed in both ways, and no log tells what the customer wrote."""

import asyncio
import contextlib
import json
import sqlite3
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from crmcore.conversations import LeasedTurn
from crmcore.crm import Crm
from serve.rasa import RasaServer
from serve.training import train_when_stale
from tests.builders import a_conversation, a_turn
from tests.live.product import free_port
from tests.web.gateway.chat import some_settings
from web.gateway.brain import Brain, BrainError
from web.gateway.trackers import TrackerWatch

STARTS_WITHIN = 180
CANARY = "hello, my dog is called Kanarienvogel"


@contextlib.asynccontextmanager
async def a_rasa(home: Path, told: list[str]) -> AsyncIterator[Brain]:
    url = f"http://127.0.0.1:{free_port()}"
    settings = some_settings(home, rasa_urls=(url,), action_port=free_port())
    server = RasaServer(settings, train_when_stale(), url, lambda: told.append("in memory"))
    watch = asyncio.create_task(server.watch())
    brain = Brain(url, deadline=60)
    try:
        deadline = time.monotonic() + STARTS_WITHIN
        while not await brain.ready():
            assert time.monotonic() < deadline, (home / "logs" / "rasa.log").read_text()[-2000:]
            await asyncio.sleep(0.3)
        yield brain
    finally:
        watch.cancel()
        await server.stop()
        await asyncio.gather(watch, return_exceptions=True)
        await brain.close()


def test_a_rasa_that_keeps_dialogues_in_memory_is_noticed_and_its_log_keeps_the_words_to_itself(
    crm: Crm, tmp_path: Path
) -> None:
    told: list[str] = []
    turn = replace(a_turn(crm, a_conversation(crm), CANARY), text=CANARY)

    async def ask(brain: Brain, turn: LeasedTurn) -> None:
        # The actions are not there, so Rasa may have no words; what it keeps and prints is the question.
        with contextlib.suppress(BrainError):
            await brain.answer(turn.brain_sender, turn.text, {"message_id": turn.message_id})

    async def run() -> None:
        async with a_rasa(tmp_path, told) as brain:
            await ask(brain, turn)
            assert not await TrackerWatch(brain).forgets(turn)
            assert told == []
            with sqlite3.connect(tmp_path / "tracker.db", timeout=30) as tracker:
                assert "Kanarienvogel" in json.dumps(tracker.execute("SELECT data FROM events").fetchall())
                tracker.execute("DROP TABLE events")
            later = replace(turn, message_id=turn.message_id + 1)
            await ask(brain, later)
            assert await TrackerWatch(brain).forgets(later)
            until = time.monotonic() + 20
            while not told and time.monotonic() < until:  # noqa: ASYNC110 - another thread tells it.
                await asyncio.sleep(0.05)
            assert told == ["in memory"]

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, run()).result()
    logs = "".join(path.read_text() for path in (tmp_path / "logs").iterdir())
    assert "conversation tracker" in logs
    assert "OperationalError" in logs
    assert "left out" in logs
    assert "Kanarienvogel" not in logs
