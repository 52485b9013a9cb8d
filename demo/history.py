"""What the made-up customers bought, from known parameters, with articles of the firm's catalogue."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from numpy.random import Generator

from crmcore.catalogue import Product
from crmcore.firm import Firm
from crmcore.money import to_minor
from crmcore.orders import Contract, Item, Order, OrderStatus, Return
from crmcore.value.bgnbd import BGNBD
from crmcore.value.gamma_gamma import GammaGamma
from crmcore.value.simulate import SimulatedOrder, simulate_orders

# The truth behind the demonstration: a typical customer buys almost five times a year while he is active,
# spends 90 euros on average, and leaves after one order in ten. `rapport score` should find it again.
BUYING = BGNBD.of(r=0.9, alpha=70.0, a=0.5, b=4.5)
SPENDING = GammaGamma.of(p=6.0, q=4.0, v=45.0)
HISTORY = timedelta(days=2 * 365)


@dataclass(frozen=True)
class History:
    """Orders, returns and memberships of all customers; ``customer`` numbers count from 0."""

    orders: list[Order]
    returns: list[Return]
    contracts: list[Contract]


def histories(rng: Generator, firm: Firm, customer_ids: Sequence[str], today: date) -> History:
    """Two years of business until yesterday; what was ordered lately is still on its way."""
    simulated = simulate_orders(
        rng, len(customer_ids), BUYING, SPENDING, today - HISTORY, today - timedelta(days=1)
    )
    orders = [
        _order(rng, firm, number, customer_ids[bought.customer], bought, today)
        for number, bought in enumerate(simulated)
    ]
    returns = [
        _return(firm, order) for order in orders if order.status == "delivered" and rng.random() < 0.04
    ]
    return History(orders, returns, _memberships(rng, firm, customer_ids, today))


def _order(
    rng: Generator, firm: Firm, number: int, customer_id: str, bought: SimulatedOrder, today: date
) -> Order:
    days = int(rng.integers(2, 5))
    # One parcel in twelve is late, so that "where is my order" has something to say.
    expected = bought.day + timedelta(days=days)
    arrives = expected + timedelta(days=3 if rng.random() < 0.08 else 0)
    status: OrderStatus = "delivered" if arrives < today else "shipped" if bought.day < today else "placed"
    if status == "shipped" and (today - bought.day).days < 2:
        status = "placed"
    if status == "delivered" and rng.random() < 0.015:
        status = "cancelled"
    minute = int(rng.integers(7 * 60, 23 * 60))
    local = datetime.combine(bought.day, time(minute // 60, minute % 60), firm.zone)
    return Order(
        order_id=f"RP-{10_000 + number}",
        customer_id=customer_id,
        ordered_at=local.astimezone(UTC),
        amount_minor=to_minor(bought.amount, firm.currency),
        margin_minor=None,
        currency=firm.currency,
        status=status,
        expected_on=expected,
        delivered_on=arrives if status == "delivered" else None,
        tracking=f"TRK{40_000_000 + number}" if status in ("shipped", "delivered") else None,
        items=_items(rng, firm, bought.amount),
        paid=bool(rng.random() > 0.03),
    )


def _items(rng: Generator, firm: Firm, amount: Decimal) -> tuple[Item, ...]:
    """Articles of the catalogue that fit into the amount; the rest went for small things."""
    left, chosen = amount, list[Product]()
    while len(chosen) < 3:
        fitting = [product for product in firm.products if product.price <= left and product not in chosen]
        if not fitting:
            break
        # The dearest fitting article half of the time makes baskets look like baskets.
        product = (
            max(fitting, key=lambda p: p.price)
            if rng.random() < 0.5
            else fitting[int(rng.integers(len(fitting)))]
        )
        chosen.append(product)
        left -= product.price
    if not chosen:
        return (Item("small parts", 1, to_minor(amount, firm.currency)),)
    return tuple(Item(product.id, 1, to_minor(product.price, firm.currency)) for product in chosen)


def _return(firm: Firm, order: Order) -> Return:
    requested = order.ordered_at + timedelta(days=12)
    return Return(
        return_id=f"RET-{order.order_id}",
        order_id=order.order_id,
        customer_id=order.customer_id,
        requested_at=requested,
        reason="did not suit",
        amount_minor=order.amount_minor,
        margin_minor=None,
        currency=firm.currency,
        status="refunded",
        source_key=None,
    )


def _memberships(rng: Generator, firm: Firm, customer_ids: Sequence[str], today: date) -> list[Contract]:
    if firm.club is None:
        return []
    members = []
    for customer_id in customer_ids:
        if rng.random() > 0.2:
            continue
        age = int(rng.integers(20, 600))
        due = firm.club.every_days - age % firm.club.every_days
        members.append(
            Contract(
                contract_id=f"CLUB-{customer_id}",
                customer_id=customer_id,
                product=firm.club.id,
                started_on=today - timedelta(days=age),
                renews_on=today + timedelta(days=due),
                fee_minor=to_minor(firm.club.fee, firm.currency),
                currency=firm.currency,
            )
        )
    return members
