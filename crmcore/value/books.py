"""From the firm's books (orders, returns, service costs, stated budgets) to what the models take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from crmcore.errors import CrmError
from crmcore.money import from_minor
from crmcore.value.clv import Ledger
from crmcore.value.potential import WINDOW_DAYS
from crmcore.value.snapshots import MoneyRow, NeedBudget
from crmcore.value.summary import PurchaseSummary, summarise_arrays

FloatArray = NDArray[np.float64]


class ForeignCurrency(CrmError):
    """A row in another currency than the firm reports in."""


@dataclass(frozen=True)
class Trend:
    """Spend and purchase days of the last WINDOW_DAYS, and spend of the WINDOW_DAYS before; shape (n,)."""

    recent_spend: FloatArray
    earlier_spend: FloatArray
    recent_purchases: FloatArray


@dataclass(frozen=True)
class Books:
    """Everything in the order of ``summary.customer_id``; money in currency."""

    summary: PurchaseSummary
    ledger: Ledger
    trend: Trend
    need_budgets: FloatArray


def read_books(
    orders: Sequence[MoneyRow],
    returns: Sequence[MoneyRow],
    costs: Sequence[MoneyRow],
    budgets: Sequence[NeedBudget],
    *,
    observed_until: date,
    zone: tzinfo,
    currency: str,
    margin: float,
) -> Books:
    """Rows until the end of ``observed_until``; a day is the firm's, by ``zone``.

    ``margin`` stands in for an order without a recorded margin. Raises :class:`ForeignCurrency`.
    """
    for rows in (orders, returns, costs):
        _check_currency(rows, currency)
    unit = float(from_minor(1, currency))
    ids: dict[str, int] = {}
    customer = _indices([row.customer_id for row in (*orders, *returns)], ids)
    day = np.array([row.at.astimezone(zone).toordinal() for row in (*orders, *returns)], dtype=np.int64)
    amount = np.array([row.amount_minor for row in orders] + [-row.amount_minor for row in returns], float)
    summary = summarise_arrays(
        list(ids), customer, day, amount * unit, observed_until=observed_until.toordinal()
    )

    place = {customer_id: i for i, customer_id in enumerate(summary.customer_id)}
    n = len(summary)
    known = [(place[row.customer_id], row) for row in orders if row.customer_id in place]
    margins = [
        row.amount_minor * margin if row.margin_minor is None else row.margin_minor for _, row in known
    ]
    paid = [(place[row.customer_id], row.amount_minor * unit) for row in costs if row.customer_id in place]
    ledger = Ledger(
        margin=_sum([i for i, _ in known], margins, n) * unit,
        service_cost=_sum([i for i, _ in paid], [cost for _, cost in paid], n),
        service_cost_squared=_sum([i for i, _ in paid], [cost**2 for _, cost in paid], n),
    )
    wanted = [(place[b.customer_id], _least(b, currency)) for b in budgets if b.customer_id in place]
    return Books(
        summary,
        ledger,
        _trend(known, observed_until, zone, n, unit),
        _sum([i for i, _ in wanted], [float(least) for _, least in wanted], n),
    )


def _trend(
    orders: Sequence[tuple[int, MoneyRow]], observed_until: date, zone: tzinfo, n: int, unit: float
) -> Trend:
    end = observed_until.toordinal()
    recent, earlier = np.zeros(n), np.zeros(n)
    days: set[tuple[int, int]] = set()
    for i, row in orders:
        day = row.at.astimezone(zone).toordinal()
        if end - WINDOW_DAYS < day <= end:
            recent[i] += row.amount_minor * unit
            days.add((i, day))
        elif end - 2 * WINDOW_DAYS < day <= end - WINDOW_DAYS:
            earlier[i] += row.amount_minor * unit
    return Trend(recent, earlier, _sum([i for i, _ in days], [1.0] * len(days), n))


def _least(need: NeedBudget, currency: str) -> Decimal:
    """The least amount that the stated budget names; 0 when it names none in the firm's currency."""
    budget = need.budget
    amounts = [budget.get(f"{bound}_minor") for bound in ("min", "target", "max")]
    known = [int(amount) for amount in amounts if amount is not None]
    if not known or budget.get("currency", currency) != currency:
        return Decimal(0)
    return from_minor(min(known), currency)


def _indices(customers: Sequence[str], ids: dict[str, int]) -> NDArray[np.int64]:
    return np.array([ids.setdefault(customer, len(ids)) for customer in customers], dtype=np.int64)


def _sum(places: Sequence[int], amounts: Sequence[float], n: int) -> FloatArray:
    return np.bincount(np.array(places, dtype=np.int64), weights=np.array(amounts, float), minlength=n)


def _check_currency(rows: Sequence[MoneyRow], currency: str) -> None:
    foreign = next((row for row in rows if row.currency != currency), None)
    if foreign is not None:
        raise ForeignCurrency(
            f"{foreign.row_id} of customer {foreign.customer_id} is in {foreign.currency}, but the firm "
            f"reports in {currency}; import it converted at a dated rate"
        )
