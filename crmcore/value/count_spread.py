"""How much the number of purchases ahead may differ from its mean: the chance that there are any, and its
second factorial moment."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc

from crmcore.value.ahead import Tables, integrate
from crmcore.value.beta_geometric import BetaGeometric, BetaGeometricParams
from crmcore.value.hypergeometric import mean_power
from crmcore.value.plain_retention import PlainRetention
from crmcore.value.summary import PurchaseSummary

FloatArray = NDArray[np.float64]


def chance_to_buy(
    purchases: BetaGeometric | PlainRetention, summary: PurchaseSummary, horizon: float, often: FloatArray
) -> FloatArray:
    """P(N > 0) of the purchases N over the horizon, of each customer if he is active now; shape (n,).

    often : by what factor each buys more often than the model says; (n,). In BG/NBD nobody leaves before he
    buys; in plain retention whichever comes first decides.
    """
    if isinstance(purchases, PlainRetention):
        rate, leaving = often * purchases.params_.purchase_rate, purchases.params_.leaving_rate
        first: FloatArray = -rate / (rate + leaving) * np.expm1(-(rate + leaving) * horizon)
        return first
    shape, age = purchases.purchase_rate(summary)
    any_at_all: FloatArray = -np.expm1(-shape * np.log1p(often * horizon / age))
    return any_at_all


def ordered_pairs(
    purchases: BetaGeometric | PlainRetention, summary: PurchaseSummary, horizon: float
) -> FloatArray:
    """E[N(N - 1)] of the purchases N over the horizon, of each customer if he is active now; shape (n,).

    In plain retention purchases come at rate lambda until he leaves at rate mu, so the pairs are
    2 lambda^2 integral u exp(-mu u) du over (0, horizon): an incomplete gamma function. In BG/NBD:

    While he is active, purchases come at rate lambda, and the first of a pair must not make him leave. So the
    pairs are 2 integral u (1 - p) lambda^2 exp(-lambda p u) du over (0, horizon): the first of a pair
    may lie anywhere before the second at u. The mean over lambda ~ Gamma(r + x, alpha + T) and
    p ~ Beta(a, b + m) gives one more ``mean_power``; our own derivation, checked against simulation.
    """
    if not len(summary):
        return np.zeros(0)
    if isinstance(purchases, PlainRetention):
        p = purchases.params_
        pairs = 2 * (p.purchase_rate / p.leaving_rate) ** 2 * float(gammainc(2, p.leaving_rate * horizon))
        return np.full(len(summary), pairs)
    tables = _tables(type(purchases), purchases.params_, horizon)
    return tables.at(summary.frequency, summary.T)[0]


@lru_cache(maxsize=16)
def _tables(kind: type[BetaGeometric], params: BetaGeometricParams, horizon: float) -> Tables:
    before = kind.CHANCES_BEFORE

    def after(x: FloatArray, age: FloatArray, u: FloatArray) -> FloatArray:
        shape, stays = params.r + x, params.b + x + before
        rates = shape * (shape + 1) / age**2 * stays / (params.a + stays)
        pairs: FloatArray = 2 * u * rates * mean_power(params.a, stays + 1, shape + 2, u / age)
        return pairs

    def bend(x: FloatArray, age: FloatArray) -> FloatArray:
        chances = params.a + params.b + x + before + 1
        return np.minimum(age, age * chances / (params.a * (params.r + x + 2)))

    def pairs_by(x: FloatArray, age: FloatArray) -> list[FloatArray]:
        return integrate(after, bend, x, age, horizon, (0.0,))

    return Tables(pairs_by, params.alpha)
