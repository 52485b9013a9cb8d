"""Several dialogue engines: a conversation sticks to one, moves when that one is down, and comes back."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.live.product import free_port
from tests.web.gateway.chat import served
from tests.web.gateway.fake_rasa import FakeRasa
from web.gateway import pool
from web.gateway.brain import BrainBroken, BrainDown, BrainSlow
from web.gateway.pool import BrainPool

CONVERSATIONS = [f"cnv_{number}" for number in range(40)]


def through[T](urls: list[str], ask: Callable[[BrainPool], Awaitable[T]], deadline: float = 5.0) -> T:
    async def once() -> T:
        brains = BrainPool(urls, deadline)
        try:
            return await ask(brains)
        finally:
            await brains.close()

    with ThreadPoolExecutor(1) as thread:  # A browser that other tests left open runs a loop in this one.
        return thread.submit(asyncio.run, once()).result()


async def say(brains: BrainPool, conversation: str, session: int = 0) -> None:
    await brains.answer(f"{conversation}.{session}", "hello", {"message_id": 1, "epoch": 0})


async def say_in_all(brains: BrainPool) -> None:
    for conversation in CONVERSATIONS:
        await say(brains, conversation)


def senders(rasa: FakeRasa) -> set[str]:
    return {call["sender"].rsplit(".", 1)[0] for call in rasa.received}


def test_a_conversation_sticks_to_one_server_and_both_get_their_share() -> None:
    first, second = FakeRasa(), FakeRasa()
    with served(first.app()) as one, served(second.app()) as other:

        async def talk(brains: BrainPool) -> None:
            for session in range(3):
                for conversation in CONVERSATIONS:
                    await say(brains, conversation, session)

        through([one, other], talk)
    assert senders(first) | senders(second) == set(CONVERSATIONS)
    assert senders(first).isdisjoint(senders(second))
    assert min(len(senders(first)), len(senders(second))) >= 8


def test_when_a_server_is_added_only_its_own_conversations_move() -> None:
    three = [f"http://127.0.0.1:{port}" for port in (1, 2, 3)]

    async def homes(urls: list[str]) -> dict[str, str]:
        brains = BrainPool(urls)
        found = {conversation: brains._rank(f"{conversation}.0")[0] for conversation in CONVERSATIONS}
        await brains.close()
        return found

    with ThreadPoolExecutor(1) as thread:
        before = thread.submit(asyncio.run, homes(three[:2])).result()
        after = thread.submit(asyncio.run, homes(three)).result()
    moved = {conversation for conversation in CONVERSATIONS if before[conversation] != after[conversation]}
    assert moved == {conversation for conversation in CONVERSATIONS if after[conversation] == three[2]}
    assert 0 < len(moved) < len(CONVERSATIONS)


def test_a_server_that_is_not_there_costs_no_customer_an_answer() -> None:
    rasa = FakeRasa()
    with served(rasa.app()) as url:
        through([f"http://127.0.0.1:{free_port()}", url], say_in_all)
    assert senders(rasa) == set(CONVERSATIONS)


def test_all_servers_down_is_said_as_down() -> None:
    with pytest.raises(BrainDown):
        through([f"http://127.0.0.1:{free_port()}" for _ in range(2)], say_in_all)


def test_a_message_that_a_server_may_have_taken_in_is_not_asked_a_second_time() -> None:
    broken, healthy = FakeRasa(status=500), FakeRasa()
    with served(broken.app()) as one, served(healthy.app()) as other:

        async def talk(brains: BrainPool) -> int:
            failures = 0
            for conversation in CONVERSATIONS:
                try:
                    await say(brains, conversation)
                except BrainBroken:
                    failures += 1
            return failures

        failures = through([one, other], talk)
    assert failures == len(broken.received) >= 1
    assert senders(broken).isdisjoint(senders(healthy))
    assert failures + len(healthy.received) == len(CONVERSATIONS)


def test_a_server_that_hangs_is_passed_by_after_the_first_customer_who_waited() -> None:
    hanging, healthy = FakeRasa(hangs=True), FakeRasa()
    hanging.status = 503  # It does not say that it is ready either.
    with served(hanging.app()) as one, served(healthy.app()) as other:

        async def talk(brains: BrainPool) -> int:
            failures = 0
            for conversation in CONVERSATIONS:
                try:
                    await say(brains, conversation)
                except BrainSlow:
                    failures += 1
            return failures

        assert through([one, other], talk, deadline=0.5) == 1
    assert len(hanging.received) == 1


def test_a_server_that_came_back_gets_its_conversations_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "LOOK_AGAIN_SECONDS", 0.02)
    port = free_port()
    there, returning = FakeRasa(), FakeRasa()
    with served(there.app()) as url:

        async def talk(brains: BrainPool) -> None:
            await say_in_all(brains)
            assert senders(there) == set(CONVERSATIONS)
            there.received.clear()
            with (
                socket.create_server(("127.0.0.1", port)) as listening,
                served(returning.app(), listening),
            ):
                async with asyncio.timeout(20):
                    while brains._looks:  # noqa: ASYNC110 - the pool's own task ends it.
                        await asyncio.sleep(0.01)
                await say_in_all(brains)

        through([f"http://127.0.0.1:{port}", url], talk)
    assert senders(returning)
    assert senders(there)
    assert senders(returning) | senders(there) == set(CONVERSATIONS)
    assert senders(returning).isdisjoint(senders(there))


def test_what_a_dead_server_had_taken_in_is_asked_of_the_other_one() -> None:
    rasa = FakeRasa(tracker={"latest_message": {"metadata": {"message_id": 7}}})
    with served(rasa.app()) as url:

        async def ask(brains: BrainPool) -> list[bool]:
            return [await brains.consumed(f"{conversation}.0", 7) for conversation in CONVERSATIONS]

        assert all(through([f"http://127.0.0.1:{free_port()}", url], ask))


def test_the_pool_is_ready_while_one_server_is() -> None:
    dead = f"http://127.0.0.1:{free_port()}"
    with served(FakeRasa().app()) as url:
        assert through([dead, url], lambda brains: brains.servers()) == {dead: False, url: True}
        assert through([dead, url], lambda brains: brains.ready())
    assert not through([dead], lambda brains: brains.ready())
