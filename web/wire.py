"""Carries wakes between processes over Redis; it is a hint, never the truth.

A wake says which conversation to look at and who types there, nothing of what was said. When Redis is
away wakes are dropped, and the streams find what is new by themselves within a second or so.
"""

import asyncio
import contextlib
import json
import logging
import secrets
from collections.abc import AsyncGenerator
from dataclasses import asdict
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from web.live import Look, Typing, Wake

WAITING = 1_000  # Wakes that are kept while Redis is slow; what comes on top is dropped.
CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 5.0  # A connection that says nothing for so long although it was asked is dead.
PAUSE_SECONDS = 0.5  # Before the next attempt, when Redis is away.

log = logging.getLogger(__name__)
_AWAY = (RedisError, OSError)


class RedisWire:
    """Publishes and subscribes on one channel; ``name`` keeps installations on one Redis apart."""

    def __init__(self, url: str, name: str) -> None:
        self._channel = f"rapport:{name}:wakes"
        self._me = secrets.token_hex(4)
        self._url = url
        self._waiting: asyncio.Queue[Wake] = asyncio.Queue(WAITING)
        self._connected = False

    @property
    def connected(self) -> bool:
        return self._connected

    def send(self, wake: Wake) -> None:
        if self._connected:
            with contextlib.suppress(asyncio.QueueFull):
                self._waiting.put_nowait(wake)

    async def receive(self) -> AsyncGenerator[Wake | None]:
        """Connects, and connects again, until it is closed."""
        said = False
        while True:
            try:
                async with self._redis() as redis, redis.pubsub() as subscription:
                    await subscription.subscribe(self._channel)
                    publishing = asyncio.create_task(self._publish(redis))
                    try:
                        self._connected, said = True, False
                        yield None  # Before the subscription stood, wakes were missed.
                        asked = False
                        while not publishing.done():
                            found = await subscription.get_message(timeout=ANSWER_SECONDS)
                            if found is None and asked:
                                raise RedisError("it does not answer")
                            asked = found is None
                            if found is None:
                                await subscription.ping()
                            elif (wake := self._read(found)) is not None:
                                yield wake
                        publishing.result()
                    finally:
                        self._connected = False
                        publishing.cancel()
                        await asyncio.gather(publishing, return_exceptions=True)
            except _AWAY as error:
                if not said:
                    log.warning("no wakes from other processes: Redis is away (%s)", type(error).__name__)
                said = True
            await asyncio.sleep(PAUSE_SECONDS)

    def _redis(self) -> Redis:
        return Redis.from_url(
            self._url,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )

    async def _publish(self, redis: Redis) -> None:
        while True:
            wake = await self._waiting.get()
            await redis.publish(self._channel, json.dumps({"from": self._me, **asdict(wake)}))

    def _read(self, found: dict[str, Any]) -> Wake | None:
        """None for our own, for what Redis itself says, and for what another version may have sent."""
        if found["type"] != "message":
            return None
        try:
            said = json.loads(found["data"])
            if said["from"] == self._me:
                return None
            look = said["look"]
            typing = look["typing"] and Typing(look["typing"]["who"], look["typing"]["name"])
            return Wake(
                said["conversation_id"],
                Look(bool(look["changed"]), typing, bool(look["ended"])),
                bool(said["staff_ended"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            log.warning("a wake could not be read: %s", type(error).__name__)
            return None
