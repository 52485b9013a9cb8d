"""Operational time: a clock that runs fast when the whole shop buys much, and slowly when it is quiet.

The closed-form models know no season: a customer who buys nothing in a quiet summer looks lost to them.
When purchases come at the rate lambda s(t), with one seasonal index s for the whole shop, they are a plain
Poisson process in the time tau(t) = integral of s (the time change of a non-homogeneous Poisson process,
Cinlar 1975, chapter 4.7). So the same models, given tau instead of days, are right again.

s is the shop's weekly number of repeat purchases over the number that the model expects of the customers
it has by then; it is fitted and the model is fitted again, a few times. Weeks beyond the observation take
the index of the same week a year before, and the mean of the last year where that was not observed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from crmcore.value.bgnbd import BGNBD
from crmcore.value.purchase_log import PurchaseLog
from crmcore.value.summary import PurchaseSummary

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

WEEK, YEAR = 7, 364  # A year of whole weeks, so that weekdays meet weekdays.
_ROUNDS = 3
_PRIOR = 20.0  # Purchases at the usual rate that every week starts with: few data move the index little.
_AGES = (
    160  # Points at which the expected purchases of a newcomer are computed; between them, straight lines.
)


@dataclass(frozen=True)
class OperationalTime:
    """``index``, shape (days,): how long each day from ``first_day`` on is, in operational days.

    Days that it does not reach, before and after, are plain days.
    """

    first_day: int
    index: FloatArray

    @cached_property
    def clock(self) -> FloatArray:
        """Operational days gone by the end of each day, 0 before the first; shape (days + 1,)."""
        return np.concatenate([[0.0], np.cumsum(self.index)])

    @classmethod
    def calendar(cls, first_day: int, last_day: int) -> OperationalTime:
        """The plain calendar, from ``first_day`` to ``last_day``."""
        return cls(first_day, np.ones(last_day - first_day + 1))

    def at(self, day: IntArray | int) -> FloatArray:
        """Operational days gone by the end of ``day``; the shape of ``day``."""
        place = np.asarray(day, dtype=np.int64) - self.first_day + 1
        inside = np.clip(place, 0, len(self.clock) - 1)
        result: FloatArray = self.clock[inside] + (place - inside)
        return result

    def to_parameters(self) -> dict[str, Any]:
        """As JSON: runs of equal days, because all days of a week are."""
        starts = np.flatnonzero(np.concatenate([[True], self.index[1:] != self.index[:-1]]))
        days = np.diff(np.append(starts, len(self.index)))
        return {
            "first_day": self.first_day,
            "days": days.tolist(),
            "index": self.index[starts].tolist(),
        }

    @classmethod
    def from_parameters(cls, stored: Mapping[str, Any]) -> OperationalTime:
        """What :meth:`to_parameters` wrote."""
        return cls(stored["first_day"], np.repeat(stored["index"], stored["days"]))

    def between(self, after: int, until: int) -> float:
        return float(self.at(until) - self.at(after))

    def summary(self, log: PurchaseLog, until: int) -> PurchaseSummary:
        """The purchase summary with ``recency`` and ``T`` in operational days."""
        found = log.summary(until)
        first = self.at(log.first_day)
        last = self.at(log.first_day + found.recency.astype(np.int64))
        return replace(found, recency=last - first, T=self.at(until) - first)


def fit_operational_time(log: PurchaseLog, until: int, last_day: int) -> OperationalTime:
    """The clock of the shop from its first day to ``last_day``, learnt from ``log`` until ``until``.

    A log of less than two weeks gives the plain calendar.
    """
    first = int(log.first_day.min())
    weeks = (until - first) // WEEK
    if weeks < 2:
        return OperationalTime.calendar(first, last_day)
    # Weeks are counted back from the end, so that the last one is whole.
    edges = until - WEEK * np.arange(weeks, -1, -1)
    repeat = log.day > log.first_day[log.customer]
    bought = np.histogram(log.day[repeat], bins=edges + 0.5)[0].astype(np.float64)
    came, newcomers = np.unique(log.first_day, return_counts=True)

    index = np.ones(last_day - first + 1)
    for _ in range(_ROUNDS):
        time = OperationalTime(first, index)
        model = BGNBD().fit(time.summary(log, until))
        expected = np.diff(expected_repeats(time, model, edges, came, newcomers))
        index = _next_index(
            index, (bought + _PRIOR) / (expected + _PRIOR), expected, edges - first, until - first
        )
    return OperationalTime(first, index)


def expected_repeats(
    time: OperationalTime, model: BGNBD, days: IntArray, came: IntArray, newcomers: IntArray
) -> FloatArray:
    """Repeat purchases that the model expects of all customers until the end of each day.

    days : shape (w,), rising; the result has their shape. came, newcomers : shape (k,), the days on which
    customers came and how many did.
    """
    ages = np.concatenate([[0.0], np.geomspace(0.5, max(float(time.at(int(days[-1]))), 1.0), _AGES)])
    curve = model.expected_purchases_of_newcomer(ages)
    age = time.at(np.maximum(days[:, None], came[None, :])) - time.at(came)[None, :]
    total: FloatArray = PchipInterpolator(ages, curve)(age) @ newcomers.astype(np.float64)
    return total


def _next_index(
    index: FloatArray, correction: FloatArray, expected: FloatArray, edges: IntArray, last: int
) -> FloatArray:
    """The corrected daily index, on average 1 over the expected purchases; days count from the first one."""
    known = index[: last + 1].copy()
    weight = np.zeros(last + 1)
    for week, factor in enumerate(correction):
        days = slice(int(edges[week]) + 1, int(edges[week + 1]) + 1)
        known[days] *= factor
        weight[days] = expected[week]
    weight += 1e-9
    known /= np.average(known, weights=weight)
    usual = float(np.average(known[-YEAR:], weights=weight[-YEAR:]))
    result = np.concatenate([known, np.full(len(index) - len(known), usual)])
    for day in range(len(known), len(result)):
        a_year_before = day - YEAR
        if a_year_before > edges[0]:
            result[day] = result[a_year_before]
    return result
