"""CLV: discounted contribution over the horizon, minus the discounted cost to serve.

The purchase model says when a customer buys, the spend model for how much, the cost model what he takes in
service. Sums over customers are sums of values: every figure is linear in its customer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from crmcore.value.bgnbd import BGNBD
from crmcore.value.cost_to_serve import CostForecast, fit_costs, forecast_costs
from crmcore.value.gamma_gamma import GammaGamma
from crmcore.value.model import Ledger, ValueModel, ValueTerms
from crmcore.value.purchase_model import PurchaseModel
from crmcore.value.summary import PurchaseSummary

FloatArray = NDArray[np.float64]

_WIDEST = 25.0  # Squared variation at which a moment-matched lognormal stops meaning anything.


@dataclass(frozen=True)
class CustomerValues:
    """One row a customer in the summary's order; shape (n,). ``clv`` is contribution - cost_to_serve."""

    p_alive: FloatArray
    expected_purchases: FloatArray
    expected_spend: FloatArray
    contribution: FloatArray
    cost_to_serve: FloatArray
    clv: FloatArray
    p_below_zero: FloatArray
    contribution_share: FloatArray


def learn_from_firm(
    summary: PurchaseSummary, ledger: Ledger, purchases: BGNBD, spend: GammaGamma, terms: ValueTerms
) -> ValueModel:
    """What the value of one customer takes from all: parameters, the usual return share, the cost model."""
    total = float(summary.spent.sum())
    typical = spend.population_mean
    days = _active_days(summary, purchases.p_alive(summary))
    return ValueModel(
        purchases=purchases,
        spend=spend,
        costs=fit_costs(ledger.service_cost, ledger.service_cost_squared, days),
        usual_return=min(float(summary.returned.sum()) / total, 1.0) if total > 0 else 0.0,
        typical_spend=typical if math.isfinite(typical) else float(summary.spent.mean()),
        terms=terms,
    )


def value_customers(summary: PurchaseSummary, ledger: Ledger, model: ValueModel) -> CustomerValues:
    """The value of every customer over ``model.terms.horizon_days`` after ``observed_until``.

    Each customer's figures depend on his own row and the model alone, so that one customer is valued to the
    same bit alone as among a million. Purchases are discounted at the moment they are expected (an integral,
    not a sum over months). Service is expected while the customer is active. A return takes its share of the
    contribution away.
    """
    purchases, spend, terms = model.purchases, model.spend, model.terms
    horizon, discount = terms.horizon_days, terms.discount_per_day
    ahead = purchases.predict(summary, horizon, discount)
    alive, count = ahead.p_alive, ahead.expected_purchases
    each = spend.expected_spend(summary)
    share = contribution_share(summary, ledger, model)
    contribution = ahead.discounted_purchases * each * share

    # Of a customer who is active now; where he cannot be, the division is of zero by one.
    active = np.where(alive > 0, alive, 1.0)
    days = _active_days(summary, alive)
    costs = forecast_costs(ledger.service_cost, days, ahead.active_time / active, model.costs)
    p_below_zero = _p_below_zero(
        summary, purchases, spend, horizon, alive, count / active, contribution / active, costs
    )
    cost_to_serve = alive * costs.mean
    return CustomerValues(
        p_alive=alive,
        expected_purchases=count,
        expected_spend=each,
        contribution=contribution,
        cost_to_serve=cost_to_serve,
        clv=contribution - cost_to_serve,
        p_below_zero=p_below_zero,
        contribution_share=share,
    )


def contribution_share(summary: PurchaseSummary, ledger: Ledger, model: ValueModel) -> FloatArray:
    """What remains of a euro of orders after goods and returns; shape (n,).

    His own margin and return share, each shrunk to the firm's by one typical purchase, so that a single
    odd order does not decide.
    """
    weight = model.typical_spend
    whole = np.maximum(summary.spent + weight, 1e-12)
    margin = (ledger.margin + model.terms.margin * weight) / whole
    returned = np.minimum((summary.returned + model.usual_return * weight) / whole, 1.0)
    result: FloatArray = margin * (1 - returned)
    return result


def _active_days(summary: PurchaseSummary, p_alive: FloatArray) -> FloatArray:
    """Days on which each customer is expected to have been active so far; shape (n,)."""
    return summary.recency + p_alive * summary.days_since_last_purchase


def _p_below_zero(
    summary: PurchaseSummary,
    purchases: PurchaseModel,
    spend: GammaGamma,
    horizon: float,
    alive: FloatArray,
    count: FloatArray,
    contribution: FloatArray,
    costs: CostForecast,
) -> FloatArray:
    """P(contribution < cost) over the horizon; an approximation, shape (n,).

    ``count``, ``contribution`` and ``costs`` are those of a customer who is active now; one who is not brings
    nothing and costs nothing. The chances of no purchase and of no cost are taken as independent. Given some
    of both, contribution and cost are lognormals with matched mean and variance; dropout within the horizon
    is left out of the variance of the count and of the cost.
    """
    shape, age = purchases.purchase_rate(summary)
    p_buys = -np.expm1(-shape * np.log1p(horizon / age))
    mean_count = np.maximum(count / p_buys, 1.0)
    square_count = np.maximum((count + count**2 * (1 + 1 / shape)) / p_buys, mean_count**2)
    around, of_mean = spend.spend_variation(summary)
    of_mean = np.minimum(of_mean, _WIDEST)
    gain_spread = (1 + of_mean) * (square_count + mean_count * around) / mean_count**2 - 1
    gain, gain_width = _lognormal(np.maximum(contribution, 1e-300) / p_buys, gain_spread)

    p_costs, mean_cost = np.maximum(costs.p_any, 1e-300), np.maximum(costs.mean, 1e-300)
    cost_spread = ((costs.deviation / mean_cost) ** 2 + 1) * p_costs - 1
    cost, cost_width = _lognormal(mean_cost / p_costs, cost_spread)

    loses = ndtr((cost - gain) / np.sqrt(gain_width + cost_width))
    below = costs.p_any * (1 - p_buys + p_buys * loses)
    # Orders below their cost lose money without any service.
    below = np.where(contribution < 0, np.maximum(below, p_buys), below)
    result: FloatArray = np.clip(alive * below, 0.0, 1.0)
    return result


def _lognormal(mean: FloatArray, spread: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and variance of the logarithm, from the mean and the squared variation."""
    width = np.log1p(np.clip(spread, 1e-6, _WIDEST))
    return np.log(mean) - width / 2, width
