"""``/socket.io/``: the socket protocol of Rasa's channel, for chat widgets that we did not write.

Events in: ``session_request`` {session_id, customData}, ``user_uttered`` {message, customData, message_id}.
Events out: ``session_confirm`` (the session id to keep), ``bot_uttered``, ``session_error`` {message}.
A message takes the same path as our own widget's. What a client is given comes from the log, by number.
"""

import asyncio
import contextlib
import logging
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import socketio
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp

from crmcore.channels import UnacceptableSender, client_id_of
from crmcore.conversations import MAX_TEXT, Received, UnacceptableText
from crmcore.errors import CrmError, StoreUnavailable
from crmcore.sockets import new_session_id
from crmcore.usecases.conversations import hear
from web.channels.delivery import Client, Deliveries
from web.channels.door import SocketDoor, may_open
from web.channels.entering import Entry, Shown, begin_anonymous, enter
from web.channels.uttered import notice
from web.errors import code_of
from web.gateway.limits import MAX_BODY, Limits, TooMany
from web.gateway.receiving import after_receiving
from web.gateway.session import address_of

PING_SECONDS = 10  # Both bound how long a dead line is taken for a live one.
PONG_SECONDS = 15
SILENT_SECONDS = 30.0  # A connection that asks for no session by then is cut,
IDLE_SECONDS = 4 * 3600.0  # and one on which nobody has said anything for so long.
LOOK_SECONDS = 5.0  # Between two looks for them.
MOST_REFUSALS = 50  # Of one connection; then it is cut.
MOST_SESSIONS = 20  # Requests for a session on one connection.
LONGEST_TOKEN = 4096
LINE_WAS_DEAD = (socketio.AsyncServer.reason.PING_TIMEOUT, socketio.AsyncServer.reason.TRANSPORT_ERROR)

log = logging.getLogger(__name__)


class RasaSocket:
    """The socket server of one process. ``state`` is the app's."""

    def __init__(self, state: Any) -> None:
        self._state = state
        self._clients: dict[str, Client] = {}
        self._of_address: Counter[str] = Counter()
        self._first_seen: dict[str, float] = {}
        self._sio = socketio.AsyncServer(
            async_mode="asgi",
            async_handlers=False,  # One after the other, so that what a client sends keeps its order.
            cors_allowed_origins=lambda origin, environ: may_open(origin, environ, state.crm.firm.origins),
            cors_credentials=False,
            max_http_buffer_size=MAX_BODY,
            ping_interval=PING_SECONDS,
            ping_timeout=PONG_SECONDS,
        )
        self._deliveries = Deliveries(state, self._sio, PING_SECONDS + 2 * PONG_SECONDS)
        self._sio.on("connect", self._connect)
        self._sio.on("disconnect", self._disconnect)
        self._sio.on("session_request", self._session_request)
        self._sio.on("user_uttered", self._user_uttered)
        self.app: ASGIApp = SocketDoor(socketio.ASGIApp(self._sio), state.limits, self._is_full)

    def __len__(self) -> int:
        return len(self._clients)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Cut idle connections until the block ends; then end every delivery in good order."""
        watch = asyncio.create_task(self._cut_the_idle())
        try:
            yield
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
            for client in list(self._clients.values()):
                await self._disconnect(client.sid)
            await self._sio.shutdown()

    # --- events ---

    # What a client sends may have any number of arguments of any type, and may bear the name of any event.

    async def _connect(self, sid: str, _environ: Any = None, auth: Any = None, *_: Any) -> None:
        scope = self._sio.get_environ(sid)["asgi.scope"]
        in_url = HTTPConnection(scope).query_params.get("token")
        transport = self._sio.manager.eio_sid_from_sid(sid, "/")
        client = Client(sid, transport, address_of(HTTPConnection(scope)), heard_at=time.monotonic())
        client.url_token = in_url[:LONGEST_TOKEN] if in_url else None
        client.auth_token = _token_in(auth)
        if sid in self._clients:
            return
        self._clients[sid] = client
        self._of_address[client.address] += 1

    async def _disconnect(self, sid: str, reason: Any = "", *_: Any) -> None:
        client = self._clients.pop(sid, None)
        if client is None:
            return
        self._of_address[client.address] -= 1
        if not self._of_address[client.address]:
            del self._of_address[client.address]
        await self._deliveries.end(client, was_dead=reason in LINE_WAS_DEAD or self._owes_a_pong(client))

    async def _session_request(self, sid: str, data: Any = None, *_: Any) -> None:
        client = self._clients.get(sid)
        if client is None:
            return
        client.requests += 1
        if client.requests > MOST_SESSIONS:
            await self._sio.disconnect(sid)
            return
        said = data if isinstance(data, dict) else {}
        claim = said.get("session_id")
        await self._enter(client, claim if isinstance(claim, str) else None, said)

    async def _user_uttered(self, sid: str, data: Any = None, *_: Any) -> dict[str, Any]:
        """Store what was said. Who asked for an acknowledgement gets its sequence number, or the error."""
        client = self._clients.get(sid)
        if client is None:
            return {}
        said = data if isinstance(data, dict) else {"message": data}
        client.heard_at = time.monotonic()
        try:
            received = await self._hear(client, said)
        except CrmError as error:
            return await self._not_taken(client, error)
        return {"seq": received.message.seq, "duplicate": received.duplicate} if received else {}

    # --- inside ---

    async def _hear(self, client: Client, said: dict[str, Any]) -> Received | None:
        """None when it only began the session."""
        message = said.get("message")
        if message is not None and not isinstance(message, str):
            raise UnacceptableText("empty", "a message is a text")
        state = self._state
        await asyncio.to_thread(state.limits.writes.take, client.address)
        await self._prove(client, said)
        if client.kept is None:
            await self._begin(client, said)
        assert client.kept is not None
        if not message or message in state.crm.firm.start_payloads:
            return None
        client_id = _client_id(said)
        client.own.add(client_id)
        conversation_id = client.kept.conversation.conversation_id
        return await asyncio.to_thread(_receive, state, conversation_id, client_id, message)

    async def _prove(self, client: Client, said: dict[str, Any]) -> None:
        """A token that comes only with the message: rasa-webchat sends its ``customData`` no earlier."""
        token = _token_in(said) or _token_in(said.get("customData"))
        if token is not None and token not in client.tokens and len(client.tokens) < MOST_SESSIONS:
            await self._enter(client, client.session_id or None, said)

    async def _begin(self, client: Client, said: dict[str, Any]) -> None:
        """Somebody without a token says his first words, or somebody who does not show the one he needs."""
        state = self._state
        await asyncio.to_thread(state.limits.sessions.take, client.address)
        if not client.is_new:
            client.session_id, client.is_new = new_session_id(), True
            await self._sio.emit("session_confirm", client.session_id, to=client.sid)
        language = _language_in(said)
        kept = await asyncio.to_thread(begin_anonymous, state, client.session_id, language)
        self._deliveries.begin(client, kept, knows_history=False)

    async def _enter(self, client: Client, claim: str | None, said: dict[str, Any]) -> None:
        """Find the session of what the client shows, confirm it, and give what he has not got."""
        token = _token_in(said) or _token_in(said.get("customData")) or client.auth_token
        shown = Shown(claim, token or client.url_token, token is None, _language_in(said))
        if shown.token:
            client.tokens.add(shown.token)
        await self._deliveries.pause(client)
        try:
            entry: Entry = await asyncio.to_thread(enter, self._state, shown)
        except StoreUnavailable as error:
            log.error("a widget cannot be let in: %s", error)
            await self._sio.emit("session_error", {"message": "not available now; try again"}, to=client.sid)
            self._deliveries.go_on(client)
            return
        if entry.refused:
            await self._sio.emit("session_error", {"message": entry.refused}, to=client.sid)
        if client.sid not in self._clients:
            return
        if client.kept is not None and entry.kept is None:  # What opens nothing takes nothing away.
            self._deliveries.go_on(client)
            await self._sio.emit("session_confirm", client.session_id, to=client.sid)
            return
        client.is_new = entry.session_id != claim
        client.session_id = entry.session_id
        await self._sio.emit("session_confirm", entry.session_id, to=client.sid)
        if entry.kept is not None:
            self._deliveries.begin(client, entry.kept, entry.knows_history)

    async def _not_taken(self, client: Client, error: CrmError) -> dict[str, Any]:
        """Say why, in words, so that nobody waits for an answer; cut who goes on and on."""
        client.refusals += 1
        if client.refusals > MOST_REFUSALS:
            await self._sio.disconnect(client.sid)
            return {}
        key, code = "unreadable", code_of(error)
        if isinstance(error, TooMany):
            key = "too_fast"
        elif isinstance(error, StoreUnavailable):
            key, code = "failed", "unavailable"
            log.error("a widget's message was not stored: %s", error)
        elif isinstance(error, UnacceptableText) and error.code == "too_long":
            key, code = "too_long", "too_large"
        language = client.kept.conversation.language if client.kept else self._state.crm.firm.languages[0]
        words = self._state.wording.say(language, f"not_taken.{key}", most=MAX_TEXT)
        await self._sio.emit("bot_uttered", notice(words, code), to=client.sid)
        return {"error": {"code": code, "message": words}}

    def _owes_a_pong(self, client: Client) -> bool:
        """Whether the last ping on its line was left unanswered, so that nobody may be there."""
        transport = self._sio.eio.sockets.get(client.transport)
        return bool(
            transport and transport.last_ping and time.time() - transport.last_ping > PONG_SECONDS / 2
        )

    def _is_full(self, address: str) -> bool:
        limits: Limits = self._state.limits
        open_now = len(self._sio.eio.sockets)
        return self._of_address[address] >= limits.sockets_of_address or open_now >= limits.sockets_open

    async def _cut_the_idle(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now = time.monotonic()
            for client in list(self._clients.values()):
                if now - client.heard_at > (IDLE_SECONDS if client.session_id else SILENT_SECONDS):
                    await self._sio.disconnect(client.sid)
            await self._cut_what_never_connected(now)

    async def _cut_what_never_connected(self, now: float) -> None:
        """The transport may be open without the protocol above it; nothing else would ever end that."""
        opened = dict(self._sio.eio.sockets)
        connected = {client.transport for client in self._clients.values()}
        self._first_seen = {eio_sid: self._first_seen.get(eio_sid, now) for eio_sid in opened}
        for eio_sid, since in self._first_seen.items():
            if eio_sid not in connected and now - since > SILENT_SECONDS:
                await opened[eio_sid].close(wait=False)  # It would wait for somebody who never reads.
                self._sio.eio.sockets.pop(eio_sid, None)


def _receive(state: Any, conversation_id: str, client_id: str, message: str) -> Received:
    state.limits.messages.take(conversation_id)
    received = hear(state.crm, conversation_id, client_id, message)
    after_receiving(state, received)
    return received


def _token_in(said: Any) -> str | None:
    token = said.get("token") if isinstance(said, dict) else None
    return token if isinstance(token, str) and 0 < len(token) <= LONGEST_TOKEN else None


def _language_in(said: dict[str, Any]) -> str | None:
    custom = said.get("customData")
    language = custom.get("language") if isinstance(custom, dict) else None
    return language if isinstance(language, str) else None


def _client_id(said: dict[str, Any]) -> str:
    named = said.get("message_id")
    if named is None:
        return f"new-{secrets.token_hex(16)}"
    if not isinstance(named, str):
        raise UnacceptableSender("a message_id is a text")
    return client_id_of(named)
