"""A shop to talk with: customers with orders, a membership and consents, in words."""

from datetime import timedelta
from typing import Any

from crmcore.crm import Crm
from crmcore.customers import Consent, Contact, ContactKind, Purpose
from crmcore.letters import QueuedLetter
from crmcore.orders import Contract, Item, Order, OrderStatus
from tests.builders import a_customer, number


def a_known_customer(crm: Crm, name: str = "Ada Keller", email: str | None = None, **value: Any) -> str:
    """A customer with an e-mail address on file."""
    customer_id = a_customer(crm, name, **value)
    with_contact(crm, customer_id, "email", email or f"ada{number()}@example.org")
    return customer_id


def with_contact(crm: Crm, customer_id: str, kind: ContactKind, value: str) -> Contact:
    contact = Contact(f"con_{number()}", customer_id, kind, value, value.lower(), True, crm.clock())
    with crm.store.write() as tx:
        tx.contacts.add(contact)
    return contact


def with_consent(crm: Crm, customer_id: str, purpose: Purpose = "offers") -> None:
    with crm.store.write() as tx:
        tx.consents.decide(Consent(customer_id, purpose, True, crm.clock(), "test"))


def an_order(
    crm: Crm,
    customer_id: str,
    status: OrderStatus = "placed",
    *,
    order_id: str | None = None,
    product: str | None = None,
    days_ago: int = 2,
    delivered_days_ago: int | None = None,
    paid: bool = True,
) -> Order:
    """An order of one article of the catalogue; shipped ones have a tracking number."""
    article = crm.firm.product(product) if product else crm.firm.products[number() % len(crm.firm.products)]
    assert article is not None, f"the catalogue has no {product}"
    today = crm.firm.today(crm.clock())
    delivered = today - timedelta(days=delivered_days_ago or 0) if status == "delivered" else None
    order = Order(
        order_id=order_id or f"RP-{10000 + number()}",
        customer_id=customer_id,
        ordered_at=crm.clock() - timedelta(days=days_ago),
        amount_minor=int(article.price * 100),
        margin_minor=None,
        currency=crm.firm.currency,
        status=status,
        expected_on=today + timedelta(days=2) if status in ("placed", "shipped") else None,
        delivered_on=delivered,
        tracking="TRK900100" if status == "shipped" else None,
        items=(Item(article.id, 1, int(article.price * 100)),),
        paid=paid,
    )
    with crm.store.write() as tx:
        tx.orders.add(order)
    return order


def a_membership(crm: Crm, customer_id: str, renews_in_days: int = 20) -> Contract:
    club = crm.firm.club
    assert club is not None
    today = crm.firm.today(crm.clock())
    contract = Contract(
        contract_id=f"ctr_{number()}",
        customer_id=customer_id,
        product=club.id,
        started_on=today - timedelta(days=100),
        renews_on=today + timedelta(days=renews_in_days),
        fee_minor=int(club.fee * 100),
        currency=crm.firm.currency,
    )
    with crm.store.write() as tx:
        tx.orders.add_contract(contract)
    return contract


def letters(crm: Crm, kind: str | None = None) -> list[QueuedLetter]:
    """What is in the outbox, the newest first."""
    with crm.store.read() as tx:
        return [letter for letter in tx.outbox.newest() if kind in (None, letter.kind)]


def code_in(letter: QueuedLetter) -> str:
    """The six digits in a letter."""
    digits = [word.strip(".") for word in letter.body.split()]
    return next(word for word in digits if word.isdigit() and len(word) == 6)
