"""The order log as tables, and the days of the firm's calendar on which its customers bought."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import pairwise

import ibis
import pyarrow as pa
from ibis.expr.types import IntegerValue, Table

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


def purchase_days(log: Log, calendar: Calendar) -> Table:
    """Days with an order, as :class:`~crmcore.value.purchase_log.PurchaseLog` counts them: customer_id, day
    and ``bought``, minor units."""
    purchases = log.orders.filter(log.orders.amount_minor >= 0)
    return (
        purchases.mutate(day=calendar.day(purchases.at))
        .group_by("customer_id", "day")
        .agg(bought=purchases.amount_minor.cast("float64").sum())
    )


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
