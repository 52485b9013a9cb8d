"""Gives each socket what its client has not got of the log, in order, and remembers how far it came.

The protocol has no acknowledgement. A message counts as delivered once it was handed to a line that then
stayed alive; when a line is found dead, what was handed to it since it was last known to live is given
again to whoever comes back with the same session id. After a restart of this process every tab of a
session goes on from where the session stood, not from where the first of the tabs has come meanwhile.
"""

import asyncio
import contextlib
import logging
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from crmcore.conversations import Message
from crmcore.crm import Crm
from crmcore.errors import StoreUnavailable
from crmcore.usecases.sockets import Kept, note_delivered
from crmcore.usecases.visits import see
from web.channels.uttered import uttered
from web.live import Live

PAGE = 200  # Messages of one look.
HISTORY = 100  # Messages that a client without a history of its own is given.
AFTER_START_SECONDS = 60.0  # So long tabs come back after a restart,
AFTER_BREAK_SECONDS = 300.0  # and phones after their line went dead.
MOST_BROKEN = 5_000
UNAVAILABLE_SECONDS = 2.0

log = logging.getLogger(__name__)


@dataclass
class Client:
    """One connection."""

    sid: str
    transport: str  # The id of the connection below the protocol.
    address: str
    heard_at: float
    url_token: str | None = None
    auth_token: str | None = None
    tokens: set[str] = field(default_factory=set)  # Those looked at; each is looked at once.
    session_id: str = ""  # As confirmed; "" before he asked for a session.
    is_new: bool = False  # The id was made for this connection, so it may begin a conversation.
    kept: Kept | None = None
    requests: int = 0
    refusals: int = 0
    own: set[str] = field(default_factory=set)  # Client ids of what he wrote here: he has seen that.
    seq: int = 0  # What he was given of the log.
    known_up_to: int = 0  # His own words up to here are in his own history.
    given: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=PAGE))
    task: asyncio.Task[None] | None = None


class Deliveries:
    """One task a connection. ``sio`` is the socket server; ``doubt``: how long a dead line stays unseen."""

    def __init__(self, state: Any, sio: Any, doubt: float) -> None:
        self._state = state
        self._sio = sio
        self._doubt = doubt
        self._started = time.monotonic()
        self._started_at: datetime = state.crm.clock()
        self._go_on_from: OrderedDict[str, tuple[int, float]] = OrderedDict()  # By session: seq, until when.

    async def pause(self, client: Client) -> None:
        """Give nothing until :meth:`begin` or :meth:`go_on`: whose conversation it is may change now."""
        if client.task is not None:
            client.task.cancel()
            await asyncio.gather(client.task, return_exceptions=True)
            client.task = None

    def begin(self, client: Client, kept: Kept, knows_history: bool) -> None:
        """Give the client this conversation from now on."""
        before, client.kept = client.kept, kept
        if before is None or before.conversation.conversation_id != kept.conversation.conversation_id:
            last = kept.conversation.last_seq
            client.seq = self._went_up_to(kept) if knows_history else max(last - HISTORY, 0)
            client.known_up_to = last if knows_history else 0
            client.given.clear()
        self.go_on(client)

    def go_on(self, client: Client) -> None:
        if client.kept is not None:
            client.task = asyncio.create_task(self._deliver(client, client.kept))

    async def end(self, client: Client, was_dead: bool) -> None:
        """The connection is gone. ``was_dead``: nobody had answered on it for a while."""
        if client.task is not None and client.task is not asyncio.current_task():
            await self.pause(client)
        if client.kept is None:
            return
        known = time.monotonic() - self._doubt
        doubtful = [seq for at, seq in client.given if was_dead and at > known]
        if doubtful:
            self._remember(client.kept, doubtful[0] - 1, AFTER_BREAK_SECONDS)
        with contextlib.suppress(StoreUnavailable):  # Then he is given once more what he has seen.
            await asyncio.to_thread(note_delivered, self._state.crm, client.kept.session, client.seq)

    def _went_up_to(self, kept: Kept) -> int:
        """Where a client goes on that holds its history."""
        digest, now = kept.session.session_digest, time.monotonic()
        of_before = kept.session.seen_at < self._started_at
        if of_before and now - self._started < AFTER_START_SECONDS and digest not in self._go_on_from:
            self._remember(kept, kept.session.delivered_seq, AFTER_START_SECONDS)
        seq, until = self._go_on_from.get(digest, (0, 0.0))
        return min(seq, kept.session.delivered_seq) if now < until else kept.session.delivered_seq

    def _remember(self, kept: Kept, seq: int, seconds: float) -> None:
        self._go_on_from[kept.session.session_digest] = (seq, time.monotonic() + seconds)
        while len(self._go_on_from) > MOST_BROKEN:
            self._go_on_from.popitem(last=False)

    async def _deliver(self, client: Client, kept: Kept) -> None:
        live: Live = self._state.live
        conversation_id = kept.conversation.conversation_id
        try:
            async with contextlib.aclosing(live.watch(conversation_id)) as looks:
                async for look in looks:
                    if look.ended or not await self._give_what_is_new(client, kept):
                        break
        except Exception:
            log.exception("the delivery to a socket of %s broke off", conversation_id)
        await self._sio.disconnect(client.sid)

    async def _give_what_is_new(self, client: Client, kept: Kept) -> bool:
        """False when the session is over."""
        crm: Crm = self._state.crm
        reachable = True
        while True:
            try:
                seen = await asyncio.to_thread(see, crm, kept.conversation.conversation_id, client.seq, PAGE)
                if seen.conversation.token_generation != kept.session.generation:
                    return False
                for message in seen.messages:
                    await self._give(client, message, seen.conversation.language)
                if seen.messages:
                    await asyncio.to_thread(note_delivered, crm, kept.session, client.seq)
            except StoreUnavailable as error:
                if reachable:
                    log.error("a socket cannot be given what is new: %s", error)
                reachable = False
                await asyncio.sleep(UNAVAILABLE_SECONDS)
                continue
            if len(seen.messages) < PAGE:
                return True

    async def _give(self, client: Client, message: Message, language: str) -> None:
        mine = message.sender == "customer" and (
            message.client_id in client.own or message.seq <= client.known_up_to
        )
        # Before it is handed over: a task that is ended in the middle has handed it over all the same.
        client.seq = message.seq
        client.own.discard(message.client_id)
        if not mine:
            event = uttered(message, self._state.crm.firm, self._state.wording, language)
            await self._sio.emit("bot_uttered", event, to=client.sid)
            client.given.append((time.monotonic(), message.seq))
            client.heard_at = time.monotonic()
