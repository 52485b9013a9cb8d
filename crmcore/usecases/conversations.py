"""Conversations as the surfaces use them: the customer's side here, the bot's turns and the account
manager's side imported, so that one module name serves every caller."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from crmcore import conversations as transfers
from crmcore.conversations import (
    Conversation,
    Message,
    Received,
    Reply,
    UnacceptableClientId,
    UnknownButton,
    UnknownConversation,
    check_client_id,
    clean_text,
)
from crmcore.crm import Crm
from crmcore.ids import new_id
from crmcore.processes import living_parts
from crmcore.redaction import NEVER_KEPT, redact
from crmcore.store.messages import NewMessage
from crmcore.store.transaction import Transaction
from crmcore.usecases.events import add_message, emit
from crmcore.usecases.ownership import guard, locked, say_as_bot, transfer
from crmcore.usecases.planning import plan_return
from crmcore.usecases.routing import queue
from crmcore.usecases.takeover import claim, close, draft, give_back, save_draft, say_as_person
from crmcore.usecases.turns import (
    abandon_turn,
    fail_turn,
    finish_turn,
    next_turn,
    note_not_understood,
    note_understood,
    session_is_full,
    unfinished,
)

__all__ = [
    "Counters",
    "abandon_turn",
    "add_conversation",
    "claim",
    "close",
    "conversation",
    "counters",
    "draft",
    "fail_turn",
    "finish_turn",
    "give_back",
    "guard",
    "hear",
    "latest_messages",
    "messages_after",
    "next_turn",
    "note_not_understood",
    "note_understood",
    "open_conversation",
    "press",
    "receive",
    "save_draft",
    "say_as_person",
    "session_is_full",
    "sign_out",
    "unfinished",
]


def open_conversation(
    crm: Crm,
    channel: str,
    visitor_id: str,
    language: str,
    customer_id: str | None = None,
    greeting: Reply | None = None,
) -> Conversation:
    """Begin a conversation owned by the bot; the greeting, if any, is its first message.

    ``customer_id`` only for a visitor whose signed token was checked: he counts as verified.
    """
    with crm.store.write() as tx:
        return add_conversation(tx, channel, visitor_id, language, crm.clock(), customer_id, greeting)


def add_conversation(
    tx: Transaction,
    channel: str,
    visitor_id: str,
    language: str,
    now: datetime,
    customer_id: str | None = None,
    greeting: Reply | None = None,
) -> Conversation:
    """:func:`open_conversation` inside of the caller's transaction."""
    begun = Conversation(
        conversation_id=new_id("cnv"),
        channel=channel,
        visitor_id=visitor_id,
        customer_id=customer_id,
        verified_at=now if customer_id else None,
        language=language,
        owner_kind="bot",
        owner_id=None,
        epoch=0,
        last_seq=0,
        turn_holder=None,
        turn_until=None,
        bot_turns=0,
        brain_session=0,
        brain_notice=None,
        failures=0,
        mood="neutral",
        open_case=None,
        opened_at=now,
        last_message_at=now,
        closed_at=None,
        token_generation=0,
    )
    tx.conversations.add(begun)
    emit(
        tx, "conversation.opened", now,
        conversation_id=begun.conversation_id, channel=channel, language=language, customer_id=customer_id,
    )  # fmt: skip
    if greeting is not None:
        say_as_bot(tx, begun, greeting, "greeting:0", now)
    return locked(tx, begun.conversation_id)


def conversation(crm: Crm, conversation_id: str) -> Conversation:
    """Raises :class:`UnknownConversation`."""
    with crm.store.read() as tx:
        found = tx.conversations.get(conversation_id)
    if found is None:
        raise UnknownConversation(conversation_id)
    return found


def receive(
    crm: Crm, conversation_id: str, client_id: str, text: str, payload: str | None = None
) -> Received:
    """Store what the customer said, without what nobody should write; only then may it be acknowledged.

    The bot's to answer (pending) when the bot owns the conversation. A closed conversation opens again
    to the bot. A repeated client id returns the message stored first. ``payload`` is for trusted
    callers alone (a configured start message); what a person types never becomes one.

    Raises
    ------
    UnknownConversation, UnacceptableText, UnacceptableClientId : nothing is stored.
    """
    text = redact(clean_text(text), NEVER_KEPT)
    return _receive(crm, conversation_id, client_id, lambda _: (text, payload))


def press(crm: Crm, conversation_id: str, client_id: str, button_id: str) -> Received:
    """The customer pressed a button: its title is stored as his words, its payload goes to the brain.

    Raises
    ------
    UnknownButton : it was not offered in this conversation; nothing is stored.
    """

    def offered(tx: Transaction) -> tuple[str, str]:
        button = tx.messages.offered_button(conversation_id, button_id)
        if button is None:
            raise UnknownButton(button_id)
        return button

    return _receive(crm, conversation_id, client_id, offered)


def hear(crm: Crm, conversation_id: str, client_id: str, said: str) -> Received:
    """Store what came through a foreign client, which sends words and the ids of pressed buttons alike.

    An id that was offered in this conversation is a press; everything else is text, also what looks like
    an id of somebody else's.

    Raises
    ------
    UnknownConversation, UnacceptableText, UnacceptableClientId : nothing is stored.
    """
    text = redact(clean_text(said), NEVER_KEPT)

    def content(tx: Transaction) -> tuple[str, str | None]:
        return tx.messages.offered_button(conversation_id, text) or (text, None)

    return _receive(crm, conversation_id, client_id, content)


def messages_after(crm: Crm, conversation_id: str, seq: int, limit: int = 200) -> list[Message]:
    """What a client that has everything up to ``seq`` is missing, in order."""
    with crm.store.read() as tx:
        return tx.messages.after(conversation_id, seq, limit)


def latest_messages(crm: Crm, conversation_id: str, limit: int = 200) -> list[Message]:
    """The end of the history, in order."""
    with crm.store.read() as tx:
        return tx.messages.latest(conversation_id, limit)


def sign_out(crm: Crm, conversation_id: str) -> Conversation:
    """The visitor leaves this browser: no token handed out before opens the conversation again.

    A conversation with the bot is closed. A person who has it, or will, keeps it: the customer may
    still be called back.
    """
    now = crm.clock()
    with crm.store.write() as tx:
        before = locked(tx, conversation_id)
        tx.conversations.raise_token_generation(conversation_id)
        if before.owner_kind == "bot":
            transfer(tx, before, transfers.close(before, now))
        return locked(tx, conversation_id)


@dataclass(frozen=True)
class Counters:
    """What the operator watches."""

    conversations: dict[str, int]  # By owner.
    queue_length: int
    oldest_wait_minutes: int  # Of the queue; 0 when it is empty.
    pending: int  # Customer messages that the bot has still to answer,
    oldest_pending_seconds: int  # and how long the oldest has waited.
    lost: int  # With the bot, answered by nobody and not pending, in the last 7 days: must be 0.
    incidents: dict[str, int]  # By kind, in the last 24 hours.
    jobs: dict[str, int]  # By status.
    overdue_callbacks: int
    processes: dict[str, int]  # Heard lately, by part.


def counters(crm: Crm) -> Counters:
    now = crm.clock()
    with crm.store.read() as tx:
        waiting = queue(tx, crm.firm, now)
        pending, oldest = tx.messages.pending()
        return Counters(
            conversations=tx.conversations.count_by_owner(),
            queue_length=len(waiting),
            oldest_wait_minutes=max((entry.waited_minutes for entry in waiting), default=0),
            pending=pending,
            oldest_pending_seconds=int((now - oldest).total_seconds()) if oldest else 0,
            lost=tx.messages.lost(now - timedelta(days=7)),
            incidents=tx.incidents.counts_since(now - timedelta(hours=24)),
            jobs=tx.jobs.counts(),
            overdue_callbacks=sum(callback.status == "overdue" for callback in tx.callbacks.open()),
            processes=living_parts(tx.processes.all(), now),
        )


def _receive(
    crm: Crm,
    conversation_id: str,
    client_id: str,
    content: Callable[[Transaction], tuple[str, str | None]],
) -> Received:
    check_client_id(client_id)
    now = crm.clock()
    with crm.store.write() as tx:
        owned = locked(tx, conversation_id)
        first = tx.messages.by_client_id(conversation_id, client_id)
        if first is not None:
            if first.sender != "customer":
                raise UnacceptableClientId(f"the client id {client_id!r} is taken; send a new one")
            return Received(first, True, owned)
        text, payload = content(tx)
        if owned.owner_kind == "nobody":
            owned = transfer(tx, owned, transfers.reopen(owned))
        message = _store(tx, owned, client_id, text, payload, now)
        if owned.owner_kind == "account_manager":
            plan_return(tx, crm.firm, owned, now)
        return Received(message, False, locked(tx, conversation_id))


def _store(
    tx: Transaction, owned: Conversation, client_id: str, text: str, payload: str | None, now: datetime
) -> Message:
    return add_message(
        tx,
        NewMessage(
            conversation_id=owned.conversation_id,
            seq=tx.conversations.next_seq(owned.conversation_id, now),
            client_id=client_id,
            sender="customer",
            text=text,
            payload=payload,
            epoch=owned.epoch,
            state="pending" if owned.owner_kind == "bot" else "done",
            created_at=now,
        ),
    )
