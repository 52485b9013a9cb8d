"""CLV: discounted contribution over the horizon, minus the discounted cost to serve.

The purchase model says when a customer buys, the spend model for how much, the cost model what he takes in
service. Sums over customers are sums of values: every figure is linear in its customer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from crmcore.value.bounds import within
from crmcore.value.cost_to_serve import fit_costs, forecast_costs
from crmcore.value.count_spread import chance_to_buy, ordered_pairs
from crmcore.value.forecast_base import Foreseen
from crmcore.value.forecasting import Forecaster
from crmcore.value.gamma_gamma import GammaGamma
from crmcore.value.model import Buying, Ledger, ValueModel, ValueTerms
from crmcore.value.outlook import outlook
from crmcore.value.parameter_error import parameter_error
from crmcore.value.purchase_log import PurchaseLog
from crmcore.value.summary import InvalidHistory, PurchaseSummary

FloatArray = NDArray[np.float64]

MOST_OFTEN = 3.0  # A forecast makes nobody buy more, or less, often than this factor while he is active.


@dataclass(frozen=True)
class CustomerValues:
    """One row a customer in the summary's order; shape (n,). ``clv`` is contribution - cost_to_serve.

    deviation, low, high : standard deviation and 95 % interval of the value that the horizon will bring.
    """

    p_alive: FloatArray
    expected_purchases: FloatArray
    expected_spend: FloatArray
    contribution: FloatArray
    cost_to_serve: FloatArray
    clv: FloatArray
    p_below_zero: FloatArray
    deviation: FloatArray
    low: FloatArray
    high: FloatArray
    contribution_share: FloatArray


def learn_from_firm(
    summary: PurchaseSummary,
    ledger: Ledger,
    purchases: Buying,
    spend: GammaGamma,
    terms: ValueTerms,
    forecaster: Forecaster | None = None,
) -> ValueModel:
    """What the value of one customer takes from all: parameters, the usual return share, the cost model."""
    total = float(summary.spent.sum())
    typical = spend.population_mean
    days = np.zeros(len(summary))
    if ledger.service_cost.any():  # Else nobody asks over how many days.
        days = _active_days(summary, purchases.p_alive(summary))
    return ValueModel(
        purchases=purchases,
        without_leaving=type(purchases)().fit_without_leaving(summary),
        spend=spend,
        costs=fit_costs(ledger.service_cost, ledger.service_cost_squared, days),
        usual_return=float(_sent_back(summary).sum()) / total if total > 0 else 0.0,
        typical_spend=typical if math.isfinite(typical) else float(summary.spent.mean()),
        parameter_error=math.hypot(
            parameter_error(summary, purchases, spend, terms.horizon_days, terms.discount_per_day),
            0.0 if forecaster is None else forecaster.base.time.error,
        ),
        terms=terms,
        forecaster=forecaster,
    )


def value_customers(
    summary: PurchaseSummary,
    ledger: Ledger,
    model: ValueModel,
    comes_back: NDArray[np.bool_] | None = None,
    log: PurchaseLog | None = None,
) -> CustomerValues:
    """The value of every customer over ``model.terms.horizon_days`` after ``observed_until``.

    Each customer's figures depend on his own row and the model alone, so that one customer is valued to the
    same bit alone as among a million. Purchases are discounted at the moment they are expected (an integral,
    not a sum over months). Service is expected while the customer is active. A return takes its share of the
    contribution away.

    comes_back : shape (n,), who is always a share: valued by the model in which nobody leaves. None: nobody.
    log : the purchases behind ``summary``; needed when the model has a forecaster, which corrects the closed
    forms for everybody else. Raises InvalidHistory without it.
    """
    values = _value(summary, ledger, model, _foreseen(summary, model, log))
    if comes_back is None or not comes_back.any():
        return values
    rows = np.flatnonzero(comes_back)
    staying = replace(model, purchases=model.without_leaving)
    others = _value(summary.take(rows), ledger.take(rows), staying, None)
    for name, column in vars(others).items():
        vars(values)[name][rows] = column
    return values


def _foreseen(summary: PurchaseSummary, model: ValueModel, log: PurchaseLog | None) -> Foreseen | None:
    if model.forecaster is None or not len(summary):
        return None
    if log is None or len(log) != len(summary):
        raise InvalidHistory("the value model corrects by the purchase log; give the log of these customers")
    # Everybody's T ends on the same day.
    return model.forecaster.predict(log, int(log.first_day[0] + summary.T[0]))


def _value(
    summary: PurchaseSummary, ledger: Ledger, model: ValueModel, foreseen: Foreseen | None
) -> CustomerValues:
    purchases, spend, terms = model.purchases, model.spend, model.terms
    horizon, discount = terms.horizon_days, terms.discount_per_day
    ahead = purchases.predict(summary, horizon, discount)
    each = spend.expected_spend(summary)
    share = contribution_share(summary, ledger, model)

    # Of a customer who is active now; where he cannot be, the division is of zero by one.
    active = np.where(ahead.p_alive > 0, ahead.p_alive, 1.0)
    alive, often = ahead.p_alive, np.ones(len(summary))
    if foreseen is not None:
        alive, often = _corrected(ahead.p_alive, ahead.expected_purchases / active, foreseen.purchases)
        each = foreseen.spend / foreseen.purchases
    count = often * ahead.expected_purchases / active
    contribution = often * ahead.discounted_purchases / active * each * share

    days = _active_days(summary, ahead.p_alive)
    costs = forecast_costs(ledger.service_cost, days, ahead.active_time / active, model.costs)
    around, of_mean = spend.spend_variation(summary)
    whole = outlook(
        alive=alive,
        p_buys=chance_to_buy(purchases, summary, horizon, often),
        count=count,
        pairs=often**2 * ordered_pairs(purchases, summary, horizon),
        contribution=contribution,
        around=around,
        of_mean=of_mean,
        of_parameters=model.parameter_error**2,
        costs=costs,
    )
    low, high = whole.interval()
    cost_to_serve = alive * costs.mean
    return CustomerValues(
        p_alive=alive,
        expected_purchases=alive * count,
        expected_spend=each,
        contribution=alive * contribution,
        cost_to_serve=cost_to_serve,
        clv=alive * contribution - cost_to_serve,
        p_below_zero=whole.p_below_zero(),
        deviation=whole.deviation(),
        low=low,
        high=high,
        contribution_share=share,
    )


def _corrected(alive: FloatArray, count: FloatArray, foreseen: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The chance to be active, and by what factor an active customer buys more, so that both together give
    what is foreseen; each (n,). ``count`` is of an active customer.

    The factor takes the correction up to ``MOST_OFTEN``; what is beyond it says that the customer is active
    (or gone) after all. Who is gone for certain stays so.
    """
    known = (alive > 0) & (count > 0)
    whole = np.where(known, foreseen / np.where(known, alive * count, 1.0), 1.0)
    often = within(whole, 1 / MOST_OFTEN, MOST_OFTEN)
    active = np.minimum(alive * (whole / often), 1.0)
    rest = np.where(known, foreseen / np.where(known, active * count, 1.0), 1.0)
    return active, rest


def contribution_share(summary: PurchaseSummary, ledger: Ledger, model: ValueModel) -> FloatArray:
    """What remains of a euro of orders after goods and returns; shape (n,).

    His own margin and return share, each shrunk to the firm's by one typical purchase, so that a single
    odd order does not decide. Who has sent back more than he ordered (before the log began, it seems) has
    sent back everything: of his next purchase that says no more, and something of it may remain.
    """
    weight = model.typical_spend
    whole = np.maximum(summary.spent + weight, 1e-12)
    margin = (ledger.margin + model.terms.margin * weight) / whole
    returned = (_sent_back(summary) + model.usual_return * weight) / whole
    result: FloatArray = margin * (1 - returned)
    return result + 0.0  # Nothing is nothing: a database keeps no minus nought.


def _sent_back(summary: PurchaseSummary) -> FloatArray:
    """Returns of what was ordered within the log; shape (n,), currency."""
    return np.minimum(summary.returned, summary.spent)


def _active_days(summary: PurchaseSummary, p_alive: FloatArray) -> FloatArray:
    """Days on which each customer is expected to have been active so far; shape (n,)."""
    return summary.recency + p_alive * summary.days_since_last_purchase
