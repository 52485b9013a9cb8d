"""Recalibration: one factor a customer on top of a closed-form forecast, learnt from the shop's own past.

On a day in the past the forecast and what came are both known. A Poisson regression with the forecast as
its exposure (McCullagh & Nelder 1989, chapter 6) finds by what factor customers of each kind bought more or
less than forecast: E[y] = forecast * exp(b0 + b . z). A ridge penalty keeps few data from moving it far, and
a handful of coefficients can be read, stored as text and written as SQL, which a forest of trees cannot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crmcore.value.bounds import within

FloatArray = NDArray[np.float64]

_RIDGE = 300.0  # In expected events: so many say nothing about a coefficient before the data do.
_WIDEST = 3.0  # Standard deviations at which a feature is cut off, so that one odd customer decides nothing.
_LARGEST_LOG_FACTOR = 0.7  # No customer is more than doubled or halved.
_ROUNDS = 30


@dataclass(frozen=True)
class Recalibration:
    """``names`` of the k features, their means and deviations in the training rows, and the coefficients.

    ``normaliser`` makes the corrected forecasts of the day of fitting sum to the uncorrected ones: this layer
    moves expectation between customers, and the level is another matter.
    """

    names: tuple[str, ...]
    means: tuple[float, ...]
    deviations: tuple[float, ...]
    coefficients: tuple[float, ...]
    normaliser: float = 1.0

    @classmethod
    def from_parameters(cls, stored: Mapping[str, Any] | None) -> Recalibration | None:
        """What ``dataclasses.asdict`` made of it, also after it was JSON; None stays None."""
        if stored is None:
            return None
        plain: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in stored.items()}
        return cls(**plain)

    def factor(self, features: FloatArray) -> FloatArray:
        """features : shape (n, k or more), the first k in the order of ``names``. Returns shape (n,), each
        row computed for itself and in the same order, so that one customer alone gets the very same number
        as among all."""
        log_factor = np.zeros(len(features))
        for column, (mean, deviation, b) in enumerate(
            zip(self.means, self.deviations, self.coefficients, strict=True)
        ):
            z = within((features[:, column] - mean) / deviation, -_WIDEST, _WIDEST)
            log_factor = log_factor + b * z
        result: FloatArray = self.normaliser * np.exp(
            within(log_factor, -_LARGEST_LOG_FACTOR, _LARGEST_LOG_FACTOR)
        )
        return result


def fit_recalibration(
    names: tuple[str, ...], features: FloatArray, actual: FloatArray, forecast: FloatArray
) -> Recalibration:
    """Maximum penalised quasi-likelihood by Newton's method; actual, forecast : shape (n,), forecast > 0.

    For money divide both by a typical purchase, so that the penalty counts in events.
    """
    means = np.average(features, axis=0, weights=forecast)
    deviations = np.sqrt(np.average((features - means) ** 2, axis=0, weights=forecast)) + 1e-9
    z = np.clip((features - means) / deviations, -_WIDEST, _WIDEST)
    rows = np.column_stack([np.ones(len(z)), z])
    penalty = np.full(rows.shape[1], _RIDGE)
    penalty[0] = 1e-6
    b = np.zeros(rows.shape[1])
    for _ in range(_ROUNDS):
        mean = forecast * np.exp(np.clip(rows @ b, -_WIDEST, _WIDEST))
        gradient = rows.T @ (actual - mean) - penalty * b
        curvature = (rows * mean[:, None]).T @ rows + np.diag(penalty)
        step = np.clip(np.linalg.solve(curvature, gradient), -1.0, 1.0)
        b = b + step
        if np.abs(step).max() < 1e-7:
            break
    # The constant is the level, which is forecast elsewhere.
    return Recalibration(names, tuple(means), tuple(deviations), tuple(float(v) for v in b[1:]))
