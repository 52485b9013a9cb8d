"""Fitting BG/NBD, and saying in words when the result must not be used."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crmcore.value.bgnbd import BGNBD, log_likelihood_and_gradient
from crmcore.value.fitting import Diagnostic, maximise
from crmcore.value.summary import InvalidHistory, PurchaseSummary

FloatArray = NDArray[np.float64]

MIN_REPEAT_BUYERS = 50
# Twice the log-likelihood that dropout gains must exceed the 95% point of chi-square (1 degree).
_DROPOUT_GAIN = 1.92


@dataclass(frozen=True)
class BGNBDFit:
    """``standard_errors`` are of r, alpha, a, b in their own units; nan where the likelihood is flat."""

    params: BGNBD
    log_likelihood: float
    standard_errors: tuple[float, float, float, float]
    n_customers: int
    n_repeat_buyers: int
    diagnostics: tuple[Diagnostic, ...]

    @property
    def publishable(self) -> bool:
        return not any(d.blocking for d in self.diagnostics)


def fit_bgnbd(summary: PurchaseSummary) -> BGNBDFit:
    """Maximum-likelihood parameters; no penalty, so they do not depend on the unit of time."""
    n = len(summary)
    if n == 0 or not (summary.T > 0).any():
        raise InvalidHistory("no customer was observed for longer than a day; load orders before fitting")
    rows, counts = np.unique(
        np.stack([summary.frequency, summary.recency, summary.T]), axis=1, return_counts=True
    )
    x, t_x, T = rows
    weights = counts / n
    scale = float(np.average(T, weights=weights))

    def objective(theta: FloatArray) -> tuple[float, FloatArray]:
        value, gradient = log_likelihood_and_gradient(x, t_x / scale, T / scale, theta)
        return float(value @ weights), gradient @ weights

    found = maximise(objective, np.log([0.5, 0.3, 1.0, 3.0]), n)
    r, alpha, a, b = (float(v) for v in np.exp(found.log_parameters))
    params = BGNBD(r, alpha * scale, a, b)
    # In time scaled by s the density of x purchase times is s^x times larger.
    total = n * (found.mean_log_likelihood - float(x @ weights) * np.log(scale))
    errors = found.standard_errors * (params.r, params.alpha, params.a, params.b)
    repeat = int((summary.frequency > 0).sum())

    diagnostics = []
    if not found.converged:
        diagnostics.append(Diagnostic("not_converged", "The likelihood has not reached its maximum.", True))
    if repeat < MIN_REPEAT_BUYERS:
        message = f"Only {repeat} customers bought again; {MIN_REPEAT_BUYERS} are needed to tell rates apart."
        diagnostics.append(Diagnostic("too_few_repeat_buyers", message, True))
    gain = n * (found.mean_log_likelihood - _without_dropout(x, T / scale, weights, n))
    if gain < _DROPOUT_GAIN or not np.isfinite(found.standard_errors).all():
        message = (
            f"The orders do not show that customers ever leave (dropout gains {gain:.2f} in log-likelihood, "
            f"{_DROPOUT_GAIN} are needed), so a and b, and every p_alive, would be made up."
        )
        diagnostics.append(Diagnostic("dropout_not_identified", message, True))
    return BGNBDFit(
        params, total, (errors[0], errors[1], errors[2], errors[3]), n, repeat, tuple(diagnostics)
    )


def _without_dropout(x: FloatArray, T: FloatArray, weights: FloatArray, n: int) -> float:
    """The best mean log-likelihood when nobody ever leaves: the NBD, which is BG/NBD as a -> 0."""
    never = np.log([1e-9, 1.0])

    def objective(theta: FloatArray) -> tuple[float, FloatArray]:
        value, gradient = log_likelihood_and_gradient(x, T, T, np.concatenate([theta, never]))
        return float(value @ weights), gradient[:2] @ weights

    return maximise(objective, np.log([0.5, 0.3]), n).mean_log_likelihood
