"""Sessions of foreign chat widgets, which speak the Rasa socket protocol.

Pure. Such a widget keeps one thing between two loads of its page: the session id that the server confirmed.
So that id is a secret of ours: random, good for a day without use, kept as a digest, and worth nothing once
the conversation's tokens were renewed or signed out. A claim that we did not make opens nothing.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from crmcore.conversations import Conversation

LIFETIME = timedelta(hours=24)  # Since it was last used.
LONGEST_ID = 200  # Characters of a claim that is looked at.


@dataclass(frozen=True)
class SocketSession:
    """One row of ``socket_sessions``."""

    session_digest: str
    conversation_id: str
    generation: int
    signed_in: bool
    delivered_seq: int
    seen_at: datetime

    def alive(self, conversation: Conversation, now: datetime) -> bool:
        """Whether the id still stands for this conversation."""
        return self.generation == conversation.token_generation and now - self.seen_at < LIFETIME


def new_session_id() -> str:
    """256 random bits."""
    return f"ses_{secrets.token_urlsafe(32)}"


def digest_of(session_id: str) -> str:
    return sha256(session_id.encode()).hexdigest()
