"""The map of loyalty: customers by how often they are expected to buy and by what they are worth.

Points near each other are drawn as one, so that a map of a million customers is as small as one of a
hundred, and shows nobody alone who has neighbours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from crmcore.value.loyalty import LoyaltyBorders, LoyaltyGroup, group_of

FloatArray = NDArray[np.float64]

_STEPS = 26  # Of the map in each direction.


@dataclass(frozen=True)
class Point:
    """Customers of one group who lie close together: how many, and their means."""

    group: LoyaltyGroup
    customers: int
    purchases: float
    value: float


# Of some customers, shape (n,): the sums between which their value lies in 19 cases of 20, currency.
Between = Callable[[NDArray[np.bool_]], tuple[float, float]]


@dataclass(frozen=True)
class GroupTotal:
    """``low`` and ``high`` hold the total in 19 cases of 20; None where nobody knows."""

    group: LoyaltyGroup
    customers: int
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class LoyaltyMap:
    """``bend_purchases`` and ``bend_value``: up to there the map is even, beyond it grows by ratios, because
    a few customers buy and bring a hundred times as much as most."""

    borders: LoyaltyBorders
    bend_purchases: float
    bend_value: float
    points: tuple[Point, ...]
    groups: tuple[GroupTotal, ...]


def map_loyalty(
    purchases: FloatArray, value: FloatArray, borders: LoyaltyBorders, between: Between | None = None
) -> LoyaltyMap:
    """purchases : expected over the horizon; value : clv, currency; both shape (n,), n > 0."""
    names = get_args(LoyaltyGroup)
    group = np.array(
        [
            names.index(group_of(v, x, borders))
            for v, x in zip(value.tolist(), purchases.tolist(), strict=True)
        ]
    )
    bends = _bend(purchases, borders.purchases), _bend(value, borders.clv)
    cell = np.stack(
        [group, *(_step(of, bend) for of, bend in zip((purchases, value), bends, strict=True))], 1
    )
    _, place = np.unique(cell, axis=0, return_inverse=True)
    place = place.ravel()
    size = np.bincount(place)
    x, y = (np.bincount(place, weights=of) / size for of in (purchases, value))
    kind = np.zeros(len(size), dtype=np.int64)
    kind[place] = group
    rows = zip(kind.tolist(), size.tolist(), x.tolist(), y.tolist(), strict=True)
    points = tuple(Point(names[k], n, bought, worth) for k, n, bought, worth in rows)
    totals = tuple(_total(name, value, group == k, between) for k, name in enumerate(names))
    return LoyaltyMap(borders, *bends, points, totals)


def _total(
    name: LoyaltyGroup, value: FloatArray, of_group: NDArray[np.bool_], between: Between | None
) -> GroupTotal:
    low, high = (None, None) if between is None else between(of_group)
    return GroupTotal(name, int(of_group.sum()), float(value[of_group].sum()), low, high)


def _bend(of: FloatArray, middle: float) -> float:
    """The firm's middle; where that is 0, the mean distance from it; where all are 0, one."""
    return middle or float(np.abs(of).mean()) or 1.0


def _step(of: FloatArray, bend: float) -> NDArray[np.int64]:
    bent = np.sign(of) * np.log1p(np.abs(of) / bend)
    width = float(np.ptp(bent)) / _STEPS or 1.0
    steps: NDArray[np.int64] = np.floor((bent - bent.min()) / width).astype(np.int64)
    return steps
