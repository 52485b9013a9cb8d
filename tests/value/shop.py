"""A shop with simulated customers in the store, for tests and benchmarks of scoring."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
from sqlalchemy import insert

from crmcore.crm import Crm
from crmcore.money import to_minor
from crmcore.store import schema
from crmcore.store.database import raw_connection
from crmcore.value.bgnbd import BGNBD
from crmcore.value.gamma_gamma import GammaGamma
from crmcore.value.simulate import simulate_orders

BUYING = BGNBD.of(r=0.9, alpha=70.0, a=0.8, b=3.0)
SPENDING = GammaGamma.of(p=5.0, q=4.0, v=60.0)


def open_shop(crm: Crm, customers: int = 600, seed: int = 11) -> list[str]:
    """Two years of orders until yesterday, and service costs for every third customer; returns the ids."""
    today = crm.firm.today(crm.clock())
    ids = [f"c{i:05d}" for i in range(customers)]
    rng = np.random.default_rng(seed)
    orders = simulate_orders(
        rng, customers, BUYING, SPENDING, today - timedelta(days=730), today - timedelta(days=1)
    )
    add_customers(crm, ids)
    with raw_connection(crm.store) as connection:
        connection.execute(
            insert(schema.orders),
            [
                order_row(crm, f"o{number}", ids[order.customer], order.day, order.amount)
                for number, order in enumerate(orders)
            ],
        )
        connection.execute(
            insert(schema.service_costs),
            [
                {
                    "cost_id": f"s{i}-{n}",
                    "customer_id": ids[i],
                    "incurred_at": _noon(crm, today - timedelta(days=int(rng.integers(1, 300)))),
                    "kind": "contact",
                    "amount_minor": 420,
                    "currency": crm.firm.currency,
                }
                for i in range(0, customers, 3)
                for n in range(int(rng.geometric(0.5)))
            ],
        )
        connection.commit()
    return ids


def add_customers(crm: Crm, ids: list[str]) -> None:
    with raw_connection(crm.store) as connection:
        connection.execute(
            insert(schema.customers),
            [{"customer_id": i, "name": i, "language": "en", "created_at": crm.clock()} for i in ids],
        )
        connection.commit()


def add_order(crm: Crm, order_id: str, customer_id: str, day: date, amount: str, **changes: object) -> None:
    with raw_connection(crm.store) as connection:
        row = order_row(crm, order_id, customer_id, day, Decimal(amount)) | changes
        connection.execute(insert(schema.orders).values(row))
        connection.commit()


def add_service_costs(crm: Crm, customer_id: str, days: list[date], amount_minor: int = 420) -> None:
    """One contact on each of the days."""
    with raw_connection(crm.store) as connection:
        connection.execute(
            insert(schema.service_costs),
            [
                {
                    "cost_id": f"{customer_id}-cost-{n}",
                    "customer_id": customer_id,
                    "incurred_at": _noon(crm, day),
                    "kind": "contact",
                    "amount_minor": amount_minor,
                    "currency": crm.firm.currency,
                }
                for n, day in enumerate(days)
            ],
        )
        connection.commit()


def a_need(
    crm: Crm,
    customer_id: str,
    need_id: str,
    least_minor: int,
    provenance: str = "declared",
    status: str = "open",
) -> None:
    """A need for headphones with a least budget."""
    now = crm.clock()
    row = {
        "need_id": need_id,
        "customer_id": customer_id,
        "source_key": f"test:{need_id}",
        "category": "headphones",
        "budget": {
            "min_minor": least_minor, "max_minor": None, "target_minor": None, "currency": "EUR",
            "raw": "", "level": None,
        },
        "verbatim": "headphones",
        "provenance": provenance,
        "confidence": 0.9,
        "status": status,
        "stated_at": now,
        "updated_at": now,
    }  # fmt: skip
    with raw_connection(crm.store) as connection:
        connection.execute(insert(schema.needs).values(row))
        connection.commit()


def order_row(crm: Crm, order_id: str, customer_id: str, day: date, amount: Decimal) -> dict[str, object]:
    return {
        "order_id": order_id,
        "customer_id": customer_id,
        "ordered_at": _noon(crm, day),
        "amount_minor": to_minor(amount, crm.firm.currency),
        "currency": crm.firm.currency,
        "status": "delivered",
        "items": [],
        "paid": True,
    }


def _noon(crm: Crm, day: date) -> datetime:
    return datetime.combine(day, time(12), crm.firm.zone)


def a_small_world(crm: Crm, amount: str | None = None) -> date:
    """Thirty customers buy for a euro on up to four days of fifty; ten buy once more in the next fourteen.

    Returns the fiftieth day. So short a log offers no earlier window, so the closed form is not chosen, but
    the only one.
    """
    today = crm.firm.today(crm.clock())
    first = today - timedelta(days=90)
    add_customers(crm, [f"w{i:02d}" for i in range(30)])
    for i in range(30):
        for n in range(i % 4 + 1):
            add_order(
                crm, f"w{i}-{n}", f"w{i:02d}", first + timedelta(days=i % 10 + 10 * n), amount or "1.00"
            )
    for i in range(10):
        add_order(crm, f"w{i}-last", f"w{i:02d}", first + timedelta(days=54 + i), amount or "7.00")
    return first + timedelta(days=49)
