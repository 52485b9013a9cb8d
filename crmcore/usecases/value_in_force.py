"""The values in force of all customers together, for the value report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from crmcore.money import exponent, from_minor
from crmcore.tiers import Tier
from crmcore.usecases.value_findings import Found, Missing, Parameter, parameters, with_advice
from crmcore.value.benchmarks import Benchmarks
from crmcore.value.concentration import check_concentration
from crmcore.value.engine import MODEL_VERSION
from crmcore.value.fitting import Diagnostic
from crmcore.value.forecasting import Variant
from crmcore.value.loyalty_map import Between, LoyaltyMap, map_loyalty
from crmcore.value.model import ValueModel
from crmcore.value.segments import segment_interval
from crmcore.value.snapshots import CurrentFigures, ValueRun
from crmcore.value.spread import Bar, Typical, bars, typical_by_tenth

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class TierTotal:
    """Money in currency; ``potential`` is what these customers have shown that they could add. In 19 cases of
    20 their value comes between ``low`` and ``high``, None in values of another version of the model."""

    tier: Tier
    customers: int
    value: Decimal
    low: float | None
    high: float | None
    potential: Decimal


@dataclass(frozen=True)
class Values:
    """The published values. Who ordered after ``as_of`` is valued until today: so many are ``refreshed``.
    ``newer`` says why a later scoring was not published. ``variant`` names the layers of the forecast, None
    in values of another version of the model."""

    as_of: date
    stale: bool
    horizon_days: int
    model_version: str
    variant: str | None
    currency: str
    customers: int
    refreshed: int
    newer: Missing | None
    total: Decimal
    low: float | None
    high: float | None
    median: float
    tiers: tuple[TierTotal, ...]
    loyalty: LoyaltyMap | Missing
    bars: tuple[Bar, ...]
    typical: tuple[Typical, ...] | Missing
    parameters: tuple[Parameter, ...]
    diagnostics: tuple[Found, ...]


def values_in_force(
    run: ValueRun, newest: ValueRun, figures: Sequence[CurrentFigures], stale_before: date
) -> Values:
    """``run`` is the one in force, ``newest`` the last one; values from before ``stale_before`` are stale."""
    units = 10.0 ** exponent(run.currency)
    clv = np.array([row.clv_minor for row in figures], dtype=np.float64) / units
    purchases = np.array([row.expected_purchases for row in figures])
    loyalty: LoyaltyMap | Missing = _ANOTHER_VERSION
    of_fits: tuple[Parameter, ...] = ()
    variant = None
    between: Between | None = None
    if run.model_version == MODEL_VERSION:
        model = ValueModel.from_parameters(run.parameters)
        of_fits = parameters(model.purchases, model.spend)
        variant = str(Variant() if model.forecaster is None else model.forecaster.variant)
        between = _between(figures, clv, model.parameter_error, units)
        borders = Benchmarks.from_json(run.parameters["benchmarks"]).loyalty
        loyalty = map_loyalty(purchases, clv, borders, between)
    tier = np.array([row.tier for row in figures])
    low, high = (None, None) if between is None else between(np.ones(len(figures), dtype=bool))
    sure = [
        (row.clv_minor, row.clv_low_minor, row.clv_high_minor)
        for row in figures
        if row.clv_low_minor is not None and row.clv_high_minor is not None
    ]
    return Values(
        as_of=run.observed_until,
        stale=run.observed_until < stale_before,
        horizon_days=run.horizon_days,
        model_version=run.model_version,
        variant=variant,
        currency=run.currency,
        customers=len(figures),
        refreshed=sum(row.revision > 0 for row in figures),
        newer=None if newest.published else not_published(newest),
        total=from_minor(sum(row.clv_minor for row in figures), run.currency),
        low=low,
        high=high,
        median=float(np.median(clv)),
        tiers=tuple(
            _tier_total(name, figures, run.currency, between and between(tier == name))
            for name in get_args(Tier)
        ),
        loyalty=loyalty,
        bars=bars(clv),
        typical=typical_by_tenth(*(np.array(sure, dtype=np.float64) / units).T) if sure else _ANOTHER_VERSION,
        parameters=of_fits,
        diagnostics=with_advice(
            [*(Diagnostic(**d) for d in run.diagnostics), *check_concentration(clv, "value")]
        ),
    )


_ANOTHER_VERSION = Missing(
    "The values in force were made by another version of the model, which did not know this.",
    "Value everybody again with `rapport score`.",
)


def _between(
    figures: Sequence[CurrentFigures], clv: FloatArray, parameter_error: float, units: float
) -> Between | None:
    """None where somebody's value was made before deviations were kept."""
    if any(row.clv_deviation_minor is None for row in figures):
        return None
    deviation = np.array([row.clv_deviation_minor for row in figures], dtype=np.float64) / units
    contribution = clv + np.array([row.cost_to_serve_minor for row in figures], dtype=np.float64) / units

    def between(some: NDArray[np.bool_]) -> tuple[float, float]:
        return segment_interval(clv[some], deviation[some], contribution[some], parameter_error)

    return between


def _tier_total(
    tier: Tier, figures: Sequence[CurrentFigures], currency: str, between: tuple[float, float] | None
) -> TierTotal:
    low, high = between or (None, None)
    of_tier = [row for row in figures if row.tier == tier]
    return TierTotal(
        tier,
        len(of_tier),
        from_minor(sum(row.clv_minor for row in of_tier), currency),
        low,
        high,
        from_minor(sum(row.potential_minor or 0 for row in of_tier), currency),
    )


def not_published(newest: ValueRun | None) -> Missing:
    """Why there are no values, or no later ones; ``newest`` is the last scoring."""
    if newest is None or newest.published:
        return Missing("No customer has been valued yet.", "Value everybody with `rapport score`.")
    blocking = [d for d in with_advice(Diagnostic(**d) for d in newest.diagnostics) if d.blocking]
    said, mend = (dict.fromkeys(getattr(d, text) for d in blocking) for text in ("message", "mend"))
    return Missing(
        f"The scoring of {newest.observed_until} was not published. " + " ".join(said),
        " ".join([*mend, "Then run `rapport score` again."]),
    )
