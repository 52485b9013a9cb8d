"""What a forecast made on a past day would have been worth, beside the closed forms and the simple rules."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crmcore.value.accuracy import Accuracy, accuracy, gini, paired_interval, rmse
from crmcore.value.forecast_choice import fit_forecaster
from crmcore.value.forecast_fit import fit_variant
from crmcore.value.forecasting import Forecaster, Variant
from crmcore.value.purchase_log import PurchaseLog
from crmcore.value.rules import simple_rules

FloatArray = NDArray[np.float64]

_MOST_REPEATS = 7  # Frequencies above it are shown as one.
_SEED = 1  # The intervals of the same log are the same every time.


@dataclass(frozen=True)
class Contender:
    """One way to foresee; without ``is_forecast`` it only ranks, and its amounts mean nothing."""

    name: str
    purchases: FloatArray
    spend: FloatArray
    is_forecast: bool


@dataclass(frozen=True)
class Measured:
    """How a contender did; ``spend`` is None where nothing was spent."""

    name: str
    is_forecast: bool
    purchases: Accuracy
    spend: Accuracy | None


@dataclass(frozen=True)
class Difference:
    """The engine less the best of the others on one measure, with its 95 % interval over customers."""

    measure: str
    best_other: str
    difference: float
    low: float
    high: float


@dataclass(frozen=True)
class Cell:
    """Customers of one kind: how many, and purchases foreseen and made on average.

    error : standard error of ``actual`` over its customers, and never less than if they bought by chance
        alone (Poisson) at the foreseen mean: few who all did the same show no spread.
    """

    label: str
    customers: int
    foreseen: float
    actual: float
    error: float


@dataclass(frozen=True)
class Backtest:
    """Arrays have the order of ``customer_id`` and shape (n,)."""

    customer_id: tuple[Any, ...]
    frequency: FloatArray
    actual_purchases: FloatArray
    actual_spend: FloatArray
    forecaster: Forecaster
    contenders: tuple[Contender, ...]  # The engine first, the closed form second.
    measured: tuple[Measured, ...]
    differences: tuple[Difference, ...]
    by_decile: tuple[Cell, ...]
    by_frequency: tuple[Cell, ...]


def backtest(log: PurchaseLog, until: int, horizon: int) -> Backtest:
    """Fit on ``log`` until ``until``; compare with the ``horizon`` days after it, which the fit never sees.

    Raises :class:`~crmcore.value.summary.InvalidHistory` when too few customers bought again by then.
    """
    known = log.until(until)
    forecaster = fit_forecaster(log, until, horizon)
    engine = forecaster.predict(known)
    closed = fit_variant(Variant(), log, until, horizon).predict(known)
    contenders = (
        Contender("engine", engine.purchases, engine.spend, True),
        Contender("closed form", closed.purchases, closed.spend, True),
        *(
            Contender(rule.name, rule.purchases, rule.spend, rule.is_forecast)
            for rule in simple_rules(known, until, horizon)
        ),
    )
    there = log.first_day <= until
    purchases, spend = (column[there] for column in log.window(until, until + horizon))
    frequency = known.summary(until).frequency
    return Backtest(
        known.customer_id,
        frequency,
        purchases,
        spend,
        forecaster,
        contenders,
        tuple(
            Measured(
                c.name,
                c.is_forecast,
                accuracy(purchases, c.purchases),
                accuracy(spend, c.spend) if spend.any() else None,
            )
            for c in contenders
        ),
        tuple(_differences(contenders, purchases, spend)),
        tuple(_by_decile(engine.purchases, purchases)),
        tuple(_by_frequency(frequency, engine.purchases, purchases)),
    )


def _differences(
    contenders: tuple[Contender, ...], purchases: FloatArray, spend: FloatArray
) -> list[Difference]:
    """Ranking against all others, error per customer against those that are forecasts."""
    rng = np.random.default_rng(_SEED)
    engine, others = contenders[0], contenders[1:]
    found = []
    for what, actual in (("purchases", purchases), ("spend", spend)):
        if not actual.any():  # Of nothing no way finds a share.
            continue
        mine: FloatArray = getattr(engine, what)
        best = max(others, key=lambda c: gini(actual, getattr(c, what)))
        interval = paired_interval(gini, actual, mine, getattr(best, what), rng)
        found.append(Difference(f"gini of {what}", best.name, *interval))
        forecasts = [c for c in others if c.is_forecast]
        best = min(forecasts, key=lambda c: rmse(actual, getattr(c, what)))
        interval = paired_interval(rmse, actual, mine, getattr(best, what), rng)
        found.append(Difference(f"rmse of {what}", best.name, *interval))
    return found


def _by_decile(foreseen: FloatArray, actual: FloatArray) -> list[Cell]:
    """Tenths of the customers by what was foreseen of them, the least first."""
    parts = np.array_split(np.argsort(foreseen, kind="stable"), 10)
    return [_cell(str(number), part, foreseen, actual) for number, part in enumerate(parts, 1) if len(part)]


def _by_frequency(frequency: FloatArray, foreseen: FloatArray, actual: FloatArray) -> list[Cell]:
    capped = np.minimum(frequency, _MOST_REPEATS)
    return [
        _cell(f"{x:.0f}" + ("+" if x == _MOST_REPEATS else ""), np.flatnonzero(capped == x), foreseen, actual)
        for x in np.unique(capped)
    ]


def _cell(label: str, who: NDArray[np.intp], foreseen: FloatArray, actual: FloatArray) -> Cell:
    n, came, mean = len(who), actual[who], float(foreseen[who].mean())
    spread = float(came.var(ddof=1)) if n > 1 else 0.0
    return Cell(label, n, mean, float(came.mean()), math.sqrt(max(spread, mean) / n))
