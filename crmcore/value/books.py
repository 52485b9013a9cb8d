"""From the firm's books (orders, returns, service costs, stated budgets) to what the models take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, tzinfo

import numpy as np
from numpy.typing import NDArray

from crmcore.errors import CrmError
from crmcore.money import exponent
from crmcore.value.buyer_type import comes_back
from crmcore.value.model import Ledger
from crmcore.value.potential import WINDOW_DAYS, NeedBudgets, Trend
from crmcore.value.purchase_log import PurchaseLog
from crmcore.value.snapshots import MoneyRow, NeedBudget
from crmcore.value.summary import PurchaseSummary

FloatArray = NDArray[np.float64]


class ForeignCurrency(CrmError):
    """A row in another currency than the firm reports in."""


@dataclass(frozen=True)
class Books:
    """Everything in the order of ``summary.customer_id``; money in currency."""

    summary: PurchaseSummary
    log: PurchaseLog
    ledger: Ledger
    trend: Trend
    need_budgets: NeedBudgets
    comes_back: NDArray[np.bool_]  # Who is always a share.


def read_books(
    orders: Sequence[MoneyRow],
    returns: Sequence[MoneyRow],
    costs: Sequence[MoneyRow],
    budgets: Sequence[NeedBudget],
    answers: Mapping[str, Mapping[str, str]],
    *,
    observed_until: date,
    zone: tzinfo,
    currency: str,
    margin: float,
) -> Books:
    """Rows until the end of ``observed_until``, and what customers answered of themselves (trait -> answer).

    A day is the firm's, by ``zone``. ``margin`` stands in for an order without a recorded margin. Everything
    is summed in whole minor units, which a float holds exactly, so that the order of the rows changes no bit
    of any figure. Raises :class:`ForeignCurrency`.
    """
    for rows in (orders, returns, costs):
        check_currency(rows, currency)
    units = 10.0 ** exponent(currency)
    ids: dict[str, int] = {}
    # A return of nothing changes nothing; as an amount of nought it would pass for a purchase that was free.
    moves = [(row, row.amount_minor) for row in orders]
    moves += [(row, -row.amount_minor) for row in returns if row.amount_minor]
    customer = [ids.setdefault(row.customer_id, len(ids)) for row, _ in moves]
    days = [row.at.astimezone(zone).toordinal() for row, _ in moves]
    log = PurchaseLog.of(
        list(ids),
        np.array(customer, dtype=np.int64),
        np.array(days, dtype=np.int64),
        np.array([amount for _, amount in moves], dtype=np.float64),
    )
    in_minor = log.summary(observed_until.toordinal())
    place = {customer_id: i for i, customer_id in enumerate(log.customer_id)}
    n = len(log)
    known = [(place[row.customer_id], row) for row in orders if row.customer_id in place]
    sent_back = [(place[row.customer_id], row) for row in returns if row.customer_id in place]
    summary = replace(
        in_minor,
        monetary_value=in_minor.monetary_value / units,
        spent=in_minor.spent / units,
        returned=_sum([(place[r.customer_id], -a) for r, a in moves if a < 0 and r.customer_id in place], n)
        / units,
    )
    paid = [(place[row.customer_id], row.amount_minor) for row in costs if row.customer_id in place]
    ledger = Ledger(
        margin=_margins(known, margin, n) / units,
        returned_margin=_margins(sent_back, margin, n) / units,
        service_cost=_sum(paid, n) / units,
        service_cost_squared=_sum([(i, cost**2) for i, cost in paid], n) / units**2,
    )
    on_days = [
        (place[row.customer_id], row.amount_minor, day)
        for row, day in zip(orders, days, strict=False)  # Days of returns follow.
        if row.customer_id in place
    ]
    trend = _trend(on_days, observed_until, n, units)
    returning = [comes_back(answers.get(customer_id, {})) for customer_id in summary.customer_id]
    return Books(
        summary,
        replace(log, spend=log.spend / units),
        ledger,
        trend,
        _budgets(budgets, place, currency, units),
        np.array(returning, dtype=bool),
    )


def _budgets(
    budgets: Sequence[NeedBudget], place: Mapping[str, int], currency: str, units: float
) -> NeedBudgets:
    wanted = [(b, place[b.customer_id], least_budget(b, currency)) for b in budgets if b.customer_id in place]
    declared = [(i, least) for b, i, least in wanted if b.provenance == "declared"]
    others = [(i, least) for b, i, least in wanted if b.provenance != "declared"]
    return NeedBudgets(_sum(declared, len(place)) / units, _sum(others, len(place)) / units)


def _margins(rows: Sequence[tuple[int, MoneyRow]], usual: float, n: int) -> FloatArray:
    """Recorded margins, and the usual share where none is recorded; minor units, shape (n,)."""
    recorded = [(i, row.margin_minor) for i, row in rows if row.margin_minor is not None]
    unrecorded = [(i, row.amount_minor) for i, row in rows if row.margin_minor is None]
    result: FloatArray = _sum(recorded, n) + usual * _sum(unrecorded, n)
    return result


def _trend(orders: Sequence[tuple[int, int, int]], observed_until: date, n: int, units: float) -> Trend:
    """orders : (customer, minor units, day)."""
    end = observed_until.toordinal()
    recent, earlier = [], []
    bought: set[tuple[int, int]] = set()
    for i, amount, day in orders:
        if end - WINDOW_DAYS < day <= end:
            recent.append((i, amount))
            if amount >= 0:
                bought.add((i, day))
        elif end - 2 * WINDOW_DAYS < day <= end - WINDOW_DAYS:
            earlier.append((i, amount))
    return Trend(_sum(recent, n) / units, _sum(earlier, n) / units, _sum([(i, 1) for i, _ in bought], n))


def least_budget(need: NeedBudget, currency: str) -> int:
    """The least amount that the stated budget names, minor units; 0 when it names none in the firm's
    currency."""
    budget = need.budget
    amounts = [budget.get(f"{bound}_minor") for bound in ("min", "target", "max")]
    known = [int(amount) for amount in amounts if amount is not None]
    return min(known) if known and budget.get("currency", currency) == currency else 0


def _sum(amounts: Sequence[tuple[int, int]], n: int) -> FloatArray:
    """Sums of (customer, whole amount) by customer; shape (n,)."""
    sums = [0] * n
    for i, amount in amounts:
        sums[i] += amount
    return np.array(sums, dtype=np.float64)


def check_currency(rows: Sequence[MoneyRow], currency: str) -> None:
    foreign = next((row for row in rows if row.currency != currency), None)
    if foreign is not None:
        raise ForeignCurrency(
            f"{foreign.row_id} of customer {foreign.customer_id} is in {foreign.currency}, but the firm "
            f"reports in {currency}; import it converted at a dated rate"
        )
