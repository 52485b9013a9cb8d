"""Lift: what each tenth of the customers brought, when a forecast puts them in order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crmcore.value.accuracy import top_share

FloatArray = NDArray[np.float64]

TENTHS = 10


@dataclass(frozen=True)
class Tenth:
    """Shares of the total, 0..1: what the forecast gave this tenth, and what it brought. 1 is the best tenth.

    Lift is ``actual`` times ten: how many times an average customer.
    """

    number: int
    foreseen: float
    actual: float


def lift_by_tenth(actual: FloatArray, foreseen: FloatArray) -> tuple[Tenth, ...]:
    """actual, foreseen : shape (n,), with a total above 0. Ties count as the mean over their orders, and a
    customer on the border of two tenths in part in both, so the first tenth is ``Accuracy.top_decile``."""

    def shares(of: FloatArray) -> FloatArray:
        return np.diff([top_share(of, foreseen, k / TENTHS) if k else 0.0 for k in range(TENTHS + 1)])

    both = zip(shares(foreseen).tolist(), shares(actual).tolist(), strict=True)
    return tuple(Tenth(number, *pair) for number, pair in enumerate(both, 1))
