from datetime import date

import numpy as np
import pytest

from crmcore.value.bgnbd import BGNBD
from crmcore.value.gamma_gamma import GammaGamma
from crmcore.value.potential import NeedBudgets, Trend, potential_value
from crmcore.value.simulate import simulate_orders
from crmcore.value.summary import summarise

START, UNTIL = date(2024, 1, 1), date(2025, 12, 31)
BUYING, SPENDING = BGNBD.of(0.9, 70.0, 0.8, 3.0), GammaGamma.of(5.0, 4.0, 60.0)


def test_simulated_orders_depend_on_the_seed_alone() -> None:
    first, second = (
        simulate_orders(np.random.default_rng(4), 50, BUYING, SPENDING, START, UNTIL) for _ in range(2)
    )
    assert first == second


def test_simulated_orders_stay_in_their_time_and_money() -> None:
    orders = simulate_orders(np.random.default_rng(4), 300, BUYING, SPENDING, START, UNTIL)
    assert {order.customer for order in orders} == set(range(300))
    assert all(START <= order.day <= UNTIL for order in orders)
    assert all(order.amount > 0 and order.amount.as_tuple().exponent >= -2 for order in orders)


def test_the_summary_of_simulated_orders_gives_back_the_firm() -> None:
    """Whole days move alpha by some percent, so the tolerance is wide: 15%, at 8,000 customers."""
    orders = simulate_orders(np.random.default_rng(4), 8000, BUYING, SPENDING, START, UNTIL)
    summary = summarise([(o.customer, o.day, o.amount) for o in orders], observed_until=UNTIL)
    buying, spend = BGNBD().fit(summary).params_, GammaGamma().fit(summary)
    assert buying.r == pytest.approx(0.9, rel=0.15)
    assert buying.alpha == pytest.approx(70, rel=0.15)
    assert buying.a / (buying.a + buying.b) == pytest.approx(0.8 / 3.8, rel=0.15)
    assert spend.population_mean == pytest.approx(100, rel=0.05)


def potential(**changes: float) -> tuple[float, float]:
    """Declared and estimated."""
    facts = {
        "recent_spend": 300.0, "earlier_spend": 100.0, "recent_purchases": 3.0, "T": 500.0, "p_alive": 0.8,
        "share": 0.4, "declared": 0.0, "by_others": 0.0,
    } | changes  # fmt: skip
    given = {name: np.array([value]) for name, value in facts.items()}
    found = potential_value(
        Trend(given["recent_spend"], given["earlier_spend"], given["recent_purchases"]),
        NeedBudgets(given["declared"], given["by_others"]),
        given["T"],
        given["p_alive"],
        given["share"],
        horizon_days=364,
    )
    return float(found.declared[0]), float(found.estimated[0])


def test_a_rise_that_goes_on_is_estimated_potential_and_a_fall_is_none() -> None:
    assert potential() == (0, pytest.approx(0.4 * 0.8 * 0.5 * 200 * 2))
    assert potential(recent_spend=90) == (0, 0)


def test_what_cannot_be_seen_of_a_newcomer_is_unknown_and_not_nought() -> None:
    declared, estimated = potential(T=363)
    assert declared == 0
    assert np.isnan(estimated)


def test_a_need_with_a_budget_is_declared_potential_even_of_a_newcomer() -> None:
    declared, estimated = potential(T=10, declared=500)
    assert declared == pytest.approx(0.4 * 500)
    assert np.isnan(estimated)


def test_a_need_that_others_put_on_his_profile_is_an_estimate() -> None:
    assert potential(T=10, by_others=500) == (0, pytest.approx(0.4 * 500))
