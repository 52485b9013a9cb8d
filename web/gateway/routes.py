"""The customer's side over HTTP: /chat/… and /health. The token travels in a header, never in a URL."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from crmcore.conversations import MAX_CLIENT_ID
from crmcore.crm import Crm
from crmcore.errors import CrmError
from crmcore.usecases.conversations import press, receive, sign_out
from crmcore.usecases.visits import Seen, see
from web.gateway.choices import PERSON
from web.gateway.receiving import after_receiving
from web.gateway.session import Session, address_of, begin, session_answer, session_of
from web.gateway.shown import shown_message, shown_owner
from web.gateway.streams import PING, EventStream, event
from web.gateway.tokens import TokenRefused

PAGE = 200  # Messages of one look.

router = APIRouter()
After = Annotated[int, Query(ge=0, le=2**31 - 1)]
ClientId = Annotated[str, Field(min_length=1, max_length=MAX_CLIENT_ID)]


class Body(BaseModel):
    """A body of exactly these fields and types; anything else is 422."""

    model_config = ConfigDict(strict=True, extra="forbid")


class NewSession(Body):
    language: Annotated[str, Field(max_length=35)] | None = None
    signed_in_token: Annotated[str, Field(max_length=4096)] | None = None


class NewMessage(Body):
    """Words, or a button that was offered: exactly one of the two."""

    client_id: ClientId
    text: str | None = None
    button_id: Annotated[str, Field(max_length=64)] | None = None


class PersonWanted(Body):
    client_id: ClientId


@router.post("/chat/session")
def start_session(request: Request, body: NewSession) -> dict[str, Any]:
    state = request.app.state
    state.limits.sessions.take(address_of(request))
    begun = begin(request, body.language, body.signed_in_token)
    crm: Crm = state.crm
    token, expires_at = state.tokens.mint(begun.conversation, crm.clock(), signed_in=begun.signed_in)
    seen = see(crm, begun.conversation.conversation_id, 0, 0)
    return session_answer(begun, token, expires_at, seen, crm)


@router.get("/chat/messages")
def read_messages(request: Request, after: After = 0) -> dict[str, Any]:
    session = session_of(request)
    conversation_id = session.conversation.conversation_id
    request.app.state.limits.reads.take(conversation_id)
    seen = see(request.app.state.crm, conversation_id, after, PAGE)
    return {"messages": _shown(request, seen), "owner": _owner(request, seen)}


@router.post("/chat/messages", status_code=201)
def send_message(request: Request, body: NewMessage) -> JSONResponse:
    """201 when it is stored, 200 when this client id had been stored before."""
    session = _writing(request)
    crm: Crm = request.app.state.crm
    conversation_id = session.conversation.conversation_id
    if (body.text is None) == (body.button_id is None):
        raise BadMessage("a message has either a text or a button_id")
    if body.button_id is not None:
        received = press(crm, conversation_id, body.client_id, body.button_id)
    else:
        received = receive(crm, conversation_id, body.client_id, body.text or "")
    after_receiving(request.app.state, received)
    answer = {"seq": received.message.seq, "duplicate": received.duplicate}
    return JSONResponse(answer, 200 if received.duplicate else 201)


@router.post("/chat/person")
def ask_for_person(request: Request, body: PersonWanted) -> dict[str, int]:
    """The button that is always there. It is stored like a message, so a crash does not lose it."""
    session = _writing(request)
    state = request.app.state
    words = state.wording.say(session.conversation.language, "buttons.person")
    received = receive(state.crm, session.conversation.conversation_id, body.client_id, words, PERSON)
    after_receiving(request.app.state, received)
    return {"seq": received.message.seq}


@router.post("/chat/typing", status_code=204)
def customer_types(request: Request) -> None:
    session = session_of(request)
    conversation_id = session.conversation.conversation_id
    request.app.state.limits.typing.take(conversation_id)
    request.app.state.live.typing(conversation_id, "customer")


@router.post("/chat/sign-out", status_code=204)
def end_session(request: Request) -> None:
    """Every token of the conversation is worthless from now on, and its streams close."""
    session = session_of(request)
    conversation_id = session.conversation.conversation_id
    sign_out(request.app.state.crm, conversation_id)
    request.app.state.live.end(conversation_id)


@router.get("/chat/stream")
async def stream(request: Request, after: After = 0) -> EventStream:
    session = await asyncio.to_thread(session_of, request)
    state = request.app.state
    conversation_id = session.conversation.conversation_id
    await asyncio.to_thread(state.limits.reads.take, conversation_id)
    address = address_of(request)
    state.streams.require_room(address)
    return EventStream(_events(request, session, after), state.streams, conversation_id, address)


class BadMessage(CrmError):
    """The body has the right types but says nothing that can be stored."""


def _writing(request: Request) -> Session:
    session = session_of(request)
    limits = request.app.state.limits
    limits.writes.take(address_of(request))
    limits.messages.take(session.conversation.conversation_id)
    return session


async def _events(request: Request, session: Session, after: int) -> AsyncGenerator[bytes]:
    """Everything after a sequence number, then what comes; ends with the session."""
    state = request.app.state
    crm: Crm = state.crm
    conversation_id = session.conversation.conversation_id
    owner: dict[str, str] | None = None
    async with contextlib.aclosing(state.live.watch(conversation_id)) as looks:
        async for look in looks:
            if look.ended:
                return
            quiet = True
            if look.typing is not None and look.typing.who != "customer":
                yield event("typing", {"who": look.typing.who, "name": look.typing.name})
                quiet = False
            while True:
                seen = await asyncio.to_thread(see, crm, conversation_id, after, PAGE)
                if not _still_good(crm, session, seen):
                    return
                for message in _shown(request, seen):
                    after, quiet = message["seq"], False
                    yield event("message", message, after)
                if len(seen.messages) < PAGE:
                    break
            if (now_owner := _owner(request, seen)) != owner:
                owner, quiet = now_owner, False
                yield event("owner", owner)
            if quiet:
                yield PING


def _still_good(crm: Crm, session: Session, seen: Seen) -> bool:
    try:
        session.claims.require(seen.conversation)
    except TokenRefused:
        return False
    return crm.clock() < session.claims.expires_at


def _shown(request: Request, seen: Seen) -> list[dict[str, Any]]:
    state = request.app.state
    language = seen.conversation.language
    return [shown_message(message, state.crm.firm, state.wording, language) for message in seen.messages]


def _owner(request: Request, seen: Seen) -> dict[str, str]:
    return shown_owner(seen.conversation, request.app.state.crm.firm, seen.person)
