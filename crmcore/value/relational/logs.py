"""The order log as tables, and its summary: one row a customer, in whole minor units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import pairwise

import ibis
import pyarrow as pa
from ibis.expr.types import BooleanValue, IntegerValue, NumericColumn, Table

from crmcore.value.potential import WINDOW_DAYS

_EPOCH = date(1970, 1, 1).toordinal()
_DAY = 86_400


# ``at`` is whole seconds since 1970 (UTC); money is in minor units of one currency. Where ``margin_minor`` is
# null, the firm's usual margin applies.
MONEY = pa.schema(
    [
        pa.field("customer_id", pa.string()),
        pa.field("at", pa.int64()),
        pa.field("amount_minor", pa.int64()),
        pa.field("margin_minor", pa.int64()),
    ]
)
COSTS = pa.schema([pa.field("customer_id", pa.string()), pa.field("amount_minor", pa.int64())])
# Least budgets of open needs, by who said so; who is always a share.
KNOWN = pa.schema(
    [
        pa.field("customer_id", pa.string()),
        pa.field("declared_minor", pa.int64()),
        pa.field("estimated_minor", pa.int64()),
        pa.field("comes_back", pa.bool_()),
    ]
)
STANDING = pa.schema([pa.field("customer_id", pa.string()), pa.field("previous", pa.string())])


@dataclass(frozen=True)
class Log:
    """What scoring reads until the end of a day: orders that were not cancelled and returns that were not
    refused (``MONEY``), service costs (``COSTS``), and one row each of customers of whom more is known
    (``KNOWN``) or who have a tier (``STANDING``).
    """

    orders: Table
    returns: Table
    costs: Table
    known: Table
    standing: Table


@dataclass(frozen=True)
class Calendar:
    """The firm's days: ``offsets`` are (from this second on, seconds ahead of UTC), the first from ever."""

    observed_until: date
    offsets: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, observed_until: date, zone: tzinfo, first_second: int) -> Calendar:
        """Every change of the zone's clock between the first row of the log and ``observed_until``."""
        first = datetime.fromtimestamp(first_second, UTC).date() - timedelta(days=2)
        moments = [
            int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
            for day in (first + timedelta(days=n) for n in range((observed_until - first).days + 3))
        ]
        offsets = [(moments[0], _offset(zone, moments[0]))]
        for before, after in pairwise(moments):
            if _offset(zone, after) != offsets[-1][1]:
                offsets.append((_change(zone, before, after), _offset(zone, after)))
        return cls(observed_until, tuple(offsets))

    @property
    def before(self) -> int:
        """A day on which nobody had bought yet, as ``date.toordinal`` counts."""
        return self.offsets[0][0] // _DAY + _EPOCH

    def day(self, at: IntegerValue) -> IntegerValue:
        """The day of the firm's calendar, as ``date.toordinal`` counts."""
        ahead: IntegerValue = ibis.literal(self.offsets[0][1], "int64")
        if len(self.offsets) > 1:
            later = [(at >= second, offset) for second, offset in reversed(self.offsets[1:])]
            ahead = ibis.cases(*later, else_=self.offsets[0][1]).cast("int64")
        # Shifted to be positive, where all engines agree on whole division.
        return ((at + ahead + _EPOCH * _DAY) / _DAY).floor().cast("int64")


def log_summary(log: Log, days: Table, calendar: Calendar, units: float) -> Table:
    """One row for everybody who has bought until the end of ``calendar.observed_until``.

    days : of :func:`purchase_days`. The rows of the log are those until then. frequency, recency, age and
    recent_purchases are whole numbers; money is in currency, and each figure is a sum of whole minor units
    over ``units``: the same bits on every engine and in :func:`~crmcore.value.books.read_books`.
    """
    end = calendar.observed_until.toordinal()
    recent, earlier = _windows(days, end)
    # The first day and what was bought on it in one whole number, whose least is found in a third of the time
    # that an engine takes to keep one column at the least of another.
    bits = min(62 - (end - calendar.before).bit_length(), 52)
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
    # What that number has no room for is looked up.
    huge = days.filter(days.bought >= float(most))
    huge = huge.group_by("customer_id").agg(first_huge=huge.bought.argmin(huge.day))
    refunds = log.orders.filter(log.orders.amount_minor < 0)
    refunds = refunds.mutate(day=calendar.day(refunds.at), amount=-refunds.amount_minor.cast("float64"))
    recent, earlier = _windows(refunds, end)
    refunds = refunds.group_by("customer_id").agg(
        refunded=refunds.amount.sum(),
        refunded_recent=ibis.ifelse(recent, refunds.amount, 0.0).sum(),
        refunded_earlier=ibis.ifelse(earlier, refunds.amount, 0.0).sum(),
    )
    margins = log.orders.filter(log.orders.margin_minor.notnull())
    margins = margins.group_by("customer_id").agg(
        recorded=margins.margin_minor.cast("float64").sum(),
        recorded_amount=margins.amount_minor.cast("float64").sum(),
    )
    with_margin = log.returns.margin_minor.notnull()
    returns = log.returns.group_by("customer_id").agg(
        returned=log.returns.amount_minor.cast("float64").sum(),
        returned_recorded=log.returns.margin_minor.fill_null(0).cast("float64").sum(),
        returned_unrecorded=ibis.ifelse(with_margin, 0, log.returns.amount_minor).cast("float64").sum(),
    )
    amount = log.costs.amount_minor.cast("float64")
    costs = log.costs.group_by("customer_id").agg(cost=amount.sum(), cost_squared=(amount * amount).sum())
    t = _left_joined(customers, (huge, refunds, margins, returns, costs, log.known, log.standing))
    first_bought = ibis.ifelse(t.opening < most, t.opening.cast("float64"), t.first_huge)
    return t.select(
        "customer_id",
        frequency=t.days_bought - 1,
        recency=t["last"] - t["first"],
        age=end - t["first"],
        monetary_value=ibis.ifelse(
            t.days_bought > 1,
            (t.bought - first_bought) / ibis.greatest(t.days_bought - 1, 1).cast("float64") / units,
            ibis.null("float64"),
        ),
        spent=t.bought / units,
        returned=(_none(t.refunded) + _none(t.returned)) / units,
        recorded=_none(t.recorded),
        unrecorded=t.bought - _none(t.refunded) - _none(t.recorded_amount),
        returned_recorded=_none(t.returned_recorded),
        returned_unrecorded=_none(t.returned_unrecorded),
        service_cost=_none(t.cost) / units,
        service_cost_squared=_none(t.cost_squared) / units**2,
        recent_spend=(t.recent - _none(t.refunded_recent)) / units,
        earlier_spend=(t.earlier - _none(t.refunded_earlier)) / units,
        recent_purchases=t.recent_purchases,
        declared_budget=_none(t.declared_minor).cast("float64") / units,
        estimated_budget=_none(t.estimated_minor).cast("float64") / units,
        comes_back=t.comes_back.fill_null(False),
        previous=t.previous,
    )


def purchase_days(log: Log, calendar: Calendar) -> Table:
    """Days with an order, as :class:`~crmcore.value.purchase_log.PurchaseLog` counts them: customer_id, day
    and ``bought``, minor units."""
    purchases = log.orders.filter(log.orders.amount_minor >= 0)
    return (
        purchases.mutate(day=calendar.day(purchases.at))
        .group_by("customer_id", "day")
        .agg(bought=purchases.amount_minor.cast("float64").sum())
    )


def _windows(rows: Table, end: int) -> tuple[BooleanValue, BooleanValue]:
    """Whether a row is of the last window, and of the one before."""
    recent = rows.day > end - WINDOW_DAYS
    return recent, (rows.day > end - 2 * WINDOW_DAYS) & ~recent


def _none(figure: NumericColumn) -> NumericColumn:
    """Nothing, where a customer has no such rows."""
    return figure.fill_null(0)


def _left_joined(customers: Table, others: Sequence[Table]) -> Table:
    """All in one step, which is compiled sooner than one after the other."""
    joined = customers
    for n, other in enumerate(others):
        other = other.rename({f"of_{n}": "customer_id"})
        joined = joined.left_join(other, customers.customer_id == other[f"of_{n}"])
    return joined


def _offset(zone: tzinfo, second: int) -> int:
    ahead = datetime.fromtimestamp(second, zone).utcoffset()
    assert ahead is not None
    return int(ahead.total_seconds())


def _change(zone: tzinfo, before: int, after: int) -> int:
    """The second between the two at which the zone's offset becomes that of ``after``."""
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(zone, middle) == _offset(zone, after):
            after = middle
        else:
            before = middle
    return after
