"""Purchase summary: what the value models need to know of each customer's order log.

A *purchase* is a day of the firm's calendar with at least one order, whatever the number of orders on
it; an order of zero (a voucher, a sample) is a purchase too. A negative amount is a return: it lowers
what the customer brought and is never a purchase.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crmcore.errors import CrmError

FloatArray = NDArray[np.float64]


class InvalidHistory(CrmError):
    """A purchase history that cannot be; names the first offending customer and the rule."""


@dataclass(frozen=True)
class PurchaseSummary:
    """One row a customer, in the order of ``customer_id``; every array has shape (n,).

    frequency : repeat-purchase days (x); the first purchase day does not count.
    recency : age at the last purchase (t_x), days; 0 with one purchase.
    T : age at ``observed_until``, days.
    monetary_value : mean spend per repeat-purchase day, currency; nan at frequency 0.
    spent : all orders, the first day's too, currency.
    returned : all returns, currency, >= 0.
    """

    customer_id: Sequence[Any]
    frequency: FloatArray
    recency: FloatArray
    T: FloatArray
    monetary_value: FloatArray
    spent: FloatArray
    returned: FloatArray

    def __len__(self) -> int:
        return len(self.customer_id)

    def take(self, rows: NDArray[np.intp]) -> PurchaseSummary:
        """These customers alone, in the order of ``rows``."""
        columns = {name: column[rows] for name, column in vars(self).items() if name != "customer_id"}
        return PurchaseSummary(tuple(self.customer_id[i] for i in rows), **columns)

    def some(self, most: int) -> PurchaseSummary:
        """At most ``most`` customers, evenly spaced; the summary itself when it has no more."""
        if len(self) <= most:
            return self
        return self.take(np.linspace(0, len(self) - 1, most).astype(np.intp))

    @property
    def days_since_last_purchase(self) -> FloatArray:
        """What marketers call recency; shape (n,), days."""
        return self.T - self.recency

    def parts(self, size: int) -> Iterator[PurchaseSummary]:
        """The same customers in parts of ``size``, without a copy: a batch that is scored part by part needs
        memory for one part's results only, and every customer gets the same bits."""
        for begin in range(0, len(self), size):
            columns = {f.name: getattr(self, f.name)[begin : begin + size] for f in fields(self)}
            yield PurchaseSummary(**columns)

    def in_units_of(self, days: float) -> PurchaseSummary:
        """The same histories with times in another unit: 7 for weeks. Counts and money stay."""
        return replace(self, recency=self.recency / days, T=self.T / days)

    @classmethod
    def of(
        cls,
        frequency: Sequence[float] | FloatArray,
        recency: Sequence[float] | FloatArray,
        T: Sequence[float] | FloatArray,
        monetary_value: Sequence[float] | FloatArray | None = None,
        customer_id: Sequence[Any] | None = None,
    ) -> PurchaseSummary:
        """A summary somebody else has made, checked; raises InvalidHistory.

        Without ``monetary_value`` the summary serves the purchase model only.
        """
        x, t_x, age = (np.atleast_1d(np.asarray(v, dtype=np.float64)) for v in (frequency, recency, T))
        spend = np.full(x.shape, np.nan) if monetary_value is None else np.asarray(monetary_value, float)
        spend = np.atleast_1d(spend)
        ids = range(len(x)) if customer_id is None else tuple(customer_id)
        _check_columns(x, recency=t_x, T=age, monetary_value=spend, customer_id=ids)
        spend = np.where(x > 0, spend, np.nan)
        summary = cls(ids, x, t_x, age, spend, np.zeros_like(x), np.zeros_like(x))
        _check(summary)
        return summary


def check_summary(given: object) -> None:
    """Raises InvalidHistory for what is no summary, and says how to make one."""
    if not isinstance(given, PurchaseSummary):
        raise InvalidHistory(
            f"a model is fitted to a PurchaseSummary, not to a {type(given).__name__}; make one of orders "
            "with summarise(orders, observed_until=...), or of columns with PurchaseSummary.of(frequency, "
            "recency, T, monetary_value)"
        )


def summarise(
    orders: Iterable[tuple[Any, date | int, Any]], *, observed_until: date | int
) -> PurchaseSummary:
    """The summary of an order log as seen at the end of the day ``observed_until``.

    orders : (customer_id, day, amount) in any order; ``day`` is the firm's calendar day, as a date or as
        a whole day number; ``amount`` is in currency, negative for a return.
    observed_until : in the same kind as ``day``. Rows after it are left out, so one log serves
        calibration and hold-out. A customer with no purchase until then is not in the result.
    """
    rows = list(orders)
    ids, index = _number([row[0] for row in rows])
    days = np.fromiter((_day_number(row[1]) for row in rows), dtype=np.int64, count=len(rows))
    amounts = np.fromiter((float(row[2]) for row in rows), dtype=np.float64, count=len(rows))
    return summarise_arrays(ids, index, days, amounts, observed_until=_day_number(observed_until))


def summarise_arrays(
    ids: Sequence[Any],
    customer: NDArray[np.int64],
    day: NDArray[np.int64],
    amount: FloatArray,
    *,
    observed_until: int,
) -> PurchaseSummary:
    """As :func:`summarise`, from columns: ``customer`` indexes ``ids``; all columns have shape (rows,)."""
    known = np.asarray(day) <= observed_until
    customer, day, amount = customer[known], day[known], np.asarray(amount, float)[known]
    _check_rows(ids, customer, amount)
    n = len(ids)
    bought = amount >= 0
    returned = np.bincount(customer[~bought], weights=-amount[~bought], minlength=n)

    order = np.lexsort((day[bought], customer[bought]))
    who, when, much = customer[bought][order], day[bought][order], amount[bought][order]
    opens_day = np.ones(len(who), dtype=bool)
    opens_day[1:] = (who[1:] != who[:-1]) | (when[1:] != when[:-1])
    starts = np.flatnonzero(opens_day)
    who, when = who[starts], when[starts]
    much = np.add.reduceat(much, starts) if len(starts) else much[:0]

    purchases = np.bincount(who, minlength=n)
    spent = np.bincount(who, weights=much, minlength=n)
    is_first = np.ones(len(who), dtype=bool)
    is_first[1:] = who[1:] != who[:-1]
    first_rows = np.flatnonzero(is_first)
    buyers = who[first_rows]
    first, last = np.zeros(n), np.zeros(n)
    first[buyers] = when[first_rows]
    last[who] = when  # Days rise within a customer, so the last assignment is the last day.
    repeat_spend = np.bincount(who[~is_first], weights=much[~is_first], minlength=n)

    x = purchases[buyers] - 1.0
    with np.errstate(invalid="ignore", divide="ignore"):
        spend = np.where(x > 0, repeat_spend[buyers] / x, np.nan)
    return PurchaseSummary(
        customer_id=tuple(ids[i] for i in buyers),
        frequency=x.astype(np.float64),
        recency=last[buyers] - first[buyers],
        T=observed_until - first[buyers],
        monetary_value=spend,
        spent=spent[buyers],
        returned=returned[buyers],
    )


def _number(customers: Sequence[Any]) -> tuple[list[Any], NDArray[np.int64]]:
    numbers: dict[Any, int] = {}
    index = [numbers.setdefault(customer, len(numbers)) for customer in customers]
    return list(numbers), np.asarray(index, dtype=np.int64)


def _day_number(day: date | int) -> int:
    return day.toordinal() if isinstance(day, date) else int(day)


def _check_rows(ids: Sequence[Any], customer: NDArray[np.int64], amount: FloatArray) -> None:
    wrong = np.flatnonzero(~np.isfinite(amount))
    if len(wrong):
        raise InvalidHistory(
            f"customer {ids[customer[wrong[0]]]!r} has an order whose amount is {amount[wrong[0]]}; "
            "every order needs a finite amount (0 for a free one)"
        )


def _check_columns(frequency: FloatArray, **others: FloatArray | Sequence[Any]) -> None:
    """One figure a customer in every column: a column that is shorter would be read for somebody else."""
    if frequency.ndim != 1:
        raise InvalidHistory(
            f"frequency needs one figure a customer, got an array of shape {frequency.shape}"
        )
    for name, column in others.items():
        # Ids may be tuples, of which an array would have two axes.
        shape = getattr(column, "shape", (len(column),))
        if shape != frequency.shape:
            of = f"of {shape[0]}" if len(shape) == 1 else f"an array of shape {shape}"
            raise InvalidHistory(
                f"frequency is of {len(frequency)} customers, but {name} is {of}; "
                "every column needs one figure a customer, in the same order"
            )


def _check(summary: PurchaseSummary) -> None:
    x, t_x, T = summary.frequency, summary.recency, summary.T
    rules = (
        ("needs a whole frequency of 0 or more", ~(np.isfinite(x) & (x >= 0) & (x == np.floor(x)))),
        ("needs 0 <= recency <= T", ~(np.isfinite(T) & (t_x >= 0) & (t_x <= T))),
        ("bought once, so recency must be 0", (x == 0) & (t_x != 0)),
        ("has negative monetary_value; returns belong in their own rows", summary.monetary_value < 0),
    )
    for rule, broken in rules:
        if broken.any():
            i = int(np.flatnonzero(broken)[0])
            raise InvalidHistory(
                f"customer {summary.customer_id[i]!r} {rule}; got frequency {x[i]:g}, recency {t_x[i]:g}, "
                f"T {T[i]:g}, monetary_value {summary.monetary_value[i]:g}"
            )
