"""The firm that an installation serves, as ``firm.yml`` describes it.

The versioned copy in the database is what runs; the file is its seed and its export
(:mod:`crmcore.usecases.firm`).
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime, time
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError

from crmcore.catalogue import (
    Club,
    Id,
    NeedCategory,
    Offer,
    OfferPolicy,
    Part,
    Policies,
    Product,
    Routing,
    TierPolicy,
    ValuePolicy,
    Voice,
)
from crmcore.errors import CrmError
from crmcore.firm_rules import Problem, check_references
from crmcore.firm_yaml import explain, locate, read_yaml
from crmcore.hours import WEEKDAYS, OpeningHours, Span

ClosedDay = Annotated[str, Field(pattern=r"^(\d{4}-)?\d{2}-\d{2}$")]
Currency = Literal[
    "EUR", "GBP", "USD", "CHF", "CAD", "AUD", "NZD", "SEK", "NOK", "DKK", "PLN", "CNY", "MXN", "INR"
]
Hours = tuple[Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$")], ...]


class Week(Part):
    """Opening hours in the firm's time zone; ``closed_on`` maps MM-DD or YYYY-MM-DD to the reason."""

    monday: Hours = ()
    tuesday: Hours = ()
    wednesday: Hours = ()
    thursday: Hours = ()
    friday: Hours = ()
    saturday: Hours = ()
    sunday: Hours = ()
    closed_on: dict[ClosedDay, str] = Field(default_factory=dict)


class Firm(Part):
    """One firm; frozen, so that it may be shared between threads."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    voice: Voice
    currency: Currency
    time_zone: str
    languages: Annotated[tuple[Literal["en", "es", "zh"], ...], Field(min_length=1)]
    origins: tuple[Annotated[str, Field(pattern=r"^https?://[^/\s]+$")], ...]
    start_payloads: tuple[Annotated[str, Field(min_length=1, max_length=80)], ...] = (
        "/get_started",
        "/start",
    )
    opening_hours: Week
    policies: Policies
    club: Club | None = None
    value: ValuePolicy
    tiers: TierPolicy = TierPolicy()
    routing: Routing = Routing()
    offer_policy: OfferPolicy = OfferPolicy()
    needs: Annotated[tuple[NeedCategory, ...], Field(min_length=1)]
    products: tuple[Product, ...] = ()
    offers: tuple[Offer, ...] = ()

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @cached_property
    def hours(self) -> OpeningHours:
        week = tuple(tuple(_span(s) for s in getattr(self.opening_hours, day)) for day in WEEKDAYS)
        return OpeningHours(week, dict(self.opening_hours.closed_on), self.zone)

    def is_open(self, now: datetime) -> bool:
        return self.hours.is_open(now)

    def today(self, now: datetime) -> date:
        """The firm's day at this moment."""
        return now.astimezone(self.zone).date()

    def need(self, category: Id) -> NeedCategory | None:
        return next((n for n in self.needs if n.id == category), None)

    def offer(self, offer_id: Id) -> Offer | None:
        return next((o for o in self.offers if o.id == offer_id), None)

    def product(self, product_id: Id) -> Product | None:
        return next((p for p in self.products if p.id == product_id), None)


class FirmError(CrmError):
    """Everything that is wrong with a ``firm.yml``, one line a problem."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


def load_firm(path: Path) -> Firm:
    """Read and check a ``firm.yml``; raises :class:`FirmError` with all its problems at once."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        problem = f"{path}: cannot be read ({error.strerror}); set RAPPORT_FIRM to your firm.yml"
        raise FirmError((problem,)) from error
    except UnicodeDecodeError as error:
        raise FirmError((f"{path}: is not UTF-8 text (byte {error.start}); save it as UTF-8",)) from error
    return parse_firm(text, path.name)


def parse_firm(text: str, file_name: str = "firm.yml") -> Firm:
    """The firm described by a YAML text; see :func:`load_firm`."""
    document, broken = read_yaml(text)
    if broken is not None:
        raise FirmError((f"{file_name} line {broken.line}: {broken.what}",))
    problems: list[Problem] = []
    firm: Firm | None = None
    try:
        firm = Firm.model_validate(document)
    except ValidationError as error:
        problems += [explain(Firm, e) for e in error.errors()]
    problems += check_references(document)
    if firm is not None and not problems:
        return firm
    lines = sorted({(locate(document, p.path), p) for p in problems}, key=lambda found: found[0])
    raise FirmError(tuple(f"{file_name} line {line}, {p.where}: {p.what}" for line, p in lines))


def digest(text: str) -> str:
    """What tells two versions of the file apart."""
    return hashlib.sha256(text.encode()).hexdigest()


def _span(text: str) -> Span:
    opens, closes = text.split("-")
    return Span(time.fromisoformat(opens), time.fromisoformat(closes))
