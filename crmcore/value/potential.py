"""Potential value: what a customer would bring beyond his actual value, by where we know it from.

A rise that goes on: the purchase model takes rates as constant, so it misses a customer who has begun to
buy more (estimated). A need that the firm could serve: the budget he has stated for it (declared, unless
somebody else put it on his profile).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

WINDOW_DAYS = 182
# A rise weighs fully only when many purchases carry it: n / (n + 3) of it is believed.
PURCHASES_OF_DOUBT = 3.0


@dataclass(frozen=True)
class Trend:
    """Spend and purchase days of the last WINDOW_DAYS, and spend of the WINDOW_DAYS before; shape (n,)."""

    recent_spend: FloatArray
    earlier_spend: FloatArray
    recent_purchases: FloatArray


@dataclass(frozen=True)
class NeedBudgets:
    """The least budgets of each customer's confirmed, unmet needs, by who said so; currency, shape (n,)."""

    declared: FloatArray
    estimated: FloatArray


@dataclass(frozen=True)
class Potential:
    """Additional contribution over the horizon, not discounted; currency, shape (n,), >= 0.

    ``estimated`` is nan where nothing speaks of it: he was not known for two windows and has no such need.
    """

    declared: FloatArray
    estimated: FloatArray


def potential_value(
    trend: Trend,
    budgets: NeedBudgets,
    T: FloatArray,
    p_alive: FloatArray,
    share: FloatArray,
    horizon_days: float,
) -> Potential:
    """T : age, days; a rise needs an age of two windows to be seen. share : contribution after returns."""
    rise = np.maximum(trend.recent_spend - trend.earlier_spend, 0) * (horizon_days / WINDOW_DAYS)
    believed = trend.recent_purchases / (trend.recent_purchases + PURCHASES_OF_DOUBT)
    seen = 2 * WINDOW_DAYS <= T
    growth = np.where(seen, p_alive * believed * rise, 0.0)
    keeps = np.maximum(share, 0)
    estimated = keeps * (growth + budgets.estimated)
    return Potential(
        declared=keeps * budgets.declared,
        estimated=np.where(seen | (budgets.estimated > 0), estimated, np.nan),
    )
