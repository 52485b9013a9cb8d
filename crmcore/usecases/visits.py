"""A visit to the chat, as the gateway needs it: what the client sees, its tokens, its own buttons."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from crmcore.conversations import Conversation, LeasedTurn, Message, Turn, UnknownConversation
from crmcore.crm import Crm
from crmcore.usecases.ownership import guard, locked


@dataclass(frozen=True)
class Seen:
    """One look at a conversation: a consistent picture of its owner and what was said."""

    conversation: Conversation
    person: str  # The name of the account manager who owns it, or "".
    messages: list[Message]


def see(crm: Crm, conversation_id: str, after: int, limit: int) -> Seen:
    """The conversation and at most ``limit`` messages after this sequence number, in order."""
    with crm.store.read() as tx:
        conversation = tx.conversations.get(conversation_id)
        if conversation is None:
            raise UnknownConversation(conversation_id)
        owner = tx.staff.get(conversation.owner_id) if conversation.owner_id else None
        messages = tx.messages.after(conversation_id, after, limit) if limit else []
        return Seen(conversation, owner.name if owner else "", messages)


def is_customer(crm: Crm, customer_id: str) -> bool:
    """Whether the firm's identifier is that of a customer who is on file."""
    with crm.store.read() as tx:
        return tx.customers.get(customer_id) is not None


def use_sign_in_token(crm: Crm, token_digest: str, expires_at: datetime) -> bool:
    """Whether the firm's token is used for the first time; settled by the database, also in a race."""
    with crm.store.write() as tx:
        return tx.visits.use_sign_in_token(token_digest, expires_at, crm.clock())


def renew_tokens(crm: Crm, conversation_id: str) -> Conversation:
    """Every token of the conversation minted so far is worthless; returns the conversation as it is now."""
    with crm.store.write() as tx:
        locked(tx, conversation_id)
        tx.conversations.raise_token_generation(conversation_id)
        return locked(tx, conversation_id)


def had_another_owner(crm: Crm, turn: Turn) -> bool:
    """Whether the conversation changed hands since the turn's message was written."""
    with crm.store.read() as tx:
        message = tx.messages.get(turn.message_id)
        return message is not None and message.epoch < turn.epoch


def pass_over(crm: Crm, turn: LeasedTurn) -> None:
    """End a turn without words: the apology for an earlier message, said just now, stands for this one too.

    Raises
    ------
    StaleTurn : the owner changed meanwhile.
    """
    with crm.store.write() as tx:
        guard(tx, turn)
        tx.messages.settle(turn.message_id, "done")
        tx.conversations.end_turn(turn.conversation_id, turn.lease)


def ask_again(crm: Crm, turn: LeasedTurn, message_id: int) -> None:
    """The customer pressed "try again": the message, and what was passed over with it, waits once more.

    Each keeps its id, so whatever its first run wrote is not written a second time. The payload of the
    button ends with the number of the message.

    Raises
    ------
    StaleTurn : the turn of the pressed button is over.
    """
    with crm.store.write() as tx:
        conversation = guard(tx, turn)
        tx.messages.settle(turn.message_id, "done")
        wish = (turn.payload or "").removesuffix(str(message_id))
        tx.messages.repeat(message_id, turn.message_id, turn.conversation_id, conversation.epoch, wish)
        tx.conversations.end_turn(turn.conversation_id, turn.lease)


def incidents_of_the_last_hour(crm: Crm) -> dict[str, int]:
    """How many of each kind."""
    with crm.store.read() as tx:
        return tx.incidents.counts_since(crm.clock() - timedelta(hours=1))
