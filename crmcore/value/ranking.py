"""From values to tiers: money in whole minor units, potential, standings, decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crmcore.money import estimate_to_minor, from_minor
from crmcore.tiers import Borders, Standing, Tier, TierDecision, TierPolicy, assign_tier, find_borders
from crmcore.value.books import Books
from crmcore.value.clv import CustomerValues
from crmcore.value.potential import potential_value


@dataclass(frozen=True)
class Ranked:
    """One customer's money in minor units, what the tier policy saw of him, and what it decided."""

    clv_minor: int
    cost_to_serve_minor: int
    potential_minor: int
    standing: Standing
    decided: TierDecision


def rank(
    books: Books,
    values: CustomerValues,
    horizon_days: float,
    policy: TierPolicy,
    previous: Mapping[str, Tier],
    currency: str,
    borders: Borders | None = None,
) -> tuple[Borders, list[Ranked]]:
    """Every customer in the summary's order, and the borders of the tiers.

    ``borders`` are found among these customers unless those of a whole firm are given.
    clv is the difference of two whole numbers, so that every sum of values is the value of the sums.
    """
    trend = books.trend
    potential = potential_value(
        trend.recent_spend,
        trend.earlier_spend,
        trend.recent_purchases,
        books.summary.T,
        values.p_alive,
        values.contribution_share,
        books.need_budgets,
        horizon_days,
    )
    money = []
    standings = []
    for i, customer_id in enumerate(books.summary.customer_id):
        cost = estimate_to_minor(float(values.cost_to_serve[i]), currency)
        clv = estimate_to_minor(float(values.contribution[i]), currency) - cost
        growable = estimate_to_minor(float(potential[i]), currency)
        money.append((clv, cost, growable))
        standings.append(
            Standing(
                clv=from_minor(clv, currency),
                potential_value=from_minor(growable, currency),
                p_below_zero=float(values.p_below_zero[i]),
                previous=previous.get(customer_id),
            )
        )
    if borders is None:
        borders = find_borders(standings, policy)
    return borders, [
        Ranked(*amounts, standing, assign_tier(standing, borders, policy))
        for amounts, standing in zip(money, standings, strict=True)
    ]
