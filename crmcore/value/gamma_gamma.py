"""Gamma-Gamma: how much a customer spends on a purchase.

Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value" (brucehardie.com/notes/025); equation
numbers are theirs. A customer's purchases are Gamma(p, nu) with nu ~ Gamma(q, v) across customers, and
spend does not depend on how often he buys.

Symbols: x is ``frequency``, zbar is ``monetary_value`` (the mean over his x repeat purchases); ``v`` is in
currency.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, gammaln, polygamma

from crmcore.value.ahead import in_blocks
from crmcore.value.counts import count
from crmcore.value.dropout import MIN_REPEAT_BUYERS
from crmcore.value.estimator import Estimator
from crmcore.value.fitting import Diagnostic, Objective, Optimum, blocks, by_logarithms, maximise, sample_of
from crmcore.value.summary import InvalidHistory, PurchaseSummary, check_summary

FloatArray = NDArray[np.float64]

_RANK_CORRELATION = 0.2
_BETWEEN_SHARE = 0.06  # A medium effect of frequency on spend (Cohen 1988, eta squared).
_RANKED = 100_000  # Ranks of so many customers, evenly spread, tell a correlation to .003.


@dataclass(frozen=True)
class GammaGammaParams:
    """All > 0: p and q are shapes, v (currency) is a scale."""

    p: float
    q: float
    v: float


class GammaGamma(Estimator[GammaGammaParams]):
    """What a customer spends on a purchase, his own mean weighed against everybody's."""

    NAME = "gamma-gamma"
    VERSION = 2
    PARAMETERS: ClassVar[type[GammaGammaParams]] = GammaGammaParams

    def fit(self, summary: PurchaseSummary) -> Self:
        """Maximum likelihood over the customers with positive repeat spend; does not depend on the currency.

        Raises InvalidHistory where nobody has spent on a repeat purchase.
        """
        check_summary(summary)
        used = (summary.frequency > 0) & (summary.monetary_value > 0)
        x, zbar = summary.frequency[used], summary.monetary_value[used]
        n = len(x)
        if n == 0:
            raise InvalidHistory(
                "no customer has spent on a repeat purchase; load more orders before fitting"
            )
        rows = sample_of(n)
        rough = None if rows is None else likelihood(x[rows], zbar[rows])
        found = maximise(likelihood(x, zbar), np.log([3.0, 3.0, 0.7 * zbar.mean()]), n, rough)
        q = math.exp(found.log_parameters[1])
        return self._keep(found, len(summary), n, _diagnose(x, zbar, q, found), found.log_likelihood)

    @property
    def population_mean(self) -> float:
        """Mean spend on a purchase of somebody unknown, currency; infinite when q <= 1."""
        params = self.params_
        return params.p * params.v / (params.q - 1) if params.q > 1 else math.inf

    def expected_spend(self, summary: PurchaseSummary) -> FloatArray:
        """Expected spend on a future purchase, currency; shape (n,). Equation (5).

        His own mean and the population's, weighted by how much he has bought. One-time buyers, and
        those whose spend is not known, get the population mean; repeat buyers who got everything free
        (mean 0) are scored by the same equation.
        Infinite where q <= 1 and the history does not settle it.
        """
        params, mean = self.params_, self.population_mean

        def expected(x: FloatArray, zbar: FloatArray) -> FloatArray:
            weight = np.maximum(params.p * x + (params.q - 1), 0.0)
            with np.errstate(divide="ignore"):
                known = params.p * (params.v + x * zbar) / weight
            return np.where(np.isnan(zbar), mean, known)

        return in_blocks(expected, summary.frequency, summary.monetary_value)

    def spend_variation(self, summary: PurchaseSummary) -> tuple[FloatArray, FloatArray]:
        """Squared coefficients of variation of a purchase, each shape (n,): around the customer's mean, and
        of that mean itself given his history (posterior inverse gamma; infinite where its variance is)."""
        shape = self.params_.p * summary.frequency + self.params_.q
        with np.errstate(divide="ignore"):
            of_mean = np.where(shape > 2, 1 / np.maximum(shape - 2, 1e-300), np.inf)
        return np.full(len(summary), 1 / self.params_.p), of_mean

    def log_likelihood(self, summary: PurchaseSummary) -> FloatArray:
        """Equation (1a) in logarithms, (n,); 0 for who spent nothing on a repeat purchase."""
        params, x = self.params_, summary.frequency
        p, q, v = params.p, params.q, params.v
        used = (x > 0) & (summary.monetary_value > 0)
        x, zbar = x[used], summary.monetary_value[used]
        value = np.zeros(len(summary))
        value[used] = (
            gammaln(p * x + q) - gammaln(p * x) - gammaln(q)
            + q * np.log(v) + (p * x - 1) * np.log(zbar) + p * x * np.log(x)
            - (p * x + q) * np.log(v + x * zbar)
        )  # fmt: skip
        return value


def likelihood(x: FloatArray, zbar: FloatArray) -> Objective:
    """Equation (1a), summed over customers with x > 0 and zbar > 0, with first and second derivatives."""
    values, times = count(x)
    n = len(x)
    log_mean = sum(float(np.log(zbar[some]).sum()) for some in blocks(n))
    log_total = sum(float(x[some] @ np.log(x[some] * zbar[some])) for some in blocks(n))

    def objective(theta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        params = np.exp(theta)
        p, q, v = params
        log = log_x = one = one_x = square = square_x = 0.0
        for some in blocks(n):
            xs = x[some]
            whole = v + xs * zbar[some]
            logs, ones = np.log(whole), 1 / whole
            log += logs.sum()
            log_x += xs @ logs
            one += ones.sum()
            one_x += xs @ ones
            square += ones @ ones
            square_x += xs @ ones**2
        own, both = p * values, p * values + q
        value = times @ (gammaln(both) - gammaln(own)) - n * (gammaln(q) - q * np.log(v))
        value += p * log_total - log_mean - p * log_x - q * log
        gradient = np.array(
            [
                times @ (values * (digamma(both) - digamma(own))) + log_total - log_x,
                times @ digamma(both) - n * (digamma(q) - np.log(v)) - log,
                n * q / v - p * one_x - q * one,
            ]
        )
        curve = polygamma(1, both)
        pp = times @ (values**2 * (curve - polygamma(1, own)))
        pq, pv, qv = times @ (values * curve), -one_x, n / v - one
        qq = times @ curve - n * polygamma(1, q)
        vv = -n * q / v**2 + p * square_x + q * square
        hessian = np.array([[pp, pq, pv], [pq, qq, qv], [pv, qv, vv]])
        return by_logarithms(params, float(value), gradient, hessian)

    return objective


def _diagnose(x: FloatArray, zbar: FloatArray, q: float, fit: Optimum) -> list[Diagnostic]:
    found = []
    if len(x) < MIN_REPEAT_BUYERS:
        message = f"Customers who spent on a repeat purchase: {len(x)}; {MIN_REPEAT_BUYERS} are needed."
        found.append(Diagnostic("too_few_repeat_buyers", message, True))
    if q <= 1:
        message = f"Spend varies so much (q = {q:.2f}) that its mean over customers is infinite."
        found.append(Diagnostic("spend_mean_infinite", message, True))
    elif np.isnan(fit.standard_errors).any():
        message = "Customers or purchases seem to differ too little in spend to hold p, q and v in place."
        found.append(Diagnostic("differences_not_identified", message, False))
    step = max(len(x) // _RANKED, 1)
    x, zbar = x[::step], zbar[::step]
    if len(x) > 2 and np.ptp(x) > 0 and np.ptp(zbar) > 0:
        rank = float(np.corrcoef(_ranks(x), _ranks(zbar))[0, 1])
        share = _between_share(x, zbar)
        if abs(rank) >= _RANK_CORRELATION or share >= _BETWEEN_SHARE:
            message = (
                f"Spend goes with frequency (Spearman {rank:+.2f}, eta squared {share:.2f}); the model takes "
                "them as independent, so values of frequent buyers lean the other way."
            )
            found.append(Diagnostic("spend_depends_on_frequency", message, False))
    return found


def _ranks(values: FloatArray) -> FloatArray:
    """From 1; equal values share the mean of theirs. SciPy's own takes half a second to import."""
    _, place, times = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(times)
    ranks: FloatArray = ((2 * last - times + 1) / 2)[place]
    return ranks


def _between_share(x: FloatArray, zbar: FloatArray) -> float:
    """Eta squared: the share of the variance of log spend that lies between quintiles of frequency."""
    log_spend = np.log(zbar)
    groups = np.searchsorted(np.quantile(x, [0.2, 0.4, 0.6, 0.8]), x, side="left")
    counts = np.bincount(groups, minlength=5)
    means = np.bincount(groups, weights=log_spend, minlength=5) / np.maximum(counts, 1)
    between = float((counts * (means - log_spend.mean()) ** 2).sum())
    return between / float(((log_spend - log_spend.mean()) ** 2).sum())
