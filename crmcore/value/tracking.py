"""Tracking: repeat purchases week by week, those that were made beside those that a fitted model expects.

The tracking plots of Fader, Hardie & Lee (2005), "Counting Your Customers the Easy Way", Marketing Science
24(2). The expectation is that of newcomers: E[X(t)] of a customer whom nothing is known of but his first
day, summed over the customers. So the curve shows whether the model has the shop's pace right, not who buys.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crmcore.value.bgnbd import BGNBD
from crmcore.value.purchase_log import PurchaseLog
from crmcore.value.season import WEEK, OperationalTime, expected_repeats

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Tracking:
    """Repeat purchase days until the end of each day of ``day``; shape (w + 1,), w whole weeks.

    ``day`` begins before the first purchase, so both counts begin at 0, and ``until`` is one of its days.
    """

    day: IntArray
    actual: FloatArray
    expected: FloatArray


def track(log: PurchaseLog, model: BGNBD, time: OperationalTime, until: int, horizon: int) -> Tracking:
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
    return Tracking(day, actual, expected_repeats(time, model, day, came, newcomers))
