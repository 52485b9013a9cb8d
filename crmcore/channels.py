"""Channels of other programs: who writes there, and which part of the log answers him.

Pure. Another program (the shop's server, a messaging bridge) speaks for its visitors under a key of its
own. What it calls a visitor is a name inside of that key's namespace and proves nothing. It asks with a
message and is answered with everything that was said since its last answer, so a person's words that
came in between are neither lost nor told twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from crmcore.conversations import Conversation, Message
from crmcore.errors import CrmError

MAX_SENDER = 255  # Characters.
MAX_REPEAT_KEY = 255
ANSWER_PATIENCE = timedelta(
    seconds=12
)  # Longer than the brain's own deadline, shorter than a client's usual.
WAITING = "mark:waiting"  # Says once that a person has the message; see ``crmcore.conversations``.


class UnacceptableSender(CrmError):
    """The program's name for its visitor, or its name for a message, cannot be kept."""


@dataclass(frozen=True)
class Stretch:
    """A part of a conversation's log: after one sequence number and up to another."""

    after_seq: int
    up_to_seq: int

    @property
    def empty(self) -> bool:
        """Nothing had been said when the program stopped waiting; asked again, it gets what came since."""
        return self.after_seq >= self.up_to_seq


@dataclass(frozen=True)
class Answer:
    """What goes back to the program that sent a message."""

    conversation: Conversation
    said: list[Message]  # By the bot, by a person, or as a mark; in their order.
    standing: Message | None  # With nothing new to say: what was said already and still holds.


def check_sender(sender: str) -> str:
    """The sender itself; raises :class:`UnacceptableSender` for one that is empty, long or unprintable."""
    return _check(sender, "a sender", MAX_SENDER)


def client_id_of(repeat_key: str) -> str:
    """The client id of a message that the program names itself, so that a repeat is recognised.

    >>> client_id_of("wamid.HBgL==")
    'key-e8f0372032642380f28252db42da61ef8aa7ed1d'
    """
    _check(repeat_key, "an idempotency key", MAX_REPEAT_KEY)
    return f"key-{sha256(repeat_key.encode()).hexdigest()[:40]}"


def must_wait(
    message: Message, oldest_pending: Message | None, unanswered: Sequence[Message], now: datetime
) -> bool:
    """Whether the answer to a message is still to come.

    ``unanswered`` are the customer's messages up to and with this one whose answers were not given: an
    earlier one goes first, unless its program has long stopped waiting (then its words come with this one).
    """
    if oldest_pending is not None and oldest_pending.id <= message.id:
        return True
    return any(
        earlier.id < message.id and now - earlier.created_at < 2 * ANSWER_PATIENCE for earlier in unanswered
    )


def _check(name: str, what: str, most: int) -> str:
    if not 1 <= len(name) <= most or not name.isprintable() or name.isspace():
        raise UnacceptableSender(f"{what} is 1 to {most} printable characters")
    return name
