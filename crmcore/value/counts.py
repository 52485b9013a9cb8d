"""How often each whole number occurs: sums over customers that depend on their frequency alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def count(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Distinct values and how often each occurs; a histogram where that takes less memory than x."""
    top = float(x.max()) if len(x) else 0.0
    if top > len(x) + 65_536 or not np.array_equal(x, np.floor(x)):
        distinct, times = np.unique(x, return_counts=True)
        return distinct, times.astype(np.float64)
    histogram = np.bincount(x.astype(np.int64))
    values = np.flatnonzero(histogram)
    return values.astype(np.float64), histogram[values].astype(np.float64)
