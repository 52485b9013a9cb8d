"""Whose conversation a request is about: begun, resumed, signed in, or refused."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any

from fastapi import Request
from starlette.requests import HTTPConnection

from crmcore.conversations import Conversation, Reply, UnknownConversation
from crmcore.crm import Crm
from crmcore.usecases.conversations import conversation, open_conversation, sign_out
from crmcore.usecases.identify import link_signed_in
from crmcore.usecases.visits import Seen, is_customer, renew_tokens, use_sign_in_token
from web.gateway.choices import greeting
from web.gateway.shown import shown_owner
from web.gateway.tokens import Claims, SignIn, SignInRefused, TokenRefused, Tokens
from web.wording import Wording

CHANNEL = "web"


@dataclass(frozen=True)
class Session:
    """A conversation, and the proof that the request may speak in it."""

    conversation: Conversation
    claims: Claims


@dataclass(frozen=True)
class Earlier:
    """The conversation that the visitor's client still holds, and whether the firm had signed him in."""

    conversation: Conversation
    signed_in: bool


@dataclass(frozen=True)
class Begun:
    """What ``POST /chat/session`` found or made."""

    conversation: Conversation
    signed_in: bool
    resumed: bool


def session_of(request: Request) -> Session:
    """The session of the request's Bearer token.

    Raises
    ------
    TokenRefused : none, or forged, expired, signed out, or of another conversation.
    """
    crm: Crm = request.app.state.crm
    tokens: Tokens = request.app.state.tokens
    claims = tokens.read(_bearer(request), crm.clock())
    try:
        found = conversation(crm, claims.conversation_id)
    except UnknownConversation as error:
        raise TokenRefused("this session's conversation is gone; start a new one") from error
    claims.require(found)
    request.state.conversation_id = found.conversation_id  # For the log.
    return Session(found, claims)


def begin(request: Request, language: str | None, signed_in_token: str | None) -> Begun:
    """Go on with the conversation of the Bearer token, if it is good for that, or begin a new one.

    A Bearer token that is no good is no error here: the visitor gets a conversation of his own and
    sees nothing of the other. Raises ``SignInRefused`` for a bad token of the firm.
    """
    state = request.app.state
    earlier = _earlier(request)
    if signed_in_token is not None:
        return sign_visitor_in(state, CHANNEL, language, signed_in_token, earlier)
    if earlier is not None and not earlier.signed_in:
        return Begun(earlier.conversation, signed_in=False, resumed=True)
    # Who was signed in by the firm comes back only with the firm's word: at a shared computer
    # the next person may hold the device, but not that.
    return Begun(open_visit(state, CHANNEL, language), signed_in=False, resumed=False)


def sign_visitor_in(
    state: Any, channel: str, language: str | None, token: str, earlier: Earlier | None
) -> Begun:
    """Take the firm's word for who the visitor is: go on with his conversation, or begin one.

    Raises ``SignInRefused`` for a bad or used token of the firm.
    """
    crm: Crm = state.crm
    sign_in: SignIn = state.tokens.read_sign_in(token, crm.clock())
    if earlier is not None and earlier.signed_in and earlier.conversation.customer_id == sign_in.customer_id:
        return Begun(earlier.conversation, signed_in=True, resumed=True)
    return _use_up(state, channel, language, sign_in, earlier)


def _use_up(
    state: Any, channel: str, language: str | None, sign_in: SignIn, earlier: Earlier | None
) -> Begun:
    """Use the firm's token up; the visitor's own anonymous conversation becomes the customer's."""
    crm: Crm = state.crm
    if not is_customer(crm, sign_in.customer_id):
        raise SignInRefused("the sign-in token's sub is no customer here; load the customer first")
    if not use_sign_in_token(crm, sign_in.token_id, sign_in.expires_at):
        raise SignInRefused("the sign-in token was used before; sign a fresh one for every page")
    mine = earlier.conversation if earlier else None
    if mine is not None and mine.customer_id not in (None, sign_in.customer_id):
        sign_out(crm, mine.conversation_id)  # Somebody else's: it is neither merged nor left open.
        mine = None
    begun = mine or open_visit(state, channel, language)
    link_signed_in(crm, begun.conversation_id, sign_in.customer_id)
    # Whoever knew the anonymous token must not read what the customer now sees.
    renewed = renew_tokens(crm, begun.conversation_id)
    return Begun(renewed, signed_in=True, resumed=mine is not None)


def open_visit(state: Any, channel: str, wanted_language: str | None) -> Conversation:
    """A new conversation of a visitor whom nobody knows yet."""
    crm: Crm = state.crm
    spoken = spoken_language(crm, wanted_language)
    hello = first_words(crm, state.wording, spoken)
    return open_conversation(crm, channel, f"vis_{secrets.token_hex(16)}", spoken, greeting=hello)


def spoken_language(crm: Crm, wanted: str | None) -> str:
    """The firm's language nearest to the one wanted, else the firm's first."""
    short = (wanted or "")[:2].lower()
    return next((name for name in crm.firm.languages if name == short), crm.firm.languages[0])


def first_words(crm: Crm, wording: Wording, language: str) -> Reply:
    """The greeting that begins a conversation in this language."""
    firm = crm.firm
    return greeting(wording, language, firm.voice.tone, firm.voice.assistant, firm.name)


def _earlier(request: Request) -> Earlier | None:
    try:
        session = session_of(request)
    except TokenRefused:
        return None
    return Earlier(session.conversation, session.claims.signed_in)


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise TokenRefused("send 'Authorization: Bearer <token>' with the token of POST /chat/session")
    return token.strip()


def address_of(request: HTTPConnection) -> str:
    """What a limit counts by: an IPv4 address, or the /64 network that one IPv6 visitor has."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(IPv6Network((int(address), 64), strict=False))
    return str(address)


def session_answer(begun: Begun, token: str, expires_at: datetime, seen: Seen, crm: Crm) -> dict[str, Any]:
    """What the client keeps of a session."""
    return {
        "conversation_id": seen.conversation.conversation_id,
        "token": token,
        "expires_at": expires_at.isoformat(),
        "resumed": begun.resumed,
        "assistant": {"name": crm.firm.voice.assistant, "firm": crm.firm.name},
        "owner": shown_owner(seen.conversation, crm.firm, seen.person),
        "last_seq": seen.conversation.last_seq,
    }
