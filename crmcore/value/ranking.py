"""From values to tiers: money in whole minor units, potential, standings, decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crmcore.money import MoneyError, exponent, from_minor
from crmcore.tiers import Borders, Standing, Tier, TierDecision, TierPolicy, assign_tier, find_borders
from crmcore.value.books import Books
from crmcore.value.clv import CustomerValues
from crmcore.value.peers import Peers
from crmcore.value.potential import potential_value

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Money:
    """One customer's money in minor units, as :class:`~crmcore.value.snapshots.ValueSnapshot` names it."""

    clv_minor: int
    clv_low_minor: int
    clv_high_minor: int
    clv_deviation_minor: int
    history_minor: int
    cost_to_serve_minor: int
    potential_minor: int | None
    declared_potential_minor: int
    estimated_potential_minor: int | None
    peer_gap_minor: int | None


@dataclass(frozen=True)
class Ranked:
    """One customer's money, what the tier policy saw of him, and what it decided."""

    money: Money
    standing: Standing
    decided: TierDecision


def rank(
    books: Books,
    values: CustomerValues,
    peers: Peers,
    horizon_days: float,
    policy: TierPolicy,
    previous: Mapping[str, Tier],
    currency: str,
    borders: Borders | None = None,
) -> tuple[Borders, list[Ranked]]:
    """Every customer in the summary's order, and the borders of the tiers.

    ``borders`` are found among these customers unless those of a whole firm are given. clv is the difference
    of two whole numbers, so that every sum of values is the value of the sums. A tier looks at the potential
    that the customer himself has shown, never at what his peers bring.
    """
    money = _money(books, values, peers, horizon_days, currency)
    standings = [
        Standing(
            clv=from_minor(amounts.clv_minor, currency),
            potential_value=None
            if amounts.potential_minor is None
            else from_minor(amounts.potential_minor, currency),
            p_below_zero=p_below_zero,
            previous=previous.get(customer_id),
        )
        for customer_id, amounts, p_below_zero in zip(
            books.summary.customer_id, money, values.p_below_zero.tolist(), strict=True
        )
    ]
    if borders is None:
        borders = find_borders(standings, policy)
    return borders, [
        Ranked(amounts, standing, assign_tier(standing, borders, policy))
        for amounts, standing in zip(money, standings, strict=True)
    ]


def _money(
    books: Books, values: CustomerValues, peers: Peers, horizon_days: float, currency: str
) -> list[Money]:
    potential = potential_value(
        books.trend,
        books.need_budgets,
        books.summary.T,
        values.p_alive,
        values.contribution_share,
        horizon_days,
    )
    amounts = (
        values.contribution,
        values.cost_to_serve,
        values.low,
        values.high,
        values.deviation,
        books.ledger.history_value,
        potential.declared,
        potential.estimated,
        peers.gap(books.summary, values.clv),
    )
    whole: list[Any] = in_minor(np.concatenate(amounts), currency)
    n = len(books.summary)
    return [_money_of(*whole[i::n]) for i in range(n)]


def _money_of(
    contribution: int,
    cost: int,
    low: int,
    high: int,
    deviation: int,
    history: int,
    declared: int,
    estimated: int | None,
    gap: int | None,
) -> Money:
    known = declared > 0 or estimated is not None
    return Money(
        clv_minor=contribution - cost,
        clv_low_minor=low,
        clv_high_minor=high,
        clv_deviation_minor=deviation,
        history_minor=history,
        cost_to_serve_minor=cost,
        potential_minor=declared + (estimated or 0) if known else None,
        declared_potential_minor=declared,
        estimated_potential_minor=estimated,
        peer_gap_minor=gap,
    )


def clv_in_minor(values: CustomerValues, currency: str) -> list[int]:
    """Actual value of each customer in whole minor units, as a snapshot keeps it."""
    contribution = in_minor(values.contribution, currency)
    cost = in_minor(values.cost_to_serve, currency)
    return [(gain or 0) - (loss or 0) for gain, loss in zip(contribution, cost, strict=True)]


def in_minor(amounts: FloatArray, currency: str) -> list[int | None]:
    """Whole minor units, half to even; None where an amount is unknown (nan)."""
    if np.isinf(amounts).any():
        raise MoneyError("an estimate is infinite and cannot be stored; check the model behind it")
    return [None if v != v else int(v) for v in np.rint(amounts * 10.0 ** exponent(currency)).tolist()]
