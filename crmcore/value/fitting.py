"""Maximum likelihood on logarithms of positive parameters, and what to say when it fails."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

FloatArray = NDArray[np.float64]
# Log parameters, shape (k,) -> (mean log-likelihood a customer, its gradient, shape (k,)).
Objective = Callable[[FloatArray], tuple[float, FloatArray]]

DiagnosticCode = Literal[
    "dropout_not_identified",
    "not_converged",
    "spend_depends_on_frequency",
    "spend_mean_infinite",
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
    mean_log_likelihood: float
    standard_errors: FloatArray
    converged: bool


_REACH = 12.0  # Logarithms may move this far from the start: a factor of 160,000 each way.
_GRADIENT = 1e-7  # Of the mean log-likelihood a customer.


def maximise(objective: Objective, start: FloatArray, n: int) -> Optimum:
    """The maximum of ``objective``, found by L-BFGS-B and polished by Newton steps.

    start : shape (k,), log parameters in the data's own scale, so that the result does not depend on units.
    n : customers behind the mean, for the standard errors.
    """

    def negative(theta: FloatArray) -> tuple[float, FloatArray]:
        value, gradient = objective(theta)
        return -value, -gradient

    bounds = [(s - _REACH, s + _REACH) for s in start]
    found = minimize(
        negative, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-15, "gtol": 1e-9}
    )
    theta = np.asarray(found.x, dtype=np.float64)
    at_bound = bool((np.abs(theta - start) > _REACH - 1e-6).any())
    value, gradient = objective(theta)
    hessian = _hessian(objective, theta)
    for _ in range(8):
        if at_bound or np.abs(gradient).max() < 1e-12 or not _is_negative_definite(hessian):
            break
        moved = theta - np.linalg.solve(hessian, gradient)
        if np.abs(moved - start).max() > _REACH:
            break
        new_value, new_gradient = objective(moved)
        if not np.abs(new_gradient).max() < np.abs(gradient).max():
            break
        theta, value, gradient = moved, new_value, new_gradient
        hessian = _hessian(objective, theta)
    errors = np.full(len(start), math.nan)
    if not at_bound and _is_negative_definite(hessian):
        errors = np.sqrt(np.diag(np.linalg.inv(-hessian * n)))
    return Optimum(theta, value, errors, at_bound or bool(np.abs(gradient).max() < _GRADIENT))


def _hessian(objective: Objective, theta: FloatArray) -> FloatArray:
    """Central differences of the analytical gradient; shape (k, k)."""
    step = 1e-5
    rows = []
    for i in range(len(theta)):
        shift = np.zeros_like(theta)
        shift[i] = step
        rows.append((objective(theta + shift)[1] - objective(theta - shift)[1]) / (2 * step))
    matrix = np.asarray(rows)
    return (matrix + matrix.T) / 2


def _is_negative_definite(hessian: FloatArray) -> bool:
    return bool(np.isfinite(hessian).all() and np.linalg.eigvalsh(hessian).max() < -1e-10)
