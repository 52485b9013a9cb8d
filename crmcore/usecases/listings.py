"""What other programs read: one record, or a list in pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from crmcore.conversations import Conversation, Message, OwnerKind, UnknownConversation
from crmcore.crm import Crm
from crmcore.customers import Consent, Contact, Customer
from crmcore.escalation import Escalation, EscalationStatus
from crmcore.intake import UnknownCustomer, UnknownReturn
from crmcore.needs.values import Need, Status
from crmcore.offers import OfferEvent, OfferStatus
from crmcore.orders import Order, OrderStatus, Return, UnknownOrder
from crmcore.paging import Page, Window
from crmcore.store.transaction import Transaction
from crmcore.value.card import ValueCard, card_of


@dataclass(frozen=True)
class CustomerFile:
    """A customer with what is known of him; ``value`` is None while he has none, or when not asked for."""

    customer: Customer
    contacts: Sequence[Contact]
    consents: Sequence[Consent]
    value: ValueCard | None


def customer(crm: Crm, customer_id: str, with_value: bool) -> CustomerFile:
    """Raises UnknownCustomer."""
    with crm.store.read() as tx:
        found = tx.customers.get(customer_id)
        if found is None:
            raise UnknownCustomer(customer_id)
        return _files(tx, crm, [found], with_value)[0]


def customers(crm: Crm, window: Window, with_value: bool) -> Page[CustomerFile]:
    """In the order in which they came."""
    with crm.store.read() as tx:
        page = tx.customers.listed(window)
        return Page(_files(tx, crm, page.rows, with_value), page.next)


def order(crm: Crm, order_id: str) -> Order:
    """Raises UnknownOrder."""
    with crm.store.read() as tx:
        found = tx.orders.get(order_id)
    if found is None:
        raise UnknownOrder(order_id)
    return found


def orders(
    crm: Crm, window: Window, customer_id: str | None = None, status: OrderStatus | None = None
) -> Page[Order]:
    with crm.store.read() as tx:
        return tx.orders.listed(window, customer_id, status)


def return_(crm: Crm, return_id: str) -> Return:
    """Raises UnknownReturn."""
    with crm.store.read() as tx:
        found = tx.orders.get_return(return_id)
    if found is None:
        raise UnknownReturn(return_id)
    return found


def returns(
    crm: Crm, window: Window, customer_id: str | None = None, order_id: str | None = None
) -> Page[Return]:
    with crm.store.read() as tx:
        return tx.orders.listed_returns(window, customer_id, order_id)


def needs(
    crm: Crm,
    window: Window,
    customer_id: str | None = None,
    category: str | None = None,
    status: Status | None = None,
    updated_since: datetime | None = None,
) -> Page[Need]:
    with crm.store.read() as tx:
        return tx.needs.listed(window, customer_id, category, status, updated_since)


def offers(
    crm: Crm,
    window: Window,
    customer_id: str | None = None,
    status: OfferStatus | None = None,
    updated_since: datetime | None = None,
) -> Page[OfferEvent]:
    with crm.store.read() as tx:
        return tx.offers.listed(window, customer_id, status, updated_since)


def escalations(
    crm: Crm,
    window: Window,
    customer_id: str | None = None,
    status: EscalationStatus | None = None,
    updated_since: datetime | None = None,
) -> Page[Escalation]:
    with crm.store.read() as tx:
        return tx.escalations.listed(window, customer_id, status, updated_since)


def conversations(
    crm: Crm,
    window: Window,
    customer_id: str | None = None,
    owner: OwnerKind | None = None,
    updated_since: datetime | None = None,
) -> Page[Conversation]:
    with crm.store.read() as tx:
        return tx.conversations.listed(window, customer_id, owner, updated_since)


def messages(crm: Crm, conversation_id: str, after: int, limit: int) -> list[Message]:
    """Those after a sequence number, in order. Raises UnknownConversation."""
    with crm.store.read() as tx:
        if tx.conversations.get(conversation_id) is None:
            raise UnknownConversation(conversation_id)
        return tx.messages.after(conversation_id, after, limit)


def _files(tx: Transaction, crm: Crm, found: Sequence[Customer], with_value: bool) -> list[CustomerFile]:
    contacts = tx.contacts.current_of_all([one.customer_id for one in found])
    return [
        CustomerFile(
            customer=one,
            contacts=contacts[one.customer_id],
            consents=tx.consents.all_of(one.customer_id),
            value=_value(tx, crm, one.customer_id) if with_value else None,
        )
        for one in found
    ]


def _value(tx: Transaction, crm: Crm, customer_id: str) -> ValueCard | None:
    found = tx.value.current(customer_id)
    if found is None:
        return None
    today = crm.firm.today(crm.clock())
    return card_of(*found, today=today, stale_after_days=crm.firm.value.stale_after_days)
