"""Rows of orders: each is one line of an order, or a credit."""

from typing import Any

import numpy as np
import pyarrow as pa

from crmcore.imports.numbers import PLACES
from crmcore.imports.statuses import read_status
from crmcore.tables.arrow import bools, ints, mask_of
from crmcore.tables.columns import Ints, Mask
from crmcore.tables.fixed import Fixed
from crmcore.tables.records import Cells, currencies

_SHARE = 1_000_000


def order_lines(cells: Cells) -> tuple[Any, list[tuple[int, str]]]:
    """The good lines as an Arrow batch, and (line, reason) of the others.

    Columns: line, customer_id, order_id, returned_order, product (text, null where not told); moment
    (microseconds since 1970, UTC); given and amount (minor units of the row's currency and of the firm's,
    a credit negative);
    currency (null for the firm's), margin (null where not told); quantity (millionths, null where not told);
    status (null where not told); credit, whether it gives money back.
    """
    customer = cells.identifier("customer_id", "customer id", required=True)
    order = cells.identifier("order_id", "order id", required=False)
    returned = cells.identifier("returned_order", "id of the returned order", required=False)
    product = cells.identifier("product", "product", required=False)
    at = cells.moment("ordered_at")
    currency = currencies(cells)
    given, amount = cells.money("amount", currency, at)
    quantity = cells.number("quantity")
    words = cells.reading.statuses
    status = cells.choice("status", lambda text: read_status(text, words))

    came_back = np.zeros(cells.rows, dtype=np.bool_) if quantity is None else quantity.values < 0
    came_back = came_back.astype(np.bool_) | mask_of(returned.is_valid())
    # A count below zero, or the name of the order that came back, makes it a credit whatever its amount.
    turned = came_back & (amount > 0)
    given, amount = np.where(turned, -given, given), np.where(turned, -amount, amount)
    credit = came_back | (amount < 0)
    return cells.settled(
        {
            "customer_id": customer,
            "order_id": order,
            "returned_order": returned,
            "product": product,
            "moment": ints(at),
            "given": ints(given),
            "amount": ints(amount),
            "currency": pa.nulls(cells.rows, pa.string()) if currency is None else pa.array(currency),
            "margin": _margin(cells, currency, at, amount, credit),
            "quantity": pa.nulls(cells.rows, pa.int64())
            if quantity is None
            else ints(_millionths(quantity), quantity.missing),
            "status": status,
            "credit": bools(credit),
        }
    )


def _margin(cells: Cells, currency: list[str] | None, at: Ints, amount: Ints, credit: Mask) -> Any:
    """A margin is worked out and not paid, so it may be rounded; that of a credit is negative."""
    for field in ("margin", "cost", "margin_share"):
        found = cells.number(field)
        if found is None:
            continue
        if field == "margin_share":
            share = _millionths(found)
            cells.refuse(
                ~found.missing & ((share > _SHARE) | (share < -_SHARE)),
                "margin_share is not between 0 and 1; write 35 % as 0.35, or map the margin as money",
            )
            return ints(found.share_of(amount), found.missing)
        _, money = cells.to_own(found, field, currency, at, rounding=True)
        if field == "cost":
            money = np.where(credit, amount + np.abs(money), amount - np.abs(money))
        else:
            money = np.where(credit, -np.abs(money), money)
        return ints(money, found.missing)
    return pa.nulls(cells.rows, pa.int64())


def _millionths(found: Fixed) -> Ints:
    return found.to_minor(PLACES, rounding=True)[0]
