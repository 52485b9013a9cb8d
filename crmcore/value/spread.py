"""How values are spread over customers, and how sure each kind of value is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_BARS = 24
_TENTHS = 10


@dataclass(frozen=True)
class Bar:
    """Customers with ``low`` <= value < ``high``, currency; None: open to that side."""

    low: float | None
    high: float | None
    customers: int


@dataclass(frozen=True)
class Typical:
    """The middle (median) of one tenth of the customers by value, and of their 95 % intervals; currency.

    ``number`` 1 is the tenth of the highest values.
    """

    number: int
    value: float
    low: float
    high: float


def bars(values: FloatArray) -> tuple[Bar, ...]:
    """A histogram with round borders; values : shape (n,), n > 0.

    The few beyond the 1st and the 97th of a hundred share an open bar on each side, else they alone would
    set the scale.
    """
    least, most = (float(v) for v in np.quantile(values, [0.01, 0.97]))
    step = _round_step((most - least) / _BARS)
    first, last = math.floor(least / step), math.floor(most / step) + 1
    edges = [round(step * k, 9) for k in range(first, last + 1)]
    place = np.searchsorted(edges, values, side="right")
    counts = np.bincount(place, minlength=len(edges) + 1).tolist()
    found = [Bar(low, high, n) for low, high, n in zip([None, *edges], [*edges, None], counts, strict=True)]
    return tuple(bar for bar in found if bar.customers or (bar.low is not None and bar.high is not None))


def typical_by_tenth(values: FloatArray, low: FloatArray, high: FloatArray) -> tuple[Typical, ...]:
    """Tenths by value, the highest first; all shape (n,). Fewer than ten customers give fewer tenths."""
    order = np.argsort(-values, kind="stable")
    parts = [part for part in np.array_split(order, _TENTHS) if len(part)]
    return tuple(
        Typical(number, *(float(np.median(column[part])) for column in (values, low, high)))
        for number, part in enumerate(parts, 1)
    )


def _round_step(step: float) -> float:
    """The least of 1, 2, 5 times a power of ten that is not below ``step``; 1 where there is no spread."""
    if step <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(step))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= step * (1 - 1e-9))
