"""Pareto/NBD: customers buy at a rate of their own and leave at a rate of their own, at any moment.

Schmittlein, Morrison & Colombo (1987), "Counting Your Customers: Who Are They and What Will They Do Next?",
Management Science 33(1), 1-24. The purchase rate is lambda ~ Gamma(r, alpha), the rate of leaving
mu ~ Gamma(s, beta), independent of each other. Equation numbers are of Fader & Hardie (2005), "A Note on
Deriving the Pareto/NBD Model and Related Expressions" (brucehardie.com/notes/009).

Symbols: x is ``frequency``, t_x is ``recency``. The papers write the likelihood with 2F1, which underflows
for frequent buyers; here the moment of leaving is integrated out by quadrature in logarithms,
which never does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, gammaln, polygamma

from crmcore.value import nbd
from crmcore.value.ahead import check_ahead
from crmcore.value.counts import count
from crmcore.value.dropout import HeterogeneousModel, check_observed, diagnose_dropout
from crmcore.value.fitting import Objective, blocks, by_logarithms, maximise, sample_of
from crmcore.value.mixture import mixture
from crmcore.value.summary import PurchaseSummary

FloatArray = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(40)
_SAMPLE = 1000  # Quadrature makes a customer dear, so the search is on few.
_ROWS = 256  # Matrices of so many rows stay in cache and in memory that is used again.
_NOTHING = 46.0  # exp(-46) is 1e-20.


@dataclass(frozen=True)
class ParetoNBDParams:
    """All > 0: r and alpha (time) of the purchase rate, s and beta (time) of the rate of leaving."""

    r: float
    alpha: float
    s: float
    beta: float


class ParetoNBD(HeterogeneousModel[ParetoNBDParams]):
    """A customer can leave at any moment, not only after a purchase."""

    NAME = "pareto-nbd"
    VERSION = 1
    PARAMETERS: ClassVar[type[ParetoNBDParams]] = ParetoNBDParams

    def fit(self, summary: PurchaseSummary) -> Self:
        check_observed(summary)
        x, t_x, T = summary.frequency, summary.recency, summary.T
        n = len(x)
        rows = sample_of(n, _SAMPLE)
        rough = None if rows is None else likelihood(x[rows], t_x[rows], T[rows])
        scale = float(T.mean())
        found = maximise(likelihood(x, t_x, T), np.log([0.5, 0.3 * scale, 0.5, 0.5 * scale]), n, rough)
        without = nbd.best_log_likelihood(x, T)
        diagnostics = diagnose_dropout(summary, found, without, ("r", "alpha", "s", "beta"))
        return self._keep(found, n, int(np.count_nonzero(x)), diagnostics, found.log_likelihood)

    def log_likelihood(self, summary: PurchaseSummary) -> FloatArray:
        """Equation (18): active until the end, or gone at a moment since the last purchase; (n,)."""
        p, x = self.params_, summary.frequency
        active, gone = self._active_and_gone(summary)
        value = gammaln(p.r + x) - gammaln(p.r) + p.r * np.log(p.alpha) + p.s * np.log(p.beta)
        result: FloatArray = value + np.logaddexp(active, gone)
        return result

    def p_alive(self, summary: PurchaseSummary) -> FloatArray:
        active, gone = self._active_and_gone(summary)
        result: FloatArray = np.exp(active - np.logaddexp(active, gone))
        return result

    def purchase_rate(self, summary: PurchaseSummary) -> tuple[FloatArray, FloatArray]:
        p = self.params_
        return p.r + summary.frequency, p.alpha + summary.T

    def expected_purchases_of_newcomer(self, t: FloatArray | float) -> FloatArray:
        """Equation (17), without its singularity at s = 1; shape as t."""
        p = self.params_
        times = np.asarray(t, dtype=np.float64)
        result: FloatArray = p.r / p.alpha * time_active(p.s, p.beta, times)
        return result

    def purchase_count_probability(self, t: float, x: int) -> float:
        """Equation (16): still active with x purchases, or gone at a moment before t and then having x."""
        check_ahead(t, 0.0)
        p = self.params_
        if t == 0:
            return float(x == 0)

        # The log density of x purchases in y, as in the negative binomial distribution.
        def log_count(y: FloatArray) -> FloatArray:
            value = gammaln(p.r + x) - gammaln(p.r) - gammaln(x + 1) + p.r * np.log(p.alpha)
            result: FloatArray = value + (x * np.log(y) if x else 0.0) - (p.r + x) * np.log(p.alpha + y)
            return result

        active = np.exp(log_count(np.array([t])) - p.s * np.log1p(t / p.beta))
        # In v = log(y / bend + 1), by panels: the integrand rises as y^x and falls as a power.
        bend = min(p.alpha, p.beta, t)
        edges = np.linspace(0.0, np.log1p(t / bend), 17)
        half = np.diff(edges)[:, None] / 2
        v = (edges[:-1, None] + half + half * _NODES).ravel()
        y = bend * np.expm1(v)
        leaving = np.log(p.s / p.beta) - (p.s + 1) * np.log1p(y / p.beta)
        weight = (half * _WEIGHTS).ravel() * bend * np.exp(v)
        return float(active[0] + (weight * np.exp(log_count(y) + leaving)).sum())

    @property
    def _youngest(self) -> float:
        return min(self.params_.alpha, self.params_.beta)

    def _bend(self, x: FloatArray, age: FloatArray) -> FloatArray:
        p = self.params_
        return (age - self._youngest + p.beta) / max(p.s, 1.0)

    def _after(self, x: FloatArray, age: FloatArray, s: FloatArray, power: int) -> FloatArray:
        """An active customer has mu ~ Gamma(s, beta + T) and lambda ~ Gamma(r + x, alpha + T)."""
        p = self.params_
        T = age - self._youngest
        still = np.exp(-p.s * np.log1p(s / (p.beta + T)))
        result: FloatArray = still * ((p.r + x) / (p.alpha + T)) ** power
        return result

    def _active_and_gone(self, summary: PurchaseSummary) -> tuple[FloatArray, FloatArray]:
        """Logarithms of the two parts of the likelihood, without the factor that they share; (n,)."""
        p = self.params_
        x, t_x, T = summary.frequency, summary.recency, summary.T
        active = -(p.r + x) * np.log(p.alpha + T) - p.s * np.log(p.beta + T)
        gone = np.empty(len(x))
        for some in blocks(len(x), _ROWS):
            log_parts, _ = _leaving(p, x[some], t_x[some], T[some])
            top = log_parts.max(axis=1)
            with np.errstate(invalid="ignore", divide="ignore"):
                total = top + np.log(np.exp(log_parts - top[:, None]).sum(axis=1))
            gone[some] = np.where(np.isfinite(top), total, -np.inf)
        return active, gone


def likelihood(x: FloatArray, t_x: FloatArray, T: FloatArray) -> Objective:
    """The log-likelihood of all histories with its first and second derivatives, under the integral sign."""
    values, times = count(x)
    n = len(x)

    def objective(theta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        params = np.exp(theta)
        r, alpha, s, beta = params
        p = ParetoNBDParams(*(float(v) for v in params))
        value = float(times @ (gammaln(r + values) - gammaln(r)))
        value += n * (r * np.log(alpha) + s * np.log(beta))
        gradient = np.array(
            [
                times @ (digamma(r + values) - digamma(r)) + n * np.log(alpha),
                n * r / alpha,
                n * np.log(beta),
                n * s / beta,
            ]
        )
        hessian = np.zeros((4, 4))
        hessian[0, 0] = times @ (polygamma(1, r + values) - polygamma(1, r))
        hessian[0, 1] = hessian[1, 0] = n / alpha
        hessian[1, 1] = -n * r / alpha**2
        hessian[2, 3] = hessian[3, 2] = n / beta
        hessian[3, 3] = -n * s / beta**2
        for some in blocks(n, _ROWS):
            shape = (r + x[some])[:, None]
            gone, y = _leaving(p, x[some], t_x[some], T[some])
            end = T[some][:, None]
            active = -shape * np.log(alpha + end) - s * np.log(beta + end)
            log_parts = np.concatenate([gone, active], axis=1)
            y = np.concatenate([y, end], axis=1)
            left = np.ones(y.shape[1])
            left[-1] = 0.0  # The last column is a customer who has not left.
            one_a, one_b = 1 / (alpha + y), 1 / (beta + y)
            exponent = s + left
            slopes = [-np.log(alpha + y), -shape * one_a, left / s - np.log(beta + y), -exponent * one_b]
            of_parts, slope, bend, weight = mixture(log_parts, slopes)
            value, gradient, hessian = value + of_parts, gradient + slope, hessian + bend
            hessian[0, 1] -= (weight * one_a).sum()
            hessian[1, 1] += (weight * shape * one_a**2).sum()
            hessian[2, 2] -= (weight * left).sum() / s**2
            hessian[2, 3] -= (weight * one_b).sum()
            hessian[3, 3] += (weight * exponent * one_b**2).sum()
        upper = np.triu(hessian)
        return by_logarithms(params, value, gradient, upper + np.triu(hessian, 1).T)

    return objective


def _leaving(
    p: ParetoNBDParams, x: FloatArray, t_x: FloatArray, T: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Quadrature over the moment y of leaving, between t_x and T: log weighted density and y, shape (n, k).

    The density falls from y = t_x on, at a pace that differs by orders of magnitude between customers. In
    v = log(1 + (y - t_x) / bend) with ``bend`` the time in which it first falls by a factor of e it is
    smooth; where it has fallen below 1e-20 the integral ends.
    """
    shape, exponent = p.r + x, p.s + 1
    from_a, from_b = p.alpha + t_x, p.beta + t_x
    bend = 1 / (shape / from_a + exponent / from_b)
    with np.errstate(over="ignore"):
        enough = np.minimum(from_a * np.expm1(_NOTHING / shape), from_b * np.expm1(_NOTHING / exponent))
    reach = np.minimum(T - t_x, enough)
    half = np.log1p(reach / bend)[:, None] / 2
    v = half * (_NODES + 1)
    u = bend[:, None] * np.expm1(v)
    with np.errstate(divide="ignore"):
        log_width = np.log(half * _WEIGHTS * bend[:, None])
    density = -shape[:, None] * np.log(from_a[:, None] + u) - exponent * np.log(from_b[:, None] + u)
    return np.log(p.s) + log_width + v + density, t_x[:, None] + u


def time_active(s: float, age: FloatArray | float, horizon: FloatArray | float) -> FloatArray:
    """Integral over (0, horizon) of (1 + t / age)^-s; finite at s = 1 too."""
    grown = np.log1p(horizon / np.asarray(age))
    lost = (s - 1) * grown
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(np.abs(lost) < 1e-12, 1 - lost / 2, -np.expm1(-lost) / lost)
    result: FloatArray = age * grown * share
    return result
