"""The summary of an order log: one row a customer, summed in whole minor units."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import ibis
from ibis.expr.types import BooleanValue, NumericColumn, Table, Value

from crmcore.value.potential import WINDOW_DAYS
from crmcore.value.relational.logs import Calendar, Log


@dataclass(frozen=True)
class Side:
    """Rows beside the purchases that not every firm has, and their sums: one row a customer."""

    rows: Table
    sums: Table


def log_sides(log: Log, days: Table, calendar: Calendar) -> dict[str, Side]:
    """By name; days : of :func:`purchase_days`."""
    bits = _bits(calendar)
    # What has no room beside its day in one number.
    huge = days.filter(days.bought >= float(2**bits - 1))
    refunds = log.orders.filter(log.orders.amount_minor < 0)
    of_refunds = refunds.mutate(day=calendar.day(refunds.at), amount=-refunds.amount_minor.cast("float64"))
    recent, earlier = _windows(of_refunds, calendar.observed_until.toordinal())
    margins = log.orders.filter(log.orders.margin_minor.notnull())
    with_margin = log.returns.margin_minor.notnull()
    amount = log.costs.amount_minor.cast("float64")
    return {
        "huge": Side(huge, huge.group_by("customer_id").agg(first_huge=huge.bought.argmin(huge.day))),
        "refunds": Side(
            refunds,
            of_refunds.group_by("customer_id").agg(
                refunded=of_refunds.amount.sum(),
                refunded_recent=ibis.ifelse(recent, of_refunds.amount, 0.0).sum(),
                refunded_earlier=ibis.ifelse(earlier, of_refunds.amount, 0.0).sum(),
            ),
        ),
        "margins": Side(
            margins,
            margins.group_by("customer_id").agg(
                recorded=margins.margin_minor.cast("float64").sum(),
                recorded_amount=margins.amount_minor.cast("float64").sum(),
            ),
        ),
        "returns": Side(
            log.returns,
            log.returns.group_by("customer_id").agg(
                returned=log.returns.amount_minor.cast("float64").sum(),
                returned_recorded=log.returns.margin_minor.fill_null(0).cast("float64").sum(),
                returned_unrecorded=ibis.ifelse(with_margin, 0, log.returns.amount_minor)
                .cast("float64")
                .sum(),
            ),
        ),
        "costs": Side(
            log.costs,
            log.costs.group_by("customer_id").agg(cost=amount.sum(), cost_squared=(amount * amount).sum()),
        ),
        "known": Side(log.known, log.known),
        "standing": Side(log.standing, log.standing),
    }


_NOTHING: NumericColumn = ibis.literal(0).cast("float64")  # A bare 0.0 would be a decimal to PostgreSQL.

# What a firm without the rows of these sides has: the same for everybody, so no engine need keep it.
_WITHOUT: dict[str, tuple[tuple[str, ...], Value]] = {
    "returned": (("refunds", "returns"), _NOTHING),
    "recorded": (("margins",), _NOTHING),
    "returned_recorded": (("returns",), _NOTHING),
    "returned_unrecorded": (("returns",), _NOTHING),
    "service_cost": (("costs",), _NOTHING),
    "service_cost_squared": (("costs",), _NOTHING),
    "declared_budget": (("known",), _NOTHING),
    "estimated_budget": (("known",), _NOTHING),
    "comes_back": (("known",), ibis.literal(False)),
    "previous": (("standing",), ibis.null("string")),
}


def log_summary(days: Table, sums: Mapping[str, Table], calendar: Calendar, units: float) -> Table:
    """One row for everybody who has bought until the end of ``calendar.observed_until``.

    days : of :func:`purchase_days`. sums : of those :func:`log_sides` that have rows; what the others would
    tell is not in the summary, and :func:`completed` adds it. The rows of the log are those until then.
    frequency, recency, age and recent_purchases are whole numbers; money is in currency, and each figure is a
    sum of whole minor units over ``units``: the same bits on every engine and in
    :func:`~crmcore.value.books.read_books`.
    """
    end, bits = calendar.observed_until.toordinal(), _bits(calendar)
    recent, earlier = _windows(days, end)
    # The first day and what was bought on it in one whole number, whose least is found in a third of the time
    # that an engine takes to keep one column at the least of another.
    most = 2**bits - 1
    number = (days.day - calendar.before) * 2**bits + ibis.least(days.bought, float(most)).cast("int64")
    customers = days.group_by("customer_id").agg(
        days_bought=days.count(),
        opening=number.min(),
        last=days.day.max(),
        bought=days.bought.sum(),
        recent=ibis.ifelse(recent, days.bought, 0.0).sum(),
        earlier=ibis.ifelse(earlier, days.bought, 0.0).sum(),
        recent_purchases=days.count(where=recent).cast("float64"),
    )
    customers = customers.mutate(
        first=(customers.opening >> bits) + calendar.before, opening=customers.opening & most
    )
    t = _left_joined(customers, list(sums.values()))

    def of(name: str) -> NumericColumn:
        """Nothing, where a customer has no such rows."""
        return t[name].fill_null(0) if name in t.columns else _NOTHING

    first_bought = t.opening.cast("float64")
    if "first_huge" in t.columns:
        first_bought = ibis.ifelse(t.opening < most, first_bought, t.first_huge)
    columns = {
        "customer_id": t.customer_id,
        "frequency": t.days_bought - 1,
        "recency": t["last"] - t["first"],
        "age": end - t["first"],
        "monetary_value": ibis.ifelse(
            t.days_bought > 1,
            (t.bought - first_bought) / ibis.greatest(t.days_bought - 1, 1).cast("float64") / units,
            ibis.null("float64"),
        ),
        "spent": t.bought / units,
        "returned": (of("refunded") + of("returned")) / units,
        "recorded": of("recorded"),
        "unrecorded": t.bought - of("refunded") - of("recorded_amount"),
        "returned_recorded": of("returned_recorded"),
        "returned_unrecorded": of("returned_unrecorded"),
        "service_cost": of("cost") / units,
        "service_cost_squared": of("cost_squared") / units**2,
        "recent_spend": (t.recent - of("refunded_recent")) / units,
        "earlier_spend": (t.earlier - of("refunded_earlier")) / units,
        "recent_purchases": t.recent_purchases,
        "declared_budget": of("declared_minor").cast("float64") / units,
        "estimated_budget": of("estimated_minor").cast("float64") / units,
        "comes_back": t.comes_back.fill_null(False) if "known" in sums else None,
        "previous": t.previous if "standing" in sums else None,
    }
    missing = _missing(sums.keys())
    return t.select(**{name: column for name, column in columns.items() if name not in missing})


def completed(summary: Table) -> Table:
    """The summary with what is the same for everybody in a firm without some sides."""
    return summary.mutate(
        **{name: value for name, (_, value) in _WITHOUT.items() if name not in summary.columns}
    )


def _missing(sides: Collection[str]) -> set[str]:
    return {name for name, (of, _) in _WITHOUT.items() if not set(of) & set(sides)}


def _bits(calendar: Calendar) -> int:
    """How many a whole number has beside the day of such a log, for money; a float holds that many."""
    return min(62 - (calendar.observed_until.toordinal() - calendar.before).bit_length(), 52)


def _windows(rows: Table, end: int) -> tuple[BooleanValue, BooleanValue]:
    """Whether a row is of the last window, and of the one before."""
    recent = rows.day > end - WINDOW_DAYS
    return recent, (rows.day > end - 2 * WINDOW_DAYS) & ~recent


def _left_joined(customers: Table, others: Sequence[Table]) -> Table:
    """All in one step, which is compiled sooner than one after the other."""
    joined = customers
    for n, other in enumerate(others):
        other = other.rename({f"of_{n}": "customer_id"})
        joined = joined.left_join(other, customers.customer_id == other[f"of_{n}"])
    return joined
