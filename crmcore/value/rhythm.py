"""How regular the pauses of a shop's customers are: its one number is the shape k of their gamma law.

Wheat & Morrison (1990), "Estimating Purchase Regularity with Two Interpurchase Times", Journal of Marketing
Research 27(1), 87-93: of two pauses of one customer, one after the other, the share of the first is
Beta(k, k), whatever his rate; its variance is 1 / (4 (2 k + 1)). Purchases at random moments have k = 1, a
rhythm has more, clumps have less.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crmcore.value.operational_time import NEW, OperationalTime, by_week
from crmcore.value.pareto_cnbd import ParetoCNBD
from crmcore.value.purchase_log import PurchaseLog

FloatArray = NDArray[np.float64]

_MOST = 4  # A rhythm that is stricter says hardly more.
_PRIOR = 30.0  # Customers who say that purchases come at random, before any speaks.
_AT_RANDOM = 1 / 12
_CLUMPS, _NO_CLUMPS = 0.75, 0.9
_LONGEST_TRIP = 14  # Days between two purchases.
_FEW = 1_000  # Customers whom what a clock expects is learnt from.


@dataclass(frozen=True)
class Pauses:
    """What the pauses of a shop's customers show: ``steps`` of :func:`steps_of`, and ``trip_days`` of
    :func:`trip_days_of`. At random it is 1 and 0."""

    steps: int = 1
    trip_days: int = 0

    @classmethod
    def of(cls, log: PurchaseLog) -> Pauses:
        """In days, so that they are the same on every clock."""
        shape = _shape(log)
        return cls(steps_of(shape), trip_days_of(log) if shape < _CLUMPS else 0)


def steps_of(shape: float) -> int:
    """The shape of the pauses as a whole number, from 1 (at random, or in clumps) to 4."""
    return int(np.clip(np.rint(shape), 1, _MOST))


def trip_days_of(log: PurchaseLog) -> int:
    """How many days apart purchases that come in clumps are still of one trip.

    So many that the pauses between trips are those of chance. 0 where two weeks are not enough: it is not
    trips then that make the pauses so unlike.
    """
    longer = range(1, _LONGEST_TRIP + 1)
    return next((days for days in longer if _shape(log.trips(days)) >= _NO_CLUMPS), 0)


def _shape(log: PurchaseLog) -> float:
    """Each customer speaks once, however often he buys."""
    who = log.customer
    pause = np.diff(log.day)
    place = np.arange(len(who)) - np.searchsorted(who, who)
    # Pairs that share no pause: his first and second, his third and fourth ...
    pairs = np.flatnonzero((who[2:] == who[:-2]) & (place[:-2] % 2 == 0))
    whole = pause[pairs] + pause[pairs + 1]
    pairs, whole = pairs[whole > 0], whole[whole > 0]
    share = pause[pairs] / whole
    n = np.bincount(who[pairs], minlength=len(log))
    squares = np.bincount(who[pairs], weights=(share - 0.5) ** 2, minlength=len(log))
    spoke = n > 0
    variance = ((squares[spoke] / n[spoke]).sum() + _PRIOR * _AT_RANDOM) / (spoke.sum() + _PRIOR)
    return float((1 / (4 * variance) - 1) / 2)


def usual_in_rhythm(
    log: PurchaseLog, until: int, time: OperationalTime, k: int
) -> tuple[FloatArray, FloatArray]:
    """Repeat purchases of each week of ``time`` that Pareto/CNBD-k expects of the customers of ``log``, as
    :func:`~crmcore.value.operational_time.usual_at_random` says of those who buy at random; shape (w,),
    twice.

    BG/NBD would hold many for active whose silence says that they left, and so take any such shop for fading.
    A purchase is followed by a rest: (k - 1) / (2 k) of his usual pause is missing after the first one.
    """
    summary = time.summary(log, until)
    lives = ParetoCNBD().fit(summary.some(_FEW), k).lives(summary)
    first = int(log.first_day.min())
    end = until - first
    clock = time.at(np.arange(first, until + 1))
    came = time.at(log.first_day)[:, None]
    begins, ends = (
        np.minimum(np.searchsorted(clock, moment.ravel()), end).reshape(moment.shape)
        for moment in (came + (k - 1) / (2 * k) / lives.rate, came + lives.age)
    )
    weights = (lives.rate * lives.chance).ravel()

    def from_day(after: int) -> FloatArray:
        """Of each customer from so many days after his first purchase on."""
        settled = np.minimum(log.first_day - first + after, end)[:, None]
        start = np.maximum(begins, settled)
        stop = np.maximum(ends, start)
        steps = np.bincount(start.ravel() + 1, weights=weights, minlength=end + 2)
        steps -= np.bincount(stop.ravel() + 1, weights=weights, minlength=end + 2)
        return by_week(np.maximum(np.cumsum(steps)[time.first_day - first : end + 1], 0.0))

    return from_day(0), from_day(NEW)
