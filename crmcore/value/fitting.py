"""Maximum likelihood on logarithms of positive parameters, and what to say when it fails."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
# Log parameters, shape (k,) -> sum of log-likelihoods, gradient (k,), Hessian (k, k), by log parameters.
Objective = Callable[[FloatArray], tuple[float, FloatArray, FloatArray]]

DiagnosticCode = Literal[
    "differences_not_identified",
    "dropout_not_identified",
    "extrapolates_beyond_twice_T",
    "few_customers_carry_the_total",
    "log_ends_early",
    "not_converged",
    "one_customer_carries_the_total",
    "same_rates_assumed",
    "spend_depends_on_frequency",
    "spend_mean_infinite",
    "too_few_contracts",
    "too_few_repeat_buyers",
]


@dataclass(frozen=True)
class Diagnostic:
    """Something that a reader of the fit must know; a ``blocking`` one forbids publishing values."""

    code: DiagnosticCode
    message: str
    blocking: bool


NOT_CONVERGED = Diagnostic(
    "not_converged",
    "The likelihood has not reached its maximum, so the parameters may be far from the best.",
    True,
)


@dataclass(frozen=True)
class Optimum:
    """``log_parameters`` and ``standard_errors`` have shape (k,); the errors are of the logarithms, nan where
    the likelihood is flat. ``information`` is the observed one of the logarithms, (k, k)."""

    log_parameters: FloatArray
    log_likelihood: float
    standard_errors: FloatArray
    information: FloatArray
    converged: bool


# Twice the log-likelihood that a parameter gains must exceed the 95% point of chi-square (1 degree).
LEAST_GAIN = 1.92
_REACH = 8.0  # Logarithms may move this far from the start: a factor of 3,000 each way.
_STRIDE = 1.5  # And this far in one step.
_STEPS = 100
_ROUNDING = 1e-11
_POLISH = 4
_NO_GAIN = 1e-6  # In log-likelihood: no data tell such a difference.
_VAGUE = 3.0  # An error of the logarithm by which a parameter is unknown by a factor of 20 and more.
_SAMPLE = 20_000
# Rows that stay in the processor's cache: thrice as fast as one sweep of a million. Above 10,000 the library
# of linear algebra would wake a second thread for a dot product, which costs more than it brings.
_BLOCK = 8192


def maximise(objective: Objective, start: FloatArray, n: int, rough: Objective | None = None) -> Optimum:
    """The maximum of ``objective``, found by Newton steps that always climb.

    start : shape (k,), log parameters in the data's own scale, so that the result does not depend on units.
    n : customers behind the sum; curvature is judged a customer.
    rough : the same on some of the customers. The search then runs there, and only the last steps on all.
    """
    lowest, highest = start - _REACH, start + _REACH
    if rough is not None:
        begun = _climb(rough, start, lowest, highest, 1e-4, n)
        if begun.converged and np.isfinite(begun.standard_errors).all():
            found = _climb(objective, begun.log_parameters, lowest, highest, 1e-7, n)
            if found.converged:
                return found
    return _climb(objective, start, lowest, highest, 1e-7, n)


def sample_of(n: int, size: int | None = None) -> slice | None:
    """About ``size`` evenly spread rows for a rough search; None when all are few enough."""
    size = size or _SAMPLE
    return slice(None, None, n // size) if n >= 3 * size else None


def blocks(n: int, size: int = _BLOCK) -> Iterator[slice]:
    """Row ranges of a table of n rows, one after the other."""
    for begin in range(0, n, size):
        yield slice(begin, min(begin + size, n))


def by_logarithms(
    params: FloatArray, value: float, gradient: FloatArray, hessian: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    """Derivatives by parameters, as derivatives by their logarithms."""
    scaled = params * gradient
    return value, scaled, params[:, None] * hessian * params + np.diag(scaled)


def _climb(
    objective: Objective, theta: FloatArray, lowest: FloatArray, highest: FloatArray, precision: float, n: int
) -> Optimum:
    """Newton steps from ``theta``, turned uphill where the likelihood bends upwards, halved until they climb.

    Ends with a step below ``precision``: Newton squares the error, so after 1e-7 nothing is left to gain.
    On a ridge that rises for ever the climb ends at the edge, where the height is right and the place says
    nothing.
    """
    value, gradient, hessian = objective(theta)
    polished = 0
    for _ in range(_STEPS):
        edge = ((theta <= lowest) & (gradient < 0)) | ((theta >= highest) & (gradient > 0))
        free = np.flatnonzero(~edge)
        whole = np.zeros_like(theta)
        if len(free):
            whole[free] = _uphill(gradient[free], hessian[np.ix_(free, free)])
        if np.abs(whole).max() < precision:
            value += float(gradient @ whole) / 2
            return Optimum(theta + whole, value, _errors(hessian, edge, n), -hessian, True)
        nothing_to_gain = float(gradient @ whole) < _NO_GAIN
        polished += nothing_to_gain
        if polished > _POLISH:  # On a flat hill rounding leads astray for ever.
            return Optimum(theta, value, _errors(hessian, edge, n), -hessian, True)
        step = whole
        for _ in range(40):
            tried = np.clip(theta + step, lowest, highest)
            new_value, new_gradient, new_hessian = objective(tried)
            # Near the top the gain is lost in rounding; a gradient that falls shows it then.
            flatter = np.abs(new_gradient).max() < np.abs(gradient).max()
            if new_value > value or (flatter and value - new_value < _ROUNDING * (1 + abs(value))):
                break
            step = step / 2
        else:  # Nothing climbs: this is the top, unless the step promised more than rounding.
            return Optimum(theta, value, _errors(hessian, edge, n), -hessian, nothing_to_gain)
        theta, value, gradient, hessian = tried, new_value, new_gradient, new_hessian
    return Optimum(theta, value, _errors(hessian, edge, n), -hessian, False)


def _errors(hessian: FloatArray, edge: NDArray[np.bool_], n: int) -> FloatArray:
    """Of the logarithms, from the observed information; nan where nothing holds a parameter in its place."""
    errors = np.full(len(edge), math.nan)
    free = np.flatnonzero(~edge)
    inner = hessian[np.ix_(free, free)]
    if len(free) and _is_negative_definite(inner / n):
        found = np.sqrt(np.diag(np.linalg.inv(-inner)))
        errors[free] = np.where(found < _VAGUE, found, math.nan)
    return errors


def _uphill(gradient: FloatArray, hessian: FloatArray) -> FloatArray:
    """The Newton step with every curvature taken as downward, no longer than _STRIDE."""
    curvature, axes = np.linalg.eigh(hessian)
    bend = np.maximum(np.abs(curvature), 1e-12 * np.abs(curvature).max(initial=0.0) + 1e-300)
    along = axes.T @ gradient / bend
    along = np.clip(along, -_STRIDE, _STRIDE)
    step: FloatArray = axes @ along
    longest = float(np.abs(step).max())
    return step * min(1.0, _STRIDE / longest) if longest > 0 else step


def _is_negative_definite(hessian: FloatArray) -> bool:
    return bool(np.isfinite(hessian).all() and np.linalg.eigvalsh(hessian).max() < -1e-10)
