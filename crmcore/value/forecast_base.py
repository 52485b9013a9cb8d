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
from crmcore.value.purchase_log import PurchaseLog
from crmcore.value.summary import PurchaseSummary
from crmcore.value.usual_spend import mean_spend

FloatArray = NDArray[np.float64]

PurchaseBase = BGNBD | ParetoNBD | ParetoCNBD
OF_TRIPS = "pareto-trips"
BASES: dict[str, type[PurchaseBase]] = {
    BGNBD.NAME: BGNBD,
    ParetoNBD.NAME: ParetoNBD,
    ParetoCNBD.NAME: ParetoCNBD,
    OF_TRIPS: ParetoNBD,
}
_TRIPS_OF_DOUBT = 10.0  # Whose purchases are the shop's usual ones, beside a customer's own trips.
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

    window : days that a recalibration looks back. trip_days, per_trip : purchases so many days apart are of
    one trip, see :func:`~crmcore.value.rhythm.trip_days_of`, and how many a trip has on average; 0 and 1
    where each stands for itself. What the models call a purchase is a trip then.
    """

    until: int
    window: int
    time: OperationalTime
    purchases: PurchaseBase
    spend: GammaGamma
    scale: Scale
    trip_days: int = 0
    per_trip: float = 1.0

    def summary(self, log: PurchaseLog, until: int) -> PurchaseSummary:
        """Of the trips of ``log``, on the clock of ``time``."""
        return self.time.summary(log.trips(self.trip_days), until)

    def foresee(self, log: PurchaseLog, summary: PurchaseSummary, horizon: int, until: int) -> Foreseen:
        """summary : of ``log``, as known at the end of ``until``; horizon : days after it."""
        ahead = self.time.between(until, until + horizon)
        trips = np.maximum(self.purchases.expected_purchases(summary, ahead), _LEAST)
        spend = trips * np.maximum(self.spend.expected_spend(summary), _LEAST)
        if self.trip_days == 0:
            return Foreseen(trips, spend)
        bought = np.bincount(log.customer, minlength=len(log)) + _TRIPS_OF_DOUBT * self.per_trip
        return Foreseen(trips * bought / (summary.frequency + 1 + _TRIPS_OF_DOUBT), spend)
