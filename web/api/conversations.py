"""Conversations and what was said in them, out."""

from typing import Annotated, Any

from fastapi import Path, Query, Request
from pydantic import Field

from crmcore.conversations import Conversation, Message, Mood, OpenCase, OwnerKind, Sender, mark_values
from crmcore.usecases import listings
from web.api.fields import Answer, Id, Moment
from web.api.pages import MOST, USUAL, After, Limit, Listed, Since, listed, window
from web.api.route import crm_of, documented, keyed_router

router = keyed_router("conversations")


class ConversationOut(Answer):
    """Without a customer, the visitor has not proved who he is."""

    conversation_id: str
    channel: str
    language: str
    customer_id: str | None
    verified_at: Moment | None
    owner: OwnerKind
    account_manager_id: str | None
    mood: Mood
    open_case: OpenCase | None
    last_seq: int
    opened_at: Moment
    last_message_at: Moment
    closed_at: Moment | None


class MessageOut(Answer):
    """`seq` has no gaps inside a conversation. A mark (`kind` begins with `mark:`) has values and no text."""

    seq: int
    sender: Sender
    sender_name: str
    kind: str
    text: str
    values: dict[str, Any]
    buttons: list[str]
    at: Moment


class MessagesOut(Answer):
    """`next_after` is null when there was no more at that moment."""

    data: list[MessageOut]
    next_after: Annotated[int | None, Field(description="`after` of the next page.")]


@router.get(
    "/conversations",
    response_model=Listed[ConversationOut],
    summary="List conversations",
    **documented("listConversations", "conversations:read"),
)
def list_conversations(
    request: Request,
    limit: Limit = USUAL,
    cursor: After = None,
    customer_id: Annotated[Id | None, Query()] = None,
    owner: Annotated[OwnerKind | None, Query()] = None,
    updated_since: Since = None,
) -> Listed[ConversationOut]:
    """`updated_since` looks at the last message."""
    page = listings.conversations(crm_of(request), window(limit, cursor), customer_id, owner, updated_since)
    return listed(page, _shown)


@router.get(
    "/conversations/{conversation_id}/messages",
    response_model=MessagesOut,
    summary="Read what was said",
    **documented(
        "listMessages",
        "conversations:read",
        refusals={404: ("There is no such conversation", "unknown_conversation")},
    ),
)
def list_messages(
    request: Request,
    conversation_id: Annotated[Id, Path()],
    after: Annotated[int, Query(ge=0, le=2**31 - 1, description="Only messages after this `seq`.")] = 0,
    limit: Limit = MOST,
) -> MessagesOut:
    found = listings.messages(crm_of(request), conversation_id, after, limit + 1)
    shown = [_shown_message(message) for message in found[:limit]]
    return MessagesOut(data=shown, next_after=shown[-1].seq if len(found) > limit else None)


def _shown(conversation: Conversation) -> ConversationOut:
    return ConversationOut(
        conversation_id=conversation.conversation_id,
        channel=conversation.channel,
        language=conversation.language,
        customer_id=conversation.customer_id if conversation.verified_at else None,
        verified_at=conversation.verified_at,
        owner=conversation.owner_kind,
        account_manager_id=conversation.owner_id,
        mood=conversation.mood,
        open_case=conversation.open_case,
        last_seq=conversation.last_seq,
        opened_at=conversation.opened_at,
        last_message_at=conversation.last_message_at,
        closed_at=conversation.closed_at,
    )


def _shown_message(message: Message) -> MessageOut:
    values = mark_values(message)
    return MessageOut(
        seq=message.seq,
        sender=message.sender,
        sender_name=message.sender_name,
        kind=message.kind,
        text="" if message.kind.startswith("mark:") else message.text,
        values=values,
        buttons=[button.title for button in message.buttons],
        at=message.created_at,
    )
