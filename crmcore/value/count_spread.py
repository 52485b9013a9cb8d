"""How much the number of purchases ahead may differ from its mean: its second factorial moment."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from crmcore.value.ahead import Tables, integrate
from crmcore.value.beta_geometric import BetaGeometric, BetaGeometricParams
from crmcore.value.hypergeometric import mean_power
from crmcore.value.summary import PurchaseSummary

FloatArray = NDArray[np.float64]


def ordered_pairs(purchases: BetaGeometric, summary: PurchaseSummary, horizon: float) -> FloatArray:
    """E[N(N - 1)] of the purchases N over the horizon, of each customer if he is active now; shape (n,).

    While he is active, purchases come at rate lambda, and the first of a pair must not make him leave. So the
    pairs are 2 integral u (1 - p) lambda^2 exp(-lambda p u) du over (0, horizon): the first of a pair
    may lie anywhere before the second at u. The mean over lambda ~ Gamma(r + x, alpha + T) and
    p ~ Beta(a, b + m) gives one more ``mean_power``; our own derivation, checked against simulation.
    """
    if not len(summary):
        return np.zeros(0)
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
