"""The workspace's two live lines: the lists, and one conversation.

What is sent always comes from the store. A stream asks before each look whether its session still
lives, so that signing out, or being dismissed, ends it within seconds.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import Request
from fastapi.responses import StreamingResponse

from crmcore.staff import StaffMember
from crmcore.usecases.conversations import conversation, messages_after
from crmcore.usecases.staff import list_staff
from crmcore.usecases.workspace import has_joined, lists
from web.live import Live, Look
from web.staff.session import crm_of, session_from
from web.workspace.shown import shown_lists, shown_message, shown_owner

CALM_SECONDS = 0.4  # A burst of messages in many conversations becomes one new list.
PAGE = 200


def live_of(request: Request) -> Live:
    live: Live = request.app.state.live
    return live


def as_stream(events: AsyncIterator[str]) -> StreamingResponse:
    return StreamingResponse(
        events,
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def list_events(request: Request) -> AsyncIterator[str]:
    """Event ``lists`` whenever something in them is new."""
    sent = ""
    async for look in live_of(request).watch(None):
        session = await session_from(request, active=False)
        if session is None:
            yield _event("ended", {})
            return
        data = json.dumps(await asyncio.to_thread(read_lists, request, session.member))
        if data != sent:
            sent = data
            yield f"event: lists\ndata: {data}\n\n"
        elif not look.changed:
            yield ":ping\n\n"
        await asyncio.sleep(CALM_SECONDS)


def read_lists(request: Request, member: StaffMember) -> dict[str, Any]:
    return shown_lists(lists(crm_of(request), member.staff_id), member.on_duty)


async def conversation_events(request: Request, conversation_id: str, after: int) -> AsyncIterator[str]:
    """Events ``message`` (id = seq), ``owner`` and ``typing`` of one conversation."""
    owner: dict[str, Any] | None = None
    async for look in live_of(request).watch(conversation_id, staff=True):
        session = await session_from(request, active=False)
        if session is None:
            yield _event("ended", {})
            return
        new, seen_owner = await asyncio.to_thread(
            _news, request, conversation_id, after, session.member.staff_id
        )
        for message in new:
            after = message["seq"]
            yield _event("message", message, after)
        if seen_owner != owner:
            owner = seen_owner
            yield _event("owner", owner)
        if look.typing is not None and look.typing.who != "person":
            yield _event("typing", {"who": look.typing.who, "name": look.typing.name})
        if look == Look():
            yield ":ping\n\n"


def _news(
    request: Request, conversation_id: str, after: int, staff_id: str
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    crm = crm_of(request)
    found = conversation(crm, conversation_id)
    new = []
    while page := messages_after(crm, conversation_id, after, PAGE):
        new += [shown_message(message, crm.firm) for message in page]
        after = page[-1].seq
    names = {member.staff_id: member.name for member in list_staff(crm)}
    joined = has_joined(crm, conversation_id)
    return new, shown_owner(found, names.get(found.owner_id or ""), staff_id, joined)


def _event(name: str, data: dict[str, Any], event_id: int | None = None) -> str:
    head = f"id: {event_id}\n" if event_id is not None else ""
    return f"{head}event: {name}\ndata: {json.dumps(data)}\n\n"
