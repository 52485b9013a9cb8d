"""Tracking: repeat purchases week by week, those that were made beside those that a fitted model expects.

The tracking plots of Fader, Hardie & Lee (2005), "Counting Your Customers the Easy Way", Marketing Science
24(2). The expectation is that of newcomers: E[X(t)] of a customer whom nothing is known of but his first
day, summed over the customers. So the curve shows whether the model has the shop's pace right, not who buys.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from crmcore.value.forecast_base import Base, PurchaseBase
from crmcore.value.operational_time import WEEK, OperationalTime
from crmcore.value.purchase_log import PurchaseLog

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Points at which the expected purchases of a newcomer are computed; between them, smooth curves.
_AGES = 160


@dataclass(frozen=True)
class Tracking:
    """Repeat purchase days until the end of each day of ``day``; shape (w + 1,), w whole weeks.

    ``day`` begins before the first purchase, so both counts begin at 0, and ``until`` is one of its days.
    """

    day: IntArray
    actual: FloatArray
    expected: FloatArray


def track(log: PurchaseLog, model: PurchaseBase, time: OperationalTime, until: int, horizon: int) -> Tracking:
    """Of the customers known at the end of ``until``, to the last whole week of ``horizon`` days after it.

    log : with the days after ``until``. model, time : fitted to nothing later than ``until``; the clock runs
    through the horizon.
    """
    first = int(log.first_day.min())
    before = -(-(until - first + 1) // WEEK)
    day = until + WEEK * np.arange(-before, horizon // WEEK + 1)
    known = log.first_day <= until
    repeat = known[log.customer] & (log.day > log.first_day[log.customer])
    actual = np.searchsorted(np.sort(log.day[repeat]), day, side="right").astype(np.float64)
    came, newcomers = np.unique(log.first_day[known], return_counts=True)
    return Tracking(day, actual, _expected(time, model, day, came, newcomers))


def track_base(log: PurchaseLog, base: Base, horizon: int) -> Tracking:
    """The same of what a forecast begins with, on its clock. Where that counts trips, a customer's first trip
    holds repeat purchases, too."""
    found = track(log, base.purchases, base.time, base.until, horizon)
    if base.trip_days == 0:
        return found
    came = np.searchsorted(np.sort(log.first_day[log.first_day <= base.until]), found.day, side="right")
    return replace(found, expected=base.per_trip * (found.expected + came) - came)


def _expected(
    time: OperationalTime, model: PurchaseBase, days: IntArray, came: IntArray, newcomers: IntArray
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
