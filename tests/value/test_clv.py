"""Value in money: discounting, cost to serve, the chance to be below zero, identities."""

from dataclasses import replace

import numpy as np
import pytest

from crmcore.value.bgnbd import BGNBD
from crmcore.value.clv import CustomerValues, learn_from_firm, value_customers
from crmcore.value.cost_to_serve import CostModel, fit_costs, forecast_costs
from crmcore.value.gamma_gamma import GammaGamma
from crmcore.value.model import Ledger, ValueTerms
from crmcore.value.summary import InvalidHistory, PurchaseSummary

BUYING, SPENDING = BGNBD.of(0.9, 70.0, 0.8, 3.0), GammaGamma.of(6.0, 4.0, 50.0)
TERMS = ValueTerms(margin=0.4, discount_rate=0.1, horizon_days=365)


def a_summary() -> PurchaseSummary:
    return PurchaseSummary.of(
        [0, 1, 6, 30, 2], [0, 40, 300, 395, 20], [400, 400, 400, 400, 400], [np.nan, 80, 120, 60, 200]
    )


def books(summary: PurchaseSummary, margin: float = 0.4, cost: list[float] | None = None) -> Ledger:
    paid = np.zeros(len(summary)) if cost is None else np.array(cost, float)
    return Ledger(summary.spent * margin, np.zeros(len(summary)), paid, paid * 5.0)


def values(cost: list[float] | None = None, terms: ValueTerms = TERMS) -> CustomerValues:
    return valued(a_summary(), books(a_summary(), cost=cost), terms)


def valued(summary: PurchaseSummary, ledger: Ledger, terms: ValueTerms = TERMS) -> CustomerValues:
    """These customers as a firm of their own."""
    return value_customers(summary, ledger, learn_from_firm(summary, ledger, BUYING, SPENDING, terms))


def test_without_costs_value_is_margin_times_discounted_purchases_times_spend() -> None:
    found = values()
    discounted = BUYING.expected_purchases(a_summary(), 365, np.log(1.1) / 365)
    assert found.clv == pytest.approx(discounted * found.expected_spend * 0.4)
    assert (found.p_below_zero == 0).all()


def test_discounting_by_integral_is_the_limit_of_ever_finer_steps() -> None:
    steps = np.linspace(0, 365, 366)
    cumulated = np.array([BUYING.expected_purchases(a_summary(), s) for s in steps])
    middles = (steps[1:] + steps[:-1]) / 2
    by_steps = (np.diff(cumulated, axis=0) * 1.1 ** (-middles / 365)[:, None]).sum(axis=0)
    exact = BUYING.expected_purchases(a_summary(), 365, TERMS.discount_per_day)
    assert exact == pytest.approx(by_steps, rel=1e-6)


def test_value_of_the_sum_is_the_sum_of_values() -> None:
    found = values(cost=[0, 50, 10, 0, 5])
    assert found.clv.sum() == pytest.approx(found.contribution.sum() - found.cost_to_serve.sum(), abs=1e-9)


def test_a_higher_discount_rate_or_a_shorter_horizon_lowers_the_contribution() -> None:
    base = values().contribution
    assert (values(terms=ValueTerms(0.4, 0.3, 365)).contribution < base).all()
    assert (values(terms=ValueTerms(0.4, 0.1, 180)).contribution < base).all()


def test_returns_take_their_share_of_the_contribution() -> None:
    s = a_summary()
    spent = np.full(5, 1000.0)
    kept = PurchaseSummary(s.customer_id, s.frequency, s.recency, s.T, s.monetary_value, spent, np.zeros(5))
    sent_back = PurchaseSummary(
        s.customer_id, s.frequency, s.recency, s.T, s.monetary_value, spent, np.array([0, 0, 900.0, 0, 0])
    )
    before = valued(kept, books(kept))
    after = valued(sent_back, books(sent_back))
    assert after.contribution[2] < 0.3 * before.contribution[2]
    assert after.contribution[0] < before.contribution[0]  # The firm's usual share of returns has risen.


def test_a_return_beyond_all_orders_of_one_customer_takes_nothing_from_the_others() -> None:
    """A mistyped return of a million must not tell the firm that everything comes back."""
    s = replace(a_summary(), spent=np.full(5, 1000.0))
    odd = replace(s, returned=np.array([0, 0, 1e6, 0, 0]))
    whole = replace(s, returned=np.array([0, 0, 1000.0, 0, 0]))
    found, expected = valued(odd, books(odd)), valued(whole, books(whole))
    assert found.clv == pytest.approx(expected.clv)
    assert (found.clv > 0).all()


def test_his_own_service_costs_count_more_the_longer_he_is_known() -> None:
    rng = np.random.default_rng(2)
    days = rng.uniform(50, 700, 3000)
    rates = rng.gamma(0.5, 0.02 / 0.5, 3000)
    events = rng.poisson(rates * days)
    model = fit_costs(events * 4.0, events * 16.0, days)
    assert model.mean_per_day == pytest.approx(0.08, rel=0.1)
    assert model.event_cost == pytest.approx(4.0)
    # A gamma prior of shape 0.5 and mean 0.02 a day is worth 25 days.
    assert model.prior_days == pytest.approx(25.0, rel=0.25)
    short, long = (
        forecast_costs(np.array([d * 0.4]), np.array([d]), np.array([365.0]), model).mean[0] / 365
        for d in (10.0, 1000.0)
    )
    assert 0.08 < short < long < 0.4


def test_equal_customers_are_all_given_nearly_the_firms_mean() -> None:
    days = np.full(500, 300.0)
    events = np.random.default_rng(1).poisson(0.01 * days)
    model = fit_costs(events * 4.0, events * 16.0, days)
    forecast = forecast_costs(events * 4.0, days, np.full(500, 100.0), model).mean
    assert np.ptp(forecast) < 0.5 * forecast.mean()


def test_a_single_customer_with_costs_is_his_own_firms_mean() -> None:
    model = fit_costs(np.array([12.6]), np.array([52.92]), np.array([200.0]))
    assert model.mean_per_day == pytest.approx(0.063)
    forecast = forecast_costs(np.array([12.6]), np.array([200.0]), np.array([100.0]), model)
    assert forecast.mean[0] == pytest.approx(6.3)


def test_without_any_cost_nobody_can_be_below_zero() -> None:
    none = np.zeros(3)
    assert fit_costs(none, none, np.full(3, 100.0)) == CostModel(0.0, 0.0, 1.0)


def test_the_chance_to_be_below_zero_is_near_that_of_simulated_futures() -> None:
    """The approximation against 40,000 futures a customer: within 0.06, over the whole range."""
    s = a_summary()
    ledger = books(s, cost=[30, 150, 60, 900, 5])
    model = learn_from_firm(s, ledger, BUYING, SPENDING, ValueTerms(0.4, 0.0, 365))
    found = value_customers(s, ledger, model)
    rng = np.random.default_rng(8)
    for i in range(len(s)):
        simulated = _below_zero(rng, s, i, found, model.costs, 40_000)
        assert found.p_below_zero[i] == pytest.approx(simulated, abs=0.06), i
    assert found.p_below_zero.max() > 0.7
    assert found.p_below_zero.min() < 0.3


def _below_zero(
    rng: np.random.Generator, s: PurchaseSummary, i: int, found: CustomerValues, model: CostModel, n: int
) -> float:
    x, T = s.frequency[i], s.T[i]
    rate = rng.gamma(BUYING.params_.r + x, 1 / (BUYING.params_.alpha + T), n)
    leaves = rng.beta(BUYING.params_.a, BUYING.params_.b + x, n)
    active = rng.random(n) < found.p_alive[i]
    age, count = np.zeros(n), np.zeros(n)
    until = np.where(active, 365.0, 0.0)
    while active.any():
        age = age + rng.exponential(1.0, n) / rate
        bought = active & (age <= 365)
        count += bought
        left = bought & (rng.random(n) < leaves)
        until = np.where(left, age, until)
        active = bought & ~left
    zbar = np.nan_to_num(s.monetary_value[i])
    scale = rng.gamma(SPENDING.params_.q + SPENDING.params_.p * x, 1 / (SPENDING.params_.v + x * zbar), n)
    spend = np.where(count > 0, rng.gamma(np.maximum(SPENDING.params_.p * count, 1e-9)) / scale, 0.0)
    days = s.recency[i] + found.p_alive[i] * (T - s.recency[i])
    shape = ([30, 150, 60, 900, 5][i] + model.prior_days * model.mean_per_day) / model.event_cost
    events = rng.poisson(rng.gamma(shape, 1 / (days + model.prior_days), n) * until)
    return float((0.4 * spend < events * model.event_cost).mean())


def test_terms_that_make_no_sense_are_refused() -> None:
    with pytest.raises(InvalidHistory, match="horizon_days"):
        ValueTerms(0.4, 0.1, 0)
