"""How good a forecast was: ranking and amount, and whether one forecast beat another beyond chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

TOP_SHARE = 0.1
_TWEEDIE = 1.5  # Between counts (1) and gamma amounts (2): money that is often zero.
_LEAST = 1e-12


@dataclass(frozen=True)
class Accuracy:
    """One forecast against what came.

    gini : ranking, 1 - 2 times the area under the Lorenz curve of the actual by the forecast's order.
    top_decile : share of the actual that the best-ranked tenth brought.
    total_error : forecast total over actual total, minus 1. rmse : per customer.
    """

    gini: float
    top_decile: float
    total_error: float
    rmse: float


def accuracy(actual: FloatArray, forecast: FloatArray) -> Accuracy:
    """actual, forecast : shape (n,). Ties in the forecast count as the mean over their orders."""
    total = float(actual.sum())
    return Accuracy(
        gini(actual, forecast),
        top_share(actual, forecast, TOP_SHARE),
        float(forecast.sum()) / total - 1 if total > 0 else float("inf"),
        rmse(actual, forecast),
    )


def rmse(actual: FloatArray, forecast: FloatArray) -> float:
    """Root of the mean squared error of a customer."""
    return float(np.sqrt(np.mean((forecast - actual) ** 2)))


def gini(actual: FloatArray, score: FloatArray) -> float:
    """0 for a ranking by chance; the best possible ranking is by the actual itself."""
    caught = _caught(actual, score)
    # The trapezoid under the curve of caught shares, doubled, less the triangle of chance.
    return float((caught[1:] + caught[:-1]).sum() / (len(caught) - 1) - 1)


def top_share(actual: FloatArray, score: FloatArray, share: float) -> float:
    """Share of the actual total that the best-ranked ``share`` of customers brought."""
    caught = _caught(actual, score)
    return float(np.interp(share * (len(caught) - 1), np.arange(len(caught)), caught))


def _caught(actual: FloatArray, score: FloatArray) -> FloatArray:
    """Share of the total among the k best-ranked, k = 0..n; ties share their actual evenly."""
    _, group = np.unique(-score, return_inverse=True)
    size = np.bincount(group)
    mean = np.bincount(group, weights=actual) / size
    total = float(actual.sum())
    return np.concatenate([[0.0], np.cumsum(np.repeat(mean, size)) / (total if total > 0 else 1.0)])


def relative_losses(
    purchases: FloatArray, spend: FloatArray, forecast_purchases: FloatArray, forecast_spend: FloatArray
) -> FloatArray:
    """What each customer adds to the loss, shape (n,). Their mean is the mean of the Poisson deviance of the
    counts and the Tweedie deviance of the money, each over that of a constant: 1 for a forecast that tells
    nobody from anybody, 0 for one that knows all."""
    usual = np.full(len(purchases), purchases.mean())
    counts = _poisson(purchases, forecast_purchases) / max(float(_poisson(purchases, usual).mean()), _LEAST)
    if spend.sum() <= 0:
        return counts
    usual = np.full(len(spend), spend.mean())
    money = _tweedie(spend, forecast_spend) / max(float(_tweedie(spend, usual).mean()), _LEAST)
    return (counts + money) / 2


def _poisson(y: FloatArray, mean: FloatArray) -> FloatArray:
    mean = np.maximum(mean, 1e-6)
    logs = np.where(y > 0, y * np.log(np.maximum(y, 1e-300) / mean), 0.0)
    result: FloatArray = 2 * (logs - (y - mean))
    return result


def _tweedie(z: FloatArray, mean: FloatArray) -> FloatArray:
    p, mean = _TWEEDIE, np.maximum(mean, 1e-6)
    deviance = z ** (2 - p) / ((1 - p) * (2 - p)) - z * mean ** (1 - p) / (1 - p) + mean ** (2 - p) / (2 - p)
    result: FloatArray = 2 * deviance
    return result


def paired_interval(
    measure: Callable[[FloatArray, FloatArray], float],
    actual: FloatArray,
    one: FloatArray,
    other: FloatArray,
    rng: np.random.Generator,
    draws: int = 500,
) -> tuple[float, float, float]:
    """measure(actual, one) - measure(actual, other), and its 95 % bootstrap interval over customers."""
    n = len(actual)
    found = np.empty(draws)
    for i in range(draws):
        drawn = rng.integers(0, n, n)
        found[i] = measure(actual[drawn], one[drawn]) - measure(actual[drawn], other[drawn])
    low, high = np.quantile(found, [0.025, 0.975])
    return measure(actual, one) - measure(actual, other), float(low), float(high)
