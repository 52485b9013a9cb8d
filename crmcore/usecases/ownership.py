"""Who owns a conversation: the one function that changes it, and the guard of everything else.

The functions here take part in the caller's transaction; they are the parts that the use cases of
conversations, turns, take-over and escalation share.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from crmcore.conversations import (
    Button,
    Conversation,
    Message,
    Reply,
    StaleTurn,
    Turn,
    UnknownConversation,
    mark_text,
)
from crmcore.ids import new_id
from crmcore.store.messages import NewMessage
from crmcore.store.transaction import Transaction
from crmcore.usecases.events import add_message


def locked(tx: Transaction, conversation_id: str) -> Conversation:
    """The conversation, held against other writers until the transaction ends."""
    conversation = tx.conversations.locked(conversation_id)
    if conversation is None:
        raise UnknownConversation(conversation_id)
    return conversation


def transfer(tx: Transaction, before: Conversation, after: Conversation) -> Conversation:
    """Write a new owner; the only place in the product that does.

    What the bot had not answered is not the bot's any more and is marked dropped: the new owner has
    it in front of him. ``give_back`` makes the rest pending again, see ``usecases.takeover``.
    """
    if not tx.conversations.change_owner(before, after):
        raise RuntimeError(f"{before.conversation_id} changed its owner while its row was locked")
    tx.messages.drop_pending(before.conversation_id)
    return after


def guard(tx: Transaction, turn: Turn) -> Conversation:
    """Let a turn go on, or refuse it. Every write that an action causes begins with this call.

    The conversation's row stays locked until the transaction ends, so the owner cannot change between
    the check and the write.

    Raises
    ------
    StaleTurn : the epoch moved on, or the message is answered, dropped or not of this conversation.
    """
    conversation = locked(tx, turn.conversation_id)
    if conversation.epoch != turn.epoch:
        raise StaleTurn(turn, f"the conversation is at epoch {conversation.epoch}")
    message = tx.messages.get(turn.message_id)
    if message is None or message.conversation_id != turn.conversation_id or message.sender != "customer":
        raise StaleTurn(turn, "it is not a customer's message of this conversation")
    if message.state != "pending":
        raise StaleTurn(turn, f"the message is {message.state}")
    return conversation


def mark(
    tx: Transaction,
    conversation: Conversation,
    kind: str,
    values: Mapping[str, Any],
    now: datetime,
    client_id: str | None = None,
) -> Message:
    """Tell the customer about a change of owner; ``crmcore.conversations`` lists the kinds."""
    seq = tx.conversations.next_seq(conversation.conversation_id, now)
    return add_message(
        tx,
        NewMessage(
            conversation_id=conversation.conversation_id,
            seq=seq,
            client_id=client_id or f"mark:{seq}",
            sender="system",
            kind=kind,
            text=mark_text(values),
            epoch=conversation.epoch,
            created_at=now,
        ),
    )


def say_as_bot(
    tx: Transaction,
    conversation: Conversation,
    reply: Reply,
    client_id: str,
    now: datetime,
    in_reply_to: int | None = None,
) -> Message:
    """Store one bot message and remember what its opaque buttons mean."""
    seq = tx.conversations.next_seq(conversation.conversation_id, now)
    offered = [(Button(new_id("btn"), title), payload) for title, payload in reply.buttons]
    tx.messages.offer_buttons(conversation.conversation_id, seq, offered)
    return add_message(
        tx,
        NewMessage(
            conversation_id=conversation.conversation_id,
            seq=seq,
            client_id=client_id,
            sender="bot",
            text=reply.text,
            buttons=tuple(button for button, _ in offered),
            in_reply_to=in_reply_to,
            epoch=conversation.epoch,
            created_at=now,
        ),
    )
