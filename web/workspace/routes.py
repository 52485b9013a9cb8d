"""The workspace: one page, its data, and what an account manager does in it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, Field

from crmcore.conversations import AlreadyClaimed, NotTheOwner, StaleReply
from crmcore.usecases.conversations import conversation
from crmcore.usecases.escalation import keep_callback
from crmcore.usecases.staff import set_duty
from crmcore.usecases.takeover import (
    claim,
    close,
    draft,
    give_back,
    save_draft,
    say_as_person,
)
from crmcore.usecases.workspace import card
from web.staff.pages import page
from web.staff.session import Staff, crm_of, require
from web.workspace.shown import shown_card, shown_message
from web.workspace.streams import as_stream, conversation_events, list_events, live_of, read_lists

router = APIRouter(
    include_in_schema=False, prefix="/workspace", dependencies=[Depends(require("account_manager"))]
)

LAST_SEQ = 2**31 - 1  # What the database keeps a sequence number in.
After = Annotated[int, Query(ge=0, le=LAST_SEQ)]


class Duty(BaseModel):
    on_duty: bool


class Draft(BaseModel):
    text: Annotated[str, Field(max_length=8_000)]


class Words(BaseModel):
    client_id: Annotated[str, Field(max_length=64)]
    text: Annotated[str, Field(max_length=8_000)]
    last_seen_seq: Annotated[int, Field(ge=0, le=LAST_SEQ)]


@router.get("")
async def show(request: Request, session: Staff) -> Response:
    return page(request, "workspace.html", session)


@router.get("/api/lists")
async def read_all_lists(request: Request, session: Staff) -> dict[str, Any]:
    return await asyncio.to_thread(read_lists, request, session.member)


@router.get("/api/stream")
async def stream_lists(request: Request) -> StreamingResponse:
    return as_stream(list_events(request))


@router.post("/api/duty")
async def change_duty(request: Request, session: Staff, wish: Duty) -> dict[str, bool]:
    member = await asyncio.to_thread(set_duty, crm_of(request), session.member.staff_id, wish.on_duty)
    live_of(request).wake_staff()
    return {"on_duty": member.on_duty}


@router.post("/api/callbacks/{callback_id}/kept")
async def mark_callback_kept(request: Request, session: Staff, callback_id: str) -> dict[str, bool]:
    """``first`` is False when a colleague had kept the promise before."""
    first = await asyncio.to_thread(keep_callback, crm_of(request), callback_id, session.member.staff_id)
    live_of(request).wake_staff()
    return {"first": first}


@router.get("/api/conversations/{conversation_id}/card")
async def read_card(request: Request, session: Staff, conversation_id: str) -> dict[str, Any]:
    crm = crm_of(request)
    return shown_card(await asyncio.to_thread(card, crm, conversation_id), crm.firm)


@router.get("/api/conversations/{conversation_id}/stream")
async def stream_conversation(request: Request, conversation_id: str, after: After = 0) -> StreamingResponse:
    # An unknown conversation is refused before the stream begins.
    await asyncio.to_thread(conversation, crm_of(request), conversation_id)
    return as_stream(conversation_events(request, conversation_id, after))


@router.post("/api/conversations/{conversation_id}/claim")
async def claim_conversation(request: Request, session: Staff, conversation_id: str) -> Response:
    """Take the conversation; a lost race is answered with the winner's name."""
    try:
        await asyncio.to_thread(claim, crm_of(request), conversation_id, session.member.staff_id)
    except AlreadyClaimed as lost:
        return _refusal(409, "already_claimed", f"{lost.winner} was quicker and has this conversation now.")
    _woken(request, conversation_id)
    return JSONResponse({"claimed": True})


@router.post("/api/conversations/{conversation_id}/give-back")
async def give_conversation_back(request: Request, session: Staff, conversation_id: str) -> Response:
    return await _let_go(request, session, conversation_id, give_back)


@router.post("/api/conversations/{conversation_id}/close")
async def close_conversation(request: Request, session: Staff, conversation_id: str) -> Response:
    return await _let_go(request, session, conversation_id, close)


@router.post("/api/conversations/{conversation_id}/messages")
async def say(request: Request, session: Staff, conversation_id: str, words: Words) -> Response:
    """Send a reply. When the customer wrote meanwhile it is refused, with what he wrote."""
    crm = crm_of(request)
    try:
        said = await asyncio.to_thread(
            say_as_person,
            crm,
            conversation_id,
            session.member.staff_id,
            words.client_id,
            words.text,
            words.last_seen_seq,
        )
    except StaleReply as stale:
        missed = [shown_message(message, crm.firm) for message in stale.missed]
        problem = "The customer wrote while you were writing. Read it, then send again."
        return _refusal(409, "stale_reply", problem, missed=missed)
    except NotTheOwner:
        return _not_the_owner()
    _woken(request, conversation_id)
    return JSONResponse({"message": shown_message(said, crm.firm)}, 201)


@router.post("/api/conversations/{conversation_id}/typing", status_code=204)
async def type_(request: Request, session: Staff, conversation_id: str) -> Response:
    found = await asyncio.to_thread(conversation, crm_of(request), conversation_id)
    if found.owner_id == session.member.staff_id:
        live_of(request).typing(conversation_id, "person", session.member.name)
    return Response(status_code=204)


@router.get("/api/conversations/{conversation_id}/draft")
async def read_draft(request: Request, session: Staff, conversation_id: str) -> dict[str, str]:
    return {"text": await asyncio.to_thread(draft, crm_of(request), conversation_id, session.member.staff_id)}


@router.post("/api/conversations/{conversation_id}/draft", status_code=204)
async def keep_draft(request: Request, session: Staff, conversation_id: str, kept: Draft) -> Response:
    await asyncio.to_thread(save_draft, crm_of(request), conversation_id, session.member.staff_id, kept.text)
    return Response(status_code=204)


async def _let_go(request: Request, session: Staff, conversation_id: str, how: Any) -> Response:
    try:
        await asyncio.to_thread(how, crm_of(request), conversation_id, session.member.staff_id)
    except NotTheOwner:
        return _not_the_owner()
    _woken(request, conversation_id)
    return JSONResponse({"done": True})


def _woken(request: Request, conversation_id: str) -> None:
    """Everybody looks again, and the assistant too: a conversation given back may hold its next turn."""
    request.app.state.turns.wake(conversation_id)
    live_of(request).wake(conversation_id)
    live_of(request).wake_staff()


def _not_the_owner() -> Response:
    return _refusal(403, "not_the_owner", "This conversation is no longer yours. Your text is kept.")


def _refusal(status: int, code: str, message: str, **more: object) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": message}, **more}, status)
