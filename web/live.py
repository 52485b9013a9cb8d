"""Tells open streams that something changed, so that they read it from the database.

Nothing travels through here but "look again" and who is typing: what is shown always comes from the
store, by sequence number, so a missed or doubled wake loses and doubles nothing. Wakes reach the streams
of this process at once, those of other processes over the wire (``web.wire``) if there is one, and
whatever both miss is found by the look that is taken at the database each second.
"""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

from crmcore.crm import Crm
from crmcore.errors import CrmError
from crmcore.usecases.live import NOTHING, Pulse, pulse

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


CHANGED = Look(changed=True)


@dataclass(frozen=True)
class Wake:
    """Who shall look again: the watchers of a conversation and the lists (``staff_ended``: all of staff)."""

    conversation_id: str | None
    look: Look = CHANGED
    staff_ended: bool = False


class Wire(Protocol):
    """Carries wakes between processes, as well as it can: any of them may be lost."""

    def send(self, wake: Wake) -> None:
        """Never waits. Called in the event loop."""

    def receive(self) -> AsyncGenerator[Wake | None]:
        """The wakes of the other processes; None when some may have been missed."""

    @property
    def connected(self) -> bool: ...


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
    """Wakes the open streams of this process; without a wire other processes' wakes come by looking."""

    def __init__(self, crm: Crm, wire: Wire | None = None) -> None:
        self.wire = wire
        self._crm = crm
        self._loop: asyncio.AbstractEventLoop | None = None
        self._of_conversation: dict[str, set[_Watcher]] = defaultdict(set)
        self._of_lists: set[_Watcher] = set()
        self._of_staff: set[_Watcher] = set()  # The lists, and staff's views of single conversations.

    # --- what the rest of the app calls, from any thread ---

    def wake(self, conversation_id: str) -> None:
        """Messages or the owner of this conversation changed."""
        self._tell(Wake(conversation_id))

    def wake_staff(self) -> None:
        """Something in the queue or the lists changed that is no message of a conversation."""
        self._tell(Wake(None))

    def typing(self, conversation_id: str, who: Literal["bot", "person", "customer"], name: str = "") -> None:
        self._tell(Wake(conversation_id, Look(typing=Typing(who, name))))

    def end(self, conversation_id: str) -> None:
        """Close the customer's streams of this conversation: his session ended."""
        self._tell(Wake(conversation_id, Look(ended=True)))

    def staff_session_ended(self) -> None:
        """Somebody of staff signed out: each of their streams looks whether it was his."""
        self._tell(Wake(None, staff_ended=True))

    async def watch(self, conversation_id: str | None = None, *, staff: bool = False) -> AsyncGenerator[Look]:
        """Looks at one conversation, or, for staff, at all of them (None).

        The first look comes at once, after the watcher is registered: who reads the store on every
        look misses nothing. Ends after a look that says ``ended``, which is said to customers only
        (``staff``: somebody of staff looks at this one conversation).
        """
        watcher = _Watcher()
        watchers = self._of_lists if conversation_id is None else self._of_conversation[conversation_id]
        watchers.add(watcher)
        if staff or conversation_id is None:
            self._of_staff.add(watcher)
        watcher.tell(CHANGED)
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
            self._of_staff.discard(watcher)
            if conversation_id is not None and not watchers:
                self._of_conversation.pop(conversation_id, None)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Receive wakes and look at the database until the block ends; the app's lifespan holds it open."""
        self._loop = asyncio.get_running_loop()
        tasks = [asyncio.create_task(self._poll())]
        if self.wire is not None:
            tasks.append(asyncio.create_task(self._receive(self.wire)))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._loop = None

    # --- inside ---

    def _tell(self, wake: Wake) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._send, wake)

    def _send(self, wake: Wake) -> None:
        self._deliver(wake)
        if self.wire is not None:
            self.wire.send(wake)

    def _deliver(self, wake: Wake) -> None:
        _tell_all(self._of_conversation.get(wake.conversation_id or "", ()), wake.look)
        if not wake.look.ended:
            _tell_all(self._of_staff if wake.staff_ended else self._of_lists, wake.look)

    def _all_look(self) -> None:
        for watchers in (*self._of_conversation.values(), self._of_lists):
            _tell_all(watchers, CHANGED)

    async def _receive(self, wire: Wire) -> None:
        async for wake in wire.receive():
            if wake is None:
                self._all_look()
            else:
                self._deliver(wake)

    async def _poll(self) -> None:
        """Wake those for whom something changed, in whatever process; own writes cost a look more."""
        before = NOTHING
        reachable = True
        while True:
            watched = list(self._of_conversation)
            try:
                now = await asyncio.to_thread(pulse, self._crm, watched, bool(self._of_staff))
                self._compare(before, now)
                before, reachable = now, True
            except CrmError as error:
                if reachable:
                    log.error("the streams cannot look for what is new: %s", error)
                reachable = False
            await asyncio.sleep(POLL_SECONDS)

    def _compare(self, before: Pulse, now: Pulse) -> None:
        """What was not watched before counts as changed: it may have, since its watcher's first look."""
        for conversation_id, found in now.conversations.items():
            if before.conversations.get(conversation_id) != found:
                _tell_all(self._of_conversation.get(conversation_id, ()), CHANGED)
        if now.lists != before.lists:
            _tell_all(self._of_lists, CHANGED)
        if now.staff_sessions != before.staff_sessions:
            _tell_all(self._of_staff, CHANGED)


def _tell_all(watchers: Iterable[_Watcher], look: Look) -> None:
    for watcher in watchers:
        watcher.tell(look)
