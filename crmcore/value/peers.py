"""What the best comparable customers bring: the benchmark of what a customer could be worth.

Comparable are customers whom the firm has known about as long and whose purchases are about as large. Of each
such group the value at the ninth decile is what "the best of his kind" bring. It is an estimate from others,
so it is shown as one and ranks nobody: else the poorest would be the most growable.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import batched
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crmcore.value.summary import PurchaseSummary

FloatArray = NDArray[np.float64]

BEST = 0.9
MIN_GROUP = 30
_GROUPS = 3  # By time known, and by size of a purchase.


@dataclass(frozen=True)
class Peers:
    """known_days, purchase_size : inner borders of the groups, shape (groups - 1,); days and currency.

    best : value of the best of each group, currency, by time known and then by size; nan where a group is too
    small to say.
    """

    known_days: tuple[float, ...]
    purchase_size: tuple[float, ...]
    best: tuple[tuple[float, ...], ...]

    def gap(self, summary: PurchaseSummary, clv: FloatArray) -> FloatArray:
        """How much more the best comparable customers bring, currency; (n,), >= 0, nan where unknown."""
        by_time = _group(summary.T, self.known_days)
        by_size = _group(purchase_size(summary), self.purchase_size)
        best = np.array(self.best)[by_time, by_size]
        return np.maximum(best - clv, 0.0)

    def to_json(self) -> dict[str, Any]:
        best = [[None if np.isnan(value) else value for value in row] for row in self.best]
        return {
            "known_days": list(self.known_days),
            "purchase_size": list(self.purchase_size),
            "best": best,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Peers:
        best = tuple(tuple(np.nan if value is None else value for value in row) for row in stored["best"])
        return cls(tuple(stored["known_days"]), tuple(stored["purchase_size"]), best)


def find_peers(T: FloatArray, size: FloatArray, clv: FloatArray) -> Peers:
    """The groups of a firm, and what the best of each bring. size : of :func:`purchase_size`; each (n,)."""
    inner = np.arange(1, _GROUPS) / _GROUPS
    known = tuple(float(v) for v in np.quantile(T, inner))
    sizes = tuple(float(v) for v in np.quantile(size, inner))
    group = _GROUPS * _group(T, known) + _group(size, sizes)
    # Sorted once, which takes a third of the time of looking for the members of each group.
    ends = np.cumsum(np.bincount(group, minlength=_GROUPS**2))
    of_groups = np.split(clv[np.argsort(group, kind="stable")], ends[:-1])
    best = [float(np.quantile(m, BEST)) if len(m) >= MIN_GROUP else math.nan for m in of_groups]
    return Peers(known, sizes, tuple(batched(best, _GROUPS)))


def _group(figure: FloatArray, borders: tuple[float, ...]) -> NDArray[np.uint8]:
    """How many of the borders each figure reaches; (n,)."""
    reached = np.zeros(len(figure), dtype=np.uint8)
    for border in borders:
        reached += figure >= border
    return reached


def purchase_size(summary: PurchaseSummary) -> FloatArray:
    """Mean spend on a purchase day, the first one too; (n,), currency."""
    result: FloatArray = summary.spent / (summary.frequency + 1)
    return result
