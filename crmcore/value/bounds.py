"""Keeping figures within bounds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def within[T: np.generic](values: NDArray[T], least: float, most: float) -> NDArray[T]:
    """As ``np.clip``, which takes four times as long to call: that counts where one customer is valued while
    his order waits."""
    result: NDArray[T] = np.minimum(np.maximum(values, least), most)
    return result
