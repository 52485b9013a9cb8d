"""Offers in conversation: the next one, with its reason on record, and its answer."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from crmcore.catalogue import Offer
from crmcore.conversations import Conversation, Turn
from crmcore.crm import Crm
from crmcore.decisions import Decision
from crmcore.firm import Firm
from crmcore.ids import new_id
from crmcore.needs.describing import describe
from crmcore.offers import (
    MODEL_VERSION,
    OfferChoice,
    OfferEvent,
    OfferInputs,
    OpenNeed,
    PastOffer,
    UnknownOffer,
    choose_offer,
    grant_key,
    to_json,
)
from crmcore.store.transaction import Transaction
from crmcore.usecases.events import tell_of_offer
from crmcore.usecases.ownership import guard


@dataclass(frozen=True)
class ShownOffer:
    """``because`` is the need in the customer's words; ``title`` and ``wording`` are the catalogue's."""

    offer_event_id: str
    offer_id: str
    title: str
    wording: str
    because: str
    need_id: str | None


@dataclass(frozen=True)
class NoOffer:
    """``reason`` is for the record and for staff; the assistant says nothing."""

    reason: str


@dataclass(frozen=True)
class AnsweredOffer:
    """``gone``: it ended, or was answered otherwise before. ``is_new`` is false for a repeated answer."""

    status: Literal["accepted", "declined", "gone"]
    offer_id: str
    title: str
    wording: str
    is_new: bool


def next_offer(crm: Crm, turn: Turn) -> ShownOffer | NoOffer:
    """Choose an offer for the verified customer of this conversation and note that it is shown.

    The decision is recorded whether or not there is an offer. The same turn run again returns the
    offer shown first.
    """
    now = crm.clock()
    with crm.store.write() as tx:
        conversation = guard(tx, turn)
        shown = tx.offers.by_source(f"message:{turn.message_id}:offer")
        if shown is None:
            inputs = _inputs(tx, crm.firm, conversation, now)
            choice = choose_offer(inputs)
            decision_id = _record(tx, conversation, turn, choice, inputs)
            if choice.offer is None or conversation.customer_id is None:
                return NoOffer(choice.reasons[0])
            shown = tx.offers.add(
                OfferEvent(
                    offer_event_id=new_id("off"),
                    offer=choice.offer,
                    customer_id=conversation.customer_id,
                    conversation_id=conversation.conversation_id,
                    need_id=choice.need_id,
                    decision_id=decision_id,
                    source_key=f"message:{turn.message_id}:offer",
                    grant_key=None,
                    status="shown",
                    shown_at=now,
                    answered_at=None,
                )
            )
            tell_of_offer(tx, "offer.shown", shown, now)
        return _shown(tx, crm.firm, conversation, shown)


def accept_offer(crm: Crm, turn: Turn, offer_event_id: str) -> AnsweredOffer:
    """Grant a shown offer, once for each customer and offer, whatever the race."""
    now = crm.clock()
    with crm.store.write() as tx:
        conversation, event = _of_customer(tx, turn, offer_event_id)
        offer = crm.firm.offer(event.offer)
        if event.status == "accepted":
            return _answer("accepted", event, offer, conversation, False)
        ended = offer is None or (offer.ends is not None and crm.firm.today(now) > offer.ends)
        if event.status == "declined" or ended:
            return _answer("gone", event, offer, conversation, False)
        granted = tx.offers.grant(offer_event_id, grant_key(event.customer_id, event.offer), now)
        if granted:
            tell_of_offer(tx, "offer.accepted", event, now)
        return _answer("accepted" if granted else "gone", event, offer, conversation, granted)


def decline_offer(crm: Crm, turn: Turn, offer_event_id: str) -> AnsweredOffer:
    """Remember that he is not interested in this; an offer that he accepted before stays his."""
    with crm.store.write() as tx:
        conversation, event = _of_customer(tx, turn, offer_event_id)
        offer = crm.firm.offer(event.offer)
        if event.status == "accepted":
            return _answer("accepted", event, offer, conversation, False)
        now = crm.clock()
        declined = tx.offers.decline(offer_event_id, now)
        if declined:
            tell_of_offer(tx, "offer.declined", event, now)
        return _answer("declined", event, offer, conversation, declined)


def _inputs(tx: Transaction, firm: Firm, conversation: Conversation, now: datetime) -> OfferInputs:
    """Everything the choice may look at; nothing personal of a visitor who is not verified."""
    customer_id = conversation.customer_id if conversation.verified_at else None
    value = tx.value.tier_of(customer_id) if customer_id else None
    complaints = tx.complaints.of_customer(customer_id) if customer_id else []
    resolved = [c.resolved_at for c in complaints if c.resolved_at is not None]
    here = tx.complaints.open_in(conversation.conversation_id)
    language = conversation.language
    return OfferInputs(
        now=now,
        today=firm.today(now),
        verified=customer_id is not None,
        mood=conversation.mood,
        open_case=conversation.open_case,
        open_complaint=here is not None or any(c.status == "open" for c in complaints),
        complaint_resolved_at=max(resolved, default=None),
        tier=value[0] if value else None,
        value_as_of=value[1] if value else None,
        stale_after_days=firm.value.stale_after_days,
        consents=tuple(c.purpose for c in tx.consents.all_of(customer_id) if c.granted)
        if customer_id
        else (),
        needs=tuple(
            OpenNeed(n.need_id, n.category, describe(n.read, firm, language)["summary"], n.read.confidence)
            for n in (tx.needs.of_customer(customer_id, "open") if customer_id else [])
        ),
        history=tuple(
            PastOffer(e.offer, e.status, e.shown_at, e.answered_at)
            for e in (tx.offers.of_customer(customer_id) if customer_id else [])
        ),
        catalogue=firm.offers,
        policy=firm.offer_policy,
    )


def _record(
    tx: Transaction, conversation: Conversation, turn: Turn, choice: OfferChoice, inputs: OfferInputs
) -> str:
    """Keep the decision; its id comes from the turn, so a turn that is run again records it once."""
    made = hashlib.sha256(f"offer:{turn.conversation_id}:{turn.message_id}".encode()).hexdigest()
    decision_id = f"dec_{made[:20]}"
    if tx.decisions.get(decision_id) is None:
        tx.decisions.add(
            Decision(
                decision_id=decision_id,
                kind="offer",
                customer_id=conversation.customer_id if conversation.verified_at else None,
                conversation_id=conversation.conversation_id,
                outcome=choice.outcome,
                reasons=choice.reasons,
                inputs=to_json(inputs),
                model_version=MODEL_VERSION,
                firm_version=tx.firm.newest_version(),
                decided_at=inputs.now,
            )
        )
    return decision_id


def _of_customer(tx: Transaction, turn: Turn, offer_event_id: str) -> tuple[Conversation, OfferEvent]:
    """The offer, if it was shown to the customer who is verified in this conversation."""
    conversation = guard(tx, turn)
    event = tx.offers.get(offer_event_id)
    mine = conversation.verified_at is not None and event is not None
    if event is None or not mine or event.customer_id != conversation.customer_id:
        raise UnknownOffer(offer_event_id)
    return conversation, event


def _shown(tx: Transaction, firm: Firm, conversation: Conversation, event: OfferEvent) -> ShownOffer:
    offer, need = firm.offer(event.offer), tx.needs.get(event.need_id) if event.need_id else None
    return ShownOffer(
        offer_event_id=event.offer_event_id,
        offer_id=event.offer,
        title=offer.title.get(conversation.language, event.offer) if offer else event.offer,
        wording=offer.wording.get(conversation.language, "") if offer else "",
        because=describe(need.read, firm, conversation.language)["summary"] if need else "",
        need_id=event.need_id,
    )


def _answer(
    status: Literal["accepted", "declined", "gone"],
    event: OfferEvent,
    offer: Offer | None,
    conversation: Conversation,
    is_new: bool,
) -> AnsweredOffer:
    language = conversation.language
    return AnsweredOffer(
        status=status,
        offer_id=event.offer,
        title=offer.title.get(language, event.offer) if offer else event.offer,
        wording=offer.wording.get(language, "") if offer else "",
        is_new=is_new,
    )
