"""Plain retention: everybody buys at one rate and leaves at one rate. For firms with few data.

The oldest form of customer value, margin times retention (Blattberg & Deighton 1996, "Manage marketing by the
customer equity test", Harvard Business Review 74(4), 136-144; Gupta & Lehmann 2003, "Customers as assets",
Journal of Interactive Marketing 17(1), 9-24), in continuous time: purchases come at rate lambda until the
customer leaves, which happens at rate mu. The likelihood is that of Pareto/NBD before its rates differ
(Schmittlein, Morrison & Colombo 1987).

Two numbers can be learnt from a dozen customers. Because few data may show no leaving at all, mu leans on an
assumption that is stated and counted: ``assumed_retention`` a year, worth ``LEAVERS_ASSUMED`` leavers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc, gammaln

from crmcore.value.ahead import check_ahead
from crmcore.value.dropout import NEVER, DropoutModel, check_observed
from crmcore.value.estimator import InvalidParameters
from crmcore.value.fitting import Diagnostic, Objective, by_logarithms, maximise
from crmcore.value.summary import PurchaseSummary

FloatArray = NDArray[np.float64]

LEAVERS_ASSUMED = 2.0
PURCHASES_ASSUMED = 0.5  # So that a rate exists before anybody has bought again.
_ALL_ALIKE = 1e9  # The shape of a gamma distribution that is one point.


@dataclass(frozen=True)
class PlainRetentionParams:
    """Both > 0, for each unit of time: the rate of purchases, and the rate of leaving."""

    purchase_rate: float
    leaving_rate: float


class PlainRetention(DropoutModel[PlainRetentionParams]):
    """assumed_retention : share of customers who stay for a year, 0..1, before any data.
    year : length of a year in the summary's unit of time.
    """

    NAME = "plain-retention"
    VERSION = 1
    PARAMETERS: ClassVar[type[PlainRetentionParams]] = PlainRetentionParams

    def __init__(self, assumed_retention: float = 0.5, year: float = 365.0) -> None:
        super().__init__()
        if not (0 < assumed_retention < 1 and 0 < year < math.inf):
            raise InvalidParameters(
                f"needs 0 < assumed_retention < 1 and a year > 0, got {assumed_retention} and {year}"
            )
        self.assumed_retention = assumed_retention
        self.year = year

    def fit(self, summary: PurchaseSummary) -> Self:
        check_observed(summary)
        x, t_x, T = summary.frequency, summary.recency, summary.T
        rate = (x.sum() + PURCHASES_ASSUMED) / T.sum()
        found = maximise(self.leaning(summary), np.log([rate, self._assumed_leaving]), len(x))
        stay = math.exp(-math.exp(found.log_parameters[1]) * self.year)
        message = (
            f"Everybody is taken to buy and to leave at the same rate, and {stay:.0%} of active customers to "
            f"stay for another year; the rate of leaving leans on an assumed yearly retention of "
            f"{self.assumed_retention:.0%}, worth {LEAVERS_ASSUMED:g} leavers."
        )
        return self._keep(
            found,
            len(x),
            int(np.count_nonzero(x)),
            [Diagnostic("same_rates_assumed", message, False)],
            likelihood(x, t_x, T)(found.log_parameters)[0],
        )

    def fit_without_leaving(self, summary: PurchaseSummary) -> Self:
        """The same for customers who never leave. Raises as :meth:`fit`."""
        check_observed(summary)
        rate = (float(summary.frequency.sum()) + PURCHASES_ASSUMED) / float(summary.T.sum())
        return self.of(rate, NEVER)

    def leaning(self, summary: PurchaseSummary) -> Objective:
        """What :meth:`fit` maximises: the log-likelihood of all histories, and what is assumed before any."""
        seen, assumed = likelihood(summary.frequency, summary.recency, summary.T), self._assumed_leaving

        def objective(theta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
            value, gradient, hessian = seen(theta)
            mu = math.exp(theta[1])
            value += PURCHASES_ASSUMED * theta[0] + LEAVERS_ASSUMED * (theta[1] - mu / assumed)
            gradient = gradient + np.array([PURCHASES_ASSUMED, LEAVERS_ASSUMED * (1 - mu / assumed)])
            hessian = hessian - np.diag([0.0, LEAVERS_ASSUMED * mu / assumed])
            return value, gradient, hessian

        return objective

    @property
    def _assumed_leaving(self) -> float:
        return -math.log(self.assumed_retention) / self.year

    def yearly_retention(self) -> float:
        """Share of active customers who are still active a year later."""
        return math.exp(-self.params_.leaving_rate * self.year)

    def log_likelihood(self, summary: PurchaseSummary) -> FloatArray:
        p = self.params_
        both = p.purchase_rate + p.leaving_rate
        silence = p.purchase_rate * np.exp(-both * summary.days_since_last_purchase)
        value: FloatArray = summary.frequency * math.log(p.purchase_rate) - both * summary.recency
        return value + np.log((p.leaving_rate + silence) / both)

    def p_alive(self, summary: PurchaseSummary) -> FloatArray:
        p = self.params_
        both = p.purchase_rate + p.leaving_rate
        still = np.exp(-both * summary.days_since_last_purchase)
        result: FloatArray = both * still / (p.leaving_rate + p.purchase_rate * still)
        return result

    def purchase_rate(self, summary: PurchaseSummary) -> tuple[FloatArray, FloatArray]:
        alike = np.full(len(summary), _ALL_ALIKE)
        return alike, alike / self.params_.purchase_rate

    def expected_purchases_of_newcomer(self, t: FloatArray | float) -> FloatArray:
        p = self.params_
        result: FloatArray = (
            -np.expm1(-p.leaving_rate * np.asarray(t, float)) * p.purchase_rate / p.leaving_rate
        )
        return result

    def purchase_count_probability(self, t: float, x: int) -> float:
        check_ahead(t, 0.0)
        p = self.params_
        both = p.purchase_rate + p.leaving_rate
        bought = p.purchase_rate * t
        log_count = (x * math.log(bought) if x else 0.0) - gammaln(x + 1) if bought > 0 else -math.inf
        active = math.exp(log_count - both * t) if bought > 0 or x else 1.0
        gone = p.leaving_rate / both * (p.purchase_rate / both) ** x * gammainc(x + 1, both * t)
        return float(active + gone)

    def _ahead(
        self,
        summary: PurchaseSummary,
        horizon: float,
        of_purchases: tuple[float, ...],
        of_time: tuple[float, ...],
    ) -> list[FloatArray]:
        p = self.params_
        results = []
        for rate, discounts in ((p.purchase_rate, of_purchases), (1.0, of_time)):
            for discount in discounts:
                check_ahead(horizon, discount)
                fading = p.leaving_rate + discount
                results.append(np.full(len(summary), -rate * math.expm1(-fading * horizon) / fading))
        return results


def likelihood(x: FloatArray, t_x: FloatArray, T: FloatArray) -> Objective:
    """The log-likelihood of all histories with its first and second derivatives."""
    purchases, seen, silence = float(x.sum()), float(t_x.sum()), T - t_x

    def objective(theta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        rate, mu = params = np.exp(theta)
        n, both = len(x), rate + mu
        fade = np.exp(-both * silence)
        inside = mu + rate * fade
        value = purchases * np.log(rate) - both * seen + float(np.log(inside).sum()) - n * np.log(both)
        by_rate, by_mu = fade * (1 - rate * silence) / inside, (1 - rate * silence * fade) / inside
        gradient = np.array(
            [purchases / rate - seen + by_rate.sum() - n / both, -seen + by_mu.sum() - n / both]
        )
        # Second derivatives of ``inside``: with a rate, the factor falls once more for each of the two.
        curve, mixed = fade * silence * (rate * silence - 2), fade * silence * (rate * silence - 1)
        rr = -purchases / rate**2 + (curve / inside - by_rate**2).sum() + n / both**2
        rm = (mixed / inside - by_rate * by_mu).sum() + n / both**2
        mm = (rate * silence**2 * fade / inside - by_mu**2).sum() + n / both**2
        return by_logarithms(params, float(value), gradient, np.array([[rr, rm], [rm, mm]]))

    return objective
