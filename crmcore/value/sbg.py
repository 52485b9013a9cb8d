"""Shifted-beta-geometric: how long contracts are renewed.

Fader & Hardie (2007), "How to Project Customer Retention", Journal of Interactive Marketing 21(1), 76-90;
Fader & Hardie (2010), "Customer-Base Valuation in a Contractual Setting: The Perils of Ignoring
Heterogeneity", Marketing Science 29(1), 85-93. At every renewal a customer leaves with a probability theta of
his own, theta ~ Beta(alpha, beta) across customers; so retention rises with the age of a cohort although
nobody becomes more loyal: who leaves easily is gone.

Symbols: n is the number of the renewal that comes next, ``renewals`` + 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, digamma, polygamma

from crmcore.value.contracts import ContractSummary
from crmcore.value.counts import count
from crmcore.value.estimator import Estimator
from crmcore.value.fitting import LEAST_GAIN, Diagnostic, Objective, by_logarithms, maximise
from crmcore.value.hypergeometric import mean_power
from crmcore.value.summary import InvalidHistory

FloatArray = NDArray[np.float64]

MIN_CONTRACTS = 50
_LONGEST = 10_000  # Periods that are summed one by one.


@dataclass(frozen=True)
class ShiftedBetaGeometricParams:
    """Both > 0: shapes of the probability to leave at a renewal; alpha counts leaving, beta renewing."""

    alpha: float
    beta: float


class ShiftedBetaGeometric(Estimator[ShiftedBetaGeometricParams]):
    """Renewals of contracts of which it is known whether they still run."""

    NAME = "shifted-beta-geometric"
    VERSION = 1
    PARAMETERS: ClassVar[type[ShiftedBetaGeometricParams]] = ShiftedBetaGeometricParams

    def fit(self, contracts: ContractSummary) -> Self:
        """Maximum likelihood; raises InvalidHistory where no contract has come up for renewal."""
        informative = int(((contracts.renewals > 0) | ~contracts.active).sum())
        if informative == 0:
            raise InvalidHistory("no contract has come up for renewal yet; there is nothing to fit")
        found = maximise(likelihood(contracts), np.log([1.0, 2.0]), informative)
        diagnostics = _diagnose(contracts, informative, found.log_likelihood)
        return self._keep(found, len(contracts), informative, diagnostics, found.log_likelihood)

    def log_likelihood(self, contracts: ContractSummary) -> FloatArray:
        """Equations (5) and (6) of Fader & Hardie (2007) in logarithms; (n,)."""
        p, ended = self.params_, ~contracts.active
        value: FloatArray = betaln(p.alpha + ended, p.beta + contracts.renewals) - betaln(p.alpha, p.beta)
        return value

    def retention_rate(self, renewal: FloatArray | float) -> FloatArray:
        """Share of those who come to the given renewal (1, 2, ...) and renew; equation (8) of 2007."""
        p, n = self.params_, np.asarray(renewal, dtype=np.float64)
        return (p.beta + n - 1) / (p.alpha + p.beta + n - 1)

    def survival(self, renewals: FloatArray | float) -> FloatArray:
        """Share of new contracts that are renewed at least so often; equation (6) of 2007."""
        p, n = self.params_, np.asarray(renewals, dtype=np.float64)
        value: FloatArray = np.exp(betaln(p.alpha, p.beta + n) - betaln(p.alpha, p.beta))
        return value

    def expected_renewals(
        self, contracts: ContractSummary, periods: float, discount_rate: float = 0.0
    ) -> FloatArray:
        """(Discounted) renewals of each contract within so many periods, the one that is due included; (n,).

        The next renewal counts in full and each later one 1/(1 + discount_rate) of the one before. Over
        endless periods this is the discounted expected residual lifetime (DERL) before the renewal, equation
        (6) of Fader & Hardie (2010), here as a mean over theta that no argument makes overflow. A contract
        that has ended has none. Raises InvalidHistory for an endless sum without discount.
        """
        if not (discount_rate >= 0 and periods >= 0 and (math.isinf(periods) or periods == int(periods))):
            raise InvalidHistory(
                f"needs whole periods >= 0 and discount_rate >= 0, got {periods} and {discount_rate}"
            )
        if math.isinf(periods) and discount_rate == 0:
            raise InvalidHistory("endless renewals need a discount_rate > 0; give one, or whole periods")
        if _LONGEST < periods < math.inf:
            raise InvalidHistory(
                f"counts at most {_LONGEST} periods one by one; got {periods:g}, or math.inf"
            )
        distinct, row = np.unique(contracts.renewals, return_inverse=True)
        if math.isinf(periods):
            ahead = self._without_end(distinct, discount_rate)
        else:
            ahead = self._within(distinct, int(periods), discount_rate)
        return np.where(contracts.active, ahead[row], 0.0)

    def _without_end(self, renewals: FloatArray, d: float) -> FloatArray:
        """(1 + d) E[(1 - theta) / (d + theta)] for theta ~ Beta(alpha, beta + renewals)."""
        p = self.params_
        beta = p.beta + renewals
        mean = mean_power(p.alpha, beta + 1, np.ones_like(beta), np.full_like(beta, 1 / d))
        return (1 + d) / d * beta / (p.alpha + beta) * mean

    def _within(self, renewals: FloatArray, periods: int, d: float) -> FloatArray:
        total, still = np.zeros_like(renewals), np.ones_like(renewals)
        for later in range(periods):
            still = still * self.retention_rate(renewals + 1 + later)
            total += still * (1 + d) ** -later
        return total


def likelihood(contracts: ContractSummary) -> Objective:
    """The log-likelihood of all contracts with its first and second derivatives."""
    parts = []
    for ended in (False, True):
        values, times = count(contracts.renewals[contracts.active != ended])
        parts.append((float(ended), values, times))

    def objective(theta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        params = np.exp(theta)
        alpha, beta = params
        value, gradient, hessian = 0.0, np.zeros(2), np.zeros((2, 2))
        for ended, values, times in parts:
            a, b = alpha + ended, beta + values
            value += float(times @ (betaln(a, b) - betaln(alpha, beta)))
            whole = digamma(alpha + beta) - digamma(a + b)
            gradient[0] += times.sum() * (digamma(a) - digamma(alpha)) + times @ whole
            gradient[1] += times @ (digamma(b) - digamma(beta) + whole)
            both = times @ (polygamma(1, alpha + beta) - polygamma(1, a + b))
            hessian += both
            hessian[0, 0] += times.sum() * (polygamma(1, a) - polygamma(1, alpha))
            hessian[1, 1] += times @ (polygamma(1, b) - polygamma(1, beta))
        return by_logarithms(params, value, gradient, hessian)

    return objective


def _diagnose(contracts: ContractSummary, informative: int, log_likelihood: float) -> list[Diagnostic]:
    found = []
    if informative < MIN_CONTRACTS:
        message = f"Contracts that came up for renewal: {informative}; {MIN_CONTRACTS} are needed."
        found.append(Diagnostic("too_few_contracts", message, True))
    ended, renewed = float((~contracts.active).sum()), float(contracts.renewals.sum())
    if ended == 0 or renewed == 0:
        which = "ended" if ended == 0 else "been renewed"
        message = f"No contract has {which} yet, so the chance to leave would be made up."
        found.append(Diagnostic("dropout_not_identified", message, True))
        return found
    share = ended / (ended + renewed)
    alike = ended * math.log(share) + renewed * math.log1p(-share)
    if log_likelihood - alike < LEAST_GAIN:
        message = (
            f"Contracts do not show that customers differ (that gains {log_likelihood - alike:.2f} in "
            f"log-likelihood, {LEAST_GAIN} are needed): only the mean chance to leave, {share:.2f}, is known."
        )
        found.append(Diagnostic("differences_not_identified", message, False))
    return found
