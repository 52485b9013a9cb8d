"""What a recalibration knows of a customer, each from his own purchases alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from crmcore.value.forecast_base import Base, Foreseen
from crmcore.value.pace import YEAR
from crmcore.value.purchase_log import PurchaseLog
from crmcore.value.summary import PurchaseSummary

FloatArray = NDArray[np.float64]

Kind = Literal["habits", "history"]

_MEAN_SPEND = ("log_own_mean", "log_expected_spend", "log_own_mean_one_time")
_HISTORY = (
    "log_forecast", "one_time", "log_repeats", "log_since", "log_age", "log_recent_half", "log_recent",
    "p_alive", "long_overdue",
)  # fmt: skip
# What the factor of the purchases looks at, and then that of the spend, which begins with the same.
FEATURES: dict[Kind, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "habits": (("long_overdue", "own_season"), ("long_overdue", "own_season", *_MEAN_SPEND)),
    "history": (_HISTORY, (*_HISTORY, *_MEAN_SPEND)),
}


def features_of(
    names: Sequence[str],
    log: PurchaseLog,
    summary: PurchaseSummary,
    base: Base,
    closed: Foreseen,
    until: int,
) -> FloatArray:
    """Shape (n, len(names)); summary : of ``log``, on the clock of ``base``."""
    log = log.trips(base.trip_days)
    one_time = (summary.frequency == 0).astype(np.float64)
    each = closed.spend / closed.purchases

    def own_mean() -> FloatArray:
        own = summary.spent / (summary.frequency + 1) / base.per_trip
        result: FloatArray = np.log((own + 0.01 * base.scale.spend) / each)
        return result

    def long_overdue() -> FloatArray:
        """By how much his silence is over twice his usual pause, in logarithms."""
        pause = (summary.recency + 0.1 * base.scale.age) / (summary.frequency + 0.1)
        overdue = np.log((summary.days_since_last_purchase + 0.1 * pause) / pause)
        result: FloatArray = np.maximum(overdue - np.log(2.0), 0.0)
        return result

    def own_season() -> FloatArray:
        """What he bought a year before the time ahead, beside his usual rate; 0 for whoever came later."""
        begins = until - YEAR
        ends = min(begins + base.window, until)
        usual = summary.frequency * base.time.between(begins, ends) / np.maximum(summary.T, 1.0)
        then, _ = log.window(begins, ends)
        result: FloatArray = np.where(log.first_day <= begins, np.log((then + 1) / (usual + 1)), 0.0)
        return result

    every: dict[str, Callable[[], FloatArray]] = {
        "log_forecast": lambda: np.log(closed.purchases),
        "one_time": lambda: one_time,
        "log_repeats": lambda: np.log1p(summary.frequency),
        "log_since": lambda: np.log1p(10 * summary.days_since_last_purchase / base.scale.age),
        "log_age": lambda: np.log1p(10 * summary.T / base.scale.age),
        "log_recent_half": lambda: np.log1p(log.window(until - base.window // 2, until)[0]),
        "log_recent": lambda: np.log1p(log.window(until - base.window, until)[0]),
        "p_alive": lambda: base.purchases.p_alive(summary),
        "long_overdue": long_overdue,
        "own_season": own_season,
        "log_own_mean": own_mean,
        "log_expected_spend": lambda: np.log(each),
        "log_own_mean_one_time": lambda: one_time * own_mean(),
    }
    return np.column_stack([every[name]() for name in names])
