"""A firm's purchases by day, as seen from any day: what forecasts are fitted to and checked against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crmcore.value.summary import InvalidHistory, PurchaseSummary

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class PurchaseLog:
    """One row a purchase day of a customer, sorted by customer and day; build it with :meth:`of`.

    customer_id : n customers; each has at least one purchase day.
    customer, day, spend : shape (rows,); ``customer`` indexes ``customer_id``, ``day`` is a whole day
        number, ``spend`` is the currency spent on it, >= 0.
    """

    customer_id: tuple[Any, ...]
    customer: IntArray
    day: IntArray
    spend: FloatArray

    @classmethod
    def of(
        cls, customer_id: Sequence[Any], customer: IntArray, day: IntArray, amount: FloatArray
    ) -> PurchaseLog:
        """From order rows, in any order. The rows of a day become one purchase; negative amounts, returns,
        are left out, and with them who has nothing else."""
        bought = np.asarray(amount) >= 0
        customer, day, amount = np.asarray(customer)[bought], np.asarray(day)[bought], amount[bought]
        order = np.lexsort((day, customer))
        customer, day, amount = customer[order], day[order], amount[order]
        others, opens = _changes(customer), _changes(day)
        opens |= others
        starts = np.flatnonzero(opens)
        return cls(
            tuple(customer_id[i] for i in customer[others].tolist()),
            np.cumsum(others)[starts] - 1,
            day[starts].astype(np.int64),
            np.add.reduceat(amount.astype(np.float64), starts) if len(starts) else amount.astype(np.float64),
        )

    def __len__(self) -> int:
        return len(self.customer_id)

    @cached_property
    def first_day(self) -> IntArray:
        """The day of each customer's first purchase; shape (n,)."""
        return self.day[_changes(self.customer)]

    def window(self, after: int, until: int) -> tuple[FloatArray, FloatArray]:
        """Purchase days and spend of every customer after the day ``after`` up to ``until``; shape (n,)."""
        inside = (self.day > after) & (self.day <= until)
        who, n = self.customer[inside], len(self)
        return np.bincount(who, minlength=n).astype(np.float64), np.bincount(
            who, weights=self.spend[inside], minlength=n
        )

    def until(self, day: int) -> PurchaseLog:
        """The log as it was known at the end of ``day``: later rows, and who came later, are not in it."""
        known = self.day <= day
        if not known.any():
            raise InvalidHistory(f"nobody had bought until day {day}; choose a later one")
        present, index = np.unique(self.customer[known], return_inverse=True)
        return PurchaseLog(
            tuple(self.customer_id[i] for i in present),
            index.astype(np.int64),
            self.day[known],
            self.spend[known],
        )

    def some(self, most: int) -> PurchaseLog:
        """At most ``most`` customers, evenly spaced over the log; the log itself when it has no more."""
        if len(self) <= most:
            return self
        kept = np.zeros(len(self), dtype=bool)
        kept[np.linspace(0, len(self) - 1, most).astype(np.int64)] = True
        rows = kept[self.customer]
        place = np.cumsum(kept) - 1
        return replace(
            self,
            customer_id=tuple(np.array(self.customer_id, dtype=object)[kept]),
            customer=place[self.customer[rows]],
            day=self.day[rows],
            spend=self.spend[rows],
        )

    def trips(self, apart: int) -> PurchaseLog:
        """The log with every purchase at most ``apart`` days after the one before as a part of that; a trip
        has the day of its first purchase and the spend of all. With 0 the log itself."""
        if apart == 0:
            return self
        opens = _changes(self.customer)
        opens[1:] |= np.diff(self.day) > apart
        starts = np.flatnonzero(opens)
        return replace(
            self,
            customer=self.customer[starts],
            day=self.day[starts],
            spend=np.add.reduceat(self.spend, starts) if len(starts) else self.spend,
        )

    def summary(self, until: int) -> PurchaseSummary:
        """The purchase summary of all customers at the end of ``until``, which no row may lie behind."""
        n = len(self)
        purchases = np.bincount(self.customer, minlength=n).astype(np.float64)
        spent = np.bincount(self.customer, weights=self.spend, minlength=n)
        last = np.zeros(n)
        last[self.customer] = self.day  # Days rise within a customer, so the last one stays.
        if last.max(initial=until) > until:
            raise InvalidHistory(f"the log goes beyond day {until}; restrict it with until() first")
        first_spend = self.spend[np.searchsorted(self.customer, np.arange(n))]
        repeat = purchases - 1
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(repeat > 0, np.maximum(spent - first_spend, 0.0) / repeat, np.nan)
        return PurchaseSummary(
            customer_id=self.customer_id,
            frequency=repeat,
            recency=last - self.first_day,
            T=until - self.first_day.astype(np.float64),
            monetary_value=mean,
            spent=spent,
            returned=np.zeros(n),
        )


def _changes(values: IntArray) -> NDArray[np.bool_]:
    """Where a value is not the one before; True for the first."""
    result = np.ones(len(values), dtype=bool)
    np.not_equal(values[1:], values[:-1], out=result[1:])
    return result
