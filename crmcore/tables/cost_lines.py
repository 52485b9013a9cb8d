"""Rows of service costs."""

from typing import Any, get_args

import pyarrow as pa

from crmcore.imports.errors import UnreadableValue
from crmcore.service_costs import CostKind
from crmcore.tables.arrow import ints
from crmcore.tables.records import Cells, currencies


def cost_lines(cells: Cells) -> tuple[Any, list[tuple[int, str]]]:
    """The good rows as an Arrow batch, and (line, reason) of the others.

    Columns: line, customer_id, cost_id (null where not told), moment (microseconds since 1970, UTC), given
    and amount (minor units of the row's currency and of the firm's), currency (null for the firm's), kind.
    """
    customer = cells.identifier("customer_id", "customer id", required=True)
    cost = cells.identifier("cost_id", "cost id", required=False)
    at = cells.moment("incurred_at")
    currency = currencies(cells)
    given, amount = cells.money("amount", currency, at)
    cells.refuse(amount < 0, "amount is below zero; a cost is what the firm paid")
    kind = cells.choice("kind", _kind)
    return cells.settled(
        {
            "customer_id": customer,
            "cost_id": cost,
            "moment": ints(at),
            "given": ints(given),
            "amount": ints(amount),
            "currency": pa.nulls(cells.rows, pa.string()) if currency is None else pa.array(currency),
            "kind": kind.fill_null("service"),
        }
    )


def _kind(text: str) -> str:
    word = text.casefold().removesuffix("s")
    if word not in get_args(CostKind):
        raise UnreadableValue(f"{text[:40]!r} is not known; it is one of {', '.join(get_args(CostKind))}")
    return word
