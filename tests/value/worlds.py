"""Simulated shops that keep or break what the closed-form models assume."""

from typing import Literal

import numpy as np

from crmcore.value.purchase_log import PurchaseLog

World = Literal["plain", "season", "drift", "promotion", "batch", "heavy", "regular"]

DAYS = 730
_JOINING = 365  # Customers come on the days of the first year.
_CHRISTMAS = slice(318, 358)  # Days of the year, which begins on day 0 of the log.


def a_world(world: World, seed: int, customers: int = 3_000, days: int = DAYS) -> PurchaseLog:
    """Purchases of customers with rates and lifetimes of their own.

    season: a Christmas and quiet weeks after it, and some customers who buy at Christmas alone. drift: the
    shop fades. promotion: three sales of ten days. batch: a purchase brings others within days. heavy: a
    few customers buy enormously. regular: the pauses of a customer are alike.
    """
    rng = np.random.default_rng(seed)
    came = rng.integers(0, _JOINING, customers)
    rate = rng.gamma(0.6, 1 / 55, customers)
    if world == "heavy":
        rate = np.exp(rng.normal(-4.2, 1.4, customers))
    leaves_after = rng.exponential(1 / np.maximum(rng.gamma(0.8, 1 / 400, customers), 1e-5))
    mean_spend = np.exp(rng.normal(3.4, 1.1 if world == "heavy" else 0.6, customers))
    shop = _shop(world, days)
    givers = rng.random(customers) < (0.25 if world == "season" else 0)
    who, when = [], []
    for i in range(customers):
        level = _of_a_giver(days) if givers[i] else shop
        last = min(days, int(came[i] + leaves_after[i]) + 1)
        due = np.concatenate([[0.0], np.cumsum(level[came[i] : last])]) * rate[i]
        shape = 3.0 if world == "regular" else 1.0
        pauses = rng.gamma(shape, 1 / shape, int(due[-1] * 1.5) + 40)
        at = np.cumsum(pauses)
        bought = np.searchsorted(due, at[at < due[-1]], side="right") - 1 + came[i]
        bought = np.concatenate([[came[i]], bought])
        if world == "batch":
            again = [day + rng.integers(1, 6, rng.poisson(1.2)) for day in bought]
            bought = np.concatenate([bought, *again])
        bought = bought[bought < days]
        who.append(np.full(len(bought), i))
        when.append(bought)
    customer, day = np.concatenate(who), np.concatenate(when).astype(np.int64)
    amount = mean_spend[customer] * np.exp(rng.normal(0, 0.5, len(customer)))
    return PurchaseLog.of(range(customers), customer, day, amount)


def _shop(world: World, days: int) -> np.ndarray:
    level = np.ones(days)
    if world == "season":
        of_year = np.arange(days) % 365
        level *= 1 + 0.35 * np.sin(2 * np.pi * (of_year - 200) / 365)
        level[(of_year >= _CHRISTMAS.start) & (of_year < _CHRISTMAS.stop)] *= 2.8
        level[of_year < 40] *= 0.6
    elif world == "drift":
        level *= np.exp(-0.8 * np.arange(days) / days)
    elif world == "promotion":
        for begins in (200, 470, 650):
            level[begins : begins + 10] *= 4
    return level


def _of_a_giver(days: int) -> np.ndarray:
    of_year = np.arange(days) % 365
    return np.where((of_year >= _CHRISTMAS.start) & (of_year < _CHRISTMAS.stop), 6.0, 0.3)
