"""Whose conversation a foreign widget goes on with: decided by a token, never by what the widget claims.

Three kinds of token open a conversation: the firm's sign-in token and our socket token, each for one use and
some minutes, and our session token, which must not stand in a URL. Without a token the visitor is anonymous,
and the session id that we confirmed to him is his only way back: it is random, and a claim that we did not
make opens nothing. Who was signed in needs both, the id and the firm's word.
"""

import logging
from dataclasses import dataclass
from typing import Any

from crmcore.conversations import Conversation, UnknownConversation
from crmcore.crm import Crm
from crmcore.sockets import LIFETIME, new_session_id
from crmcore.usecases.conversations import conversation
from crmcore.usecases.sockets import Kept, begin_socket_session, kept_socket_session, resume_socket_session
from crmcore.usecases.visits import use_sign_in_token
from web.gateway.session import Earlier, open_visit, sign_visitor_in
from web.gateway.tokens import Claims, SignInRefused, TokenRefused, Tokens, kind_of

CHANNEL = "socket"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Shown:
    """What a client shows of itself."""

    claim: str | None  # The session id that it kept, or says that it kept.
    token: str | None
    in_url: bool  # Where the token stood: whatever stands in a URL may have been seen by others.
    language: str | None


@dataclass(frozen=True)
class Entry:
    """The session id to confirm, and what is behind it."""

    session_id: str
    kept: Kept | None  # None: nothing yet. He has not written, or has still to show his token.
    knows_history: bool = False  # The client holds what it was given before.
    refused: str = ""  # Why the token was not accepted.


def enter(state: Any, shown: Shown) -> Entry:
    """Find the session of a client that connects. It asks the database: call it from a thread."""
    crm: Crm = state.crm
    kept = kept_socket_session(crm, shown.claim) if shown.claim else None
    refused = ""
    if shown.token:
        try:
            return _with_token(state, shown, shown.token, kept)
        except (TokenRefused, SignInRefused) as error:
            log.warning("a widget's token was refused: %s", error)
            refused = str(error)
    if kept is not None and shown.claim and not kept.session.signed_in:
        return _back(crm, shown.claim, kept, refused)
    if kept is not None and shown.claim and not shown.token:
        return Entry(shown.claim, None)  # Nothing is opened before the firm's word comes with a message.
    return Entry(new_session_id(), None, refused=refused)


def begin_anonymous(state: Any, session_id: str, language: str | None) -> Kept:
    """The first words of somebody without a token: now there is a conversation."""
    begun = open_visit(state, CHANNEL, language)
    return begin_socket_session(state.crm, session_id, begun, signed_in=False)


def _with_token(state: Any, shown: Shown, token: str, kept: Kept | None) -> Entry:
    crm: Crm = state.crm
    if kept is not None and shown.claim and _same_page(state.tokens, token, kept, crm):
        return _back(crm, shown.claim, kept)
    kind = kind_of(token)
    if kind == "sign-in":
        earlier = Earlier(kept.conversation, kept.session.signed_in) if kept else None
        begun = sign_visitor_in(state, CHANNEL, shown.language, token, earlier)
        return _session_for(crm, begun.conversation, begun.signed_in, kept)
    if kind == "session":
        if shown.in_url:
            raise TokenRefused(
                "a session token must not stand in a URL; POST /chat/socket-token gives another"
            )
        claims = state.tokens.read(token, crm.clock())
        return _session_for(crm, _opened(crm, claims), claims.signed_in, kept)
    passed = state.tokens.read_socket(token, crm.clock())
    opened = _opened(crm, passed.claims)
    if not use_sign_in_token(crm, passed.token_id, passed.claims.expires_at):
        raise TokenRefused("the socket token was used before; take a fresh one with POST /chat/socket-token")
    return _session_for(crm, opened, passed.claims.signed_in, kept)


def _same_page(tokens: Tokens, token: str, kept: Kept, crm: Crm) -> bool:
    """Whether the token, used and expired as it may be, is of the same visitor as the session id beside it.

    A page that lost its connection shows the token that it was made with again.
    """
    now, kind = crm.clock(), kind_of(token)
    try:
        if kind == "sign-in":
            vouched = tokens.read_sign_in(token, now, late=LIFETIME)
            return kept.session.signed_in and kept.conversation.customer_id == vouched.customer_id
        if kind == "socket":
            tokens.read_socket(token, now, late=LIFETIME).claims.require(kept.conversation)
            return True
    except (TokenRefused, SignInRefused):
        pass
    return False


def _opened(crm: Crm, claims: Claims) -> Conversation:
    try:
        found = conversation(crm, claims.conversation_id)
    except UnknownConversation as error:
        raise TokenRefused("this session's conversation is gone; start a new one") from error
    claims.require(found)
    return found


def _session_for(crm: Crm, opened: Conversation, signed_in: bool, kept: Kept | None) -> Entry:
    """A new session id for this conversation; a client that knew the conversation still holds its history."""
    knows = kept is not None and kept.conversation.conversation_id == opened.conversation_id
    session_id = new_session_id()
    delivered = kept.session.delivered_seq if kept is not None and knows else 0
    return Entry(session_id, begin_socket_session(crm, session_id, opened, signed_in, delivered), knows)


def _back(crm: Crm, session_id: str, kept: Kept, refused: str = "") -> Entry:
    resume_socket_session(crm, kept.session)
    return Entry(session_id, kept, knows_history=True, refused=refused)
