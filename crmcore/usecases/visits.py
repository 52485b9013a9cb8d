"""A visit to the chat: it begins with a greeting, may be signed in by the firm, and ends by signing out."""

from datetime import datetime, timedelta

from crmcore.conversations import Conversation, Message, Reply, close
from crmcore.crm import Crm
from crmcore.usecases.ownership import locked, say_as_bot, transfer

GREETING = "bot:greeting"


def greet(crm: Crm, conversation_id: str, greeting: Reply) -> Message:
    """The assistant's first words, said once: asking again returns the message of before."""
    with crm.store.write() as tx:
        conversation = locked(tx, conversation_id)
        said = tx.messages.by_client_id(conversation_id, GREETING)
        return said or say_as_bot(tx, conversation, greeting, GREETING, crm.clock())


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


def sign_out(crm: Crm, conversation_id: str) -> Conversation:
    """End the visit on this device: no token opens the conversation again.

    What the bot had not answered will not be answered, because nobody could read it. A conversation
    that waits for or is with a person stays with him: he may still have to act for the customer.
    """
    with crm.store.write() as tx:
        conversation = locked(tx, conversation_id)
        if conversation.owner_kind == "bot":
            transfer(tx, conversation, close(conversation, crm.clock()))
        tx.conversations.raise_token_generation(conversation_id)
        return locked(tx, conversation_id)


def count_incident(crm: Crm, kind: str, conversation_id: str | None = None, detail: str = "") -> None:
    """Count something that went wrong outside a turn; ``detail`` never holds a customer's words."""
    with crm.store.write() as tx:
        tx.incidents.add(kind, crm.clock(), conversation_id, detail)


def incidents_of_the_last_hour(crm: Crm) -> dict[str, int]:
    """How many of each kind."""
    with crm.store.read() as tx:
        return tx.incidents.counts_since(crm.clock() - timedelta(hours=1))
