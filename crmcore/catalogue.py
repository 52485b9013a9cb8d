"""The parts of ``firm.yml`` as frozen values: needs, products, offers, and the firm's policies.

Every field here is a key of the file, and ``docs/firm.md`` is held to this module by a test. Texts
that customers may read are keyed by language. Money is ``Decimal`` in the firm's currency.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

Tier = Literal["MVC", "MGC", "BZ", "core"]
Purpose = Literal["offers", "contact", "profiling", "research"]
Money = Annotated[
    Decimal,
    Field(ge=0, le=Decimal("1000000"), decimal_places=2),
    AfterValidator(lambda amount: amount.quantize(Decimal("0.01"))),
]
Share = Annotated[float, Field(ge=0, le=1)]
Points = Annotated[float, Field(ge=0, le=1000)]
Days = Annotated[int, Field(ge=0, le=3660)]
Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=64)]
Text = Annotated[str, Field(min_length=1, max_length=400)]
Wording = dict[str, Text]  # By language code.
Words = dict[str, tuple[Text, ...]]  # By language code.


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Voice(Part):
    """How the assistant presents itself."""

    assistant: Annotated[str, Field(min_length=1, max_length=40)]
    tone: Literal["warm", "formal", "brisk"] = "warm"


class AttributeValue(Part):
    """One value of an attribute: ``words`` are how customers say it, besides its name."""

    id: Id
    name: Wording
    words: Words = {}


class Attribute(Part):
    id: Id
    name: Wording
    values: Annotated[tuple[AttributeValue, ...], Field(min_length=1)]


class Question(Part):
    """A probe: ``about`` names what it asks for, an attribute's id or one of the common slots."""

    id: Id
    about: str
    wording: Wording


class NeedCategory(Part):
    """Something customers need from this firm; ``examples`` are whole messages in their words."""

    id: Id
    name: Wording
    examples: Words
    attributes: tuple[Attribute, ...] = ()
    questions: tuple[Question, ...] = ()

    def attribute(self, attribute_id: str) -> Attribute | None:
        return next((a for a in self.attributes if a.id == attribute_id), None)


class Product(Part):
    """An article of the shop; ``attributes`` maps the category's attribute ids to value ids."""

    id: Id
    name: Annotated[str, Field(min_length=1, max_length=120)]
    category: Id
    price: Money
    about: Wording
    words: Words = {}
    attributes: dict[str, str] = {}
    warranty_months: Annotated[int, Field(ge=0, le=240)] = 24
    delivery_days: Annotated[int, Field(ge=0, le=365)] = 3
    in_stock: bool = True


class Terms(Part):
    """What an accepted offer grants: exactly one kind, so nobody adds two up."""

    kind: Literal["percent_off", "amount_off", "free_delivery", "free_service"]
    percent: Annotated[int, Field(ge=1, le=60)] | None = None
    amount: Money | None = None


class Cap(Part):
    """At most ``shown`` times in any ``days`` days."""

    shown: Annotated[int, Field(ge=1, le=100)]
    days: Annotated[int, Field(ge=1, le=3660)]


class Offer(Part):
    """``needs`` empty means that any open need will do; ``excludes`` are offers that rule this one out."""

    id: Id
    title: Wording
    wording: Wording
    terms: Terms
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1)]
    needs: tuple[Id, ...] = ()
    consent: Purpose = "offers"
    cap: Cap = Cap(shown=1, days=30)
    starts: date | None = None
    ends: date | None = None
    excludes: tuple[Id, ...] = ()
    worth: Money  # What it is worth to the customer; of two that fit equally, the better is chosen.
    account_manager_percent: Annotated[int, Field(ge=0, le=60)] = 0  # What he may grant alone.


class OfferPolicy(Part):
    """The caps over all offers of one customer, and how long a refusal or a complaint silences them."""

    cap: Cap = Cap(shown=2, days=14)
    declined_days: Days = 180
    quiet_after_complaint_days: Days = 7


class TierPolicy(Part):
    """Who is MVC, MGC and BZ; everyone else is core."""

    mvc_share: Share = 0.1  # The top share of customers by value.
    mgc_share: Share = 0.15  # The top share of the others by potential.
    bz_probability: Share = 0.8  # Below zero when P(value < 0) is above this.


class ValuePolicy(Part):
    """How value is reckoned: margin and rates are shares, ``discount_rate`` is annual effective.

    ``retention_share`` is the assumption that keeping a customer costs this share of winning one
    (``acquisition_cost``); it is shown beside every value that uses it.
    """

    margin: Share
    discount_rate: Annotated[float, Field(ge=0, le=1)]
    horizon_days: Annotated[int, Field(ge=30, le=3660)]
    stale_after_days: Days = 30
    contact_cost: Money = Decimal("4.00")
    return_cost: Money = Decimal("6.50")
    acquisition_cost: Money | None = None  # None: not known, so nothing is said of what keeping costs.
    retention_share: Share = 0.25


class QueuePoints(Part):
    """What makes somebody stand further ahead in the queue; points add up."""

    tiers: dict[Tier, Points] = {"MVC": 30, "MGC": 20, "core": 10, "BZ": 5}
    complaint: Points = 15
    cancelling: Points = 15
    upset: Points = 10
    assistant_failed: Points = 5
    per_minute: Points = 1  # Of waiting.

    @field_validator("tiers")
    @classmethod
    def _every_tier(cls, tiers: dict[Tier, float]) -> dict[Tier, float]:
        missing = [tier for tier in get_args(Tier) if tier not in tiers]
        if missing:
            raise ValueError(f"every tier needs its points; missing: {', '.join(missing)}")
        return tiers


class Routing(Part):
    """When a person takes over without being asked, and what may be promised."""

    tiers: tuple[Tier, ...] = ("MVC",)
    situations: tuple[Literal["complaint", "cancelling"], ...] = ("complaint", "cancelling")
    failures_before_choice: Annotated[int, Field(ge=1, le=5)] = 1
    failures_before_person: Annotated[int, Field(ge=1, le=5)] = 2
    minutes_per_case: Annotated[int, Field(ge=1, le=120)] = 6
    callback_hours: Annotated[int, Field(ge=1, le=72)] = 4
    return_after_minutes: Annotated[int, Field(ge=1, le=1440)] = 15
    queue_points: QueuePoints = QueuePoints()
    # Whoever has waited so long goes before all who have not, whatever the points.
    overtake_after_minutes: Annotated[int, Field(ge=1, le=240)] = 10


class DeliveryWay(Part):
    id: Id
    name: Wording
    price: Money
    free_from: Money | None = None
    days: tuple[Days, Days]  # Least and most working days.


class Delivery(Part):
    countries: Annotated[tuple[Annotated[str, Field(pattern=r"^[A-Z]{2}$")], ...], Field(min_length=1)]
    ways: Annotated[tuple[DeliveryWay, ...], Field(min_length=1)]


class Returns(Part):
    days: Days
    refund_days: Days
    cost: Money = Decimal("0.00")
    condition: Wording


class Policies(Part):
    """The facts that the assistant may state; it states no others."""

    delivery: Delivery
    returns: Returns
    payment: Annotated[tuple[Wording, ...], Field(min_length=1)]
    phone: Annotated[str, Field(pattern=r"^\+[0-9 ]{6,20}$")]
    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
    address: Text


class Club(Part):
    """A paid contract; its ``id`` is the product of a row in ``contracts``."""

    id: Id
    name: Annotated[str, Field(min_length=1, max_length=80)]
    fee: Money
    every_days: Annotated[int, Field(ge=1, le=3660)]
    notice_days: Days
    benefits: tuple[Wording, ...] = ()
