"""Customers who live by a model's story, in continuous time, for tests and benchmarks of the fits.

Rounding to days would move alpha by some percent, so parameters are recovered from these, not from orders.
"""

import numpy as np
from numpy.typing import NDArray

from crmcore.value import (
    BGNBD,
    MBGNBD,
    ContractSummary,
    GammaGamma,
    ParetoNBD,
    PurchaseSummary,
    ShiftedBetaGeometric,
)

FloatArray = NDArray[np.float64]
PurchaseModels = BGNBD | MBGNBD | ParetoNBD


def histories(model: PurchaseModels, rng: np.random.Generator, n: int, T: float) -> PurchaseSummary:
    """n customers who were observed for T each."""
    if isinstance(model, ParetoNBD):
        x, t_x = _until_gone(model, rng, n, T)
    else:
        x, t_x = _until_left(model, rng, n, T)
    return PurchaseSummary.of(x, t_x, np.full(n, T))


def spenders(model: GammaGamma, rng: np.random.Generator, n: int) -> PurchaseSummary:
    """n customers with 1 to about 20 repeat purchases each."""
    params, x = model.params_, rng.geometric(0.3, n).astype(np.float64)
    mean = rng.gamma(params.p * x) / x / rng.gamma(params.q, 1 / params.v, n)
    return PurchaseSummary.of(x, np.ones(n), np.ones(n), mean)


def members(model: ShiftedBetaGeometric, rng: np.random.Generator, n: int, periods: int) -> ContractSummary:
    """n contracts that came up for renewal ``periods`` times at most."""
    params = model.params_
    renewed = rng.geometric(rng.beta(params.alpha, params.beta, n)) - 1
    return ContractSummary.of(np.minimum(renewed, periods), renewed >= periods)


def _until_gone(
    model: ParetoNBD, rng: np.random.Generator, n: int, T: float
) -> tuple[FloatArray, FloatArray]:
    p = model.params_
    stays = np.minimum(rng.exponential(1, n) / rng.gamma(p.s, 1 / p.beta, n), T)
    x = rng.poisson(rng.gamma(p.r, 1 / p.alpha, n) * stays).astype(np.float64)
    # The last of x purchases that lie anywhere alike.
    last = stays * rng.random(n) ** (1 / np.maximum(x, 1))
    return x, np.where(x > 0, last, 0.0)


def _until_left(
    model: BGNBD | MBGNBD, rng: np.random.Generator, n: int, T: float
) -> tuple[FloatArray, FloatArray]:
    p = model.params_
    rate, leaves = rng.gamma(p.r, 1 / p.alpha, n), rng.beta(p.a, p.b, n)
    x, t_x, clock = np.zeros(n), np.zeros(n), np.zeros(n)
    active = np.arange(n)
    if model.CHANCES_BEFORE:
        active = active[rng.random(n) >= leaves]
    while len(active):
        with np.errstate(divide="ignore"):
            clock[active] += rng.exponential(1, len(active)) / rate[active]
        active = active[clock[active] <= T]
        x[active] += 1
        t_x[active] = clock[active]
        active = active[rng.random(len(active)) >= leaves[active]]
    return x, t_x
