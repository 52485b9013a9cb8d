"""Forecasts of what each customer buys in the next days, with season, level and habits learnt from the log.

The closed-form forecast (BG/NBD times Gamma-Gamma) gets up to three layers, each of which the shop's own
past may accept or refuse:

* *operational time* (``season``): the same models on a clock that follows the shop's season;
* *recalibration* (``recalibration``): one factor a customer, learnt on earlier days of the same log;
* *level*: how far the forecasts of the last windows missed the total, as far as all their halves agree.

All variants are tried on windows inside the observation (rolling origins), each fitted to nothing but what
was known on its origin. The loss is a deviance, of counts (Poisson) and of money (Tweedie), which is small
only when ranking and amount are both right. Of those whose loss is within one standard error of the best,
the one with the fewest layers forecasts the future (Breiman et al. 1984, section 3.4.3): so chance gives no
layer to a shop whose customers the closed forms describe.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crmcore.value.accuracy import relative_losses
from crmcore.value.bgnbd import BGNBD
from crmcore.value.gamma_gamma import GammaGamma
from crmcore.value.purchase_log import PurchaseLog
from crmcore.value.recalibration import Recalibration, fit_recalibration
from crmcore.value.season import OperationalTime, fit_operational_time
from crmcore.value.summary import InvalidHistory, PurchaseSummary

FloatArray = NDArray[np.float64]

SAMPLE = 20_000  # Customers that layers and choice are learnt from; all are forecast.
LEAST_REPEAT_BUYERS = 20
ENOUGH_TO_CHOOSE = 200  # Repeat buyers; of fewer, chance would choose among the variants.
_MOST_ORIGINS = 5
_YOUNGEST = 45  # Days of log before the first origin.
_LEAST_Q = 1.05  # Below, the mean spend of the population hangs on its few largest spenders.
_CLOCK_GOES_ON = 62  # Days.
_UNSTEADY = 3.0  # So much weighs what differs between the last half-windows against what they share.
_PURCHASE_FEATURES = (
    "log_forecast", "one_time", "log_repeats", "log_since", "log_age", "log_recent_half", "log_recent",
    "p_alive", "long_overdue",
)  # fmt: skip
_SPEND_FEATURES = (*_PURCHASE_FEATURES, "log_own_mean", "log_expected_spend", "log_own_mean_one_time")


@dataclass(frozen=True)
class Variant:
    """Which layers stand on the closed forms."""

    season: bool = False
    recalibration: bool = False
    level: bool = False

    @property
    def layers(self) -> int:
        return self.season + self.recalibration + self.level

    def __str__(self) -> str:
        layers = [name for name, used in vars(self).items() if used]
        return " + ".join(["closed form", *layers])


@dataclass(frozen=True)
class Trial:
    """How a variant did on the windows inside the observation: its mean loss there, 1 for a constant.

    behind : how far its loss is above the smallest one, and the standard error of that difference.
    """

    variant: Variant
    loss: float
    losses: tuple[float, ...]
    behind: tuple[float, float]


@dataclass(frozen=True)
class Base:
    """The closed forms on one clock, fitted to the log until ``until``.

    ``age_scale`` (days) and ``usual_spend`` (currency) put the features of this day on a common scale.
    """

    until: int
    window: int
    time: OperationalTime
    purchases: BGNBD
    spend: GammaGamma
    age_scale: float
    usual_spend: float


@dataclass(frozen=True)
class Foreseen:
    """Expected purchases and spend of each customer in the horizon; shape (n,), in the log's order."""

    purchases: FloatArray
    spend: FloatArray


@dataclass(frozen=True)
class Forecaster:
    """A fitted forecast: what :meth:`predict` needs of the past, with the trials that chose it."""

    variant: Variant
    base: Base
    horizon: int
    purchase_recalibration: Recalibration | None
    spend_recalibration: Recalibration | None
    purchase_level: float
    spend_level: float
    trials: tuple[Trial, ...]

    def predict(self, log: PurchaseLog, until: int | None = None) -> Foreseen:
        """For the customers of ``log`` as known at the end of ``until`` (the day of fitting, unless given),
        any number of them, each from his own purchases alone."""
        until = self.base.until if until is None else until
        summary = self.base.time.summary(log, until)
        closed = _closed_form(summary, self.base, self.horizon, until)
        purchases, spend = closed.purchases * self.purchase_level, closed.spend * self.spend_level
        if self.purchase_recalibration is not None and self.spend_recalibration is not None:
            features = _features(log, summary, self.base, closed, until)
            purchases *= self.purchase_recalibration.factor(features[:, : len(_PURCHASE_FEATURES)])
            spend *= self.spend_recalibration.factor(features)
        return Foreseen(purchases, spend)

    def to_parameters(self) -> dict[str, Any]:
        """As JSON that loses no bit of any figure."""
        base = self.base
        return {
            "variant": asdict(self.variant),
            "trials": [asdict(trial) for trial in self.trials],
            "base": {
                "until": base.until,
                "window": base.window,
                "time": base.time.to_parameters(),
                "purchases": json.loads(base.purchases.to_json()),
                "spend": json.loads(base.spend.to_json()),
                "age_scale": base.age_scale,
                "usual_spend": base.usual_spend,
            },
            "horizon": self.horizon,
            "purchase_recalibration": self.purchase_recalibration and asdict(self.purchase_recalibration),
            "spend_recalibration": self.spend_recalibration and asdict(self.spend_recalibration),
            "purchase_level": self.purchase_level,
            "spend_level": self.spend_level,
        }

    @classmethod
    def from_parameters(cls, stored: Mapping[str, Any]) -> Forecaster:
        """What :meth:`to_parameters` wrote; raises InvalidParameters for models of another version."""
        base = stored["base"]
        return cls(
            **{
                **stored,
                "variant": Variant(**stored["variant"]),
                "trials": tuple(
                    Trial(Variant(**t["variant"]), t["loss"], tuple(t["losses"]), tuple(t["behind"]))
                    for t in stored["trials"]
                ),
                "base": Base(
                    **{
                        **base,
                        "time": OperationalTime.from_parameters(base["time"]),
                        "purchases": BGNBD.from_json(json.dumps(base["purchases"])),
                        "spend": GammaGamma.from_json(json.dumps(base["spend"])),
                    }
                ),
                "purchase_recalibration": Recalibration.from_parameters(stored["purchase_recalibration"]),
                "spend_recalibration": Recalibration.from_parameters(stored["spend_recalibration"]),
            }
        )


def fit_forecaster(log: PurchaseLog, until: int, horizon: int) -> Forecaster:
    """Choose among the variants by rolling origins inside the log until ``until``, and fit the chosen one.

    horizon : whole days after ``until``. Fewer than 200 repeat buyers get the closed form, without trials.
    Raises :class:`InvalidHistory` when fewer than 20 customers bought again: then past means are all that can
    be said.
    """
    known = log.until(until).some(SAMPLE)
    bench = _Bench(known)
    repeat_buyers = int((known.summary(until).frequency > 0).sum())
    if repeat_buyers < LEAST_REPEAT_BUYERS:
        raise InvalidHistory(
            f"only {repeat_buyers} customers bought again until day {until}; a forecast needs "
            f"{LEAST_REPEAT_BUYERS}"
        )
    trials = bench.trials(until, horizon) if repeat_buyers >= ENOUGH_TO_CHOOSE else ()
    close = [trial for trial in trials if trial.behind[0] <= trial.behind[1]]
    chosen = min(close, key=lambda trial: (trial.variant.layers, trial.loss)).variant if close else Variant()
    return replace(bench.fit(chosen, until, horizon), trials=trials)


def fit_variant(variant: Variant, log: PurchaseLog, until: int, horizon: int) -> Forecaster:
    """One variant, whatever its past."""
    return _Bench(log.until(until).some(SAMPLE)).fit(variant, until, horizon)


VARIANTS = tuple(Variant(*layers) for layers in product((False, True), repeat=3))


class _Bench:
    """Fits variants on days of one log; every fit of the closed forms is made once."""

    def __init__(self, log: PurchaseLog) -> None:
        self._log = log
        self._first = int(log.first_day.min())
        self._known: dict[int, PurchaseLog] = {}
        self._bases: dict[tuple[int, int, int, bool], _Fitted] = {}

    def trials(self, until: int, horizon: int) -> tuple[Trial, ...]:
        """Every variant on the last two whole windows, the best first; none when the log is too short."""
        window, origins = self._origins(until, horizon)
        judged = [origin for origin in origins if origin <= until - window][-2:]
        found: list[tuple[Variant, list[FloatArray]]] = []
        for variant in VARIANTS if judged else ():
            losses = []
            for origin in judged:
                if (variant.recalibration or variant.level) and not self._origins(origin, window)[1]:
                    break
                forecast = self.fit(variant, origin, window).predict(self._at(origin))
                actual = self._actual(origin, window)
                losses.append(relative_losses(*actual, forecast.purchases, forecast.spend))
            if len(losses) == len(judged):
                found.append((variant, losses))
        found.sort(key=lambda one: np.mean([of.mean() for of in one[1]]))
        return tuple(_trial(variant, losses, found[0][1]) for variant, losses in found)

    def fit(self, variant: Variant, until: int, horizon: int) -> Forecaster:
        window, origins = self._origins(until, horizon)
        seen = self._base(until, horizon, window, variant.season)
        fitted = Forecaster(variant, seen.base, horizon, None, None, 1.0, 1.0, ())
        if not origins:
            return fitted
        past = [self._past(origin, window, variant.season) for origin in origins]
        if variant.recalibration:
            fitted = _recalibrated(fitted, past, seen)
        if variant.level:
            recent = [p for origin, p in zip(origins, past, strict=True) if origin <= until - window][-2:]
            fitted = replace(
                fitted,
                purchase_level=_carried(np.array([p.halves[:, 0] for p in recent])),
                spend_level=_carried(np.array([p.halves[:, 1] for p in recent])),
            )
        return fitted

    def _past(self, origin: int, window: int, season: bool) -> _Past:
        seen = self._base(origin, window, window, season)
        halves = []
        for after, until in ((origin, origin + window // 2), (origin + window // 2, origin + window)):
            share = seen.base.time.between(after, until) / seen.base.time.between(origin, origin + window)
            came = self._actual(after, until - after, origin)
            foreseen = (seen.closed.purchases.sum(), seen.closed.spend.sum())
            halves.append([a.sum() / max(f * share, 1e-9) for a, f in zip(came, foreseen, strict=True)])
        return _Past(seen.features, seen.closed, *self._actual(origin, window), np.array(halves))

    def _base(self, until: int, horizon: int, window: int, season: bool) -> _Fitted:
        key = (until, horizon, window, season)
        if key not in self._bases:
            log = self._at(until)
            base = _fit_base(log, until, horizon, window, season)
            summary = base.time.summary(log, until)
            closed = _closed_form(summary, base, horizon, until)
            self._bases[key] = _Fitted(base, closed, _features(log, summary, base, closed, until))
        return self._bases[key]

    def _at(self, day: int) -> PurchaseLog:
        if day not in self._known:
            self._known[day] = self._log.until(day)
        return self._known[day]

    def _actual(self, origin: int, window: int, known_on: int | None = None) -> tuple[FloatArray, FloatArray]:
        """What the customers known on ``known_on`` (the origin, unless given) did in the window after it."""
        known = self._log.first_day <= (origin if known_on is None else known_on)
        purchases, spend = self._log.window(origin, origin + window)
        return purchases[known], spend[known]

    def _origins(self, until: int, horizon: int) -> tuple[int, list[int]]:
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


@dataclass(frozen=True)
class _Fitted:
    """The closed forms of one day, and what they say of the customers known by then."""

    base: Base
    closed: Foreseen
    features: FloatArray


@dataclass(frozen=True)
class _Past:
    """An origin inside the observation: the forecast of then and what came."""

    features: FloatArray
    closed: Foreseen
    purchases: FloatArray
    spend: FloatArray
    halves: FloatArray  # What came over what was foreseen in each half; shape (2, 2), purchases and spend.

    @property
    def purchase_miss(self) -> float:
        return float(self.purchases.sum() / self.closed.purchases.sum())

    @property
    def spend_miss(self) -> float:
        return float(self.spend.sum() / max(self.closed.spend.sum(), 1e-9))


def _trial(variant: Variant, losses: list[FloatArray], best: list[FloatArray]) -> Trial:
    means = tuple(float(of.mean()) for of in losses)
    gaps = [mine - its for mine, its in zip(losses, best, strict=True)]
    error = np.sqrt(sum(gap.var() / len(gap) for gap in gaps)) / len(gaps)
    gap = np.mean([gap.mean() for gap in gaps])
    return Trial(variant, float(np.mean(means)), means, (float(gap), float(error)))


def _recalibrated(fitted: Forecaster, past: list[_Past], today: _Fitted) -> Forecaster:
    features = np.concatenate([p.features for p in past])
    k = len(_PURCHASE_FEATURES)
    bought = np.concatenate([p.purchases for p in past])
    expected = np.concatenate([p.closed.purchases * max(p.purchase_miss, 0.02) for p in past])
    of_purchases = fit_recalibration(_PURCHASE_FEATURES, features[:, :k], bought, expected)
    spent = np.concatenate([p.spend for p in past])
    typical = max(float(spent.sum()) / max(float(bought.sum()), 1.0), 1e-9)
    expected = np.concatenate([p.closed.spend * max(p.spend_miss, 0.02) for p in past])
    of_spend = fit_recalibration(_SPEND_FEATURES, features, spent / typical, expected / typical)

    return replace(
        fitted,
        purchase_recalibration=_normalised(of_purchases, today.features[:, :k], today.closed.purchases),
        spend_recalibration=_normalised(of_spend, today.features, today.closed.spend),
    )


def _fit_base(log: PurchaseLog, until: int, horizon: int, window: int, season: bool) -> Base:
    # A customer is valued again after an order until the next scoring; so the clock goes on for a while.
    first, last = int(log.first_day.min()), until + horizon + _CLOCK_GOES_ON
    time = fit_operational_time(log, until, last) if season else OperationalTime.calendar(first, last)
    summary = time.summary(log, until)
    return Base(
        until=until,
        window=window,
        time=time,
        purchases=BGNBD().fit(summary),
        spend=_fit_spend(summary),
        age_scale=float(np.median(summary.T)) + 1.0,
        usual_spend=max(float(summary.spent.sum() / (summary.frequency + 1).sum()), 1e-9),
    )


def _fit_spend(summary: PurchaseSummary) -> GammaGamma:
    """Gamma-Gamma, or the usual spend for everybody where its mean would be infinite or nothing was spent."""
    if ((summary.frequency > 0) & (np.nan_to_num(summary.monetary_value) > 0)).sum() > 1:
        fitted = GammaGamma().fit(summary)
        if fitted.params_.q > _LEAST_Q:
            return fitted
    usual = max(float(summary.spent.sum() / (summary.frequency + 1).sum()), 1e-9)
    # Each one's own mean with the weight of his purchases, against two of the usual.
    return GammaGamma.of(p=1.0, q=3.0, v=2.0 * usual)


def _closed_form(summary: PurchaseSummary, base: Base, horizon: int, until: int) -> Foreseen:
    """summary : of the customers at the end of ``until``, on the clock of ``base``."""
    ahead = base.time.between(until, until + horizon)
    purchases = np.maximum(base.purchases.expected_purchases(summary, ahead), 1e-9)
    return Foreseen(purchases, purchases * np.maximum(base.spend.expected_spend(summary), 1e-9))


def _features(
    log: PurchaseLog, summary: PurchaseSummary, base: Base, closed: Foreseen, until: int
) -> FloatArray:
    """Shape (n, k) in the order of ``_SPEND_FEATURES``; each row from its own customer's purchases alone."""
    recent_half, _ = log.window(until - base.window // 2, until)
    recent, _ = log.window(until - base.window, until)
    one_time = (summary.frequency == 0).astype(np.float64)
    each = closed.spend / closed.purchases
    own = summary.spent / (summary.frequency + 1)
    pause = (summary.recency + 0.1 * base.age_scale) / (summary.frequency + 0.1)
    overdue = np.log((summary.days_since_last_purchase + 0.1 * pause) / pause)
    own_mean = np.log((own + 0.01 * base.usual_spend) / each)
    return np.column_stack(
        [
            np.log(closed.purchases),
            one_time,
            np.log1p(summary.frequency),
            np.log1p(10 * summary.days_since_last_purchase / base.age_scale),
            np.log1p(10 * summary.T / base.age_scale),
            np.log1p(recent_half),
            np.log1p(recent),
            base.purchases.p_alive(summary),
            np.maximum(overdue - np.log(2.0), 0.0),
            own_mean,
            np.log(each),
            one_time * own_mean,
        ]
    )


def _normalised(layer: Recalibration, features: FloatArray, forecast: FloatArray) -> Recalibration:
    corrected = float((layer.factor(features) * forecast).sum())
    return replace(layer, normaliser=float(forecast.sum()) / corrected)


def _carried(misses: FloatArray) -> float:
    """What goes on of the misses (what came over what was foreseen, by window and half).

    A shop that grows or fades misses alike in every half; a season misses now above and now below, and that
    says nothing of the next one. So the mean is shrunk by how much they differ.
    """
    if not misses.size:
        return 1.0
    logs = np.log(np.clip(misses, 0.1, 10.0))
    common = float(logs.mean()) ** 2
    share = common / max(common + _UNSTEADY * float(logs.var()), 1e-12)
    return float(np.exp(share * logs.mean()))
