"""Proving who is writing: one-time codes, how long and how often they work.

The code is six digits. With five tries on one code and at most five codes an hour to one contact, a
guesser's chance is below 25 in a million an hour. Codes and contacts are kept as keyed digests only.
"""

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

from crmcore.customers import UnreadableContact, read_contact
from crmcore.errors import CrmError

CODE_DIGITS = 6
CODE_LIFETIME = timedelta(minutes=10)
TRIES = 5
PER_CONVERSATION = (3, timedelta(minutes=15))  # Codes sent in one conversation in this time,
PER_CONTACT = (5, timedelta(hours=1))  # and to one contact, whoever asks.

_ORDER = re.compile(r"\bRP[- ]?(\d{5})\b", re.IGNORECASE)
_CODE = re.compile(r"(?<!\d)\d(?:[ -]?\d){5}(?!\d)")


@dataclass(frozen=True)
class Claim:
    """What a visitor says he is known by."""

    kind: Literal["email", "order"]
    value: str  # Normalized: what look-ups compare.


@dataclass(frozen=True)
class SentCode:
    """One row of ``verification_codes``; ``customer_id`` is None when nobody has the contact."""

    code_id: str
    conversation_id: str
    customer_id: str | None
    contact_digest: str
    code_digest: str
    created_at: datetime
    expires_at: datetime
    attempts: int
    used_at: datetime | None


Verdict = Literal["right", "wrong", "expired", "spent"]


@dataclass(frozen=True)
class Verified:
    """The visitor is this customer; what he said before he was known is his now."""

    customer_id: str
    first_name: str


@dataclass(frozen=True)
class CodeRefused:
    """``why`` wrong: try again; expired or none: ask for a new code; spent: too many tries."""

    why: Literal["wrong", "expired", "spent", "none"]


class UnreadableClaim(CrmError):
    """The text holds neither an e-mail address nor an order number."""


class TooManyCodes(CrmError):
    """So many codes were asked for that no further one is sent for a while."""


class NotVerified(CrmError):
    """Something personal was asked for in a conversation whose visitor has not proved who he is."""

    def __init__(self, conversation_id: str) -> None:
        super().__init__(
            f"the visitor of {conversation_id} is not verified; verify him by a one-time code first"
        )


def read_order_number(text: str) -> str | None:
    """The first order number in the text, as it is stored.

    >>> read_order_number("it's rp 12345, the guitar")
    'RP-12345'
    """
    found = _ORDER.search(text)
    return f"RP-{found.group(1)}" if found else None


def read_claim(text: str) -> Claim:
    """The e-mail address or order number in the text; an e-mail address wins.

    Raises
    ------
    UnreadableClaim : there is neither.
    """
    try:
        return Claim("email", read_contact("email", text)[1])
    except UnreadableContact:
        order = read_order_number(text)
        if order is None:
            raise UnreadableClaim(
                "there is no e-mail address and no order number such as RP-12345 in it"
            ) from None
        return Claim("order", order)


def read_code(text: str) -> str | None:
    """The six digits in the text, written together or apart.

    >>> read_code("it's 12 34-56"), read_code("1234567")
    ('123456', None)
    """
    found = _CODE.search(text)
    return re.sub(r"\D", "", found.group()) if found else None


def keyed_digest(secret: bytes, purpose: str, value: str) -> str:
    """HMAC-SHA256 of the value for one purpose, hexadecimal; without the secret it says nothing."""
    return hmac.new(secret, f"{purpose}\0{value}".encode(), sha256).hexdigest()


def may_send(now: datetime, to_conversation: Sequence[datetime], to_contact: Sequence[datetime]) -> bool:
    """Whether one more code may be sent, given when the earlier ones were."""
    return all(
        sum(1 for at in sent if at > now - window) < most
        for sent, (most, window) in ((to_conversation, PER_CONVERSATION), (to_contact, PER_CONTACT))
    )


def judge(sent: SentCode, code_digest: str, now: datetime) -> Verdict:
    """What a typed code is worth; the digests are compared in constant time."""
    if sent.used_at is not None or now >= sent.expires_at:
        return "expired"
    if sent.attempts >= TRIES:
        return "spent"
    right = hmac.compare_digest(sent.code_digest, code_digest) and sent.customer_id is not None
    if right:
        return "right"
    return "spent" if sent.attempts + 1 >= TRIES else "wrong"
