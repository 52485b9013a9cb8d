"""A need as it is read from a text and as it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from crmcore.errors import CrmError
from crmcore.needs.language import Level

Provenance = Literal["declared", "estimated", "imported"]
Status = Literal["understood", "open", "met", "withdrawn", "contradicted"]

MAX_VERBATIM = 2_000  # Characters of a text that are read and kept.
NO_CATEGORY = "other"  # The firm's catalogue has nothing like it; the need is kept all the same.


@dataclass(frozen=True)
class Budget:
    """What somebody would spend, in units of ``currency`` (None: he named no currency)."""

    raw: str
    min: Decimal | None = None
    max: Decimal | None = None
    target: Decimal | None = None
    currency: str | None = None
    level: Level | None = None


@dataclass(frozen=True)
class Timing:
    """When it is needed, in his words and as days of the firm; a date with two readings has no days."""

    raw: str
    earliest: date | None = None
    latest: date | None = None
    parts: tuple[str, ...] = ()  # The stretches of text that said so.


@dataclass(frozen=True)
class ReadNeed:
    """What one text says. ``attributes`` are the catalogue's (attribute id to value id), ``details``
    the customer's own words for everything else it must be; ``confidence`` is that of the category."""

    verbatim: str
    category: str
    confidence: float
    product: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    details: tuple[str, ...] = ()
    budget: Budget | None = None
    quantity: int | None = None
    timing: Timing | None = None
    purpose: str | None = None
    location: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Nothing at all was understood."""
        slots = (self.product, self.budget, self.quantity, self.timing, self.purpose)
        return self.category == NO_CATEGORY and not any(slots) and not (self.attributes or self.details)


@dataclass(frozen=True)
class Probe:
    """A question of the catalogue that was asked, and the message whose answer asked it."""

    question: str
    message_id: int


@dataclass(frozen=True)
class Need:
    """A need as it is kept: what was read, of whom, and how far it is confirmed.

    ``understood`` is not yet confirmed, ``open`` is confirmed and unmet. ``probes`` are the questions
    that were asked about it, those that he would not answer among them.
    """

    need_id: str
    customer_id: str | None
    conversation_id: str | None
    source_key: str
    read: ReadNeed
    provenance: Provenance
    status: Status
    stated_at: datetime
    confirmed_at: datetime | None
    updated_at: datetime
    probes: tuple[Probe, ...] = ()

    @property
    def category(self) -> str:
        return self.read.category


class UnknownNeed(CrmError):
    """There is no such need in this conversation or of this customer."""

    def __init__(self, need_id: str) -> None:
        super().__init__(f"there is no need {need_id!r} here; it may belong to another customer")


class NeedIsClosed(CrmError):
    """A need that was met or withdrawn takes no corrections."""

    def __init__(self, need: Need, wanted: str) -> None:
        super().__init__(f"{need.need_id} is {need.status} and cannot be {wanted}; state it anew")


def slots(read: ReadNeed) -> dict[str, Any]:
    """The need as plain JSON values, the form in which ``rapport understand`` prints it."""
    budget = None
    if read.budget is not None:
        amounts = {k: _number(getattr(read.budget, k)) for k in ("min", "max", "target")}
        budget = {
            **amounts,
            "currency": read.budget.currency,
            "level": read.budget.level,
            "raw": read.budget.raw,
        }
    return {
        "category": None if read.category == NO_CATEGORY else read.category,
        "confidence": round(read.confidence, 3),
        "product": read.product,
        "attributes": [*(f"{k}={v}" for k, v in read.attributes.items()), *read.details],
        "budget": budget,
        "quantity": read.quantity,
        "timing": list(read.timing.parts) if read.timing else [],
        "purpose": read.purpose,
        "location": list(read.location),
    }


def _number(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)
