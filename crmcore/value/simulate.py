"""Simulated customers of a known firm: for the demonstration and for tests that recover parameters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from crmcore.value.bgnbd import BGNBD
from crmcore.value.gamma_gamma import GammaGamma
from crmcore.value.summary import PurchaseSummary

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class SimulatedOrder:
    """``customer`` counts from 0; ``amount`` is in currency with two decimals, at least 0.01."""

    customer: int
    day: date
    amount: Decimal


def simulate_orders(
    rng: np.random.Generator,
    n_customers: int,
    buying: BGNBD,
    spend: GammaGamma,
    start: date,
    until: date,
) -> list[SimulatedOrder]:
    """Orders of customers who first buy on a day between ``start`` and ``until``, evenly spread.

    Sorted by customer, then by time. Everybody has at least his first order; alpha is in days.
    """
    span = (until - start).days
    joined = rng.integers(0, span + 1, n_customers)
    customer, time = purchase_times(rng, buying, (span - joined).astype(np.float64))
    amount = _amounts(rng, spend, customer, n_customers)
    day = joined[customer] + np.floor(time).astype(np.int64)
    return [
        SimulatedOrder(
            int(c), start + timedelta(days=int(d)), max(Decimal(str(round(float(a), 2))), Decimal("0.01"))
        )
        for c, d, a in zip(customer, day, amount, strict=True)
    ]


def simulate_summary(
    rng: np.random.Generator, n_customers: int, buying: BGNBD, spend: GammaGamma, T: float
) -> PurchaseSummary:
    """The same customers observed for T days each, in continuous time.

    Rounding to days moves alpha by some percent, so parameters are recovered from this, not from orders.
    """
    customer, time = purchase_times(rng, buying, np.full(n_customers, T))
    amount = _amounts(rng, spend, customer, n_customers)
    repeat = time > 0
    x = np.bincount(customer[repeat], minlength=n_customers).astype(np.float64)
    last = np.zeros(n_customers)
    np.maximum.at(last, customer, time)
    spent = np.bincount(customer[repeat], weights=amount[repeat], minlength=n_customers)
    with np.errstate(invalid="ignore"):
        return PurchaseSummary.of(x, last, np.full(n_customers, T), spent / x)


def purchase_times(
    rng: np.random.Generator, buying: BGNBD, T: FloatArray
) -> tuple[NDArray[np.int64], FloatArray]:
    """Customer and age of every purchase, the first one at age 0 included, by customer and age."""
    params = buying.params_
    rate = rng.gamma(params.r, 1 / params.alpha, len(T))
    leaves = rng.beta(params.a, params.b, len(T))
    active = np.arange(len(T))
    age = np.zeros(len(T))
    customers, ages = [active], [age]
    while len(active):
        with np.errstate(divide="ignore"):
            age = age + rng.exponential(1.0, len(active)) / rate[active]
        bought = age <= T[active]
        active, age = active[bought], age[bought]
        customers.append(active)
        ages.append(age)
        stays = rng.random(len(active)) >= leaves[active]
        active, age = active[stays], age[stays]
    customer, when = np.concatenate(customers), np.concatenate(ages)
    order = np.lexsort((when, customer))
    return customer[order], when[order]


def _amounts(
    rng: np.random.Generator, spend: GammaGamma, customer: NDArray[np.int64], n_customers: int
) -> FloatArray:
    """What each purchase of ``customer`` costs, shape of ``customer``; currency."""
    params = spend.params_
    rate = rng.gamma(params.q, 1 / params.v, n_customers)
    return rng.gamma(params.p, 1 / rate[customer])
