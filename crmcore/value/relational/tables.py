"""What numpy tabulates, so that the rest of a valuation is plain relational algebra.

Special functions depend on a customer's (frequency, age) alone, and there are few distinct pairs: some ten
thousand among a million customers. The normal law is a table of steps with its derivatives.
"""

from __future__ import annotations

import math
from dataclasses import asdict

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.special import ndtr

from crmcore.value.count_spread import ordered_pairs
from crmcore.value.model import Buying, ValueModel
from crmcore.value.summary import PurchaseSummary

FloatArray = NDArray[np.float64]

# The normal law at steps of 1/16; half a step away eight Taylor terms leave an error below 1e-15.
STEPS_PER_UNIT = 16
TERMS = 8
FARTHEST = 9.0


def constants_table(model: ValueModel) -> pa.Table:
    """Two rows of parameters: of customers who may leave, and (``comes_back``) of those who are always a
    share."""
    rows = []
    for comes_back, buying in ((False, model.purchases), (True, model.without_leaving)):
        rows.append(
            {
                "of_comes_back": comes_back,
                **asdict(buying.params_),
                **asdict(model.spend.params_),
                "population_mean": model.spend.population_mean,
                **asdict(model.costs),
                "usual_return": model.usual_return,
                "typical_spend": model.typical_spend,
                "margin": model.terms.margin,
            }
        )
    return pa.Table.from_pylist(rows)


def grid_table(
    model: ValueModel, frequency: FloatArray, age: FloatArray, comes_back: NDArray[np.bool_]
) -> pa.Table:
    """One row for each (frequency, age) that occurs, and by which of the two models.

    What is ahead of a customer who is active now: purchases, discounted_purchases, active_time (days) and
    pairs, E[N(N - 1)] of the purchases N.
    """
    parts = []
    for returning, buying in ((False, model.purchases), (True, model.without_leaving)):
        cells = np.unique(np.column_stack([frequency, age])[comes_back == returning], axis=0)
        parts.append(_part(model, buying, cells[:, 0], cells[:, 1], returning))
    return pa.concat_tables(parts)


def _part(
    model: ValueModel, buying: Buying, frequency: FloatArray, age: FloatArray, comes_back: bool
) -> pa.Table:
    cells = PurchaseSummary.of(frequency, np.where(frequency > 0, age, 0.0), age)
    horizon, discount = model.terms.horizon_days, model.terms.discount_per_day
    purchases, discounted, active_time = buying.if_active(cells, horizon, discount)
    return pa.table(
        {
            "of_comes_back": np.full(len(cells), comes_back),
            "of_frequency": frequency.astype(np.int64),
            "of_age": age.astype(np.int64),
            "purchases": purchases,
            "discounted_purchases": discounted,
            "active_time": active_time,
            "pairs": ordered_pairs(buying, cells, horizon),
        }
    )


def normal_table() -> pa.Table:
    """Around each step the Taylor coefficients c0, c1, ... of the normal law.

    Its derivatives are Hermite polynomials times the density (Abramowitz & Stegun 26.2.1, 22.7.14).
    """
    steps = np.arange(-int(FARTHEST * STEPS_PER_UNIT), int(FARTHEST * STEPS_PER_UNIT) + 1)
    place = steps / STEPS_PER_UNIT
    density = np.exp(-(place**2) / 2) / np.sqrt(2 * np.pi)
    polynomials = [np.ones_like(place), -place]
    for n in range(1, TERMS):
        polynomials.append(-place * polynomials[n] - n * polynomials[n - 1])
    columns = {f"c{n}": polynomials[n - 1] * density / math.factorial(n) for n in range(1, TERMS)}
    return pa.table({"step": steps, "place": place, "c0": ndtr(place), **columns})
