"""What an account manager sees: the lists, the customer's card and the hand-over brief.

Frozen views, read in one go and never written back. Whatever is personal is None or empty while the
visitor has not proved who he is, so a surface cannot show it by mistake.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from crmcore.catalogue import Tier
from crmcore.conversations import Message, Mood, OpenCase, OwnerKind, Sender
from crmcore.escalation import Callback, QueueEntry
from crmcore.value.card import ValueCard


@dataclass(frozen=True)
class OpenConversation:
    """One line of "mine" or "all open"."""

    conversation_id: str
    customer_name: str | None  # None: not verified.
    tier: Tier | None
    owner_kind: OwnerKind
    owner_id: str | None
    owner_name: str | None
    joined: bool  # False: handed to an account manager who has not joined yet.
    mood: Mood
    open_case: OpenCase | None
    last_sender: Sender | None
    last_text: str
    customer_text: str  # What the customer said last.
    last_message_at: datetime

    @property
    def awaits_answer(self) -> bool:
        return self.owner_kind == "account_manager" and self.last_sender == "customer"


@dataclass(frozen=True)
class OwedCallback:
    """A promised call-back with the name of whom it is owed to."""

    callback: Callback
    customer_name: str | None


@dataclass(frozen=True)
class Lists:
    """``waiting`` is in the order of the queue; the others have the latest message first."""

    mine: tuple[OpenConversation, ...]
    waiting: tuple[QueueEntry, ...]
    open: tuple[OpenConversation, ...]
    callbacks: tuple[OwedCallback, ...]


@dataclass(frozen=True)
class CardNeed:
    need_id: str
    category: str
    product: str | None
    attributes: Mapping[str, Any]
    budget: Mapping[str, Any] | None
    quantity: int | None
    timing: Mapping[str, Any] | None
    purpose: str | None
    verbatim: str
    provenance: str
    confidence: float
    status: str
    stated_at: datetime
    confirmed_at: datetime | None


@dataclass(frozen=True)
class CardOrder:
    order_id: str
    ordered_at: datetime
    amount_minor: int
    currency: str
    status: str
    expected_on: date | None
    delivered_on: date | None
    items: tuple[Mapping[str, Any], ...]
    paid: bool


@dataclass(frozen=True)
class CardComplaint:
    complaint_id: str
    reference: str
    verbatim: str
    opened_at: datetime


@dataclass(frozen=True)
class CardConsent:
    purpose: str
    granted: bool
    decided_at: datetime


@dataclass(frozen=True)
class CardContract:
    product: str
    started_on: date
    renews_on: date | None
    ends_on: date | None
    fee_minor: int
    currency: str


@dataclass(frozen=True)
class CardContact:
    kind: str
    value: str


@dataclass(frozen=True)
class KnownCustomer:
    """The personal part of the card; it exists only in a verified conversation."""

    customer_id: str
    name: str
    language: str
    since: datetime
    account_manager: str | None
    contacts: tuple[CardContact, ...]
    orders: tuple[CardOrder, ...]  # The latest first.
    order_count: int
    contracts: tuple[CardContract, ...]
    consents: tuple[CardConsent, ...]


@dataclass(frozen=True)
class Brief:
    """What the next person must know before the first word."""

    reason: str | None  # request, value, failure, error, takeover; None: never handed over.
    summary: str
    reasons: tuple[str, ...]  # Of the recorded decision.
    requested_at: datetime | None
    mood: Mood
    open_case: OpenCase | None
    failures: int
    last_turns: tuple[Message, ...]  # Before the hand-over, oldest first.
    offers: tuple[tuple[str, str], ...]  # (offer id, status) shown in this conversation.


@dataclass(frozen=True)
class Card:
    """All beside the thread. ``customer`` is None while the visitor is not verified."""

    conversation_id: str
    verified_at: datetime | None
    customer: KnownCustomer | None
    value: ValueCard | None  # None also while he is not scored yet.
    needs: tuple[CardNeed, ...]  # Unverified: only what was said in this conversation.
    complaints: tuple[CardComplaint, ...]
    callbacks: tuple[Callback, ...]
    brief: Brief
