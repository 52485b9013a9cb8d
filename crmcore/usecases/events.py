"""Telling what happened, inside the transaction in which it happened: it is told exactly if that commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from crmcore.conversations import Conversation, Message
from crmcore.escalation import Escalation
from crmcore.events import EventKind, moment
from crmcore.jobs import Job
from crmcore.money import amount_text
from crmcore.needs.values import Need
from crmcore.offers import OfferEvent
from crmcore.orders import Order, OrderStatus, Return, ReturnStatus
from crmcore.store.messages import NewMessage
from crmcore.store.transaction import Transaction
from crmcore.tiers import Tier
from crmcore.webhooks import Delivery


def emit(tx: Transaction, kind: EventKind, now: datetime, /, **facts: object) -> None:
    """Write one event and put it on its way to whoever wants its kind; ``crmcore.events`` lists the facts."""
    emit_all(tx, kind, now, [facts])


def emit_all(tx: Transaction, kind: EventKind, now: datetime, told: Sequence[Mapping[str, Any]]) -> None:
    """Several events of one kind, in this order."""
    if not told:
        return
    numbers = tx.events.add(kind, now, told)
    for endpoint_id in tx.webhooks.subscribed(kind):
        for event_id in numbers:
            plan_delivery(tx, tx.webhooks.add_delivery(endpoint_id, event_id, now), now)


def plan_delivery(tx: Transaction, delivery: Delivery, now: datetime) -> None:
    """The job's id rises with the event's number: of what is due at one moment the older goes first."""
    number, round_ = delivery.delivery_id, delivery.round
    payload = {"delivery_id": number}
    tx.jobs.add(Job(f"job_{number:016d}.{round_}", "webhook", f"webhook:{number}:{round_}", payload, now))


# --- what several use cases tell --------------------------------------------------------------------------


def add_message(tx: Transaction, new: NewMessage) -> Message:
    """Store a message and tell of it; every message of the product passes here."""
    message = tx.messages.add(new)
    emit(
        tx, "message.created", new.created_at,
        conversation_id=new.conversation_id, seq=new.seq, sender=new.sender, kind=new.kind,
    )  # fmt: skip
    return message


def tell_of_orders(tx: Transaction, orders: Sequence[Order], now: datetime) -> None:
    emit_all(
        tx,
        "order.recorded",
        now,
        [
            {
                "order_id": order.order_id,
                "customer_id": order.customer_id,
                "ordered_at": moment(order.ordered_at),
                "amount": amount_text(order.amount_minor, order.currency),
                "currency": order.currency,
                "status": order.status,
            }
            for order in orders
        ],
    )


def tell_of_order_status(tx: Transaction, before: Order, after: OrderStatus, now: datetime) -> None:
    emit(
        tx, "order.status_changed", now,
        order_id=before.order_id, customer_id=before.customer_id, before=before.status, after=after,
    )  # fmt: skip


def tell_of_return(tx: Transaction, booked: Return, now: datetime) -> None:
    emit(
        tx, "return.recorded", now,
        return_id=booked.return_id, order_id=booked.order_id, customer_id=booked.customer_id,
        amount=amount_text(booked.amount_minor, booked.currency), currency=booked.currency,
        status=booked.status,
    )  # fmt: skip


def tell_of_return_status(tx: Transaction, before: Return, after: ReturnStatus, now: datetime) -> None:
    emit(
        tx, "return.status_changed", now,
        return_id=before.return_id, order_id=before.order_id, customer_id=before.customer_id,
        before=before.status, after=after,
    )  # fmt: skip


def tell_of_tiers(
    tx: Transaction, before: Mapping[str, Tier], after: Mapping[str, Tier | None], now: datetime
) -> None:
    """Tell whose tier changed; None: he has none (any more)."""
    changes = [
        {"customer_id": customer_id, "before": before.get(customer_id), "after": tier}
        for customer_id, tier in after.items()
        if before.get(customer_id) != tier
    ]
    emit_all(tx, "customer.tier_changed", now, changes)


def tell_of_need(tx: Transaction, kind: EventKind, need: Need, now: datetime) -> None:
    emit(
        tx, kind, now,
        need_id=need.need_id, customer_id=need.customer_id, conversation_id=need.conversation_id,
        category=need.category, status=need.status,
    )  # fmt: skip


def tell_of_offer(tx: Transaction, kind: EventKind, offer: OfferEvent, now: datetime) -> None:
    emit(
        tx, kind, now,
        offer_event_id=offer.offer_event_id, offer=offer.offer, customer_id=offer.customer_id,
        conversation_id=offer.conversation_id, need_id=offer.need_id,
    )  # fmt: skip


def tell_of_escalations(
    tx: Transaction, kind: EventKind, escalations: Sequence[Escalation], now: datetime, **more: object
) -> None:
    emit_all(
        tx,
        kind,
        now,
        [
            {
                "escalation_id": one.escalation_id,
                "conversation_id": one.conversation_id,
                "customer_id": one.customer_id,
                "reason": one.reason,
                "status": one.status,
                **more,
            }
            for one in escalations
        ],
    )


def known_customer(conversation: Conversation) -> str | None:
    """Who the visitor has proved to be; a claim alone is nobody."""
    return conversation.customer_id if conversation.verified_at is not None else None
