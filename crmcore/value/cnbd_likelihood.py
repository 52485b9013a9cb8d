"""The likelihood of Pareto/CNBD-k: a customer's steps and the moment of his leaving, integrated by
quadrature.

After his last purchase, at t_x, a customer has made j = 0..k-1 steps that no purchase shows. Each j is a
Pareto/NBD history of k x + j steps (its likelihood is in ``pareto_nbd``), in (u / (alpha + y))^j (r + k x)_j
/ j! ways, where u is the time since t_x. The factor of the pauses between purchases is left out: no parameter
changes it. Symbols: x is ``frequency``, t_x is ``recency``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, gammaln, polygamma

from crmcore.value.counts import count
from crmcore.value.fitting import Objective, blocks, by_logarithms
from crmcore.value.mixture import mixture

FloatArray = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(40)
ROWS = 128  # Matrices of so many rows stay in cache and in memory that is used again.
_NOTHING = 60.0  # exp(-60) is nothing, even times the ways of k - 1 steps among thousands.


@dataclass(frozen=True)
class ParetoCNBDParams:
    """All > 0: k, a whole number, of steps a purchase; r and alpha (time) of the rate of steps, s and beta
    (time) of the rate of leaving."""

    k: float
    r: float
    alpha: float
    s: float
    beta: float


def likelihood(k: int, x: FloatArray, t_x: FloatArray, T: FloatArray) -> Objective:
    """The log-likelihood of all histories with its first and second derivatives by r, alpha, s, beta; without
    the factor of the pauses between purchases, which no parameter changes."""
    values, times = count(x)
    n = len(x)

    def objective(theta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        params = np.exp(theta)
        r, alpha, s, beta = params
        p = ParetoCNBDParams(float(k), *(float(v) for v in params))
        steps = k * values
        value = float(times @ (gammaln(r + steps) - gammaln(r))) + n * (r * np.log(alpha) + s * np.log(beta))
        gradient = np.array(
            [
                times @ (digamma(r + steps) - digamma(r)) + n * np.log(alpha),
                n * r / alpha,
                n * np.log(beta),
                n * s / beta,
            ]
        )
        hessian = np.zeros((4, 4))
        hessian[0, 0] = times @ (polygamma(1, r + steps) - polygamma(1, r))
        hessian[0, 1] = n / alpha
        hessian[1, 1] = -n * r / alpha**2
        hessian[2, 3] = n / beta
        hessian[3, 3] = -n * s / beta**2
        for some in blocks(n, ROWS):
            rows = len(x[some])
            gone, y, active = parts(p, k, x[some], t_x[some], T[some])
            end = np.broadcast_to(T[some][:, None, None], (rows, k, 1))
            log_parts = np.concatenate([gone, active[:, :, None]], axis=2).reshape(rows, -1)
            y = np.concatenate([np.broadcast_to(y[:, None, :], gone.shape), end], axis=2).reshape(rows, -1)
            nodes = gone.shape[2] + 1
            left = np.ones(nodes)
            left[-1] = 0.0  # The last column is a customer who has not left.
            left = np.tile(left, k)
            # Each step more is a factor r + k x + i, i < j, by Gamma's recurrence.
            one_by = 1 / (r + k * x[some][:, None] + np.arange(max(k - 1, 1)))
            zeros = np.zeros((rows, 1))
            more = np.concatenate([zeros, np.cumsum(one_by, axis=1)], axis=1)[:, :k]
            less = np.concatenate([zeros, np.cumsum(one_by**2, axis=1)], axis=1)[:, :k]
            more, less = (np.repeat(of, nodes, axis=1) for of in (more, less))
            shape = np.repeat(r + k * x[some][:, None] + np.arange(k), nodes, axis=1)
            one_a, one_b = 1 / (alpha + y), 1 / (beta + y)
            exponent = s + left
            slopes = [
                more - np.log(alpha + y),
                -shape * one_a,
                left / s - np.log(beta + y),
                -exponent * one_b,
            ]
            of_parts, slope, bend, weight = mixture(log_parts, slopes)
            value, gradient, hessian = value + of_parts, gradient + slope, hessian + bend
            hessian[0, 0] -= (weight * less).sum()
            hessian[0, 1] -= (weight * one_a).sum()
            hessian[1, 1] += (weight * shape * one_a**2).sum()
            hessian[2, 2] -= (weight * left).sum() / s**2
            hessian[2, 3] -= (weight * one_b).sum()
            hessian[3, 3] += (weight * exponent * one_b**2).sum()
        upper = np.triu(hessian)
        return by_logarithms(params, value, gradient, upper + np.triu(hessian, 1).T)

    return objective


def parts(
    p: ParetoCNBDParams, k: int, x: FloatArray, t_x: FloatArray, T: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Logarithms of the parts of the likelihood without the factor that they share: gone at the moments y
    after j steps, shape (n, k, nodes), with y, shape (n, nodes), and active at T after j steps, shape (n, k).

    As in Pareto/NBD, but the density stays for about a pause after t_x before it falls.
    """
    shape, exponent = p.r + k * x, p.s + 1
    from_a, from_b = p.alpha + t_x, p.beta + t_x
    bend = 1 / ((p.r / k + x) / from_a + exponent / from_b)
    with np.errstate(over="ignore"):
        enough = np.minimum(from_a * np.expm1(_NOTHING / shape), from_b * np.expm1(_NOTHING / exponent))
    reach = np.minimum(T - t_x, enough)
    half = np.log1p(reach / bend)[:, None] / 2
    v = half * (_NODES + 1)
    u = bend[:, None] * np.expm1(v)
    with np.errstate(divide="ignore"):
        log_width = np.log(half * _WEIGHTS * bend[:, None])
    y = t_x[:, None] + u
    gone = np.log(p.s) + log_width + v - exponent * np.log(from_b[:, None] + u)
    # Gamma(r + k x + j) / (Gamma(r + k x) j!)
    ways = np.zeros((len(x), k))
    for i in range(1, k):
        ways[:, i] = ways[:, i - 1] + np.log(shape + i - 1) - math.log(i)

    def steps(since: FloatArray, log_age: FloatArray) -> FloatArray:
        """shape (n, k, m)"""
        with np.errstate(divide="ignore"):
            log_since = np.log(since)
        grown = np.zeros((len(x), k, since.shape[1]))
        for i in range(1, k):
            grown[:, i] = i * (log_since - log_age) + ways[:, i][:, None]
        return grown - shape[:, None, None] * log_age[:, None, :]

    all_gone = gone[:, None, :] + steps(u, np.log(from_a[:, None] + u))
    end = np.log(p.alpha + T)[:, None]
    active = steps((T - t_x)[:, None], end)[:, :, 0] - p.s * np.log(p.beta + T)[:, None]
    return all_gone, y, active
