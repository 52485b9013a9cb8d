"""Orders, returns and customers as other programs tell them: stored once, whoever sends them how often.

Each use case takes the customer's row first, so that two changes of one customer follow one another, and
his value is refreshed before the transaction ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from crmcore.crm import Crm
from crmcore.customers import Consent, Contact, ContactKind, Customer
from crmcore.idempotency import Claim, IdempotencyKeyReused
from crmcore.ids import new_id
from crmcore.intake import (
    OrderChange,
    UnknownCustomer,
    UnknownReturn,
    changed,
    check_moment,
    check_return_fits,
    check_return_status,
    check_same_order,
    check_same_return,
    returned_margin,
)
from crmcore.orders import Order, Return, ReturnStatus, UnknownOrder
from crmcore.store.transaction import Transaction
from crmcore.usecases.events import (
    tell_of_order_status,
    tell_of_orders,
    tell_of_return,
    tell_of_return_status,
)
from crmcore.usecases.service_costs import book_cost
from crmcore.usecases.value_refresh import refresh_value, refresh_values


@dataclass(frozen=True)
class Recorded[Record]:
    """``is_new`` is false when the very same was on record before."""

    record: Record
    is_new: bool


@dataclass(frozen=True)
class CustomerRecord:
    """What a program says of a customer; a contact or consent that it does not name stays as it is."""

    customer_id: str
    name: str
    language: str
    contacts: dict[ContactKind, tuple[str, str]]  # As kept, and as look-ups compare it.
    consents: tuple[Consent, ...] = ()


def record_orders(crm: Crm, orders: Sequence[Order], claim: Claim | None = None) -> list[Recorded[Order]]:
    """Store orders, all of them or none; an order that is on record with the same facts changes nothing.

    Raises
    ------
    UnknownCustomer : nobody has the order's customer id.
    OrderDiffers : an order of this id is on record with other facts.
    MomentOutOfRange, IdempotencyKeyReused.
    """
    now = crm.clock()
    for order in orders:
        check_moment("ordered_at", order.ordered_at, now)
    with crm.store.write() as tx:
        _claim(tx, claim, now)
        for customer_id in sorted({order.customer_id for order in orders}):  # One order for all, no deadlock.
            _locked_customer(tx, customer_id)
        recorded = [_record_order(tx, order) for order in orders]
        tell_of_orders(tx, [one.record for one in recorded if one.is_new], now)
        refresh_values(tx, crm.firm, sorted({one.record.customer_id for one in recorded if one.is_new}), now)
        return recorded


def change_order(crm: Crm, order_id: str, change: OrderChange) -> Order:
    """Say that an order was shipped, delivered or cancelled; the same again changes nothing.

    Raises
    ------
    UnknownOrder, IllegalStatus.
    """
    now = crm.clock()
    with crm.store.write() as tx:
        before = _locked_order(tx, order_id)
        after = changed(before, change, crm.firm.today(now))
        if after != before:
            tx.orders.save(after)
            if after.status != before.status:
                tell_of_order_status(tx, before, after.status, now)
                refresh_value(tx, crm.firm, after.customer_id, now)
        return after


def record_return(
    crm: Crm, sent: Return, claim: Claim | None = None, margin_given: bool = False
) -> Recorded[Return]:
    """Store what comes back of an order; without a margin of its own it takes the order's in part.

    ``sent.customer_id`` is ignored: a return is of whom the order is.

    Raises
    ------
    UnknownOrder : there is no order of this id.
    ReturnDiffers : a return of this id is on record with other facts.
    ReturnExceedsOrder, ReturnOfCancelled, MomentOutOfRange, IdempotencyKeyReused.
    """
    now = crm.clock()
    check_moment("requested_at", sent.requested_at, now)
    with crm.store.write() as tx:
        _claim(tx, claim, now)
        order = _locked_order(tx, sent.order_id)
        margin = sent.margin_minor if margin_given else returned_margin(order, sent.amount_minor)
        new = replace(sent, customer_id=order.customer_id, currency=order.currency, margin_minor=margin)
        stored = tx.orders.get_return(new.return_id)
        if stored is None:
            check_return_fits(order, new.amount_minor, tx.orders.returns_of_order(order.order_id))
            tx.orders.add_return(new)
            tell_of_return(tx, new, now)
            book_cost(tx, crm.firm, new.customer_id, "return", crm.firm.value.return_cost, now)
            refresh_value(tx, crm.firm, new.customer_id, now)
            return Recorded(new, True)
        check_same_return(stored, new)
        return Recorded(stored, False)


def change_return(crm: Crm, return_id: str, status: ReturnStatus) -> Return:
    """Say that a return was received, refunded or refused; the same again changes nothing.

    Raises
    ------
    UnknownReturn, IllegalStatus.
    """
    now = crm.clock()
    with crm.store.write() as tx:
        before = tx.orders.get_return(return_id)
        if before is None:
            raise UnknownReturn(return_id)
        _locked_customer(tx, before.customer_id)
        before = tx.orders.get_return(return_id) or before
        check_return_status(before, status)
        after = replace(before, status=status)
        if after != before:
            tx.orders.set_return_status(return_id, status)
            tell_of_return_status(tx, before, status, now)
            refresh_value(tx, crm.firm, after.customer_id, now)
        return after


def record_customer(crm: Crm, told: CustomerRecord) -> Recorded[Customer]:
    """Store a customer, or what changed of him; of two decisions on one consent the later one counts."""
    now = crm.clock()
    for consent in told.consents:
        check_moment("decided_at", consent.decided_at, now)
    with crm.store.write() as tx:
        new = Customer(told.customer_id, told.name, told.language, {}, {}, {}, None, now)
        is_new = tx.customers.add_once(new)
        before = _locked_customer(tx, told.customer_id)
        if not is_new:
            tx.customers.rename(told.customer_id, told.name, told.language)
        for kind, (value, normalized) in told.contacts.items():
            _set_contact(tx, told.customer_id, kind, value, normalized, now)
        for consent in told.consents:
            earlier = tx.consents.get(told.customer_id, consent.purpose)
            if earlier is None or earlier.decided_at < consent.decided_at:
                tx.consents.decide(consent)
        return Recorded(replace(before, name=told.name, language=told.language), is_new)


def _record_order(tx: Transaction, order: Order) -> Recorded[Order]:
    if tx.orders.add_once(order):
        return Recorded(order, True)
    stored = tx.orders.get(order.order_id)
    if stored is None:
        raise RuntimeError(f"order {order.order_id} vanished inside a transaction")
    check_same_order(stored, order)
    return Recorded(stored, False)


def _set_contact(
    tx: Transaction, customer_id: str, kind: ContactKind, value: str, normalized: str, now: datetime
) -> None:
    known = tx.contacts.current_of(customer_id, kind)
    if known is None or known.value != value:
        tx.contacts.retire(customer_id, kind)
        tx.contacts.add(Contact(new_id("con"), customer_id, kind, value, normalized, True, now))


def _locked_customer(tx: Transaction, customer_id: str) -> Customer:
    customer = tx.customers.locked(customer_id)
    if customer is None:
        raise UnknownCustomer(customer_id)
    return customer


def _locked_order(tx: Transaction, order_id: str | None) -> Order:
    """The order, held by its customer's row; looked at again, because it may have changed meanwhile."""
    order = None if order_id is None else tx.orders.get(order_id)
    if order_id is None or order is None:
        raise UnknownOrder(order_id or "")
    _locked_customer(tx, order.customer_id)
    return tx.orders.get(order_id) or order


def _claim(tx: Transaction, claim: Claim | None, now: datetime) -> None:
    if claim is not None and tx.idempotency.claim(claim, now) != claim.request_digest:
        raise IdempotencyKeyReused
