"""Signed tokens: ours, which bind a visitor to one conversation, and the firm's, which sign him in."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import jwt

from crmcore.conversations import Conversation
from crmcore.errors import CrmError

LIFETIME = timedelta(hours=24)
SIGN_IN_LIFETIME = timedelta(minutes=10)
SOCKET_LIFETIME = timedelta(minutes=2)  # From making a page to its first connection.
CLOCK_SKEW = timedelta(seconds=30)  # Between the firm's server and ours.
_ALGORITHM = "HS256"  # The only one accepted; a token's own header decides nothing.
_OURS = "rapport-chat"
_SOCKET = "rapport-socket"
_FIRMS = "rapport"


class TokenRefused(CrmError):
    """No token, or not one of ours that is still good for this conversation."""


class SignInRefused(CrmError):
    """The firm's token that should sign the visitor in is not acceptable."""


@dataclass(frozen=True)
class Claims:
    """What one of our tokens says."""

    conversation_id: str
    visitor_id: str
    generation: int
    signed_in: bool  # By the firm's own token; resuming then needs another one of them.
    expires_at: datetime

    def require(self, conversation: Conversation) -> None:
        """Raise ``TokenRefused`` unless the token belongs to this conversation as it is now."""
        if (
            self.conversation_id != conversation.conversation_id
            or self.visitor_id != conversation.visitor_id
            or self.generation != conversation.token_generation
        ):
            raise TokenRefused("this session has ended; start a new one with POST /chat/session")


@dataclass(frozen=True)
class SignIn:
    """What the firm's token says: who the visitor is, and the token's own name, good for one use."""

    customer_id: str
    token_id: str
    expires_at: datetime


@dataclass(frozen=True)
class SocketPass:
    """What a token for one socket connection says; it may stand in a URL, so it is short and good once."""

    claims: Claims
    token_id: str


class Tokens:
    """Mints and reads tokens. Two keys, so that neither kind can be taken for the other."""

    def __init__(self, secret: bytes, widget_secret: str) -> None:
        self._ours = hmac.digest(secret, b"chat tokens", hashlib.sha256)
        self._firms = widget_secret.encode()

    def mint(self, conversation: Conversation, now: datetime, *, signed_in: bool) -> tuple[str, datetime]:
        """A token for this conversation and the time when it expires."""
        expires_at = (now + LIFETIME).replace(microsecond=0)
        claims = {
            "aud": _OURS,
            "sub": conversation.visitor_id,
            "conversation": conversation.conversation_id,
            "generation": conversation.token_generation,
            "signed_in": signed_in,
            "iat": int(now.timestamp()),
            "exp": int(expires_at.timestamp()),
        }
        return jwt.encode(claims, self._ours, _ALGORITHM), expires_at

    def mint_socket(self, claims: Claims, now: datetime) -> tuple[str, datetime]:
        """A token that opens one socket to the conversation of a session, and the time when it expires."""
        expires_at = min((now + SOCKET_LIFETIME).replace(microsecond=0), claims.expires_at)
        said = {
            "aud": _SOCKET,
            "sub": claims.visitor_id,
            "conversation": claims.conversation_id,
            "generation": claims.generation,
            "signed_in": claims.signed_in,
            "jti": secrets.token_urlsafe(16),
            "exp": int(expires_at.timestamp()),
        }
        return jwt.encode(said, self._ours, _ALGORITHM), expires_at

    def read(self, token: str, now: datetime) -> Claims:
        """Raise ``TokenRefused`` for a token that is forged, expired or of another kind."""
        read, _ = self._read_ours(token, _OURS)
        if read.expires_at <= now:
            raise TokenRefused("this session has expired; start a new one with POST /chat/session")
        return read

    def read_socket(self, token: str, now: datetime, *, late: timedelta = timedelta()) -> SocketPass:
        """Raise ``TokenRefused`` for what is no socket token of ours, or one that expired longer ago."""
        read, token_id = self._read_ours(token, _SOCKET)
        if not token_id or read.expires_at + late <= now:
            raise TokenRefused("the socket token has expired; take a fresh one with POST /chat/socket-token")
        return SocketPass(read, hashlib.sha256(f"socket:{token_id}".encode()).hexdigest())

    def _read_ours(self, token: str, audience: str) -> tuple[Claims, str]:
        try:
            claims = _decode(token, self._ours, audience, ("sub", "conversation", "generation", "exp"))
            read = Claims(
                conversation_id=str(claims["conversation"]),
                visitor_id=str(claims["sub"]),
                generation=int(claims["generation"]),
                signed_in=claims.get("signed_in") is True,
                expires_at=_time(claims["exp"]),
            )
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:
            raise TokenRefused("this is no session token of ours; start with POST /chat/session") from error
        return read, str(claims.get("jti", ""))

    def read_sign_in(self, token: str, now: datetime, *, late: timedelta = timedelta()) -> SignIn:
        """Raise ``SignInRefused`` for a token that the firm did not sign for us in the last minutes.

        ``late`` lets one through that expired no longer ago; alone it then opens nothing.
        """
        try:
            claims = _decode(token, self._firms, _FIRMS, ("sub", "iat", "exp", "jti"))
            issued, expires = _time(claims["iat"]), _time(claims["exp"])
            customer_id, token_id = claims["sub"], claims["jti"]
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:
            raise SignInRefused(
                "the sign-in token is not signed with the widget secret "
                "(HS256, aud 'rapport', sub, iat, exp, jti)"
            ) from error
        if not (isinstance(customer_id, str) and customer_id and isinstance(token_id, str) and token_id):
            raise SignInRefused("the sign-in token's sub and jti must be texts that are not empty")
        if expires + late <= now:
            raise SignInRefused("the sign-in token has expired; sign a fresh one for every page")
        if expires - issued > SIGN_IN_LIFETIME or issued > now + CLOCK_SKEW:
            raise SignInRefused(
                "the sign-in token must expire within 10 minutes of its time of issue, which must be past"
            )
        return SignIn(customer_id, hashlib.sha256(token_id.encode()).hexdigest(), expires)


def kind_of(token: str) -> Literal["session", "socket", "sign-in"]:
    """What a token says it is. Nobody has vouched for that yet: it only chooses who reads it."""
    try:
        audience = jwt.decode(token, options={"verify_signature": False}).get("aud")
    except (jwt.PyJWTError, ValueError, RecursionError):
        audience = None
    return "socket" if audience == _SOCKET else "session" if audience == _OURS else "sign-in"


def _decode(token: str, key: bytes, audience: str, required: tuple[str, ...]) -> dict[str, Any]:
    """The claims; the times are compared by the caller, with the installation's own clock."""
    claims: dict[str, Any] = jwt.decode(
        token,
        key,
        algorithms=[_ALGORITHM],
        audience=audience,
        options={"require": list(required), "verify_exp": False, "verify_iat": False, "verify_nbf": False},
    )
    return claims


def _time(seconds: Any) -> datetime:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise ValueError(f"a time in a token is a number of seconds, not {seconds!r}")
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except OSError as error:
        raise ValueError(f"{seconds!r} seconds are beyond the calendar") from error
