"""Cost to serve: what serving each customer costs, learnt from recorded service costs.

A customer's costs come as a compound Poisson process whose rate differs between customers. His own rate
is shrunk to the firm's mean by credibility (Bühlmann & Straub 1970): one month of a newcomer proves little.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from crmcore.value.finding import Finding

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class CostModel:
    """mean_per_day : the firm's mean cost of an active customer-day, currency.
    event_cost : size of a typical cost event (sum of squares over sum), currency; 0 without any cost.
    prior_days : how many days of the firm's mean stand against a customer's own days.
    """

    mean_per_day: float
    event_cost: float
    prior_days: float


@dataclass(frozen=True)
class CostForecast:
    """Cost over the horizon: mean and standard deviation (currency), and the chance of any; shape (n,)."""

    mean: FloatArray
    deviation: FloatArray
    p_any: FloatArray


CostBasis = Literal["recorded_costs"]


def cost_basis(model: CostModel) -> Finding[CostBasis]:
    """How the cost to serve in a value is known: a firm that records none does not serve for nothing."""
    if model.mean_per_day == 0:
        why = "The firm has recorded no cost of service, so none is foreseen: the value is before it."
        return Finding(None, why, "unknown")
    days = f"{model.prior_days:,.0f}"
    why = f"From the costs recorded of him, weighed against {days} days of the firm's usual ones."
    return Finding("recorded_costs", why, "estimated")


def fit_costs(cost: FloatArray, squared: FloatArray, days: FloatArray) -> CostModel:
    """cost, squared : each customer's recorded costs and the sum of their squares; days : his active days.

    Method of moments: the variance of cost rates between customers, beyond what the chance of single
    events explains. When there is none, everybody gets nearly the firm's mean.
    """
    total, exposure = float(cost.sum()), float(days.sum())
    if total <= 0 or exposure <= 0:
        return CostModel(0.0, 0.0, 1.0)
    mean, event = total / exposure, float(squared.sum()) / total
    seen = days > 0
    spread = float((days[seen] * (cost[seen] / days[seen] - mean) ** 2).sum())
    excess = spread - (int(seen.sum()) - 1) * mean * event
    # The denominator is zero with a single customer, who says nothing of differences.
    between = excess / max(exposure - float((days**2).sum()) / exposure, 1e-12 * exposure)
    prior = exposure if between <= 0 or seen.sum() < 2 else min(mean * event / between, exposure)
    return CostModel(mean, event, prior)


def forecast_costs(cost: FloatArray, days: FloatArray, ahead: FloatArray, model: CostModel) -> CostForecast:
    """ahead : (discounted) days within the horizon on which each customer will be active if he is now, (n,).

    With events of one size and a gamma rate, the number of events ahead is negative binomial.
    """
    if model.event_cost == 0:
        none = np.zeros_like(ahead)
        return CostForecast(none, none, none)
    shape = (cost + model.prior_days * model.mean_per_day) / model.event_cost
    rate = days + model.prior_days
    events = shape * ahead / rate
    deviation = model.event_cost * np.sqrt(events * (1 + ahead / rate))
    return CostForecast(model.event_cost * events, deviation, -np.expm1(-shape * np.log1p(ahead / rate)))
