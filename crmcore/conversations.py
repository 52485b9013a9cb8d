"""Conversations, their messages, and who owns them: frozen values and pure transfers.

One owner. A conversation belongs to the bot, the queue, one account manager or nobody. Each transfer
raises the ``epoch``; what was begun under an older epoch (a slow bot reply, an action's write) is
refused. The legal transfers::

    bot             -> queue | account_manager (escalate), account_manager (claim), nobody (close)
    queue           -> account_manager (claim), bot (give_back), nobody (close)
    account_manager -> bot (give_back), queue (return_to_queue), nobody (close)
    nobody          -> bot (reopen), account_manager (claim)

Marks. A change of owner that the customer should see is a message of sender ``system`` whose ``kind``
is one of the marks below and whose ``text`` is a JSON object of values. The surface that shows it
finds the words (``web/wording``); the core says none. :func:`mark_values` reads the object.

==================  ==========================================================================
kind                values
==================  ==========================================================================
``mark:queued``     ``position`` (1 is next), ``wait_minutes`` (null: nobody is on duty yet)
``mark:assigned``   ``name`` of the account manager who was told and has not joined yet
``mark:joined``     ``name`` of the account manager who now answers
``mark:left``       ``name`` of the account manager who gave the conversation back to the bot
``mark:requeued``   ``name`` who did not answer in time, ``position``, ``wait_minutes``
``mark:callback``   ``opens_at`` (ISO 8601 UTC): nobody is here; a person will come back by then
``mark:bot``        nothing: the firm closed while he waited, and the assistant answers again
``mark:waiting``    ``name`` of the person who has the message, or "" in the queue; said once to a
                    client that has no live line and must ask for the answer
``mark:closed``     ``name`` of the account manager who closed it, or ""
==================  ==========================================================================

A bot message has an empty ``sender_name``: the assistant's name is the firm's, in ``firm.yml``.
"""

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from crmcore.errors import CrmError
from crmcore.redaction import Kind

OwnerKind = Literal["bot", "queue", "account_manager", "nobody"]
Sender = Literal["customer", "bot", "account_manager", "system"]
MessageState = Literal["pending", "done", "dropped"]
Mood = Literal["neutral", "upset"]
OpenCase = Literal["complaint", "cancelling"]

MAX_TEXT = 2_000  # Characters of one message after cleaning.
MAX_CLIENT_ID = 64
TURN_LEASE = timedelta(seconds=45)  # Longer than every deadline inside a turn together.
BRAIN_SESSION_TURNS = 40  # Then the brain's memory starts afresh, unless a form is open.

_CLIENT_ID = re.compile(rf"[A-Za-z0-9._-]{{1,{MAX_CLIENT_ID}}}")


@dataclass(frozen=True)
class Conversation:
    """One row of ``conversations``; see ``crmcore.store.schema`` for the columns."""

    conversation_id: str
    channel: str
    visitor_id: str
    customer_id: str | None
    verified_at: datetime | None  # When the visitor proved to be the customer; None: he has not.
    language: str
    owner_kind: OwnerKind
    owner_id: str | None  # The account manager's staff id, set only for that kind of owner.
    epoch: int
    last_seq: int
    turn_holder: str | None
    turn_until: datetime | None
    bot_turns: int
    brain_session: int
    brain_notice: str | None
    failures: int
    mood: Mood
    open_case: OpenCase | None
    opened_at: datetime
    last_message_at: datetime
    closed_at: datetime | None
    token_generation: int

    @property
    def brain_sender(self) -> str:
        """The name under which the brain keeps its memory of this stretch of the conversation."""
        return f"{self.conversation_id}.{self.brain_session}"


@dataclass(frozen=True)
class Button:
    """What a client sees of a button: an opaque id and a title, never the payload."""

    id: str
    title: str


@dataclass(frozen=True)
class Message:
    """One stored message. ``id`` rises over all conversations, ``seq`` without gaps inside one."""

    id: int
    conversation_id: str
    seq: int
    client_id: str
    sender: Sender
    sender_id: str | None
    sender_name: str
    kind: str
    text: str
    buttons: tuple[Button, ...]
    in_reply_to: int | None
    epoch: int
    state: MessageState
    payload: str | None
    intent: str | None
    created_at: datetime


@dataclass(frozen=True)
class Reply:
    """What the bot says: words, and buttons as (title, payload)."""

    text: str
    buttons: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Turn:
    """The right to answer one customer message: valid while the epoch stands and it is pending."""

    conversation_id: str
    message_id: int
    epoch: int


@dataclass(frozen=True)
class LeasedTurn(Turn):
    """A turn with all that the gateway needs to ask the brain."""

    lease: str  # Names this very turn, so that no other turn's lease is given back by mistake.
    text: str  # For the brain: without one-time codes and what else it need not remember.
    withheld: tuple[Kind, ...]  # What was taken out and the customer should not have written.
    payload: str | None  # Set when the customer pressed a button; this goes to the brain, not the title.
    language: str
    brain_sender: str
    brain_notice: str | None  # given_back, interrupted, reopened: tell the brain before the message.
    bot_turns: int  # Finished turns of this brain session.
    attempt: int  # 1 at first; higher after a crash in the middle of this message's turn.


@dataclass(frozen=True)
class Received:
    """A customer's message as stored; ``duplicate`` when its client id had been stored before."""

    message: Message
    duplicate: bool
    conversation: Conversation  # As it is after the message.


class UnknownConversation(CrmError):
    """No conversation has this id."""

    def __init__(self, conversation_id: str) -> None:
        super().__init__(f"there is no conversation {conversation_id!r}")


class IllegalTransfer(CrmError):
    """The conversation cannot go from its owner to the one wanted."""

    def __init__(self, conversation: Conversation, wanted: str, allowed: str) -> None:
        super().__init__(
            f"{wanted} needs a conversation owned by {allowed}, and "
            f"{conversation.conversation_id} is owned by {conversation.owner_kind}"
        )
        self.conversation = conversation


class StaleTurn(CrmError):
    """The turn lost its right to speak or write: the owner changed or the message is answered."""

    def __init__(self, turn: Turn, why: str) -> None:
        super().__init__(
            f"the turn for message {turn.message_id} of {turn.conversation_id} under epoch {turn.epoch} "
            f"is over: {why}; drop what it wanted to say or write"
        )


class NotTheOwner(CrmError):
    """An account manager wants to act in a conversation that is not his."""

    def __init__(self, conversation: Conversation, staff_id: str) -> None:
        owner = conversation.owner_id or conversation.owner_kind
        super().__init__(
            f"{conversation.conversation_id} is owned by {owner}, not by {staff_id}; claim it first"
        )
        self.conversation = conversation


class AlreadyClaimed(CrmError):
    """Another account manager was quicker; ``winner`` is his name."""

    def __init__(self, conversation_id: str, winner_id: str, winner: str) -> None:
        super().__init__(f"{conversation_id} is already with {winner}")
        self.winner_id = winner_id
        self.winner = winner


class StaleReply(CrmError):
    """The customer wrote since the account manager last looked; ``missed`` is what he has not seen."""

    def __init__(self, conversation_id: str, missed: tuple[Message, ...]) -> None:
        super().__init__(
            f"{len(missed)} new message(s) in {conversation_id} since you wrote this reply; "
            "read them and send again"
        )
        self.missed = missed


class UnknownButton(CrmError):
    """The pressed button was never offered in this conversation."""

    def __init__(self, button_id: str) -> None:
        super().__init__(f"the button {button_id!r} was not offered in this conversation")


class UnacceptableText(CrmError):
    """The text is empty, too long or holds a NUL character; ``code`` is empty, too_long or nul."""

    def __init__(self, code: Literal["empty", "too_long", "nul"], message: str) -> None:
        super().__init__(message)
        self.code = code


class UnacceptableClientId(CrmError):
    """The client id has the wrong form, or somebody else's message carries it."""


# --- transfers ------------------------------------------------------------------------------------


def escalate(conversation: Conversation, to_staff: str | None) -> Conversation:
    """The bot hands over: to one account manager, or to the queue when ``to_staff`` is None."""
    _require(conversation, "escalate", "bot")
    return _owned(conversation, "account_manager" if to_staff else "queue", to_staff)


def claim(conversation: Conversation, staff_id: str) -> Conversation:
    """An account manager takes the conversation, out of the queue or from the bot or a closed one."""
    _require(conversation, "claim", "queue", "bot", "nobody")
    return replace(_owned(conversation, "account_manager", staff_id), closed_at=None)


def give_back(conversation: Conversation) -> Conversation:
    """The bot answers again. Its session starts afresh, so no form of before is open any more."""
    _require(conversation, "give back", "account_manager", "queue")
    return _fresh(_owned(conversation, "bot", None), "given_back")


def return_to_queue(conversation: Conversation) -> Conversation:
    """The account manager did not answer: the conversation waits for another one."""
    _require(conversation, "return to the queue", "account_manager")
    return _owned(conversation, "queue", None)


def close(conversation: Conversation, now: datetime) -> Conversation:
    """Nobody owns it; a new customer message reopens it to the bot."""
    _require(conversation, "close", "bot", "queue", "account_manager")
    return replace(_owned(conversation, "nobody", None), closed_at=now)


def reopen(conversation: Conversation) -> Conversation:
    """The customer wrote in a closed conversation: the bot answers, in a fresh session."""
    _require(conversation, "reopen", "nobody")
    return replace(_fresh(_owned(conversation, "bot", None), "reopened"), closed_at=None)


def fresh_session(conversation: Conversation, notice: str | None) -> Conversation:
    """The same owner, but the brain forgets what it held in memory; all facts are in the store."""
    return _fresh(conversation, notice)


def _owned(conversation: Conversation, kind: OwnerKind, owner_id: str | None) -> Conversation:
    return replace(
        conversation,
        owner_kind=kind,
        owner_id=owner_id,
        epoch=conversation.epoch + 1,
        turn_holder=None,
        turn_until=None,
        failures=0,
    )


def _fresh(conversation: Conversation, notice: str | None) -> Conversation:
    return replace(
        conversation, brain_session=conversation.brain_session + 1, brain_notice=notice, bot_turns=0
    )


def _require(conversation: Conversation, wanted: str, *allowed: OwnerKind) -> None:
    if conversation.owner_kind not in allowed:
        raise IllegalTransfer(conversation, wanted, " or ".join(allowed))


# --- text and identifiers ----------------------------------------------------------------------------


def clean_text(text: str) -> str:
    """The text as it is stored: control characters removed, line ends unified, edges stripped.

    A leading slash stays: what a person types is text and is never read as a command.

    Raises
    ------
    UnacceptableText : NUL inside, nothing left, or more than ``MAX_TEXT`` characters.
    """
    if "\0" in text:
        raise UnacceptableText("nul", "a message may not hold a NUL character")
    if len(text.strip()) > 2 * MAX_TEXT:  # However much of it is to be taken out, it need not be looked at.
        raise UnacceptableText("too_long", f"a message has at most {MAX_TEXT} characters")
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(c for c in unified if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs")).strip()
    if all(c.isspace() or unicodedata.category(c) == "Cf" for c in kept):  # Zero-width characters too.
        raise UnacceptableText("empty", "a message needs at least one visible character")
    if len(kept) > MAX_TEXT:
        raise UnacceptableText(
            "too_long", f"a message has at most {MAX_TEXT} characters; this one {len(kept)}"
        )
    return kept


def check_client_id(client_id: str) -> str:
    """The id itself, when it is 1 to 64 of letters, digits, dot, dash and underscore.

    The colon is not allowed, because the ids of the gateway's own messages hold one.
    """
    if not _CLIENT_ID.fullmatch(client_id):
        raise UnacceptableClientId(
            f"a client id is 1 to {MAX_CLIENT_ID} letters, digits, dots, dashes or underscores; "
            f"got {client_id[:80]!r}"
        )
    return client_id


def mark_text(values: Mapping[str, Any]) -> str:
    """A mark's values as they are stored in ``Message.text``."""
    return json.dumps(values, sort_keys=True)


def mark_values(message: Message) -> dict[str, Any]:
    """The values of a mark; empty for any other message."""
    if not message.kind.startswith("mark:"):
        return {}
    values: dict[str, Any] = json.loads(message.text)
    return values
