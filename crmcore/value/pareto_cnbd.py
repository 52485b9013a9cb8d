"""Pareto/CNBD-k: customers who buy in a rhythm, and leave at any moment.

The pauses of a customer are Erlang-k, as if he made steps at random moments and bought with every k-th of
them (Chatfield & Goodhardt 1973, "A Consumer Purchasing Model with Erlang Inter-Purchase Times", Journal of
the American Statistical Association 68(344), 828-835: the condensed negative binomial). With k = 1 this is
Pareto/NBD. The rate of steps is Gamma(r, alpha) and the rate of leaving Gamma(s, beta) across customers,
independent of each other. Platzer & Reutterer (2016), "Ticking Away the Moments: Timing Regularity Helps to
Better Predict Customer Activity", Marketing Science 35(5), 779-799, show how much the silence of such a
customer says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from crmcore.value.cnbd_likelihood import ROWS, ParetoCNBDParams, likelihood, parts
from crmcore.value.dropout import check_observed
from crmcore.value.estimator import Estimator, Fit
from crmcore.value.fitting import NOT_CONVERGED, blocks, maximise, sample_of
from crmcore.value.pareto_nbd import time_active
from crmcore.value.summary import PurchaseSummary

FloatArray = NDArray[np.float64]

_SAMPLE = 1000  # Quadrature makes a customer dear, so the search is on few.
_LEAST_RATE = 1e-12


@dataclass(frozen=True)
class Lives:
    """When each customer may have left, and how fast he bought if so; shape (n, m), the last column of those
    who are still active.

    age : operational age at which he left. rate : purchases a day until then. chance : of that, 1 in a row.
    """

    age: FloatArray
    rate: FloatArray
    chance: FloatArray


class ParetoCNBD(Estimator[ParetoCNBDParams]):
    """As Pareto/NBD, for a shop whose customers buy in a rhythm."""

    NAME = "pareto-cnbd"
    VERSION = 1
    PARAMETERS: ClassVar[type[ParetoCNBDParams]] = ParetoCNBDParams

    def fit(self, summary: PurchaseSummary, k: int) -> Self:
        """Maximum likelihood for a known number of steps, see :func:`~crmcore.value.rhythm.steps_of`.

        Raises InvalidHistory where nobody was observed for any time.
        """
        check_observed(summary)
        x, t_x, T = summary.frequency, summary.recency, summary.T
        n = len(x)
        rows = sample_of(n, _SAMPLE)
        rough = None if rows is None else likelihood(k, x[rows], t_x[rows], T[rows])
        scale = float(T.mean())
        start = np.log([0.5, 0.3 * scale / k, 0.5, 0.5 * scale])
        found = maximise(likelihood(k, x, t_x, T), start, n, rough)
        values = [math.exp(v) for v in found.log_parameters]
        errors = [float(e) * v for e, v in zip(found.standard_errors, values, strict=True)]
        self._fit = Fit(
            ParetoCNBDParams(float(k), *values),
            ParetoCNBDParams(math.nan, *errors),
            found.log_likelihood,
            n,
            int(np.count_nonzero(x)),
            () if found.converged else (NOT_CONVERGED,),
        )
        return self

    def p_alive(self, summary: PurchaseSummary) -> FloatArray:
        """Probability that each customer is still active at ``observed_until``; (n,)."""
        alive, _ = self._alive_and_steps(summary)
        return alive

    def expected_purchases(self, summary: PurchaseSummary, horizon: float) -> FloatArray:
        """Purchases of each customer over the horizon after ``observed_until``; (n,).

        Who is active and has made j steps since his last purchase makes steps at the rate
        Gamma(r + k x + j, alpha + T). Every k-th is a purchase: in the long run a share 1 / k of them, and at
        first more or fewer, as he is further on in his pause than its middle or less far. That he may leave
        within that very pause is left out of the latter: in simulated shops it is 0.02 purchases at most.
        """
        p, k = self.params_, int(self.params_.k)
        alive, steps = self._alive_and_steps(summary)
        age = p.alpha + summary.T
        time = time_active(p.s, p.beta + summary.T, horizon)
        total = np.zeros(len(summary))
        for j in range(k):
            shape = p.r + k * summary.frequency + j
            total += steps[:, j] * (shape / age / k * time + _at_first(k, j, shape, horizon / age))
        result: FloatArray = alive * np.maximum(total, 0.0)
        return result

    def expected_purchases_of_newcomer(self, t: FloatArray | float) -> FloatArray:
        """Repeat purchases of somebody new in his first t units of time; shape as t."""
        p, k = self.params_, int(self.params_.k)
        times = np.asarray(t, dtype=np.float64)
        steps = p.r / p.alpha * time_active(p.s, p.beta, times)
        result: FloatArray = np.maximum(steps / k + _at_first(k, 0, np.asarray(p.r), times / p.alpha), 0.0)
        return result

    def lives(self, summary: PurchaseSummary) -> Lives:
        """What may have become of each customer, by the nodes of the quadrature."""
        p, k = self.params_, int(self.params_.k)
        ages, rates, chances = [], [], []
        for some in blocks(len(summary), ROWS):
            x, T = summary.frequency[some], summary.T[some]
            gone, y, active = parts(p, k, x, summary.recency[some], T)
            logs = np.concatenate([gone, active[:, :, None]], axis=2)
            chance = np.exp(logs - logs.max(axis=(1, 2), keepdims=True))
            age = np.concatenate([y, T[:, None]], axis=1)
            shape = (p.r + k * x)[:, None, None] + np.arange(k)[:, None]
            either = chance.sum(axis=1)
            mean_shape = (chance * shape).sum(axis=1) / np.maximum(either, 1e-300)
            ages.append(age)
            rates.append(np.maximum(mean_shape / (p.alpha + age) / k, _LEAST_RATE))
            chances.append(either / either.sum(axis=1, keepdims=True))
        return Lives(np.concatenate(ages), np.concatenate(rates), np.concatenate(chances))

    def _alive_and_steps(self, summary: PurchaseSummary) -> tuple[FloatArray, FloatArray]:
        """The chance to be active, (n,), and how likely who is has made each number of steps, (n, k)."""
        p, k = self.params_, int(self.params_.k)
        n = len(summary)
        alive, steps = np.empty(n), np.empty((n, k))
        for some in blocks(n, ROWS):
            x, t_x, T = summary.frequency[some], summary.recency[some], summary.T[some]
            gone, _, active = parts(p, k, x, t_x, T)
            gone = gone.reshape(len(x), -1)
            top = np.maximum(gone.max(axis=1), active.max(axis=1))[:, None]
            still = np.exp(active - top).sum(axis=1)
            alive[some] = still / (still + np.exp(gone - top).sum(axis=1))
            # Apart, because an active one may be too unlikely for a number.
            among = np.exp(active - active.max(axis=1)[:, None])
            steps[some] = among / among.sum(axis=1)[:, None]
        return alive, steps


def _at_first(k: int, j: int, shape: FloatArray, ahead: FloatArray) -> FloatArray:
    """By how much the purchases of somebody j steps after his last one exceed a k-th of his steps; (n,).

    Of n steps ahead floor((j + n) / k) are purchases. How that differs from n / k is a sum over the k-th
    roots of unity, whose mean over n, which is negative binomial, is closed. ahead : the horizon over alpha +
    T.
    """
    result = np.zeros_like(ahead)
    for w in range(1, k):
        turn = 2 * math.pi * w / k
        root = complex(math.cos(turn), math.sin(turn))
        z = 1 - root
        weight = root ** ((j + 1) % k) / z / k
        real, imaginary = 1 + ahead * z.real, ahead * z.imag
        size = np.exp(-shape * 0.5 * np.log(real * real + imaginary * imaginary))
        angle = -shape * np.arctan2(imaginary, real)
        result += weight.real * (1 - size * np.cos(angle)) + weight.imag * size * np.sin(angle)
    return result
