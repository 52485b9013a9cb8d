"""How often the value that comes lies in the interval that was promised for it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from crmcore.value.bgnbd import BGNBD
from crmcore.value.clv import CustomerValues, learn_from_firm, value_customers
from crmcore.value.count_spread import ordered_pairs
from crmcore.value.gamma_gamma import GammaGamma
from crmcore.value.model import Ledger, ValueModel, ValueTerms
from crmcore.value.segments import segment_interval
from crmcore.value.summary import PurchaseSummary

BUYING, SPENDING = BGNBD.of(0.9, 70.0, 0.8, 3.0), GammaGamma.of(5.0, 4.0, 60.0)
TERMS = ValueTerms(margin=0.4, discount_rate=0.1, horizon_days=365)
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """Customers seen for ``T`` days, and what each brought and cost in the ``TERMS.horizon_days`` after."""

    summary: PurchaseSummary
    ledger: Ledger
    came: FloatArray


def simulated(seed: int, n: int, calls_a_day: float = 0.01, sends_back: bool = False) -> World:
    """Purchases, spend, and service calls of 4.20 while active, in continuous time.

    sends_back : every customer sends a purchase back, whole, with a chance of his own; half of all are.
    """
    rng = np.random.default_rng(seed)
    T = np.floor(rng.uniform(200, 900, n))
    rate, leaves = rng.gamma(0.9, 1 / 70.0, n), rng.beta(0.8, 3.0, n)
    calls, scale = rng.gamma(0.5, calls_a_day / 0.5, n), 1 / rng.gamma(4.0, 1 / 60.0, n)
    back = rng.beta(0.5, 0.5, n) if sends_back else np.zeros(n)
    end, age, gone = T + TERMS.horizon_days, np.zeros(n), np.full(n, np.inf)
    count, last, spent, came, returned = (np.zeros(n) for _ in range(5))
    active = np.ones(n, dtype=bool)
    while active.any():
        age = np.where(active, age + rng.exponential(1.0, n) / rate, age)
        buys = active & (age <= end)
        amount = rng.gamma(5.0, scale)
        before, after = buys & (age <= T), buys & (age > T)
        count += before
        last = np.where(before, age, last)
        spent += np.where(before, amount, 0)
        kept = rng.random(n) >= back if sends_back else active
        returned += np.where(before & ~kept, amount, 0)
        discounted = amount * 1.1 ** (-(age - T) / 365)
        came += np.where(after & kept, TERMS.margin * discounted, 0)
        left = buys & (rng.random(n) < leaves)
        gone = np.where(left, age, gone)
        active = buys & ~left
    seen = 4.2 * rng.poisson(calls * np.minimum(gone, T))
    came -= 4.2 * rng.poisson(calls * np.clip(gone - T, 0, TERMS.horizon_days))
    with np.errstate(invalid="ignore", divide="ignore"):
        summary = replace(PurchaseSummary.of(count, last, T, spent / count), spent=spent, returned=returned)
    return World(summary, Ledger(TERMS.margin * spent, TERMS.margin * returned, seen, seen * 4.2), came)


def valued(world: World) -> tuple[ValueModel, CustomerValues]:
    buying, spending = BGNBD().fit(world.summary), GammaGamma().fit(world.summary)
    model = learn_from_firm(world.summary, world.ledger, buying, spending, TERMS)
    return model, value_customers(world.summary, world.ledger, model)


def test_the_spread_of_purchases_ahead_is_that_of_simulated_futures() -> None:
    summary = PurchaseSummary.of([0, 2, 9, 40], [0, 120, 380, 395], [400, 400, 400, 400])
    found = ordered_pairs(BUYING, summary, 365)
    rng = np.random.default_rng(3)
    n = 200_000
    for i, x in enumerate(summary.frequency):
        rate = rng.gamma(0.9 + x, 1 / (70.0 + 400), n)
        leaves = rng.beta(0.8, 3.0 + x, n)
        age, count, active = np.zeros(n), np.zeros(n), np.ones(n, dtype=bool)
        while active.any():
            age = age + rng.exponential(1.0, n) / rate
            buys = active & (age <= 365)
            count += buys
            active = buys & (rng.random(n) >= leaves)
        assert found[i] == pytest.approx((count * (count - 1)).mean(), rel=0.03)


def test_twelve_months_of_value_come_within_the_interval_of_19_in_20_customers() -> None:
    worlds = [simulated(seed, 2_000) for seed in range(6)]
    inside = []
    below, above = 0.0, 0.0
    for world in worlds:
        _, values = valued(world)
        inside.append((values.low <= world.came) & (world.came <= values.high))
        below += float((world.came < values.low).mean()) / len(worlds)
        above += float((world.came > values.high).mean()) / len(worlds)
    coverage = float(np.concatenate(inside).mean())
    assert 0.92 <= coverage <= 0.98
    assert below < 0.04
    assert above < 0.04


@pytest.mark.parametrize("bought", ["once", "a few times", "often"])
def test_the_interval_holds_for_newcomers_and_for_regulars(bought: str) -> None:
    world = simulated(11, 6_000)
    _, values = valued(world)
    x = world.summary.frequency
    group = {"once": x == 0, "a few times": (x > 0) & (x < 5), "often": x >= 5}[bought]
    inside = ((values.low <= world.came) & (world.came <= values.high))[group]
    assert 0.91 <= inside.mean() <= 0.99


def test_the_total_of_a_firm_comes_within_its_interval_and_parameters_err_as_much_as_they_say() -> None:
    inside, errors, said = [], [], []
    for seed in range(40):
        world = simulated(100 + seed, 700)
        model, values = valued(world)
        low, high = segment_interval(values.clv, values.deviation, values.contribution, model.parameter_error)
        inside.append(low <= world.came.sum() <= high)
        true_model = replace(model, purchases=BUYING, spend=SPENDING)
        truth = value_customers(world.summary, world.ledger, true_model)
        errors.append(np.log(values.contribution.sum() / truth.contribution.sum()))
        said.append(model.parameter_error)
    assert np.mean(inside) >= 0.9
    assert np.std(errors) == pytest.approx(np.mean(said), rel=0.4)


def test_the_interval_of_a_sum_is_narrower_than_the_sum_of_intervals() -> None:
    world = simulated(5, 1_500)
    model, values = valued(world)
    low, high = segment_interval(values.clv, values.deviation, values.contribution, model.parameter_error)
    assert low < values.clv.sum() < high
    assert high - low < 0.5 * (values.high - values.low).sum()


def test_who_sent_back_more_than_he_ordered_is_not_surely_worth_nothing() -> None:
    """Everything that he ordered within the log, and something from before it. One in twenty of those who
    sent back whatever they ordered so far may do otherwise than his range says, as of all others."""
    world = simulated(7, 12_000, calls_a_day=0.0, sends_back=True)
    everything = (world.summary.returned == world.summary.spent) & (world.summary.spent > 0)
    beyond = np.where(everything, 300.0, 0.0)
    summary = replace(world.summary, returned=world.summary.returned + beyond)
    _, values = valued(World(summary, world.ledger, world.came))
    assert 500 < everything.sum() < 6_000
    assert world.came[everything].max() > 100
    likely = everything & (values.p_alive > 0.5)
    assert (values.high[likely] > values.clv[likely]).all()
    inside = ((values.low <= world.came) & (world.came <= values.high))[everything]
    assert 0.92 <= inside.mean() <= 0.98
    assert values.clv[everything].sum() == pytest.approx(world.came[everything].sum(), rel=0.25)


def test_who_has_certainly_left_is_worth_nothing_for_sure() -> None:
    gone = PurchaseSummary.of([30], [60], [3_000], [100.0])
    nothing = np.zeros(1)
    model = learn_from_firm(gone, Ledger(nothing, nothing, nothing, nothing), BUYING, SPENDING, TERMS)
    values = value_customers(gone, Ledger(nothing, nothing, nothing, nothing), model)
    assert values.p_alive[0] < 1e-6
    assert (values.low[0], values.high[0]) == (0.0, 0.0)
