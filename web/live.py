"""Tells open streams that something changed, so that they read it from the database.

Nothing travels through here but "look again" and who is typing: what is shown always comes from the
store, by sequence number, so a missed or doubled wake loses and doubles nothing.
"""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Literal

from crmcore.crm import Crm
from crmcore.errors import CrmError
from crmcore.usecases.conversations import newest_message_id, woken_after

POLL_SECONDS = 1.0
HEARTBEAT_SECONDS = 15.0
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Typing:
    """Somebody writes right now; it is shown for a few seconds and never stored."""

    who: Literal["bot", "person", "customer"]
    name: str


@dataclass(frozen=True)
class Look:
    """Why a watcher was woken. None of the three set: a heartbeat, nothing is known to have changed."""

    changed: bool = False
    typing: Typing | None = None
    ended: bool = False


class _Watcher:
    """What one reader has not taken yet; it is merged, so a slow reader never makes a queue grow."""

    def __init__(self) -> None:
        self.woken = asyncio.Event()
        self.look = Look()

    def tell(self, look: Look) -> None:
        self.look = Look(
            self.look.changed or look.changed, look.typing or self.look.typing, self.look.ended or look.ended
        )
        self.woken.set()

    def take(self) -> Look:
        look, self.look = self.look, Look()
        self.woken.clear()
        return look


class Live:
    """In-process wakes, and a look at the database each second for what other processes wrote."""

    def __init__(self, crm: Crm) -> None:
        self._crm = crm
        self._loop: asyncio.AbstractEventLoop | None = None
        self._of_conversation: dict[str, set[_Watcher]] = defaultdict(set)
        self._of_staff: set[_Watcher] = set()

    # --- what the rest of the app calls, from any thread ---

    def wake(self, conversation_id: str) -> None:
        """Messages or the owner of this conversation changed."""
        self._tell(conversation_id, Look(changed=True))

    def wake_staff(self) -> None:
        """Something in the queue or the lists changed that is no message of a conversation."""
        self._tell(None, Look(changed=True))

    def typing(self, conversation_id: str, who: Literal["bot", "person", "customer"], name: str = "") -> None:
        self._tell(conversation_id, Look(typing=Typing(who, name)))

    def end(self, conversation_id: str) -> None:
        """Close the customer's streams of this conversation: his session ended."""
        self._tell(conversation_id, Look(ended=True))

    async def watch(self, conversation_id: str | None = None) -> AsyncGenerator[Look]:
        """Looks at one conversation, or, for staff, at all of them (None).

        The first look comes at once, after the watcher is registered: who reads the store on every
        look misses nothing. Ends after a look that says ``ended``.
        """
        watcher = _Watcher()
        watchers = self._of_staff if conversation_id is None else self._of_conversation[conversation_id]
        watchers.add(watcher)
        watcher.tell(Look(changed=True))
        try:
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(HEARTBEAT_SECONDS):
                        await watcher.woken.wait()
                look = watcher.take()
                yield look
                if look.ended:
                    return
        finally:
            watchers.discard(watcher)
            if conversation_id is not None and not watchers:
                self._of_conversation.pop(conversation_id, None)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Receive wakes and poll until the block ends; the app's lifespan holds it open."""
        self._loop = asyncio.get_running_loop()
        poller = asyncio.create_task(self._poll())
        try:
            yield
        finally:
            poller.cancel()
            self._loop = None

    # --- inside ---

    def _tell(self, conversation_id: str | None, look: Look) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._deliver, conversation_id, look)

    def _deliver(self, conversation_id: str | None, look: Look) -> None:
        if conversation_id is not None:
            for watcher in self._of_conversation.get(conversation_id, ()):
                watcher.tell(look)
        if not look.ended:
            for watcher in self._of_staff:
                watcher.tell(look)

    async def _poll(self) -> None:
        """Wake those whose conversation got a message, from whatever process; own writes cost a look more."""
        newest: int | None = None
        reachable = True
        while True:
            try:
                found = await asyncio.to_thread(newest_message_id, self._crm)
                if newest is not None and found > newest:
                    for conversation_id in await asyncio.to_thread(woken_after, self._crm, newest):
                        self._deliver(conversation_id, Look(changed=True))
                newest, reachable = found, True
            except CrmError as error:
                if reachable:
                    log.error("the streams cannot look for new messages: %s", error)
                reachable = False
            await asyncio.sleep(POLL_SECONDS)
