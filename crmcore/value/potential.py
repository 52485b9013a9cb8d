"""Potential value: what a customer would bring beyond his actual value. First version, two sources.

A rise that goes on: the purchase model takes rates as constant, so it misses a customer who has begun to
buy more. A need that the firm could serve: the budget he has stated for it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

WINDOW_DAYS = 182
# A rise weighs fully only when many purchases carry it: n / (n + 3) of it is believed.
_PURCHASES_OF_DOUBT = 3.0


def potential_value(
    recent_spend: FloatArray,
    earlier_spend: FloatArray,
    recent_purchases: FloatArray,
    T: FloatArray,
    p_alive: FloatArray,
    share: FloatArray,
    need_budgets: FloatArray,
    horizon_days: float,
) -> FloatArray:
    """Additional contribution over the horizon, currency, not discounted; shape (n,), >= 0.

    recent_spend, earlier_spend : in the last WINDOW_DAYS and the WINDOW_DAYS before, currency.
    recent_purchases : purchase days in the last WINDOW_DAYS. T : age, days; a rise needs an age of two
    windows to be seen. share : contribution share after returns. need_budgets : the least budgets of his
    confirmed, unmet needs, currency.
    """
    rise = np.maximum(recent_spend - earlier_spend, 0) * (horizon_days / WINDOW_DAYS)
    believed = recent_purchases / (recent_purchases + _PURCHASES_OF_DOUBT)
    growth = np.where(2 * WINDOW_DAYS <= T, p_alive * believed * rise, 0.0)
    result: FloatArray = np.maximum(share, 0) * (growth + need_budgets)
    return result
