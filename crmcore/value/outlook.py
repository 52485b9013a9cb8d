"""The distribution of a customer's value over the horizon: how far below or above its mean it may come.

A customer who has left already is worth nothing more. One who is active buys nothing with a known chance;
else what he brings is a lognormal with the exact mean and variance of his purchases, and what he costs is
one too, independent of it. It is an approximation whose coverage is measured, not a theorem.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from crmcore.value.bounds import within
from crmcore.value.cost_to_serve import CostForecast

FloatArray = NDArray[np.float64]

COVERAGE = 0.95
WIDEST = 25.0  # Squared variation at which a moment-matched lognormal stops meaning anything.
LEAST = 1e-300
LEAST_SPREAD = 1e-6
# What a lognormal may be, in 41 and 7 steps of its logarithm; each with the probability of its step.
_STEPS = np.linspace(-3.0, 3.0, 41)
_COST_STEPS = np.linspace(-1.8, 1.8, 7)
_BLOCK = 4_096


def _weights(steps: FloatArray) -> FloatArray:
    """The probability of a standard normal to be nearest to each step; they sum to one."""
    edges = np.concatenate([[-np.inf], (steps[1:] + steps[:-1]) / 2, [np.inf]])
    return np.diff(ndtr(edges))


_WEIGHTS, _COST_WEIGHTS = _weights(_STEPS), _weights(_COST_STEPS)


@dataclass(frozen=True)
class Lognormal:
    """Mean and variance of the logarithm; shape (n,)."""

    log_mean: FloatArray
    log_variance: FloatArray

    @classmethod
    def matched(cls, mean: FloatArray, squared_variation: FloatArray) -> Lognormal:
        width = np.log1p(within(squared_variation, LEAST_SPREAD, WIDEST))
        return cls(np.log(np.maximum(mean, LEAST)) - width / 2, width)


@dataclass(frozen=True)
class Outlook:
    """alive : chance to be active now. p_buys, p_costs : chance to buy, and to cost, at all, if he is.

    sign : of what a purchase brings; -1 where the customer buys below cost. gain, cost : given that there are
    any. gain_mean, cost_mean, and gain_square, cost_square : first and second moments if he is active,
    currency.
    """

    alive: FloatArray
    p_buys: FloatArray
    p_costs: FloatArray
    sign: FloatArray
    gain: Lognormal
    cost: Lognormal
    gain_mean: FloatArray
    gain_square: FloatArray
    cost_mean: FloatArray
    cost_square: FloatArray

    def p_below_zero(self) -> FloatArray:
        """P(value < 0) over the horizon; shape (n,)."""
        widths = np.sqrt(self.gain.log_variance + self.cost.log_variance)
        loses = ndtr((self.cost.log_mean - self.gain.log_mean) / widths)
        with_gain = np.where(self.sign < 0, 1.0, self.p_costs * loses)
        below = (1 - self.p_buys) * self.p_costs + self.p_buys * with_gain
        result: FloatArray = within(self.alive * below, 0.0, 1.0)
        return result

    def deviation(self) -> FloatArray:
        """Standard deviation of the value; shape (n,), currency."""
        mean = self.gain_mean - self.cost_mean
        square = self.gain_square - 2 * self.gain_mean * self.cost_mean + self.cost_square
        return np.sqrt(np.maximum(self.alive * square - (self.alive * mean) ** 2, 0.0))

    def interval(self, coverage: float = COVERAGE) -> tuple[FloatArray, FloatArray]:
        """See :func:`interval`."""
        law = (self.alive, self.p_buys, self.p_costs, self.sign, self.gain, self.cost)
        return interval(*law, coverage=coverage)


def interval(
    alive: FloatArray,
    p_buys: FloatArray,
    p_costs: FloatArray,
    sign: FloatArray,
    gain: Lognormal,
    cost: Lognormal,
    *,
    coverage: float = COVERAGE,
) -> tuple[FloatArray, FloatArray]:
    """The values between which the customer's lies with this probability; each shape (n,), currency.

    The arguments are as :class:`Outlook` names them. Where much of the probability lies on one value
    (nothing, of somebody who has probably left), more than ``coverage`` is between them.
    """
    low, high = np.empty(len(alive)), np.empty(len(alive))
    for start in range(0, len(low), _BLOCK):
        some = slice(start, start + _BLOCK)
        values, weights = _atoms(
            alive[some, None],
            p_buys[some, None],
            p_costs[some, None],
            sign[some, None] * _points(gain, _STEPS, some),
            _points(cost, _COST_STEPS, some),
        )
        rows = np.arange(len(values))
        order = rows[:, None], np.argsort(values, axis=1, kind="stable")
        values, reached = values[order], np.cumsum(weights[order], axis=1)
        for result, share in ((low, (1 - coverage) / 2), (high, (1 + coverage) / 2)):
            last = values.shape[1] - 1
            result[some] = values[rows, np.minimum((reached < share).sum(axis=1), last)]
    return low, high


def _atoms(
    alive: FloatArray,
    p_buys: FloatArray,
    p_costs: FloatArray,
    gain: FloatArray,
    cost: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """What each customer's value may be, and with which probability; shape (customers, atoms)."""
    gains = np.concatenate([np.zeros_like(gain[:, :1]), gain], axis=1)
    gain_weights = np.concatenate([1 - p_buys, p_buys * _WEIGHTS], axis=1)
    costs, cost_weights = np.zeros_like(gain[:, :1]), np.ones_like(gain[:, :1])
    if p_costs.any():  # What costs nobody anything need not be sorted.
        costs = np.concatenate([np.zeros_like(cost[:, :1]), cost], axis=1)
        cost_weights = np.concatenate([1 - p_costs, p_costs * _COST_WEIGHTS], axis=1)
    values = gains[:, :, None] - costs[:, None, :]
    weights = alive[:, :, None] * gain_weights[:, :, None] * cost_weights[:, None, :]
    flat = (len(gains), -1)
    return (
        np.concatenate([values.reshape(flat), np.zeros_like(alive)], axis=1),
        np.concatenate([weights.reshape(flat), 1 - alive], axis=1),
    )


def outlook(
    *,
    alive: FloatArray,
    p_buys: FloatArray,
    count: FloatArray,
    pairs: FloatArray,
    contribution: FloatArray,
    around: FloatArray,
    of_mean: FloatArray,
    of_parameters: float,
    costs: CostForecast,
) -> Outlook:
    """From the moments of a customer who is active now, each shape (n,).

    count, pairs : E[N] and E[N(N - 1)] of his purchases. contribution : what they bring, currency. around,
    of_mean : squared variation of a purchase around his mean, and of that mean. of_parameters : squared
    relative error of a mean through the fitted parameters. costs : his cost to serve.
    """
    p_buys = np.maximum(p_buys, LEAST)
    mean_count = np.maximum(count / p_buys, 1.0)
    square_count = np.maximum((pairs + count) / p_buys, mean_count**2)
    of_mean = np.minimum(of_mean, WIDEST)
    spread = (1 + of_mean) * (square_count + mean_count * around) / mean_count**2 * (1 + of_parameters) - 1
    spread = within(spread, LEAST_SPREAD, WIDEST)
    gain_given = np.abs(contribution) / p_buys

    any_cost = costs.mean > 0
    p_costs, cost_mean = np.where(any_cost, costs.p_any, 1.0), np.where(any_cost, costs.mean, LEAST)
    cost_variation = np.where(any_cost, (costs.deviation / cost_mean) ** 2 + 1, 1.0)
    return Outlook(
        alive=alive,
        p_buys=p_buys,
        p_costs=costs.p_any,
        sign=np.where(contribution < 0, -1.0, 1.0),
        gain=Lognormal.matched(gain_given, spread),
        cost=Lognormal.matched(cost_mean / p_costs, cost_variation * p_costs - 1),
        gain_mean=contribution,
        gain_square=p_buys * gain_given**2 * (1 + spread),
        cost_mean=costs.mean,
        cost_square=costs.mean**2 * cost_variation,
    )


def _points(law: Lognormal, steps: FloatArray, some: slice) -> FloatArray:
    result: FloatArray = np.exp(law.log_mean[some, None] + np.sqrt(law.log_variance[some, None]) * steps)
    return result
