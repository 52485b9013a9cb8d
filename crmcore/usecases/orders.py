"""A customer's orders, returns and bills: looking them up, sending back, cancelling."""

from collections.abc import Sequence
from dataclasses import dataclass

from crmcore.conversations import Turn, UnknownConversation
from crmcore.crm import Crm
from crmcore.customers import Customer
from crmcore.orders import (
    Bill,
    CannotCancel,
    Contract,
    Order,
    Return,
    UnknownOrder,
    bill,
    check_cancel,
    check_return,
    may_return,
)
from crmcore.store.transaction import Transaction
from crmcore.usecases.customers import verified_customer, write_to
from crmcore.usecases.events import tell_of_order_status, tell_of_return
from crmcore.usecases.ownership import guard
from crmcore.usecases.service_costs import book_cost
from crmcore.usecases.value_refresh import refresh_value


@dataclass(frozen=True)
class BookedReturn:
    """``is_new`` is false when the order's return had been booked before."""

    booked: Return
    is_new: bool


def orders_of(crm: Crm, turn: Turn) -> list[Order]:
    """The customer's orders, the newest first; raises NotVerified."""
    with crm.store.read() as tx:
        return tx.orders.of_customer(_customer(tx, turn).customer_id)


def open_orders(crm: Crm, turn: Turn) -> list[Order]:
    """What is still under way; the newest order of all when nothing is. Raises NotVerified."""
    orders = orders_of(crm, turn)
    return [o for o in orders if o.is_open] or orders[:1]


def returnable_orders(crm: Crm, turn: Turn) -> list[Order]:
    """What may go back today by the firm's policy, the newest first; raises NotVerified."""
    today, days = crm.firm.today(crm.clock()), crm.firm.policies.returns.days
    return [o for o in orders_of(crm, turn) if may_return(o, today, days)]


def cancellable_orders(crm: Crm, turn: Turn) -> list[Order]:
    """What is still being packed; raises NotVerified."""
    return [o for o in orders_of(crm, turn) if o.status == "placed"]


def order_status(crm: Crm, turn: Turn, order_id: str | None = None) -> Order | None:
    """One order of the customer, or his newest one; None when he has none at all.

    Raises
    ------
    UnknownOrder : he has no order of this number. NotVerified.
    """
    with crm.store.read() as tx:
        customer = _customer(tx, turn)
        if order_id is not None:
            return _own_order(tx, customer, order_id)
        return next(iter(tx.orders.of_customer(customer.customer_id)), None)


def request_return(crm: Crm, turn: Turn, order_id: str, reason: str) -> BookedReturn:
    """Book the return of an order within the policy's days.

    Raises
    ------
    UnknownOrder, CannotReturn, NotVerified, StaleTurn.
    """
    now = crm.clock()
    with crm.store.write() as tx:
        customer = verified_customer(tx, guard(tx, turn))
        tx.customers.locked(customer.customer_id)  # The shop may tell of the same order at this moment.
        order = _own_order(tx, customer, order_id)
        existing = tx.orders.return_of_order(order_id)
        if existing is not None:
            return BookedReturn(existing, is_new=False)
        check_return(order, crm.firm.today(now), crm.firm.policies.returns.days)
        booked = Return(
            return_id=f"{order_id}-R",
            order_id=order_id,
            customer_id=customer.customer_id,
            requested_at=now,
            reason=reason[:400],
            amount_minor=order.amount_minor,
            margin_minor=order.margin_minor,
            currency=order.currency,
            status="requested",
            source_key=f"message:{turn.message_id}:return",
        )
        tx.orders.add_return(booked)
        tell_of_return(tx, booked, now)
        book_cost(tx, crm.firm, customer.customer_id, "return", crm.firm.value.return_cost, now)
        refresh_value(tx, crm.firm, customer.customer_id, now)
        write_to(tx, crm, "return_booked", customer, order=order_id, return_id=booked.return_id)
        return BookedReturn(booked, is_new=True)


def cancel_order(crm: Crm, turn: Turn, order_id: str) -> Order:
    """Cancel an order that is still being packed; returns it as it is then.

    Raises
    ------
    UnknownOrder, CannotCancel, NotVerified, StaleTurn.
    """
    with crm.store.write() as tx:
        customer = verified_customer(tx, guard(tx, turn))
        tx.customers.locked(customer.customer_id)
        order = _own_order(tx, customer, order_id)
        check_cancel(order)
        if not tx.orders.cancel(order_id):
            raise CannotCancel(_own_order(tx, customer, order_id))
        now = crm.clock()
        tell_of_order_status(tx, order, "cancelled", now)
        refresh_value(tx, crm.firm, customer.customer_id, now)
        write_to(tx, crm, "order_cancelled", customer, order=order_id)
        return _own_order(tx, customer, order_id)


def billing_of(crm: Crm, turn: Turn) -> Bill:
    """What the customer was charged and what is open; raises NotVerified."""
    with crm.store.read() as tx:
        customer = _customer(tx, turn)
        today = crm.firm.today(crm.clock())
        running = [
            c for c in tx.orders.contracts_of(customer.customer_id) if c.ends_on is None or c.ends_on >= today
        ]
        return bill(
            tx.orders.of_customer(customer.customer_id),
            tx.orders.returns_of(customer.customer_id),
            running,
            crm.firm.currency,
        )


def club_contract(crm: Crm, turn: Turn) -> Contract | None:
    """The customer's membership, running or already ended but not over; raises NotVerified."""
    with crm.store.read() as tx:
        return club_contract_of(tx, crm, _customer(tx, turn))


def club_contract_of(tx: Transaction, crm: Crm, customer: Customer) -> Contract | None:
    if crm.firm.club is None:
        return None
    today = crm.firm.today(crm.clock())
    mine: Sequence[Contract] = tx.orders.contracts_of(customer.customer_id)
    return next(
        (c for c in mine if c.product == crm.firm.club.id and (c.ends_on is None or c.ends_on >= today)), None
    )


def item_names(crm: Crm, order: Order) -> str:
    """The articles of an order as the catalogue calls them, with their number when it is not one."""
    named = [(product_name(crm, item.product), item.quantity) for item in order.items]
    return ", ".join(name if quantity == 1 else f"{quantity} x {name}" for name, quantity in named)


def product_name(crm: Crm, product: str) -> str:
    found = crm.firm.product(product)
    return found.name if found else product


def _customer(tx: Transaction, turn: Turn) -> Customer:
    conversation = tx.conversations.get(turn.conversation_id)
    if conversation is None:
        raise UnknownConversation(turn.conversation_id)
    return verified_customer(tx, conversation)


def _own_order(tx: Transaction, customer: Customer, order_id: str) -> Order:
    order = tx.orders.get(order_id)
    if order is None or order.customer_id != customer.customer_id:
        raise UnknownOrder(order_id)
    return order
