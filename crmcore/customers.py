"""Customers, how to reach them, and what they agreed to."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from crmcore.errors import CrmError

ContactKind = Literal["email", "phone", "address"]
Purpose = Literal["offers", "contact", "profiling", "research"]

CONTACT_KINDS: tuple[ContactKind, ...] = ("email", "phone", "address")
ADVERTISING: tuple[Purpose, ...] = ("offers", "contact", "research")  # What opting out switches off.

_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,24}")
_NOT_A_PHONE = re.compile(r"[^\d+()/.\s-]")
_LEAD_IN = re.compile(
    r"^(?:(?:no|sorry|it'?s|it is|that'?s|my (?:new )?\w+ (?:number |address )?is|please use|use)[\s,:]+)+",
    re.I,
)


@dataclass(frozen=True)
class Customer:
    """One row of ``customers``."""

    customer_id: str
    name: str  # Empty while nobody has told it.
    language: str
    demographics: dict[str, Any]
    lifestyle: dict[str, Any]
    usage: dict[str, Any]
    account_manager_id: str | None
    created_at: datetime
    terminated_at: datetime | None = None
    termination: dict[str, Any] | None = None

    @property
    def first_name(self) -> str:
        """What the assistant calls him; empty for a customer who was imported without a name."""
        return self.name.split()[0] if self.name.split() else self.name


@dataclass(frozen=True)
class Contact:
    """One way to reach a customer; an old one stays, with ``current`` false."""

    contact_id: str
    customer_id: str
    kind: ContactKind
    value: str
    normalized: str
    current: bool
    changed_at: datetime
    source_key: str | None = None


@dataclass(frozen=True)
class Consent:
    """What a customer decided about one purpose, when, and where it is on record."""

    customer_id: str
    purpose: Purpose
    granted: bool
    decided_at: datetime
    source: str


class UnreadableContact(CrmError):
    """The text is no e-mail address, phone number or address of the kind that was asked for."""

    def __init__(self, kind: ContactKind) -> None:
        super().__init__(f"that is not a {kind}; an e-mail needs an @ and a domain, a phone 7 to 15 digits, "
                         "an address a street with a number and a town")  # fmt: skip
        self.kind = kind


def read_contact(kind: ContactKind, text: str) -> tuple[str, str]:
    """The contact in a customer's words, as (what is kept, what look-ups compare).

    >>> read_contact("email", "it's Ada@Example.org")
    ('Ada@Example.org', 'ada@example.org')
    >>> read_contact("phone", "+44 (0)7700 900-123")
    ('+44 (0)7700 900-123', '+4407700900123')

    Raises
    ------
    UnreadableContact : the text holds nothing of that kind.
    """
    if kind == "email":
        found = _EMAIL.search(text)
        if found is None:
            raise UnreadableContact(kind)
        return found.group(), found.group().lower()
    value = _LEAD_IN.sub("", " ".join(text.split())).strip(" .,;")
    if kind == "phone":
        digits = "".join(c for c in value if c.isdigit())
        if _NOT_A_PHONE.search(value) or not 7 <= len(digits) <= 15:
            raise UnreadableContact(kind)
        return value, ("+" if value.startswith("+") else "") + digits
    has_number = any(c.isdigit() for c in value)
    if not has_number or len(re.findall(r"[^\W\d_]{2,}", value)) < 2 or len(value) > 320:
        raise UnreadableContact(kind)
    return value, value.lower()


def contact_as_given(kind: ContactKind, value: str) -> tuple[str, str]:
    """A contact that the firm's own systems name, as (what is kept, what look-ups compare).

    >>> contact_as_given("email", "Ada@Example.org"), contact_as_given("phone", "+44 7700-900123")
    (('Ada@Example.org', 'ada@example.org'), ('+44 7700-900123', '+447700900123'))
    """
    if kind == "phone":
        digits = "".join(c for c in value if c.isdigit())
        return value, ("+" if value.startswith("+") else "") + digits
    return value, value.lower()


def kind_in(text: str) -> ContactKind | None:
    """Which kind of contact the words name or are, or None.

    >>> kind_in("my e-mail address"), kind_in("new mobile number"), kind_in("I moved house")
    ('email', 'phone', 'address')
    """
    lowered = text.lower()
    if "@" in lowered or re.search(r"\be-?mails?\b", lowered):
        return "email"
    if re.search(r"\b(phone|telephone|mobile|cell|number)\b", lowered):
        return "phone"
    if re.search(r"\b(address|street|house|home|move|moved|moving|flat|postcode|zip)\b", lowered):
        return "address"
    return None
