"""Simple rules that marketers rank and forecast by; a model that does not beat them adds nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crmcore.value.purchase_log import PurchaseLog

FloatArray = NDArray[np.float64]

HALF_YEAR = 182


@dataclass(frozen=True)
class Rule:
    """A score of every customer by purchases and by spend, (n,). ``is_forecast``: it is also an amount."""

    name: str
    purchases: FloatArray
    spend: FloatArray
    is_forecast: bool


def simple_rules(log: PurchaseLog, until: int, horizon: int) -> list[Rule]:
    """Every rule for the customers of ``log``, which holds nothing later than ``until``."""
    first = int(log.first_day.min())
    n, spend = log.window(first - 1, until)
    half_n, half_spend = log.window(until - HALF_YEAR, until)
    same_n, same_spend = log.window(until - horizon, until)
    summary = log.summary(until)
    weeks = summary.days_since_last_purchase / 7
    age = np.maximum(summary.T, 30.0)
    return [
        Rule("past spend", n, spend, False),
        Rule("past spend a day", n * horizon / age, spend * horizon / age, True),
        Rule("last half-year", half_n * horizon / HALF_YEAR, half_spend * horizon / HALF_YEAR, True),
        Rule("last period as long", same_n, same_spend, True),
        Rule("spend by weeks since", n / (1 + weeks), spend / (1 + weeks), False),
        Rule("repeat purchases", summary.frequency, summary.frequency, False),
    ]
