"""Sessions of foreign chat widgets: begun, found again, and how far each was given the log."""

from dataclasses import dataclass

from crmcore.conversations import Conversation
from crmcore.crm import Crm
from crmcore.sockets import LIFETIME, LONGEST_ID, SocketSession, digest_of


@dataclass(frozen=True)
class Kept:
    """A session that a client still holds, and its conversation."""

    session: SocketSession
    conversation: Conversation


def begin_socket_session(
    crm: Crm, session_id: str, conversation: Conversation, signed_in: bool, delivered_seq: int = 0
) -> Kept:
    """From now on this id goes on with this conversation."""
    now = crm.clock()
    session = SocketSession(
        session_digest=digest_of(session_id),
        conversation_id=conversation.conversation_id,
        generation=conversation.token_generation,
        signed_in=signed_in,
        delivered_seq=delivered_seq,
        seen_at=now,
    )
    with crm.store.write() as tx:
        tx.sockets.add(session, now - LIFETIME)
    return Kept(session, conversation)


def kept_socket_session(crm: Crm, session_id: str) -> Kept | None:
    """The session of an id that a client claims; None for one that is not ours, ended or expired."""
    if len(session_id) > LONGEST_ID or not session_id.isascii():
        return None
    now = crm.clock()
    with crm.store.read() as tx:
        session = tx.sockets.get(digest_of(session_id))
        conversation = tx.conversations.get(session.conversation_id) if session else None
    if session is None or conversation is None or not session.alive(conversation, now):
        return None
    return Kept(session, conversation)


def resume_socket_session(crm: Crm, session: SocketSession) -> None:
    """The client came back with it: it lives for another day."""
    with crm.store.write() as tx:
        tx.sockets.see(session.session_digest, crm.clock())


def note_delivered(crm: Crm, session: SocketSession, seq: int) -> None:
    """The client was given the log up to this number."""
    with crm.store.write() as tx:
        tx.sockets.set_delivered(session.session_digest, seq, crm.clock())
