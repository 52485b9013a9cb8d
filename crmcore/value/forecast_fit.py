"""Fitting one variant of the forecast to the log as it was known on a day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from crmcore.value.bgnbd import BGNBD
from crmcore.value.forecast_base import OF_TRIPS, Base, Foreseen, PurchaseBase, Scale
from crmcore.value.forecast_features import FEATURES, Kind, features_of
from crmcore.value.forecasting import Forecaster, Variant
from crmcore.value.gamma_gamma import GammaGamma
from crmcore.value.operational_time import OperationalTime, fit_operational_time, usual_at_random
from crmcore.value.pareto_cnbd import ParetoCNBD
from crmcore.value.pareto_nbd import ParetoNBD
from crmcore.value.purchase_log import PurchaseLog
from crmcore.value.recalibration import Recalibration, fit_recalibration
from crmcore.value.rhythm import Pauses, usual_in_rhythm
from crmcore.value.summary import PurchaseSummary
from crmcore.value.usual_spend import usual_spend

FloatArray = NDArray[np.float64]

SAMPLE = 20_000  # Customers that layers and choice are learnt from; all are forecast.
_DEAR = 4_000  # Of them, those that models with an integral a customer are fitted to.
_MOST_ORIGINS = 5
_YOUNGEST = 45  # Days of log before the first origin.
_LEAST_Q = 1.05  # Below, the mean spend of the population hangs on its few largest spenders.
_CLOCK_GOES_ON = 62  # Days.
_LEAST_MISS = 0.02


def fit_variant(variant: Variant, log: PurchaseLog, until: int, horizon: int) -> Forecaster:
    """One variant, whatever its past; learnt from ``log`` until ``until``, for ``horizon`` days after it."""
    return Workshop(log.until(until).some(SAMPLE)).fit(variant, until, horizon)


class Workshop:
    """Fits variants on days of one log; every fit of a clock and of the closed forms is made once."""

    def __init__(self, log: PurchaseLog) -> None:
        self._log = log
        self._first = int(log.first_day.min())
        self._known: dict[int, PurchaseLog] = {}
        self._clocks: dict[tuple[int, int, Pauses], OperationalTime] = {}
        self._bases: dict[tuple[int, int, int, Variant, Pauses], _Fitted] = {}

    def fit(self, variant: Variant, until: int, horizon: int) -> Forecaster:
        window, origins = self.origins(until, horizon)
        pauses = self._pauses(variant, until)
        today = self._base(until, horizon, window, variant, pauses)
        fitted = Forecaster(variant, today.base, horizon)
        if variant.recalibration is None or not origins:
            return fitted
        past = [self._past(origin, window, variant, pauses) for origin in origins]
        return _recalibrated(fitted, variant.recalibration, past, today)

    def origins(self, until: int, horizon: int) -> tuple[int, list[int]]:
        """The length of the windows and the days they begin after, the latest last.

        The windows are as long as the horizon where the log is twice as long, else a third of the log.
        One begins a year before ``until``, if the log reaches so far: it has the season of the future.
        """
        span = until - self._first
        window = horizon if span >= 2 * horizon + 30 else max(span // 3, 14)
        youngest = self._first + max(window // 2, _YOUNGEST)
        rolling = range(until - window, youngest - 1, -max(window // 2, 14))
        origins = set(list(rolling)[:_MOST_ORIGINS])
        a_year_before = until - 365
        if a_year_before >= self._first + 60 and window <= 365:
            origins.add(a_year_before)
        return window, sorted(origins)

    def suggested(self, until: int) -> Variant:
        """The base that the pauses of customers suggest: in a rhythm, in clumps or at random."""
        found = Pauses.of(self.known_on(until))
        if found.steps > 1:
            return Variant("pareto-cnbd")
        return Variant("pareto-trips" if found.trip_days else "pareto-nbd")

    def known_on(self, day: int) -> PurchaseLog:
        if day not in self._known:
            self._known[day] = self._log.until(day)
        return self._known[day]

    def actual(self, origin: int, window: int) -> tuple[FloatArray, FloatArray]:
        """Purchases and spend of the customers known on ``origin`` in the window after it."""
        known = self._log.first_day <= origin
        purchases, spend = self._log.window(origin, origin + window)
        return purchases[known], spend[known]

    def _past(self, origin: int, window: int, variant: Variant, pauses: Pauses) -> _Past:
        return _Past(self._base(origin, window, window, variant, pauses), *self.actual(origin, window))

    def _pauses(self, variant: Variant, until: int) -> Pauses:
        """What the base needs of them. Also earlier days are judged by the pauses known on ``until``: on a
        young day there are few, and a correction of another base would be learnt."""
        if variant.base not in (ParetoCNBD.NAME, OF_TRIPS):
            return Pauses()
        found = Pauses.of(self.known_on(until))
        rhythm = variant.base == ParetoCNBD.NAME
        return Pauses(steps=found.steps) if rhythm else Pauses(trip_days=found.trip_days)

    def _base(self, until: int, horizon: int, window: int, variant: Variant, pauses: Pauses) -> _Fitted:
        key = (until, horizon, window, replace(variant, recalibration=None), pauses)
        if key not in self._bases:
            log = self.known_on(until)
            time = self._clock(until, horizon, variant.pace, pauses)
            base = _fit_base(log, time, until, window, variant, pauses)
            summary = base.summary(log, until)
            closed = base.foresee(log, summary, horizon, until)
            self._bases[key] = _Fitted(log, summary, base, closed)
        return self._bases[key]

    def _clock(self, until: int, horizon: int, pace: bool, pauses: Pauses) -> OperationalTime:
        # A customer is valued again after an order until the next scoring; so the clock goes on for a while.
        last = until + horizon + _CLOCK_GOES_ON
        if not pace:
            return OperationalTime.calendar(self._first, last)
        key = (until, last, pauses)
        if key not in self._clocks:
            trips = self.known_on(until).trips(pauses.trip_days)
            in_rhythm = partial(usual_in_rhythm, k=pauses.steps)
            usual = usual_at_random if pauses.steps == 1 else in_rhythm
            self._clocks[key] = fit_operational_time(trips, until, last, usual)
        return self._clocks[key]


@dataclass(frozen=True)
class _Fitted:
    """The closed forms of one day, and what they say of the customers known by then."""

    log: PurchaseLog
    summary: PurchaseSummary
    base: Base
    closed: Foreseen

    def features(self, names: tuple[str, ...]) -> FloatArray:
        return features_of(names, self.log, self.summary, self.base, self.closed, self.base.until)


@dataclass(frozen=True)
class _Past:
    """An origin inside the observation: what was known then, and what came."""

    then: _Fitted
    purchases: FloatArray
    spend: FloatArray

    @property
    def level(self) -> tuple[FloatArray, FloatArray]:
        """The forecast of then, right in total: who buys more or less than others is the question here."""
        closed = self.then.closed
        of_purchases = float(self.purchases.sum() / closed.purchases.sum())
        of_spend = float(self.spend.sum() / max(closed.spend.sum(), 1e-9))
        return closed.purchases * max(of_purchases, _LEAST_MISS), closed.spend * max(of_spend, _LEAST_MISS)


def _fit_base(
    log: PurchaseLog, time: OperationalTime, until: int, window: int, variant: Variant, pauses: Pauses
) -> Base:
    trips = log.trips(pauses.trip_days)
    summary = time.summary(trips, until)
    purchases: PurchaseBase
    if variant.base == BGNBD.NAME:
        purchases = BGNBD().fit(summary)
    elif variant.base == ParetoCNBD.NAME:
        purchases = ParetoCNBD().fit(summary.some(_DEAR), pauses.steps)
    else:
        purchases = ParetoNBD().fit(summary.some(_DEAR))
    per_trip = len(log.day) / len(trips.day)
    spend, scale = _fit_spend(summary), Scale.of(summary)
    return Base(until, window, time, purchases, spend, scale, pauses.trip_days, per_trip)


def _fit_spend(summary: PurchaseSummary) -> GammaGamma:
    """Gamma-Gamma, or the usual spend for everybody where its mean would be infinite or nothing was spent."""
    if ((summary.frequency > 0) & (np.nan_to_num(summary.monetary_value) > 0)).sum() > 1:
        fitted = GammaGamma().fit(summary)
        if fitted.params_.q > _LEAST_Q:
            return fitted
    return usual_spend(summary)


def _recalibrated(fitted: Forecaster, kind: Kind, past: list[_Past], today: _Fitted) -> Forecaster:
    of_purchases, of_spend = FEATURES[kind]
    features = np.concatenate([p.then.features(of_spend) for p in past])
    bought, spent = (np.concatenate([getattr(p, what) for p in past]) for what in ("purchases", "spend"))
    levels = [np.concatenate(columns) for columns in zip(*(p.level for p in past), strict=True)]
    typical = max(float(spent.sum()) / max(float(bought.sum()), 1.0), 1e-9)
    k = len(of_purchases)
    purchases = fit_recalibration(of_purchases, features[:, :k], bought, levels[0])
    spend = fit_recalibration(of_spend, features, spent / typical, levels[1] / typical)
    known = today.features(of_spend)
    return replace(
        fitted,
        purchase_recalibration=_normalised(purchases, known, today.closed.purchases),
        spend_recalibration=_normalised(spend, known, today.closed.spend),
    )


def _normalised(layer: Recalibration, features: FloatArray, forecast: FloatArray) -> Recalibration:
    corrected = float((layer.factor(features) * forecast).sum())
    return replace(layer, normaliser=float(forecast.sum()) / corrected)
