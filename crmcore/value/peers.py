"""What the best comparable customers bring: the benchmark of what a customer could be worth.

Comparable are customers whom the firm has known about as long and whose purchases are about as large. Of each
such group the value at the ninth decile is what "the best of his kind" bring. It is an estimate from others,
so it is shown as one and ranks nobody: else the poorest would be the most growable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
        by_time, by_size = self._groups(summary.T, purchase_size(summary))
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

    def _groups(self, T: FloatArray, size: FloatArray) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        by_time = np.searchsorted(np.array(self.known_days), T, side="right")
        return by_time, np.searchsorted(np.array(self.purchase_size), size, side="right")


def find_peers(T: FloatArray, size: FloatArray, clv: FloatArray) -> Peers:
    """The groups of a firm, and what the best of each bring. size : of :func:`purchase_size`; each (n,)."""
    inner = np.arange(1, _GROUPS) / _GROUPS
    known = tuple(float(v) for v in np.quantile(T, inner))
    sizes = tuple(float(v) for v in np.quantile(size, inner))
    nothing = tuple((float("nan"),) * _GROUPS for _ in range(_GROUPS))
    by_time, by_size = Peers(known, sizes, nothing)._groups(T, size)
    best = []
    for i in range(_GROUPS):
        members = [clv[(by_time == i) & (by_size == j)] for j in range(_GROUPS)]
        best.append(
            tuple(float(np.quantile(m, BEST)) if len(m) >= MIN_GROUP else float("nan") for m in members)
        )
    return Peers(known, sizes, tuple(best))


def purchase_size(summary: PurchaseSummary) -> FloatArray:
    """Mean spend on a purchase day, the first one too; (n,), currency."""
    result: FloatArray = summary.spent / (summary.frequency + 1)
    return result
