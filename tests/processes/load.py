"""Customers who write through several gateways and never give up, and what they remember of it."""

import asyncio
import itertools
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

GIVE_UP_SECONDS = 240  # Nobody waits for ever; then the run fails instead of hanging.
ANSWER_SECONDS = 90  # After so long without a word he writes on; the message counts as unanswered so far.
PAUSE = 0.1  # Before a message is sent again.
BURSTS = 0.2  # The share of messages that follow the one before without waiting for its answer.


@dataclass
class Acknowledged:
    """What the customer sent, and what the gateway said to it."""

    client_id: str
    text: str
    seq: int
    sent_at: float
    after_seconds: float


@dataclass
class Customer:
    """One conversation as its customer saw it: ``shown`` is everything his streams pushed, in order."""

    name: str
    conversation_id: str = ""
    token: str = ""
    acknowledged: list[Acknowledged] = field(default_factory=list)
    shown: list[dict[str, Any]] = field(default_factory=list)
    doubled_on_stream: int = 0
    gaps_on_stream: int = 0
    replied_after: list[float] = field(default_factory=list)  # Seconds from sending to the answer's arrival.
    waited_in_vain: int = 0
    retries: int = 0
    streams_opened: int = 0
    unexpected: list[str] = field(default_factory=list)  # Answers that no crash explains.

    @property
    def with_a_person(self) -> bool:
        """Whether he was handed over: whoever fails again and again is, and then no machine answers him."""
        return any(message["sender"] == "system" for message in self.shown)

    @property
    def last_seq(self) -> int:
        return self.shown[-1]["seq"] if self.shown else 0


@dataclass
class Progress:
    """How many messages are acknowledged, for whoever watches from another thread."""

    acknowledged: int = 0


class Load:
    """``customers`` conversations with ``messages`` in all; texts are taken round and round."""

    def __init__(
        self,
        gateways: Sequence[str],
        customers: int,
        messages: int,
        texts: Sequence[str],
        rng: random.Random,
        name: str = "c",
    ) -> None:
        self._gateways = list(gateways)
        self._texts = list(texts)
        self._rng = rng
        self.customers = [Customer(f"{name}{number}") for number in range(customers)]
        self._shares = [messages // customers + (n < messages % customers) for n in range(customers)]
        self.progress = Progress()
        self._begun, self._allowed = 0, messages
        self._began = 0.0
        self.seconds = 0.0

    def may_say(self, messages: int) -> None:
        """Hold everybody once so many messages were begun, until this is called again; from any thread."""
        self._allowed = messages

    def run(self) -> None:
        """Blocks until everybody has said everything and heard his answers, or nobody waits any more."""
        asyncio.run(self._run())

    async def _run(self) -> None:
        timeout = aiohttp.ClientTimeout(total=15, sock_connect=2)
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as http:
            self._began = time.monotonic()
            async with asyncio.TaskGroup() as group:
                for customer, share in zip(self.customers, self._shares, strict=True):
                    group.create_task(self._talk(http, customer, share))
            self.seconds = time.monotonic() - self._began

    async def _talk(self, http: aiohttp.ClientSession, customer: Customer, share: int) -> None:
        began = await self._until_accepted(http, customer, "/chat/session", {})
        customer.token, customer.conversation_id = began["token"], began["conversation_id"]
        news = asyncio.Event()
        listening = asyncio.create_task(self._listen(http, customer, news))
        try:
            waits = True
            for number in range(share):
                await self._say(http, customer, number)
                waited, waits = waits, self._rng.random() >= BURSTS
                if waits and not waited:
                    await self._catch_up(http, customer, news)
                elif waits and await self._hear(customer, news):
                    customer.replied_after.append(time.monotonic() - customer.acknowledged[-1].sent_at)
            await self._catch_up(http, customer, news)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _say(self, http: aiohttp.ClientSession, customer: Customer, number: int) -> None:
        while self._begun >= self._allowed:  # noqa: ASYNC110 - another thread sets it.
            await asyncio.sleep(PAUSE)
        self._begun += 1
        words = self._texts[number % len(self._texts)].format(number=number, name=customer.name)
        message = {"client_id": f"{customer.name}-{number}", "text": words}
        sent_at = time.monotonic()
        answer = await self._until_accepted(http, customer, "/chat/messages", message)
        took = time.monotonic() - sent_at
        customer.acknowledged.append(Acknowledged(message["client_id"], words, answer["seq"], sent_at, took))
        self.progress.acknowledged += 1

    async def _until_accepted(
        self, http: aiohttp.ClientSession, customer: Customer, path: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        """Post at one gateway after the other until one says yes."""
        deadline = time.monotonic() + GIVE_UP_SECONDS
        headers = {"Authorization": f"Bearer {customer.token}"} if customer.token else {}
        for gateway in self._gateways_from_any():
            try:
                async with http.post(gateway + path, json=body, headers=headers) as answer:
                    if answer.status in (200, 201):
                        accepted: dict[str, Any] = await answer.json()
                        return accepted
                    if answer.status < 500:
                        customer.unexpected.append(f"{path}: {answer.status} {await answer.text()}")
            except (aiohttp.ClientError, TimeoutError, OSError):
                pass
            if time.monotonic() > deadline:
                raise TimeoutError(f"{customer.name}: {path} was not accepted within {GIVE_UP_SECONDS} s")
            customer.retries += 1
            await asyncio.sleep(PAUSE)
        raise AssertionError("there is always another gateway to try")

    def _gateways_from_any(self) -> itertools.cycle:  # type: ignore[type-arg]
        start = self._rng.randrange(len(self._gateways))
        return itertools.cycle(self._gateways[start:] + self._gateways[:start])

    async def _hear(self, customer: Customer, news: asyncio.Event) -> bool:
        """Wait for words of the bot after what was said last; False when none came."""
        seq = customer.acknowledged[-1].seq
        deadline = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < deadline and not customer.with_a_person:
            news.clear()
            if any(m["sender"] == "bot" and m["seq"] > seq for m in reversed(customer.shown)):
                return True
            await _wait(news, 1.0)
        customer.waited_in_vain += not customer.with_a_person
        return False

    async def _catch_up(self, http: aiohttp.ClientSession, customer: Customer, news: asyncio.Event) -> None:
        """Wait until nothing of what he said is open, and the stream has shown everything.

        Of several open messages only the log says which of them an answer is for; it is asked apart from
        the stream, and what it shows is not taken for shown.
        """
        deadline = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < deadline:
            news.clear()
            newest = await self._newest(http, customer)
            if newest is not None and customer.last_seq >= newest:
                return
            await _wait(news, 0.5)
        customer.waited_in_vain += 1

    async def _newest(self, http: aiohttp.ClientSession, customer: Customer) -> int | None:
        """The last number of the conversation; None while his last message is open, or nobody can say."""
        url = f"{self._rng.choice(self._gateways)}/chat/messages?after={customer.acknowledged[-1].seq - 1}"
        try:
            async with http.get(url, headers={"Authorization": f"Bearer {customer.token}"}) as answer:
                found = (await answer.json())["messages"] if answer.status == 200 else []
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None
        return found[-1]["seq"] if found and found[0]["state"] != "pending" else None

    async def _listen(self, http: aiohttp.ClientSession, customer: Customer, news: asyncio.Event) -> None:
        """Read the stream at one gateway after the other, always after the last number that was shown."""
        headers = {"Authorization": f"Bearer {customer.token}"}
        forever = aiohttp.ClientTimeout(total=None, sock_connect=2, sock_read=40)
        for gateway in self._gateways_from_any():
            customer.streams_opened += 1
            try:
                url = f"{gateway}/chat/stream?after={customer.last_seq}"
                async with http.get(url, headers=headers, timeout=forever) as stream:
                    if stream.status == 200:
                        await _read(stream.content, lambda message: self._show(customer, message, news))
                    elif stream.status < 500:
                        customer.unexpected.append(f"stream: {stream.status}")
            except (aiohttp.ClientError, TimeoutError, OSError):
                pass
            await asyncio.sleep(PAUSE)

    def _show(self, customer: Customer, message: dict[str, Any], news: asyncio.Event) -> None:
        expected = customer.last_seq + 1
        if message["seq"] < expected:
            customer.doubled_on_stream += 1
            return
        if message["seq"] > expected:
            customer.gaps_on_stream += 1
        customer.shown.append(message)
        news.set()


async def _wait(news: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await news.wait()
    except TimeoutError:
        return False
    return True


async def _read(stream: aiohttp.StreamReader, show: Callable[[dict[str, Any]], None]) -> None:
    name = ""
    async for raw in stream:
        line = raw.decode().rstrip("\n")
        if line.startswith("event:"):
            name = line.removeprefix("event:").strip()
        elif line.startswith("data:") and name == "message":
            show(json.loads(line.removeprefix("data:")))
