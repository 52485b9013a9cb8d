"""How often each whole number occurs: sums over customers that depend on their frequency, or age, alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crmcore.value.fitting import blocks

FloatArray = NDArray[np.float64]


def count(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Distinct values of whole numbers >= 0 and how often each occurs.

    A histogram, where that takes no more memory than x.
    """
    top = float(x.max()) if len(x) else 0.0
    if top > len(x) + 65_536:
        distinct, times = np.unique(x, return_counts=True)
        return distinct, times.astype(np.float64)
    histogram = np.zeros(int(top) + 1, dtype=np.int64)
    for some in blocks(len(x)):
        found = np.bincount(x[some].astype(np.int64))
        histogram[: len(found)] += found
    values = np.flatnonzero(histogram)
    return values.astype(np.float64), histogram[values].astype(np.float64)


def by_age(age: FloatArray, x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Distinct ages, how many customers have each, and how often those have bought together.

    One row a customer where ages are not whole numbers, or so long that a histogram takes more memory.
    """
    top = float(age.max()) if len(age) else 0.0
    if top > len(age) + 65_536:
        return age, np.ones(len(age)), x
    customers, purchases = np.zeros(int(top) + 1), np.zeros(int(top) + 1)
    for some in blocks(len(age)):
        whole = age[some].astype(np.int64)
        if not np.array_equal(whole, age[some]):
            return age, np.ones(len(age)), x
        found = np.bincount(whole)
        customers[: len(found)] += found
        purchases[: len(found)] += np.bincount(whole, weights=x[some])
    ages = np.flatnonzero(customers)
    return ages.astype(np.float64), customers[ages], purchases[ages]
