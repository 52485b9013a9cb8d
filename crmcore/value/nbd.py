"""NBD: customers buy at rates of their own and never leave. What every dropout model must beat.

Ehrenberg (1959), "The Pattern of Consumer Purchases", Applied Statistics 8(1), 26-41. It is the limit of
BG/NBD and MBG/NBD as a -> 0 and of Pareto/NBD as s -> 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, gammaln, polygamma

from crmcore.value.counts import by_age, count
from crmcore.value.fitting import Objective, Optimum, blocks, by_logarithms, maximise, sample_of

FloatArray = NDArray[np.float64]


def best_log_likelihood(x: FloatArray, T: FloatArray) -> float:
    """The highest log-likelihood of the purchase times under the NBD; x and T have shape (n,)."""
    return fit(x, T).log_likelihood


def fit(x: FloatArray, T: FloatArray) -> Optimum:
    """That maximum, by the logarithms of r and alpha (unit of T)."""
    rows = sample_of(len(x))
    rough = None if rows is None else _objective(x[rows], T[rows])
    start = np.log([0.5, 0.3 * T.mean()])
    return maximise(_objective(x, T), start, len(x), rough)


def _objective(x: FloatArray, T: FloatArray) -> Objective:
    values, times = count(x)
    n = len(x)
    ages, customers, purchases = by_age(T, x)

    def objective(theta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        params = np.exp(theta)
        r, alpha = params
        log_age = log_age_x = inverse = inverse_x = square = square_x = 0.0
        for some in blocks(len(ages)):
            age, of, xs = alpha + ages[some], customers[some], purchases[some]
            log, one = np.log(age), 1 / age
            log_age += of @ log
            log_age_x += xs @ log
            inverse += of @ one
            inverse_x += xs @ one
            square += of @ one**2
            square_x += xs @ one**2
        value = times @ (gammaln(r + values) - gammaln(r)) + n * r * np.log(alpha) - r * log_age - log_age_x
        gradient = np.array(
            [
                times @ (digamma(r + values) - digamma(r)) + n * np.log(alpha) - log_age,
                n * r / alpha - r * inverse - inverse_x,
            ]
        )
        mixed = n / alpha - inverse
        hessian = np.array(
            [
                [times @ (polygamma(1, r + values) - polygamma(1, r)), mixed],
                [mixed, -n * r / alpha**2 + r * square + square_x],
            ]
        )
        return by_logarithms(params, float(value), gradient, hessian)

    return objective
