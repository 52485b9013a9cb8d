"""The values in force of all customers together, for the value report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import get_args

import numpy as np

from crmcore.money import exponent, from_minor
from crmcore.tiers import Tier
from crmcore.usecases.value_findings import Found, Missing, Parameter, parameters, with_advice
from crmcore.value.benchmarks import Benchmarks
from crmcore.value.concentration import check_concentration
from crmcore.value.engine import MODEL_VERSION
from crmcore.value.fitting import Diagnostic
from crmcore.value.forecasting import Variant
from crmcore.value.loyalty_map import LoyaltyMap, map_loyalty
from crmcore.value.model import ValueModel
from crmcore.value.snapshots import CurrentFigures, ValueRun
from crmcore.value.spread import Bar, Typical, bars, typical_by_tenth


@dataclass(frozen=True)
class TierTotal:
    """Money in currency; ``potential`` is what these customers have shown that they could add."""

    tier: Tier
    customers: int
    value: Decimal
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
    if run.model_version == MODEL_VERSION:
        model = ValueModel.from_parameters(run.parameters)
        of_fits = parameters(model.purchases, model.spend)
        variant = str(Variant() if model.forecaster is None else model.forecaster.variant)
        loyalty = map_loyalty(purchases, clv, Benchmarks.from_json(run.parameters["benchmarks"]).loyalty)
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
        median=float(np.median(clv)),
        tiers=tuple(_tier_total(tier, figures, run.currency) for tier in get_args(Tier)),
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


def _tier_total(tier: Tier, figures: Sequence[CurrentFigures], currency: str) -> TierTotal:
    of_tier = [row for row in figures if row.tier == tier]
    return TierTotal(
        tier,
        len(of_tier),
        from_minor(sum(row.clv_minor for row in of_tier), currency),
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
