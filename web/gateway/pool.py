"""Several dialogue engines with one memory: a conversation sticks to one of them while that one is up."""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from crmcore.conversations import Reply
from web.gateway.brain import DEADLINE_SECONDS, Brain, BrainBroken, BrainDown, BrainError, BrainSlow

LOOK_AGAIN_SECONDS = 1.0  # A server that failed gets its conversations back at its first good answer.

log = logging.getLogger(__name__)


class BrainPool:
    """Asks the dialogue engines at ``urls``, which keep their trackers in one database.

    *Who is asked.* Each conversation ranks the servers by a hash of its own (rendezvous hashing): all its
    turns go to the same server, and when one is added or lost only that one's conversations move.

    *When one fails.* A server that cannot be reached, is too slow or breaks off comes last in every rank
    from then on (its circuit is open). It is looked at each second, and the first time that it says to be
    ready the circuit closes. While all circuits are open the ranks are as they were: nothing is refused
    that could be tried.

    *Asked twice.* A message goes to the next server only when the first one cannot have seen it, that is,
    when no connection came about. Questions about a tracker change nothing and may go to every server.
    """

    def __init__(self, urls: Sequence[str], deadline: float = DEADLINE_SECONDS) -> None:
        self._servers = {url: Brain(url, deadline) for url in urls}
        self._looks: dict[str, asyncio.Task[None]] = {}  # Of servers whose circuit is open.

    async def answer(
        self, sender: str, text: str, metadata: Mapping[str, Any], payload: str | None = None
    ) -> list[Reply]:
        """What the assistant says to one message; raises as :meth:`web.gateway.brain.Brain.answer`."""
        return await self._first(
            sender, lambda brain: brain.answer(sender, text, metadata, payload), may_repeat=(BrainDown,)
        )

    async def form_active(self, sender: str) -> bool:
        """Whether the assistant is in the middle of a form with this sender."""
        return await self._first(
            sender, lambda brain: brain.form_active(sender), may_repeat=(BrainDown, BrainSlow, BrainBroken)
        )

    async def consumed(self, sender: str, message_id: int) -> bool:
        """Whether this message is the last one that the engines' common memory has of this sender."""
        return await self._first(
            sender,
            lambda brain: brain.consumed(sender, message_id),
            may_repeat=(BrainDown, BrainSlow, BrainBroken),
        )

    async def ready(self) -> bool:
        """Whether at least one server is up with a model loaded."""
        return any((await self.servers()).values())

    async def servers(self) -> dict[str, bool]:
        """Which servers are up with a model loaded, by address."""
        ready = await asyncio.gather(*(brain.ready() for brain in self._servers.values()))
        return dict(zip(self._servers, ready, strict=True))

    async def close(self) -> None:
        looks = list(self._looks.values())
        for look in looks:
            look.cancel()
        await asyncio.gather(*looks, return_exceptions=True)
        for brain in self._servers.values():
            await brain.close()

    async def _first[T](
        self, sender: str, ask: Callable[[Brain], Awaitable[T]], may_repeat: tuple[type[BrainError], ...]
    ) -> T:
        """The answer of the first server in rank that gives one."""
        failure: BrainError | None = None
        for url in self._rank(sender):
            try:
                return await ask(self._servers[url])
            except BrainError as error:
                failure = error
                if isinstance(error, BrainDown | BrainSlow | BrainBroken):
                    self._open_circuit(url, error)
                if not isinstance(error, may_repeat):
                    break
        assert failure is not None, "a pool has at least one server"
        raise failure

    def _rank(self, sender: str) -> list[str]:
        conversation = sender.rpartition(".")[0] or sender
        return sorted(self._servers, key=lambda url: (url in self._looks, _weight(url, conversation)))

    def _open_circuit(self, url: str, error: BrainError) -> None:
        if url not in self._looks and len(self._servers) > 1:
            log.warning("the dialogue engine %s is passed by until it is ready again: %s", url, error)
            self._looks[url] = asyncio.create_task(self._close_circuit(url))

    async def _close_circuit(self, url: str) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
                if await self._servers[url].ready():
                    break
            log.warning("the dialogue engine %s is ready again", url)
        del self._looks[url]


def _weight(url: str, conversation: str) -> bytes:
    return hashlib.blake2b(f"{url}\n{conversation}".encode(), digest_size=8).digest()
