"""BG/NBD: how often a customer buys, and whether he is still active.

Fader, Hardie & Lee (2005), "Counting Your Customers the Easy Way: An Alternative to the Pareto/NBD
Model", Marketing Science 24(2), 275-284; equation numbers below are theirs. While active a customer buys
at rate lambda ~ Gamma(r, alpha); after every purchase he leaves with probability p ~ Beta(a, b).

Symbols: x is ``frequency``, t_x is ``recency``; ``alpha`` is in days. The model is equivariant: with
histories in weeks, alpha and every time argument are in weeks.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaln, digamma, gammaln

from crmcore.errors import CrmError
from crmcore.value.hypergeometric import mean_power
from crmcore.value.summary import PurchaseSummary

FloatArray = NDArray[np.float64]

MODEL = "bg-nbd"
VERSION = 1
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)


class InvalidParameters(CrmError):
    """Parameters outside their domain, or stored by a version that this code does not read."""


@dataclass(frozen=True)
class BGNBD:
    """Parameters, all > 0: r and alpha (days) of the purchase rate, a and b of the dropout probability."""

    r: float
    alpha: float
    a: float
    b: float

    def __post_init__(self) -> None:
        for name, value in (("r", self.r), ("alpha", self.alpha), ("a", self.a), ("b", self.b)):
            if not (math.isfinite(value) and value > 0):
                raise InvalidParameters(f"BG/NBD needs {name} > 0 and finite, got {value}; fit it again")

    def to_json(self) -> str:
        return json.dumps(
            {"model": MODEL, "version": VERSION, "r": self.r, "alpha": self.alpha, "a": self.a, "b": self.b}
        )

    @classmethod
    def from_json(cls, text: str) -> BGNBD:
        stored = json.loads(text)
        if (stored.get("model"), stored.get("version")) != (MODEL, VERSION):
            raise InvalidParameters(
                f"expected {MODEL} version {VERSION}, got {stored.get('model')} version "
                f"{stored.get('version')}; score again to write parameters that this version reads"
            )
        return cls(stored["r"], stored["alpha"], stored["a"], stored["b"])


def log_likelihood(summary: PurchaseSummary, params: BGNBD) -> FloatArray:
    """Log-likelihood of each history, shape (n,); equation (6)."""
    theta = np.log([params.r, params.alpha, params.a, params.b])
    return log_likelihood_and_gradient(summary.frequency, summary.recency, summary.T, theta)[0]


def log_likelihood_and_gradient(
    x: FloatArray, t_x: FloatArray, T: FloatArray, theta: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Equation (6) in logarithms; theta = log(r, alpha, a, b), shape (4,).

    Returns the log-likelihoods, shape (n,), and their derivatives by theta, shape (4, n).
    """
    r, alpha, a, b = np.exp(theta)
    repeat = x > 0
    b_last = np.where(repeat, b + x - 1, 1.0)
    log_active = -(r + x) * np.log(alpha + T)
    log_gone = np.where(repeat, np.log(a / b_last) - (r + x) * np.log(alpha + t_x), -np.inf)
    log_either = np.logaddexp(log_active, log_gone)
    gone = np.exp(log_gone - log_either)  # The probability of having left, given the history.
    value = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x) - betaln(a, b) + log_either
    mean_log = (1 - gone) * np.log(alpha + T) + gone * np.log(alpha + t_x)
    mean_inverse = (1 - gone) / (alpha + T) + gone / (alpha + t_x)
    shrink = digamma(a + b) - digamma(a + b + x)
    gradient = np.stack(
        [
            r * (digamma(r + x) - digamma(r) + np.log(alpha) - mean_log),
            r - alpha * (r + x) * mean_inverse,
            a * shrink + gone,
            b * (digamma(b + x) - digamma(b) + shrink - gone / b_last),
        ]
    )
    return value, gradient


def p_alive(summary: PurchaseSummary, params: BGNBD) -> FloatArray:
    """Probability that each customer is still active at ``observed_until``; shape (n,), in [0, 1].

    Equation (1) of Fader, Hardie & Lee (2008), "Computing P(alive) using the BG/NBD model". One-time
    buyers get exactly 1: the model lets customers leave only after a repeat purchase, so do not rank
    newcomers by it.
    """
    x = summary.frequency
    r, alpha, a, b = params.r, params.alpha, params.a, params.b
    log_odds = (r + x) * (np.log(alpha + summary.T) - np.log(alpha + summary.recency))
    log_odds += np.log(a) - np.log(np.where(x > 0, b + x - 1, 1.0))
    return np.where(x > 0, np.exp(-np.logaddexp(0.0, log_odds)), 1.0)


def expected_purchases(
    summary: PurchaseSummary, params: BGNBD, horizon_days: float, discount_per_day: float = 0.0
) -> FloatArray:
    """Expected purchases of each customer in the ``horizon_days`` after ``observed_until``; shape (n,).

    Equation (10), in the form that never overflows and has no singularity at a = 1: the purchase rate of an
    active customer after s days, E[lambda exp(-lambda p s)], is (r+x)/(alpha+T) times the mean of
    (1 + p s/(alpha+T))^-(r+x+1) over the posterior p ~ Beta(a, b+x); it is integrated by Gauss-Legendre.

    With ``discount_per_day`` (continuous) each purchase counts exp(-discount s): the discounted expected
    transactions (DET) of Fader, Hardie & Lee (2005b). ``horizon_days`` may then be infinite.
    """
    if math.isinf(horizon_days):
        if discount_per_day <= 0:
            raise InvalidParameters("an endless horizon needs discount_per_day > 0; name a finite one")
        horizon_days = 45.0 / discount_per_day  # What comes later counts less than 1e-19.
    x, T, row = _distinct(summary.frequency, summary.T)
    return p_alive(summary, params) * _while_active(x, T, params, horizon_days, discount_per_day, 1)[row]


def expected_active_days(
    summary: PurchaseSummary, params: BGNBD, horizon_days: float, discount_per_day: float = 0.0
) -> FloatArray:
    """Expected (discounted) days within the horizon on which each customer is still active; shape (n,).

    The chance to be active after s days is the mean of exp(-lambda p s) over the posterior.
    """
    x, T, row = _distinct(summary.frequency, summary.T)
    return p_alive(summary, params) * _while_active(x, T, params, horizon_days, discount_per_day, 0)[row]


def expected_purchases_of_newcomer(params: BGNBD, t: FloatArray | float) -> FloatArray:
    """E[X(t)], the repeat purchases of somebody new in his first t days; equation (9); shape as t."""
    times = np.atleast_1d(np.asarray(t, dtype=np.float64))
    zero = np.zeros(1)
    return np.array([_while_active(zero, zero, params, float(s), 0.0, 1)[0] for s in times])


def purchase_count_probability(params: BGNBD, t: float, x: int) -> float:
    """P(X(t) = x): somebody new makes x repeat purchases in t days; equation (8)."""
    r, alpha, a, b = params.r, params.alpha, params.a, params.b
    fraction = t / (alpha + t)
    log_active = betaln(a, b + x) - betaln(a, b) + gammaln(r + x) - gammaln(r) - gammaln(x + 1)
    log_active += r * np.log1p(-fraction) + (x * np.log(fraction) if x else 0.0)
    if x == 0:
        return float(np.exp(log_active))
    # The last bracket of (8) is a negative binomial tail, hence an incomplete beta function.
    left = np.exp(betaln(a + 1, b + x - 1) - betaln(a, b)) * betainc(x, r, fraction)
    return float(np.exp(log_active) + left)


def _while_active(
    x: FloatArray, T: FloatArray, params: BGNBD, horizon: float, discount: float, power: int
) -> FloatArray:
    """Integral over (0, horizon) of exp(-discount s) E[lambda^power exp(-lambda p s)] for an active customer.

    power 1 counts purchases, power 0 counts days. Substituting s = scale (e^v - 1), where ``scale`` is the
    time in which the integrand first bends, makes it smooth in v at every parameter.
    """
    if horizon <= 0:
        return np.zeros_like(x)
    shape = params.r + x
    age = params.alpha + T
    m = shape + power
    bend = np.minimum(age, age * (params.a + params.b + x) / (params.a * m))
    if discount > 0:
        bend = np.minimum(bend, 1 / discount)
    top = np.log1p(horizon / bend)
    v = top[:, None] * (_NODES + 1) / 2
    s = bend[:, None] * np.expm1(v)
    mean = mean_power(params.a, (params.b + x)[:, None], m[:, None], s / age[:, None])
    weight = _WEIGHTS * top[:, None] / 2 * bend[:, None] * np.exp(v - discount * s)
    rate = (shape / age) ** power
    result: FloatArray = rate * (mean * weight).sum(axis=1)
    return result


def _distinct(x: FloatArray, T: FloatArray) -> tuple[FloatArray, FloatArray, NDArray[np.intp]]:
    """Distinct (x, T) and where each customer's is: the integral depends on nothing else."""
    pairs, row = np.unique(x + 1j * T, return_inverse=True)
    return pairs.real.copy(), pairs.imag.copy(), row
