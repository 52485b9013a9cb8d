"""What happened, for other programs to hear of: the kinds, and which facts each of them tells.

Facts are identifiers, states and amounts. What a customer wrote, his name and his address are not among
them; the one exception is ``message.created``, whose words are read from the message log at the moment of
sending, so that they are kept in one place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Literal, get_args

EventKind = Literal[
    "order.recorded",
    "order.status_changed",
    "return.recorded",
    "return.status_changed",
    "customer.tier_changed",
    "need.confirmed",
    "need.changed",
    "need.withdrawn",
    "offer.shown",
    "offer.accepted",
    "offer.declined",
    "complaint.opened",
    "conversation.opened",
    "message.created",
    "escalation.requested",
    "escalation.claimed",
    "escalation.ended",
    "callback.promised",
]
KINDS: tuple[EventKind, ...] = get_args(EventKind)
TEST = "webhook.test"  # Sent by hand; it is no event of the firm's and never stored.

_NEED = ("need_id", "customer_id", "conversation_id", "category", "status")
_OFFER = ("offer_event_id", "offer", "customer_id", "conversation_id", "need_id")
_ESCALATION = ("escalation_id", "conversation_id", "customer_id", "reason", "status")
FACTS: Mapping[EventKind, tuple[str, ...]] = MappingProxyType(
    {
        "order.recorded": ("order_id", "customer_id", "ordered_at", "amount", "currency", "status"),
        "order.status_changed": ("order_id", "customer_id", "before", "after"),
        "return.recorded": ("return_id", "order_id", "customer_id", "amount", "currency", "status"),
        "return.status_changed": ("return_id", "order_id", "customer_id", "before", "after"),
        "customer.tier_changed": ("customer_id", "before", "after"),
        "need.confirmed": _NEED,
        "need.changed": _NEED,
        "need.withdrawn": _NEED,
        "offer.shown": _OFFER,
        "offer.accepted": _OFFER,
        "offer.declined": _OFFER,
        "complaint.opened": ("complaint_id", "reference", "customer_id", "conversation_id"),
        "conversation.opened": ("conversation_id", "channel", "language", "customer_id"),
        "message.created": ("conversation_id", "seq", "sender", "kind"),
        "escalation.requested": _ESCALATION,
        "escalation.claimed": (*_ESCALATION, "staff_id"),
        "escalation.ended": _ESCALATION,
        "callback.promised": ("callback_id", "conversation_id", "customer_id", "promised_by"),
    }
)
WORDS = ("sender_name", "text")  # What ``message.created`` gets when it is sent.


@dataclass(frozen=True)
class Event:
    """One row of ``events``. ``event_id`` rises; ``webhook_id`` is what receivers tell repeats by."""

    event_id: int
    webhook_id: str
    kind: EventKind
    at: datetime
    facts: Mapping[str, Any]


def told(kind: str, webhook_id: str, sequence: int, at: datetime, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The event as it is sent."""
    return {
        "type": kind,
        "id": webhook_id,
        "sequence": sequence,
        "timestamp": moment(at),
        "data": dict(facts),
    }


def moment(at: datetime) -> str:
    """ISO 8601 in UTC.

    >>> moment(datetime(2026, 3, 11, 9, tzinfo=UTC))
    '2026-03-11T09:00:00Z'
    """
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
