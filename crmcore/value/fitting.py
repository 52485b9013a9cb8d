"""Maximum likelihood on logarithms of positive parameters, and what to say when it fails."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

FloatArray = NDArray[np.float64]
# Log parameters, shape (k,) -> sum of log-likelihoods, gradient (k,), Hessian (k, k), by log parameters.
Objective = Callable[[FloatArray], tuple[float, FloatArray, FloatArray]]

DiagnosticCode = Literal[
    "differences_not_identified",
    "dropout_not_identified",
    "extrapolates_beyond_twice_T",
    "not_converged",
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


@dataclass(frozen=True)
class Optimum:
    """``log_parameters`` and ``standard_errors`` have shape (k,); the errors are of the logarithms, nan where
    the likelihood is flat."""

    log_parameters: FloatArray
    log_likelihood: float
    standard_errors: FloatArray
    converged: bool


# Twice the log-likelihood that a parameter gains must exceed the 95% point of chi-square (1 degree).
LEAST_GAIN = 1.92
_REACH = 12.0  # Logarithms may move this far from the start: a factor of 160,000 each way.
_GRADIENT = 1e-7  # Of the mean log-likelihood a customer.
_SAMPLE = 20_000
_BLOCK = 32_768


def maximise(objective: Objective, start: FloatArray, n: int, rough: Objective | None = None) -> Optimum:
    """The maximum of ``objective``, found by L-BFGS-B and polished by Newton steps.

    start : shape (k,), log parameters in the data's own scale, so that the result does not depend on units.
    n : customers behind the sum; gradients are judged a customer.
    rough : the same on some of the customers. The search then runs there, and only the last steps on all.
    """
    theta, at_bound = _search(rough or objective, start)
    found = _polish(objective, theta, start, n)
    if rough is not None and (at_bound or not found.converged):
        theta, at_bound = _search(objective, start)
        found = _polish(objective, theta, start, n)
    if at_bound:  # The ridge goes on for ever: the height is right, the place says nothing.
        value = objective(theta)[0]
        return Optimum(theta, value, np.full(len(start), math.nan), True)
    return found


def sample_of(n: int) -> slice | None:
    """Evenly spread rows for a rough search; None when all are few enough."""
    return slice(None, None, n // _SAMPLE) if n >= 3 * _SAMPLE else None


def blocks(n: int, size: int = _BLOCK) -> Iterator[slice]:
    """Row ranges small enough to stay in the processor's cache: thrice as fast as one sweep of a million."""
    for begin in range(0, n, size):
        yield slice(begin, min(begin + size, n))


def by_logarithms(
    params: FloatArray, value: float, gradient: FloatArray, hessian: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    """Derivatives by parameters, as derivatives by their logarithms."""
    scaled = params * gradient
    return value, scaled, params[:, None] * hessian * params + np.diag(scaled)


def _search(objective: Objective, start: FloatArray) -> tuple[FloatArray, bool]:
    """Where L-BFGS-B ends, and whether that is the edge of what is searched."""
    scale = abs(objective(start)[0]) or 1.0

    def negative(theta: FloatArray) -> tuple[float, FloatArray]:
        value, gradient, _ = objective(theta)
        return -value / scale, -gradient / scale

    bounds = [(s - _REACH, s + _REACH) for s in start]
    found = minimize(
        negative, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-13, "gtol": 1e-8}
    )
    theta = np.asarray(found.x, dtype=np.float64)
    return theta, bool((np.abs(theta - start) > _REACH - 1e-6).any())


def _polish(objective: Objective, theta: FloatArray, start: FloatArray, n: int) -> Optimum:
    value, gradient, hessian = objective(theta)
    for _ in range(20):
        if not _is_negative_definite(hessian / n):
            break
        step = -np.linalg.solve(hessian, gradient)
        if np.abs(theta + step - start).max() > _REACH:
            break
        if np.abs(step).max() < 1e-7:  # Newton squares the error, so this step is the last.
            errors = np.sqrt(np.diag(np.linalg.inv(-hessian)))
            return Optimum(theta + step, value + float(gradient @ step) / 2, errors, True)
        new_value, new_gradient, new_hessian = objective(theta + step)
        if not (new_value > value or np.abs(new_gradient).max() < np.abs(gradient).max()):
            break
        theta, value, gradient, hessian = theta + step, new_value, new_gradient, new_hessian
    errors = np.full(len(start), math.nan)
    if _is_negative_definite(hessian / n):
        errors = np.sqrt(np.diag(np.linalg.inv(-hessian)))
    return Optimum(theta, value, errors, bool(np.abs(gradient).max() < _GRADIENT * n))


def _is_negative_definite(hessian: FloatArray) -> bool:
    return bool(np.isfinite(hessian).all() and np.linalg.eigvalsh(hessian).max() < -1e-10)
