"""The parts end in an order in which none of them breaks the work of another."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from crmcore.crm import Crm
from serve import parts
from serve.parts import PARTS, Product, running
from tests.web.gateway.chat import some_settings


class Part:
    """A server or Rasa: runs until it is asked to end, needs a moment for that, and writes down when."""

    def __init__(self, name: str, ended: list[str]) -> None:
        self.name = name
        self.ended = ended
        self._asked = asyncio.Event()

    @property
    def should_exit(self) -> bool:
        return self._asked.is_set()

    @should_exit.setter
    def should_exit(self, wish: bool) -> None:
        if wish:
            self._asked.set()

    async def serve(self) -> None:
        await self._asked.wait()
        for _ in range(20):  # Last words.
            await asyncio.sleep(0)
        self.ended.append(self.name)

    async def watch(self) -> None:
        await asyncio.Event().wait()

    async def stop(self) -> None:
        self.ended.append(self.name)


def test_the_gateway_ends_its_turns_before_the_actions_and_rasa_that_they_need_go(
    crm: Crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []
    servers = iter([Part("gateway", ended), Part("actions", ended)])
    monkeypatch.setattr(parts, "_server", lambda *_: next(servers))
    rasa: Any = Part("rasa", ended)
    settings = some_settings(tmp_path)

    async def start_and_stop() -> None:
        async with running(Product(PARTS, settings, crm, [rasa], demo=False)):
            await asyncio.sleep(0)

    with ThreadPoolExecutor(1) as thread:  # A browser that other tests left open runs a loop in this one.
        thread.submit(asyncio.run, start_and_stop()).result()
    assert ended[0] == "gateway"
    assert sorted(ended[1:]) == ["actions", "rasa"]
