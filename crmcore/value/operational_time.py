"""Operational time: a clock that runs fast when the whole shop buys much, and slowly when it is quiet.

The closed-form models know no season: a customer who buys nothing in a quiet summer looks lost to them.
When purchases come at the rate lambda s(t), with one pace s for the whole shop, they are a plain Poisson
process in the time tau(t) = integral of s (the time change of a non-homogeneous Poisson process, Cinlar
1975, chapter 4.7). So the same models, given tau instead of days, are right again.

s is learnt from the shop's weekly repeat purchases beside those that a model expects of the same customers
(see ``pace``); then the model is fitted on the new clock, where a quiet season is no farewell any more, and
the pace once more. Not oftener: what cannot be told from customers who leave confirms itself in every round.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crmcore.value.bgnbd import BGNBD
from crmcore.value.bounds import within
from crmcore.value.pace import YEAR, fit_pace
from crmcore.value.purchase_log import PurchaseLog
from crmcore.value.summary import PurchaseSummary

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

WEEK = 7
_ROUNDS = 2
_MOST_WEEKS = 312  # Six years: the fit takes the cube of them, and one wrong date may be decades off.
NEW = 14  # Days for which a customer is young.
_PRIOR = 30.0  # Purchases that say that the young buy as others do, before any come.


@dataclass(frozen=True)
class OperationalTime:
    """``index``, shape (days,): how long each day from ``first_day`` on is, in operational days.

    Days that it does not reach, before and after, are plain days. error : relative standard error of the
    operational time ahead; the plain calendar claims none.
    """

    first_day: int
    index: FloatArray
    error: float = 0.0

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
        inside = within(place, 0, len(self.clock) - 1)
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
            "error": self.error,
        }

    @classmethod
    def from_parameters(cls, stored: Mapping[str, Any]) -> OperationalTime:
        """What :meth:`to_parameters` wrote."""
        return cls(stored["first_day"], np.repeat(stored["index"], stored["days"]), stored["error"])

    def between(self, after: int, until: int) -> float:
        """Operational days from the end of one day to that of another."""
        return self._at_one(until) - self._at_one(after)

    def _at_one(self, day: int) -> float:
        """As :meth:`at`; of one day that is a tenth of the time."""
        place = day - self.first_day + 1
        inside = min(max(place, 0), len(self.clock) - 1)
        return float(self.clock[inside]) + (place - inside)

    def summary(self, log: PurchaseLog, until: int) -> PurchaseSummary:
        """The purchase summary with ``recency`` and ``T`` in operational days."""
        found = log.summary(until)
        first = self.at(log.first_day)
        last = self.at(log.first_day + found.recency.astype(np.int64))
        return replace(found, recency=last - first, T=self._at_one(until) - first)


def usual_at_random(log: PurchaseLog, until: int, time: OperationalTime) -> tuple[FloatArray, FloatArray]:
    """Repeat purchases in seven operational days of each week of ``time`` that BG/NBD, fitted on it, expects
    of the customers of ``log``, each by his own history until ``until``; shape (w,). Of all customers, and of
    those who are settled by then.

    A customer is active from his first purchase to his last at least. After that he has either left at once
    or is active still, and in either case his rate has its own law: Gamma(r + x, alpha + t_x) or
    Gamma(r + x, alpha + T). That is simple because BG/NBD lets nobody leave between two purchases. By his own
    history, because whoever is seen first in an export that begins amid a shop's life buys more than those
    who come later; one rate for all newcomers would call that a trend.
    """
    summary = time.summary(log, until)
    model = BGNBD().fit(summary)
    p, alive = model.params_, model.p_alive(summary)
    later = alive * (p.r + summary.frequency) / (p.alpha + summary.T)
    until_last = later + (1 - alive) * (p.r + summary.frequency) / (p.alpha + summary.recency)
    first = int(log.first_day.min())
    end = until - first
    bought_last = log.first_day - first + log.summary(until).recency.astype(np.int64)

    def from_day(after: int) -> FloatArray:
        """Of each customer from so many days after his first purchase on."""
        came = np.minimum(log.first_day - first + after, end)
        last = np.maximum(bought_last, came)
        steps = np.zeros(end + 2)
        for rates, begins, ends in ((until_last, came, last), (later, last, np.full(len(last), end))):
            steps += np.bincount(begins + 1, weights=rates, minlength=end + 2)
            steps -= np.bincount(ends + 1, weights=rates, minlength=end + 2)
        return by_week(np.maximum(np.cumsum(steps)[time.first_day - first : end + 1], 0.0))

    return from_day(0), from_day(NEW)


# Of a log until a day and on a clock: repeat purchases that are usual a week, of all and of the settled,
# (w,).
Usual = Callable[[PurchaseLog, int, OperationalTime], tuple[FloatArray, FloatArray]]


def fit_operational_time(
    log: PurchaseLog, until: int, last_day: int, usual_purchases: Usual = usual_at_random
) -> OperationalTime:
    """The clock of the shop to ``last_day``, learnt from ``log`` until ``until``.

    usual_purchases : what its customers would do at an even pace, :func:`usual_at_random` or in a rhythm. The
    clock begins at most six years before ``until``. A log of less than two weeks gives the plain calendar.
    """
    first = int(log.first_day.min())
    weeks = min((until - first) // WEEK, _MOST_WEEKS)
    if weeks < 2:
        return OperationalTime.calendar(first, last_day)
    # Weeks are counted back from the end, so that the last one is whole; those ahead follow them.
    start = until - WEEK * weeks + 1
    middle = start + WEEK // 2 + WEEK * np.arange(weeks + -(-(last_day - until) // WEEK))
    year = slice(max(weeks - YEAR // WEEK, 0), weeks)
    time = OperationalTime.calendar(start, last_day)
    for _ in range(_ROUNDS):
        came, usual = _came_and_usual(log, until, time, usual_purchases)
        pace = fit_pace(middle.astype(np.float64), came, usual)
        # On average 1 in the last year, so that rates on this clock are rates a day.
        weight = (usual[year] + 1e-9) / (usual[year] + 1e-9).sum()
        log_pace = pace.log_pace - np.log(np.exp(pace.log_pace[year]) @ weight)
        # What is not known is how the weeks ahead compare with that year, all together.
        compared = np.zeros(len(middle))
        compared[year] = -weight
        compared[weeks:] = 1 / max(len(middle) - weeks, 1)
        days = np.exp(np.repeat(log_pace, WEEK))[: last_day - start + 1]
        time = OperationalTime(start, days, pace.error_of_mean(compared))
    return time


def _came_and_usual(
    log: PurchaseLog, until: int, time: OperationalTime, usual_purchases: Usual
) -> tuple[FloatArray, FloatArray]:
    """Repeat purchases of each week of ``time`` until ``until``, and those that are usual a week; shape (w,).

    Some shops sell again within days of a first purchase, which is no pace: else weeks with many newcomers
    would seem fast. By how much, is learnt in the weeks that belong to the settled customers.
    """
    came, of_settled = (_repeats(log, until, time.first_day, after) for after in (0, NEW))
    usual, settled = usual_purchases(log, until, time)
    young = np.maximum(usual - settled, 0.0)
    known = settled > young
    of_young = ((came - of_settled)[known].sum() + _PRIOR) / (young[known].sum() + _PRIOR)
    of_others = (of_settled[known].sum() + _PRIOR) / (settled[known].sum() + _PRIOR)
    return came, settled + of_young / of_others * young


def _repeats(log: PurchaseLog, until: int, start: int, after: int) -> FloatArray:
    """Repeat purchases of each week, of customers whose first one was more than ``after`` days before."""
    counted = (log.day > log.first_day[log.customer] + after) & (log.day >= start)
    return by_week(np.bincount(log.day[counted] - start, minlength=until - start + 1))


def by_week(a_day: NDArray[Any]) -> FloatArray:
    """Sums over whole weeks."""
    result: FloatArray = a_day.reshape(-1, WEEK).sum(axis=1).astype(np.float64)
    return result
