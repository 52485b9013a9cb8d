"""The pace of a shop, week by week: how much of it lasts, comes back every year, or passes.

The logarithm of the pace is a Gaussian process (Rasmussen & Williams 2006, chapters 2 and 5), a sum of three:
one that changes slowly (the shop grows or fades), one that repeats itself every year (the season), and one
that is forgotten within weeks (a sale, a strike). How large each is, is what makes the weekly counts most
likely. So a shop without a season gets none. Whether a peak that was seen once was a season or a sale, one
year cannot tell; a second one does. Counts are Poisson around the pace, with more spread where purchases come
in clumps; sizes and pace are found in turns on the counts linearised at the pace (penalised
quasi-likelihood, Breslow & Clayton 1993, "Approximate Inference in Generalized Linear Mixed Models", Journal
of the American Statistical Association 88(421), section 2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.linalg.lapack import dpotri
from scipy.optimize import minimize

FloatArray = NDArray[np.float64]

YEAR = 364  # Days; of whole weeks, so that weekdays meet weekdays.
# Days over which each part stays like itself.
_SLOW, _SEASON, _PASSING = 730.0, 30.0, 14.0
# What each deviation hardly exceeds before the counts speak: a shop grows less in two years than its season
# swings in one.
_USUAL = np.array([0.3, 0.5, 0.3])
_LEVEL = 0.3  # Of the whole logarithm, around the model that gave the expected counts.
# Logarithms of the three deviations and of the clumps: where the search begins, and how far it may go.
_START = np.log([0.1, 0.1, 0.1, 1.5])
_BOUNDS = [(np.log(0.003), np.log(3.0))] * 3 + [(0.0, np.log(20.0))]
_MOST_TURNS = 12
_NEAR = 0.02  # A turn that moves no logarithm by more is the last.
_LARGEST_STEP = 2.0
_NOTHING, _STILL = 0.5, 0.05  # So many purchases, or such a pace, are as good as none.
_SURELY_SOME = 10.0  # Purchases: where so many are expected and none comes, the shop was shut.
_OFTEN_SHUT = 0.25  # Of all weeks: a shop that is shut so often has its season in that.
_UNKNOWN = 1e6  # The variance of a week that says nothing.


@dataclass(frozen=True)
class Pace:
    """``log_pace``: the logarithm of the pace in each week that it was fitted for, given all counts, (v,).

    slow, season, passing : deviations of the three parts. clumps : how many times Poisson's the counts vary.
    covariance : of the logarithm, given all counts, shape (v, v).
    """

    slow: float
    season: float
    passing: float
    clumps: float
    log_pace: FloatArray
    covariance: FloatArray

    def error_of_mean(self, weights: FloatArray) -> float:
        """Standard error of the weighted sum of the logarithms; weights : shape (v,)."""
        variance = float(weights @ self.covariance @ weights)
        return math.sqrt(max(variance, 0.0))


def fit_pace(day: FloatArray, counts: FloatArray, expected: FloatArray) -> Pace:
    """From weekly counts around expected * pace, shape (w,); day : the middle of each week, shape (v,), of
    which those after the first w are still to come.
    """
    known = len(counts)
    parts = _covariances(day)
    shut = _shut(counts, expected)
    theta, log_pace = _START, np.zeros(len(day))
    for _ in range(_MOST_TURNS):
        before = log_pace
        seen, noise = _working(counts, expected, log_pace[:known])
        seen, noise = np.where(shut, 0.0, seen), np.where(shut, _UNKNOWN, noise)
        theta = _most_likely(parts[:, :known, :known], seen, noise)
        whole = np.tensordot(np.exp(2 * theta[:3]), parts, 1) + _LEVEL**2
        factor = cho_factor(whole[:known, :known] + np.diag(np.exp(theta[3]) * noise), lower=True)
        log_pace = whole[:, :known] @ cho_solve(factor, seen)  # Their equation (2.25).
        if np.abs(log_pace - before).max() < _NEAR:
            break
    log_pace[:known][shut] = np.log(_NOTHING / expected[shut])
    covariance = whole - whole[:, :known] @ cho_solve(factor, whole[:known])  # Their equation (2.26).
    slow, season, passing, clumps = (float(v) for v in np.exp(theta))
    return Pace(slow, season, passing, clumps, log_pace, covariance)


def _shut(counts: FloatArray, expected: FloatArray) -> NDArray[np.bool_]:
    """Weeks in which the shop was shut, shape (w,): they say nothing of its season; its clock stood still.

    A shop that is shut in the same weeks of another year, or for much of every year, has a season.
    """
    none = (counts == 0) & (expected > _SURELY_SOME)
    year = YEAR // 7
    again = np.zeros_like(none)
    again[year:] |= none[:-year]
    again[:-year] |= none[year:]
    shut: NDArray[np.bool_] = none & ~again
    return shut if shut.mean() <= _OFTEN_SHUT else np.zeros_like(shut)


def _covariances(day: FloatArray) -> FloatArray:
    """Of each part between all weeks, at deviation 1; shape (3, v, v)."""
    apart = np.abs(day[:, None] - day[None, :])
    of_year = apart % YEAR
    of_year = np.minimum(of_year, YEAR - of_year)
    smooth = np.sqrt(3.0) * apart / _SLOW
    return np.stack([(1 + smooth) * np.exp(-smooth), np.exp(-of_year / _SEASON), np.exp(-apart / _PASSING)])


def _working(counts: FloatArray, expected: FloatArray, log_pace: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The logarithm that a Newton step from ``log_pace`` sees, and its variance under Poisson's law."""
    # Without a floor a week of nothing would sink by one in every turn.
    log_pace = np.maximum(log_pace, np.log(np.maximum(_NOTHING / np.maximum(expected, _NOTHING), _STILL)))
    mean = np.maximum(expected * np.exp(log_pace), 1e-6)
    return log_pace + np.minimum((counts - mean) / mean, _LARGEST_STEP), 1 / mean


def _most_likely(parts: FloatArray, seen: FloatArray, noise: FloatArray) -> FloatArray:
    """Logarithms of the three deviations and of the clumps, shape (4,)."""

    def unlikely(theta: FloatArray) -> tuple[float, FloatArray]:
        """Their equations (5.8) and (5.9), with half-normal priors on the deviations and 1 / clumps."""
        sizes, clumps = np.exp(2 * theta[:3]), np.exp(theta[3])
        covariance = np.tensordot(sizes, parts, 1) + _LEVEL**2
        covariance[np.diag_indices_from(covariance)] += clumps * noise
        factor = cho_factor(covariance, lower=True)
        weight = cho_solve(factor, seen)
        # Half of the symmetric inverse is enough: each part is symmetric too.
        inverse = np.tril(dpotri(factor[0], lower=True)[0])
        inverse += np.tril(inverse, -1).T
        slope = 0.5 * (inverse - np.outer(weight, weight))
        value = 0.5 * seen @ weight + np.log(np.diag(factor[0])).sum()
        value += 0.5 * (sizes / _USUAL**2).sum() + theta[3]
        slopes = np.empty(4)
        slopes[:3] = 2 * sizes * np.tensordot(parts, slope, 2) + sizes / _USUAL**2
        slopes[3] = clumps * (np.diag(slope) @ noise) + 1
        return float(value), slopes

    result: FloatArray = minimize(unlikely, _START, jac=True, method="L-BFGS-B", bounds=_BOUNDS).x
    return result
