"""A product that lost a part ends and says which, instead of going on without it."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from serve.product import _exit_code, _until_ended


def test_a_part_that_breaks_ends_the_product_with_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    async def breaks() -> None:
        raise RuntimeError("no more")

    async def lives() -> None:
        await asyncio.Event().wait()

    async def product() -> int:
        tasks = [
            asyncio.create_task(lives(), name="the gateway"),
            asyncio.create_task(breaks(), name="the worker"),
        ]
        ended = await _until_ended(tasks, asyncio.Event())
        tasks[0].cancel()
        return _exit_code(ended)

    assert _run(product()) == 1
    assert "the worker ended by itself: RuntimeError: no more" in capsys.readouterr().err


def test_a_signal_ends_it_well() -> None:
    async def product() -> int:
        stopping = asyncio.Event()
        stopping.set()
        living = asyncio.create_task(asyncio.Event().wait())
        ended = await _until_ended([living], stopping)  # type: ignore[list-item]
        living.cancel()
        return _exit_code(ended)

    assert _run(product()) == 0


def _run(coroutine: Coroutine[Any, Any, int]) -> int:
    with ThreadPoolExecutor(1) as thread:  # A browser that other tests left open runs a loop in this thread.
        return thread.submit(asyncio.run, coroutine).result()
