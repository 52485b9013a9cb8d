"""Which offer a customer gets, if any, and why: pure, so that each stored decision can be recomputed.

An offer answers a need that he stated. None is made during anger, an open case or a quiet time after
one, without consent, beyond a cap, or by a tier that is unknown or stale. Nothing that a customer
types enters here but his needs' categories: text cannot change a price. ``docs/methods/offers.md``
says the rules in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from crmcore.catalogue import Cap, Offer, OfferPolicy, Tier
from crmcore.errors import CrmError

MODEL_VERSION = "offers-1"
NO_OFFER = "none"
_ALL_TIERS = frozenset(("MVC", "MGC", "core", "BZ"))
_GENERAL_FIT = Decimal("0.5")  # An offer for any need counts half of one made for this need.

OfferStatus = Literal["shown", "accepted", "declined"]


@dataclass(frozen=True)
class OpenNeed:
    """A need that an offer could answer; its words are in ``because``."""

    need_id: str
    category: str
    because: str
    confidence: float


@dataclass(frozen=True)
class PastOffer:
    offer: str
    status: OfferStatus
    shown_at: datetime
    answered_at: datetime | None


@dataclass(frozen=True)
class OfferInputs:
    """All that the choice may look at. ``tier`` is None when unknown; ``value_as_of`` is its data's day."""

    now: datetime
    today: date
    verified: bool
    mood: str
    open_case: str | None
    open_complaint: bool
    complaint_resolved_at: datetime | None
    tier: Tier | None
    value_as_of: date | None
    stale_after_days: int
    consents: tuple[str, ...]
    needs: tuple[OpenNeed, ...]
    history: tuple[PastOffer, ...]
    catalogue: tuple[Offer, ...]
    policy: OfferPolicy


@dataclass(frozen=True)
class OfferChoice:
    """``offer`` is None when nothing may be offered; ``reasons`` say why this, and why not the others."""

    offer: str | None
    need_id: str | None
    because: str | None
    reasons: tuple[str, ...]

    @property
    def outcome(self) -> str:
        """What a replay compares."""
        return self.offer or NO_OFFER


@dataclass(frozen=True)
class OfferEvent:
    """An offer as it was shown to a customer, and his answer."""

    offer_event_id: str
    offer: str
    customer_id: str
    conversation_id: str | None
    need_id: str | None
    decision_id: str
    source_key: str
    grant_key: str | None
    status: OfferStatus
    shown_at: datetime
    answered_at: datetime | None


class UnknownOffer(CrmError):
    """No such offer was shown to this customer."""

    def __init__(self, offer_event_id: str) -> None:
        super().__init__(f"the offer {offer_event_id!r} was not shown to this customer")


def choose_offer(inputs: OfferInputs) -> OfferChoice:
    """The best offer that every rule allows, by worth times fit; the catalogue's order settles ties."""
    silenced = tuple(_silenced(inputs))
    if silenced:
        return OfferChoice(None, None, None, silenced)
    reasons: list[str] = []
    best: tuple[Decimal, Offer, OpenNeed] | None = None
    for offer in inputs.catalogue:
        need = _fitting(offer, inputs.needs)
        why_not = "no open need fits" if need is None else next(_ruled_out(offer, inputs), None)
        if why_not or need is None:
            reasons.append(f"{offer.id}: {why_not}")
            continue
        score = score_of(offer, need)
        reasons.append(f"{offer.id}: fits {need.category}, score {score}")
        if best is None or score > best[0]:
            best = (score, offer, need)
    if best is None:
        return OfferChoice(None, None, None, ("no offer fits", *reasons))
    score, offer, need = best
    return OfferChoice(offer.id, need.need_id, need.because, (f"{offer.id}: best score {score}", *reasons))


def score_of(offer: Offer, need: OpenNeed) -> Decimal:
    """Worth to the customer, in the firm's currency, times how surely the offer answers the need."""
    fit = Decimal(str(round(need.confidence, 3)))
    return (offer.worth * fit * (1 if offer.needs else _GENERAL_FIT)).quantize(Decimal("0.01"))


def grant_key(customer_id: str, offer_id: str) -> str:
    """One grant of an offer for one customer, whatever the race: the database holds this unique."""
    return f"{customer_id}:{offer_id}"


def is_stale(inputs: OfferInputs) -> bool:
    limit = timedelta(days=inputs.stale_after_days)
    return inputs.value_as_of is None or inputs.today - inputs.value_as_of > limit


def _silenced(inputs: OfferInputs) -> Iterator[str]:
    """Why no offer at all may be made now."""
    if not inputs.verified:
        yield "the visitor is not verified"
    if inputs.mood != "neutral":
        yield f"the customer is {inputs.mood}"
    if inputs.open_case is not None:
        yield f"{inputs.open_case} is under way"
    if inputs.open_complaint:
        yield "a complaint is open"
    quiet = timedelta(days=inputs.policy.quiet_after_complaint_days)
    if inputs.complaint_resolved_at is not None and inputs.now - inputs.complaint_resolved_at < quiet:
        yield f"a complaint was resolved less than {quiet.days} days ago"
    if not inputs.needs:
        yield "no need is open"
    if _shown(inputs, None, inputs.policy.cap):
        yield f"the cap of {inputs.policy.cap.shown} offers in {inputs.policy.cap.days} days is reached"


def _ruled_out(offer: Offer, inputs: OfferInputs) -> Iterator[str]:
    """Why this one offer may not be made."""
    if offer.starts is not None and inputs.today < offer.starts:
        yield f"starts on {offer.starts}"
    if offer.ends is not None and inputs.today > offer.ends:
        yield f"ended on {offer.ends}"
    if offer.consent not in inputs.consents:
        yield f"no consent to {offer.consent}"
    if set(offer.tiers) != _ALL_TIERS:
        if inputs.tier is None:
            yield "the customer's tier is unknown"
        elif is_stale(inputs):
            yield f"the value of {inputs.value_as_of} is older than {inputs.stale_after_days} days"
        elif inputs.tier not in offer.tiers:
            yield f"not for tier {inputs.tier}"
    past = [p for p in inputs.history if p.offer == offer.id]
    if any(p.status == "accepted" for p in past):
        yield "granted before"
    refusal = timedelta(days=inputs.policy.declined_days)
    if any(p.status == "declined" and inputs.now - (p.answered_at or p.shown_at) < refusal for p in past):
        yield f"declined less than {refusal.days} days ago"
    if _shown(inputs, offer.id, offer.cap):
        yield f"the cap of {offer.cap.shown} in {offer.cap.days} days is reached"
    for other in inputs.history:
        rules_out = other.offer in offer.excludes and other.status != "declined"
        if rules_out and inputs.now - other.shown_at < timedelta(days=offer.cap.days):
            yield f"excluded by {other.offer}"


def _shown(inputs: OfferInputs, offer_id: str | None, cap: Cap) -> bool:
    since = inputs.now - timedelta(days=cap.days)
    shown = [p for p in inputs.history if p.shown_at > since and offer_id in (None, p.offer)]
    return len(shown) >= cap.shown


def _fitting(offer: Offer, needs: tuple[OpenNeed, ...]) -> OpenNeed | None:
    """The need that the offer answers best; the earlier one settles ties."""
    fitting = [n for n in needs if not offer.needs or n.category in offer.needs]
    return max(fitting, key=lambda n: n.confidence, default=None)


# --- records ----------------------------------------------------------------------------------------


def to_json(inputs: OfferInputs) -> dict[str, Any]:
    """The inputs as they are kept beside the decision."""
    plain = {
        **{name: getattr(inputs, name) for name in _PLAIN},
        "consents": list(inputs.consents),
        "needs": [asdict(n) for n in inputs.needs],
        "history": [
            {**asdict(p), "shown_at": p.shown_at.isoformat(), "answered_at": _iso(p.answered_at)}
            for p in inputs.history
        ],
        "catalogue": [o.model_dump(mode="json", exclude={"title", "wording"}) for o in inputs.catalogue],
        "policy": inputs.policy.model_dump(mode="json"),
        "now": inputs.now.isoformat(),
        "today": inputs.today.isoformat(),
    }
    for name in ("complaint_resolved_at", "value_as_of"):
        plain[name] = _iso(getattr(inputs, name))
    return plain


def from_json(stored: Mapping[str, Any]) -> OfferInputs:
    return OfferInputs(
        **{name: stored[name] for name in _PLAIN},
        now=datetime.fromisoformat(stored["now"]),
        today=date.fromisoformat(stored["today"]),
        complaint_resolved_at=_moment(stored["complaint_resolved_at"]),
        value_as_of=date.fromisoformat(stored["value_as_of"]) if stored["value_as_of"] else None,
        consents=tuple(stored["consents"]),
        needs=tuple(OpenNeed(**n) for n in stored["needs"]),
        history=tuple(
            PastOffer(
                p["offer"], p["status"], datetime.fromisoformat(p["shown_at"]), _moment(p["answered_at"])
            )
            for p in stored["history"]
        ),
        catalogue=tuple(Offer.model_validate({**o, "title": {}, "wording": {}}) for o in stored["catalogue"]),
        policy=OfferPolicy.model_validate(stored["policy"]),
    )


def replay_offer(stored_inputs: Mapping[str, Any]) -> str:
    """The outcome of a stored decision, recomputed from its inputs."""
    return choose_offer(from_json(stored_inputs)).outcome


_PLAIN = ("verified", "mood", "open_case", "open_complaint", "tier", "stale_after_days")


def _iso(moment: date | None) -> str | None:
    return moment.isoformat() if moment else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
