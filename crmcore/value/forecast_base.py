"""The closed forms on one clock: what every forecast begins with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crmcore.value.bgnbd import BGNBD
from crmcore.value.gamma_gamma import GammaGamma
from crmcore.value.operational_time import OperationalTime
from crmcore.value.pareto_cnbd import ParetoCNBD
from crmcore.value.pareto_nbd import ParetoNBD
from crmcore.value.summary import PurchaseSummary
from crmcore.value.usual_spend import mean_spend

FloatArray = NDArray[np.float64]

PurchaseBase = BGNBD | ParetoNBD | ParetoCNBD
BASES: dict[str, type[PurchaseBase]] = {
    BGNBD.NAME: BGNBD,
    ParetoNBD.NAME: ParetoNBD,
    ParetoCNBD.NAME: ParetoCNBD,
}
_LEAST = 1e-9


@dataclass(frozen=True)
class Foreseen:
    """Expected purchases and spend of each customer in the horizon; shape (n,), in the log's order."""

    purchases: FloatArray
    spend: FloatArray


@dataclass(frozen=True)
class Scale:
    """What is usual in a shop on a day, so that features of different days compare: the median age in
    operational days, and the mean spend of a purchase in currency."""

    age: float
    spend: float

    @classmethod
    def of(cls, summary: PurchaseSummary) -> Scale:
        return cls(float(np.median(summary.T)) + 1.0, mean_spend(summary))


@dataclass(frozen=True)
class Base:
    """The closed forms on one clock, fitted to the log until ``until``.

    window : days that a recalibration looks back.
    """

    until: int
    window: int
    time: OperationalTime
    purchases: PurchaseBase
    spend: GammaGamma
    scale: Scale

    def foresee(self, summary: PurchaseSummary, horizon: int, until: int) -> Foreseen:
        """summary : on the clock of ``time``, as known at the end of ``until``; horizon : days after it."""
        ahead = self.time.between(until, until + horizon)
        purchases = np.maximum(self.purchases.expected_purchases(summary, ahead), _LEAST)
        return Foreseen(purchases, purchases * np.maximum(self.spend.expected_spend(summary), _LEAST))
