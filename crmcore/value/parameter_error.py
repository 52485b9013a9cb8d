"""How far the mean value of a firm may be off because its parameters are estimates."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from crmcore.value.bgnbd import BGNBD
from crmcore.value.gamma_gamma import GammaGamma
from crmcore.value.plain_retention import PlainRetention
from crmcore.value.summary import PurchaseSummary
from crmcore.value.usual_spend import is_assumed, usual_spend_error

FloatArray = NDArray[np.float64]

_SAMPLE = 5_000  # Customers who tell how the mean moves with a parameter.
_STEP = 1e-4  # Of a logarithm.


def parameter_error(
    summary: PurchaseSummary,
    purchases: BGNBD | PlainRetention,
    spend: GammaGamma,
    horizon: float,
    discount: float,
) -> float:
    """Relative standard error of the firm's expected spend over the horizon, through its fitted parameters.

    The delta method in log parameters: derivatives of the total by central differences, covariances from the
    observed information of the two likelihoods, which share no parameter. That of plain retention includes
    what it assumes; where spend was not fitted, the usual spend may be off. It grows small with the root of
    the number of customers, and it is common to all of them: it does not average out in a sum.
    """
    some = summary.take(np.arange(0, len(summary), max(1, len(summary) // _SAMPLE)))
    bought = np.array(list(asdict(purchases.params_).values()))
    spent = np.array(list(asdict(spend.params_).values()))

    def total(buying: FloatArray, spending: FloatArray) -> float:
        count = type(purchases).of(*buying).expected_purchases(some, horizon, discount)
        return float(count @ GammaGamma.of(*spending).expected_spend(some))

    variance = purchases.variance_of(_derivatives(lambda p: math.log(total(p, spent)), bought))
    if is_assumed(spend):
        return math.sqrt(variance + usual_spend_error(summary) ** 2)
    return math.sqrt(variance + spend.variance_of(_derivatives(lambda p: math.log(total(bought, p)), spent)))


def _derivatives(function: Callable[[FloatArray], float], params: FloatArray) -> FloatArray:
    found = []
    for i in range(len(params)):
        up, down = params.copy(), params.copy()
        up[i] *= math.exp(_STEP)
        down[i] *= math.exp(-_STEP)
        found.append((function(up) - function(down)) / (2 * _STEP))
    return np.array(found)
