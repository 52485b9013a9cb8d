"""Gamma-Gamma: how much a customer spends on a purchase.

Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value" (brucehardie.com/notes/025); equation
numbers are theirs. A customer's purchases are Gamma(p, nu) with nu ~ Gamma(q, v) across customers, and
spend does not depend on how often he buys.

Symbols: x is ``frequency``, zbar is ``monetary_value`` (the mean over his x repeat purchases); ``v`` is in
currency.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, gammaln
from scipy.stats import rankdata

from crmcore.value.bgnbd import InvalidParameters
from crmcore.value.fitting import Diagnostic, maximise
from crmcore.value.summary import InvalidHistory, PurchaseSummary

FloatArray = NDArray[np.float64]

MODEL = "gamma-gamma"
VERSION = 1
MIN_REPEAT_BUYERS = 50
_RANK_CORRELATION = 0.2
_BETWEEN_SHARE = 0.06  # A medium effect of frequency on spend (Cohen 1988, eta squared).


@dataclass(frozen=True)
class GammaGamma:
    """Parameters, all > 0: p and q are shapes, v (currency) is a scale."""

    p: float
    q: float
    v: float

    def __post_init__(self) -> None:
        for name, value in (("p", self.p), ("q", self.q), ("v", self.v)):
            if not (math.isfinite(value) and value > 0):
                raise InvalidParameters(f"Gamma-Gamma needs {name} > 0 and finite, got {value}; fit it again")

    @property
    def population_mean(self) -> float:
        """Mean spend on a purchase of somebody unknown, currency; infinite when q <= 1."""
        return self.p * self.v / (self.q - 1) if self.q > 1 else math.inf

    def to_json(self) -> str:
        return json.dumps({"model": MODEL, "version": VERSION, "p": self.p, "q": self.q, "v": self.v})

    @classmethod
    def from_json(cls, text: str) -> GammaGamma:
        stored = json.loads(text)
        if (stored.get("model"), stored.get("version")) != (MODEL, VERSION):
            raise InvalidParameters(
                f"expected {MODEL} version {VERSION}, got {stored.get('model')} version "
                f"{stored.get('version')}; score again to write parameters that this version reads"
            )
        return cls(stored["p"], stored["q"], stored["v"])


@dataclass(frozen=True)
class GammaGammaFit:
    """``standard_errors`` are of p, q, v in their own units; nan where the likelihood is flat.

    ``n_repeat_buyers`` counts the customers with positive repeat spend: the others say nothing of it.
    """

    params: GammaGamma
    log_likelihood: float
    standard_errors: tuple[float, float, float]
    n_repeat_buyers: int
    diagnostics: tuple[Diagnostic, ...]

    @property
    def publishable(self) -> bool:
        return not any(d.blocking for d in self.diagnostics)


def expected_spend(summary: PurchaseSummary, params: GammaGamma) -> FloatArray:
    """Expected spend on a future purchase, currency; shape (n,). Equation (5).

    His own mean and the population's, weighted by how much he has bought. One-time buyers get the
    population mean; repeat buyers who got everything free (mean 0) are scored by the same equation.
    """
    x = summary.frequency
    total = np.where(x > 0, x * np.nan_to_num(summary.monetary_value), 0.0)
    with np.errstate(divide="ignore"):
        known = params.p * (params.v + total) / (params.p * x + params.q - 1)
    return np.where(x > 0, known, params.population_mean)


def spend_variation(summary: PurchaseSummary, params: GammaGamma) -> tuple[FloatArray, FloatArray]:
    """Squared coefficients of variation of a purchase, each shape (n,): around the customer's mean, and
    of that mean itself given his history (posterior inverse gamma; infinite where its variance is)."""
    shape = params.p * summary.frequency + params.q
    with np.errstate(divide="ignore"):
        of_mean = np.where(shape > 2, 1 / np.maximum(shape - 2, 1e-300), np.inf)
    return np.full(len(summary), 1 / params.p), of_mean


def log_likelihood_and_gradient(
    x: FloatArray, zbar: FloatArray, theta: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Equation (1a) in logarithms, for x > 0 and zbar > 0; theta = log(p, q, v), shape (3,).

    Returns the log-likelihoods, shape (n,), and their derivatives by theta, shape (3, n).
    """
    p, q, v = np.exp(theta)
    total = x * zbar
    log_sum = np.log(v + total)
    value = (
        gammaln(p * x + q) - gammaln(p * x) - gammaln(q)
        + q * np.log(v) + (p * x - 1) * np.log(zbar) + p * x * np.log(x) - (p * x + q) * log_sum
    )  # fmt: skip
    at_both = digamma(p * x + q)
    gradient = np.stack(
        [
            p * x * (at_both - digamma(p * x) + np.log(total) - log_sum),
            q * (at_both - digamma(q) + np.log(v) - log_sum),
            q - v * (p * x + q) / (v + total),
        ]
    )
    return value, gradient


def fit_gamma_gamma(summary: PurchaseSummary) -> GammaGammaFit:
    """Maximum likelihood over the customers with positive repeat spend; does not depend on the currency."""
    used = (summary.frequency > 0) & (np.nan_to_num(summary.monetary_value) > 0)
    x, zbar = summary.frequency[used], summary.monetary_value[used]
    n = len(x)
    if n == 0:
        raise InvalidHistory("no customer has spent on a repeat purchase; load more orders before fitting")
    scale = float(zbar.mean())

    def objective(theta: FloatArray) -> tuple[float, FloatArray]:
        value, gradient = log_likelihood_and_gradient(x, zbar / scale, theta)
        return float(value.mean()), gradient.mean(axis=1)

    found = maximise(objective, np.log([3.0, 3.0, 0.7]), n)
    p, q, v = (float(value) for value in np.exp(found.log_parameters))
    params = GammaGamma(p, q, v * scale)
    errors = [float(e) for e in found.standard_errors * (params.p, params.q, params.v)]
    return GammaGammaFit(
        params,
        float(n * (found.mean_log_likelihood - np.log(scale))),
        (errors[0], errors[1], errors[2]),
        n,
        tuple(_diagnose(x, zbar, params, found.converged)),
    )


def _diagnose(x: FloatArray, zbar: FloatArray, params: GammaGamma, converged: bool) -> list[Diagnostic]:
    found = []
    if not converged:
        found.append(Diagnostic("not_converged", "The spend likelihood has not reached its maximum.", True))
    if len(x) < MIN_REPEAT_BUYERS:
        message = f"Only {len(x)} customers spent on a repeat purchase; {MIN_REPEAT_BUYERS} are needed."
        found.append(Diagnostic("too_few_repeat_buyers", message, True))
    if params.q <= 1:
        message = f"Spend varies so much (q = {params.q:.2f}) that its mean over customers is infinite."
        found.append(Diagnostic("spend_mean_infinite", message, True))
    if len(x) > 2 and np.ptp(x) > 0 and np.ptp(zbar) > 0:
        rank = float(np.corrcoef(rankdata(x), rankdata(zbar))[0, 1])
        share = _between_share(x, zbar)
        if abs(rank) >= _RANK_CORRELATION or share >= _BETWEEN_SHARE:
            message = (
                f"Spend goes with frequency (Spearman {rank:+.2f}, eta squared {share:.2f}); the model takes "
                "them as independent, so values of frequent buyers lean the other way."
            )
            found.append(Diagnostic("spend_depends_on_frequency", message, False))
    return found


def _between_share(x: FloatArray, zbar: FloatArray) -> float:
    """Eta squared: the share of the variance of log spend that lies between quintiles of frequency."""
    log_spend = np.log(zbar)
    groups = np.searchsorted(np.quantile(x, [0.2, 0.4, 0.6, 0.8]), x, side="left")
    counts = np.bincount(groups, minlength=5)
    means = np.bincount(groups, weights=log_spend, minlength=5) / np.maximum(counts, 1)
    between = float((counts * (means - log_spend.mean()) ** 2).sum())
    return between / float(((log_spend - log_spend.mean()) ** 2).sum())
