"""What BG/NBD and MBG/NBD share: after a purchase a customer leaves with a probability of his own.

While active he buys at rate lambda ~ Gamma(r, alpha); the probability p ~ Beta(a, b). The two models differ
in one thing, ``chances``: how often somebody with x repeat purchases could have left. In BG/NBD he could
after every repeat purchase, hence x times; in MBG/NBD after his first purchase too, hence x + 1 times.

Symbols: x is ``frequency``, t_x is ``recency``, m is the number of chances to leave.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaln, digamma, gammaln, polygamma

from crmcore.value import nbd
from crmcore.value.ahead import check_ahead, in_blocks, integrate_until
from crmcore.value.counts import by_age, count
from crmcore.value.dropout import LONGEST_ODDS, NEVER, HeterogeneousModel, check_observed, diagnose_dropout
from crmcore.value.fitting import Objective, blocks, by_logarithms, maximise, sample_of
from crmcore.value.hypergeometric import mean_power
from crmcore.value.summary import PurchaseSummary

FloatArray = NDArray[np.float64]

_SURE = 1e12  # The information of what is given and not estimated.


@dataclass(frozen=True)
class BetaGeometricParams:
    """All > 0: r and alpha (time) of the purchase rate, a and b of the probability to leave."""

    r: float
    alpha: float
    a: float
    b: float


class BetaGeometric(HeterogeneousModel[BetaGeometricParams]):
    """BG/NBD or MBG/NBD, as ``CHANCES_BEFORE`` says."""

    PARAMETERS: ClassVar[type[BetaGeometricParams]] = BetaGeometricParams
    CHANCES_BEFORE: ClassVar[int]  # Chances to leave before the first repeat purchase.

    def fit(self, summary: PurchaseSummary) -> Self:
        check_observed(summary)
        x, t_x, T = summary.frequency, summary.recency, summary.T
        n, before = len(x), self.CHANCES_BEFORE
        rows = sample_of(n)
        rough = None if rows is None else likelihood(x[rows], t_x[rows], T[rows], before)
        start = np.log([0.5, 0.3 * T.mean(), 1.0, 3.0])
        found = maximise(likelihood(x, t_x, T, before), start, n, rough)
        without = nbd.best_log_likelihood(x, T)
        diagnostics = diagnose_dropout(summary, found, without, ("r", "alpha", "a", "b"))
        return self._keep(found, n, int(np.count_nonzero(x)), diagnostics, found.log_likelihood)

    def fit_without_leaving(self, summary: PurchaseSummary) -> Self:
        """The same for customers who never leave: the NBD. r and alpha are fitted, a and b given so that no
        silence outweighs them. Raises as :meth:`fit`.
        """
        check_observed(summary)
        x = summary.frequency
        found = nbd.fit(x, summary.T)
        information = np.diag([0.0, 0.0, _SURE, _SURE])
        information[:2, :2] = found.information
        whole = replace(
            found,
            log_parameters=np.append(found.log_parameters, [math.log(NEVER), 0.0]),
            standard_errors=np.append(found.standard_errors, [math.nan, math.nan]),
            information=information,
        )
        return self._keep(whole, len(x), int(np.count_nonzero(x)), [], found.log_likelihood)

    def log_likelihood(self, summary: PurchaseSummary) -> FloatArray:
        """Equation (6) of Fader, Hardie & Lee (2005), and its like with one chance more."""
        p, x = self.params_, summary.frequency
        m = x + self.CHANCES_BEFORE
        log_active = -(p.r + x) * np.log(p.alpha + summary.T)
        either = np.logaddexp(0.0, self._log_odds_of_having_left(x, summary.recency, summary.T))
        value = gammaln(p.r + x) - gammaln(p.r) + p.r * np.log(p.alpha)
        result: FloatArray = value + betaln(p.a, p.b + m) - betaln(p.a, p.b) + log_active + either
        return result

    def p_alive(self, summary: PurchaseSummary) -> FloatArray:
        """Equation (1) of Fader, Hardie & Lee (2008), "Computing P(alive) using the BG/NBD model"; (n,)."""

        p, before = self.params_, self.CHANCES_BEFORE

        def alive(x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
            still = p.b + x + (before - 1)
            odds = (p.r + x) * np.log((p.alpha + T) / (p.alpha + t_x))
            with np.errstate(divide="ignore", invalid="ignore"):
                gone = p.a * np.exp(np.minimum(odds, LONGEST_ODDS))
                result: FloatArray = still / (still + gone)
            return result if before else np.where(x > 0, result, 1.0)

        return in_blocks(alive, summary.frequency, summary.recency, summary.T)

    def purchase_rate(self, summary: PurchaseSummary) -> tuple[FloatArray, FloatArray]:
        p = self.params_
        return p.r + summary.frequency, p.alpha + summary.T

    def expected_purchases_of_newcomer(self, t: FloatArray | float) -> FloatArray:
        """Equation (9) of Fader, Hardie & Lee (2005), and its like with one chance more; shape as t."""
        p = self.params_
        # With a chance to leave at the very first purchase, b / (a + b) are still there to buy again.
        stayed = (p.b / (p.a + p.b)) ** self.CHANCES_BEFORE
        times = np.asarray(t, dtype=np.float64)
        until = times.ravel()
        for end in (until.min(initial=0.0), until.max(initial=0.0)):
            check_ahead(float(end), 0.0)
        after = partial(self._after, power=1)
        found = integrate_until(
            after, self._bend, np.zeros(len(until)), np.full(len(until), self._youngest), until
        )
        return stayed * found.reshape(times.shape)

    def purchase_count_probability(self, t: float, x: int) -> float:
        """Equation (8) of Fader, Hardie & Lee (2005), and its like with one chance more."""
        check_ahead(t, 0.0)
        p, m = self.params_, x + self.CHANCES_BEFORE
        fraction = t / (p.alpha + t)
        with np.errstate(divide="ignore"):
            log_count = gammaln(p.r + x) - gammaln(p.r) - gammaln(x + 1) + p.r * np.log1p(-fraction)
            log_count += x * np.log(fraction) if x else 0.0
        active = np.exp(betaln(p.a, p.b + m) - betaln(p.a, p.b) + log_count)
        if m == 0:
            return float(active)
        # Who left at purchase x made it before t: a negative binomial tail, so an incomplete beta function.
        made = betainc(x, p.r, fraction) if x else 1.0
        return float(active + np.exp(betaln(p.a + 1, p.b + m - 1) - betaln(p.a, p.b)) * made)

    @property
    def _youngest(self) -> float:
        return self.params_.alpha

    def _bend(self, x: FloatArray, age: FloatArray) -> FloatArray:
        p = self.params_
        m = x + self.CHANCES_BEFORE
        return np.minimum(age, age * (p.a + p.b + m) / (p.a * (p.r + x + 1)))

    def _after(self, x: FloatArray, age: FloatArray, s: FloatArray, power: int) -> FloatArray:
        """An active customer has p ~ Beta(a, b + m), and lambda ~ Gamma(r + x, age) independent of it."""
        p, shape = self.params_, self.params_.r + x
        still = mean_power(p.a, p.b + x + self.CHANCES_BEFORE, shape + power, s / age)
        return still * (shape / age) ** power

    def _log_odds_of_having_left(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
        """Minus infinity for somebody who had no chance to leave."""
        p = self.params_
        m = x + self.CHANCES_BEFORE
        silence = np.log(p.alpha + T) - np.log(p.alpha + t_x)
        with np.errstate(divide="ignore", invalid="ignore"):
            odds = np.log(p.a) - np.log(p.b + m - 1) + (p.r + x) * silence
        return np.where(m > 0, odds, -np.inf)


def likelihood(x: FloatArray, t_x: FloatArray, T: FloatArray, chances_before: int) -> Objective:
    """The log-likelihood of all histories with its first and second derivatives.

    What depends on a customer's frequency alone is summed over a histogram of frequencies; two logarithms and
    one exponential a customer remain.
    """
    values, times = count(x)
    chances = values + chances_before
    never = T[:0] if chances_before else T[x == 0]
    ages, customers, _ = by_age(never, never)  # What they bought is asked for by nobody.
    n = float(times.sum())

    def objective(theta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        params = np.exp(theta)
        r, alpha, a, b = params
        value = times @ (
            gammaln(r + values) - gammaln(r) + betaln(a, b + chances) - betaln(a, b)
        ) + n * r * np.log(alpha)
        all_chances, no_chance = digamma(a + b + chances), digamma(a + b)
        gradient = np.array(
            [
                times @ (digamma(r + values) - digamma(r)) + n * np.log(alpha),
                n * r / alpha,
                times @ (no_chance - all_chances),
                times @ (digamma(b + chances) - all_chances - digamma(b) + no_chance),
            ]
        )
        hessian = np.zeros((4, 4))
        hessian[0, 0] = times @ (polygamma(1, r + values) - polygamma(1, r))
        hessian[0, 1] = n / alpha
        hessian[1, 1] = -n * r / alpha**2
        shared = polygamma(1, a + b) - polygamma(1, a + b + chances)
        hessian[2, 2] = hessian[2, 3] = times @ shared
        hessian[3, 3] = times @ (polygamma(1, b + chances) - polygamma(1, b) + shared)

        for some in blocks(len(ages)):
            age, of = alpha + ages[some], customers[some]
            log, one = float(of @ np.log(age)), 1 / age
            inverse = float(of @ one)
            value -= r * log
            gradient[0] -= log
            gradient[1] -= r * inverse
            hessian[0, 1] -= inverse
            hessian[1, 1] += r * (of @ one**2)

        for part in blocks(len(x)):
            # Chosen anew each time: copies of whole columns take longer the more customers there are.
            some = part if chances_before else part.start + np.flatnonzero(x[part])
            shape, last = r + x[some], b + x[some] + (chances_before - 1)
            now, then = alpha + T[some], alpha + t_x[some]
            log_now = np.log(now)
            silence = log_now - np.log(then)
            odds = np.log(a / last) + shape * silence
            small = np.exp(-np.abs(odds))
            gone = np.where(odds > 0, 1.0, small) / (1 + small)  # The probability of having left.
            doubt = small / (1 + small) ** 2
            one = 1 / now
            gap = (one - 1 / then) * shape  # Derivatives of the log odds by alpha, and by b below.
            by_b = -1 / last
            value += float((np.maximum(odds, 0) + np.log1p(small)).sum() - shape @ log_now)
            gradient[0] += gone @ silence - log_now.sum()
            gradient[1] += gone @ gap - shape @ one
            gradient[2] += gone.sum() / a
            gradient[3] += gone @ by_b
            doubt_silence, doubt_gap, doubt_b = doubt * silence, doubt * gap, doubt * by_b
            hessian[0, 0] += doubt_silence @ silence
            hessian[0, 1] += doubt_silence @ gap + gone @ (gap / shape) - one.sum()
            hessian[0, 2] += doubt_silence.sum() / a
            hessian[0, 3] += doubt_silence @ by_b
            hessian[1, 1] += doubt_gap @ gap + shape @ one**2 - gone @ (gap * (one + 1 / then))
            hessian[1, 2] += doubt_gap.sum() / a
            hessian[1, 3] += doubt_gap @ by_b
            hessian[2, 2] += (doubt.sum() - gone.sum()) / a**2
            hessian[2, 3] += doubt_b.sum() / a
            hessian[3, 3] += doubt_b @ by_b + gone @ by_b**2
        upper = np.triu(hessian)
        return by_logarithms(params, float(value), gradient, upper + np.triu(hessian, 1).T)

    return objective
