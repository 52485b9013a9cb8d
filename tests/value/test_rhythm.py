"""Customers who buy in a rhythm: their silence says more, and a purchase of yesterday that none is due
today."""

import json
from dataclasses import replace
from functools import cache, partial

import numpy as np
import pytest

from crmcore.value import ParetoNBD
from crmcore.value.accuracy import accuracy
from crmcore.value.backtest import backtest
from crmcore.value.forecast_choice import choose, fit_forecaster, why_chosen
from crmcore.value.forecast_fit import fit_variant
from crmcore.value.forecasting import Forecaster, Trial, Variant
from crmcore.value.operational_time import OperationalTime, fit_operational_time
from crmcore.value.pareto_cnbd import ParetoCNBD
from crmcore.value.purchase_log import PurchaseLog
from crmcore.value.rhythm import steps_of, usual_in_rhythm
from crmcore.value.summary import PurchaseSummary
from tests.value.worlds import World, a_world

UNTIL, HORIZON = 560, 150
AT_RANDOM, IN_RHYTHM = Variant("pareto-nbd"), Variant("pareto-cnbd")


@cache
def a_shop(world: World, seed: int = 1) -> PurchaseLog:
    return a_world(world, seed, customers=1_500)


def the_steps(log: PurchaseLog, until: int = UNTIL) -> int:
    known = log.until(until)
    return steps_of(known, OperationalTime.calendar(int(known.day.min()), until))


@pytest.mark.parametrize(
    ("world", "steps"), [("plain", 1), ("season", 1), ("batch", 1), ("heavy", 1), ("regular", 3)]
)
def test_the_pauses_of_a_shop_show_its_rhythm(world: World, steps: int) -> None:
    assert the_steps(a_shop(world)) == steps


def test_a_handful_of_customers_shows_no_rhythm() -> None:
    who, day = np.repeat(np.arange(4), 12), np.tile(np.arange(0, 360, 30), 4)
    log = PurchaseLog.of(range(4), who, day, np.ones(48))
    assert the_steps(log, 360) == 1


def test_customers_who_never_bought_twice_again_show_no_rhythm() -> None:
    log = PurchaseLog.of(range(2), np.array([0, 0, 1]), np.array([1, 30, 5]), np.ones(3))
    assert the_steps(log, 60) == 1


def test_with_one_step_a_purchase_it_is_pareto_nbd() -> None:
    summary = a_shop("plain").until(UNTIL).summary(UNTIL)
    plain, condensed = ParetoNBD().fit(summary), ParetoCNBD().fit(summary, 1)
    named = vars(condensed.params_)
    assert [named[name] for name in vars(plain.params_)] == pytest.approx(list(vars(plain.params_).values()))
    assert condensed.p_alive(summary) == pytest.approx(plain.p_alive(summary), abs=1e-7)
    assert condensed.expected_purchases(summary, 150) == pytest.approx(
        plain.expected_purchases(summary, 150), rel=1e-5, abs=1e-9
    )


@pytest.mark.parametrize("k", [2, 3, 4])
def test_what_is_foreseen_is_what_such_customers_do(k: int) -> None:
    """Of 60,000 simulated histories, by how long the last purchase is ago; also for a horizon of half a
    pause."""
    rng = np.random.default_rng(k)
    n, age, most = 60_000, 200.0, 400
    model = ParetoCNBD.of(k=k, r=1.5, alpha=30.0 / k, s=0.8, beta=150.0)
    p = model.params_
    rate, left = rng.gamma(p.r, 1 / p.alpha, n), rng.exponential(1 / rng.gamma(p.s, 1 / p.beta, n))
    counts, last, ahead, soon = (np.zeros(n) for _ in range(4))
    at = np.zeros(n)
    for _ in range(most):
        at = at + rng.gamma(k, 1 / rate)
        made = at < left
        counts += made & (at <= age)
        last = np.where(made & (at <= age), at, last)
        ahead += made & (at > age) & (at <= age + 120)
        soon += made & (at > age) & (at <= age + 10)
        if (at[made] > age + 120).all():
            break
    summary = PurchaseSummary.of(counts, last, np.full(n, age))
    alive = model.p_alive(summary)
    assert alive.mean() == pytest.approx((left > age).mean(), abs=0.008)
    silence = (age - last) * (counts + 1) / np.maximum(last, 1.0)
    for some in np.array_split(np.argsort(silence), 8):
        assert alive[some].mean() == pytest.approx((left[some] > age).mean(), abs=0.03)
        for horizon, came in ((120.0, ahead), (10.0, soon)):
            error = came[some].std() / np.sqrt(len(some))
            foreseen = model.expected_purchases(summary, horizon)[some].mean()
            assert foreseen == pytest.approx(came[some].mean(), abs=4 * error + 0.01)
    newcomers = model.expected_purchases_of_newcomer(np.array([0.0, age]))
    assert newcomers == pytest.approx([0.0, counts.mean()], abs=0.06)


def test_a_fit_finds_the_parameters_of_customers_in_a_rhythm() -> None:
    rng = np.random.default_rng(3)
    n, age = 6_000, 300.0
    rate, left = rng.gamma(1.2, 1 / 12.0, n), rng.exponential(1 / rng.gamma(0.8, 1 / 150.0, n))
    at = np.cumsum(rng.gamma(2, 1 / rate[:, None], (n, 200)), axis=1)
    made = at < np.minimum(left, age)[:, None]
    summary = PurchaseSummary.of(made.sum(axis=1), np.where(made, at, 0).max(axis=1), np.full(n, age))
    found = ParetoCNBD().fit(summary, 2)
    for name, truth in {"r": 1.2, "alpha": 12.0, "s": 0.8, "beta": 150.0}.items():
        error = getattr(found.standard_errors_, name)
        assert getattr(found.params_, name) == pytest.approx(truth, abs=4 * error)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_shop_of_regular_buyers_is_ranked_and_foreseen_better_by_their_rhythm(seed: int) -> None:
    log = a_shop("regular", seed)
    known = log.until(UNTIL)
    actual = log.window(UNTIL, UNTIL + HORIZON)[0][log.first_day <= UNTIL]
    plain, rhythm = (
        accuracy(actual, fit_variant(replace(v, pace=True), log, UNTIL, HORIZON).predict(known).purchases)
        for v in (AT_RANDOM, IN_RHYTHM)
    )
    assert rhythm.gini > plain.gini + 0.003
    assert rhythm.rmse < 0.99 * plain.rmse


def test_a_shop_of_regular_buyers_ranks_no_worse_than_every_rule_and_closed_form() -> None:
    found = backtest(a_shop("regular"), UNTIL, HORIZON)
    assert found.forecaster.variant.base == "pareto-cnbd"
    engine, *others = found.measured
    assert engine.purchases.gini > max(m.purchases.gini for m in others) + 0.003
    assert engine.spend.gini > max(m.spend.gini for m in others) + 0.003
    assert engine.purchases.rmse < min(m.purchases.rmse for m in others if m.is_forecast)


def test_a_shop_of_regular_buyers_is_not_taken_for_a_fading_one() -> None:
    """BG/NBD holds too many for active, so that what it expects of the last weeks is too much."""
    known = a_shop("regular").until(UNTIL)
    time = fit_operational_time(known, UNTIL, UNTIL + HORIZON, partial(usual_in_rhythm, k=3))
    assert time.between(UNTIL, UNTIL + HORIZON) == pytest.approx(HORIZON, rel=0.06)


def test_a_shop_where_nobody_has_a_rhythm_is_foreseen_as_before() -> None:
    found = fit_forecaster(a_shop("plain"), UNTIL, HORIZON)
    assert found.variant.base == "pareto-nbd"
    assert all(trial.variant.base != "pareto-cnbd" for trial in found.trials)


def test_one_regular_customer_alone_is_foreseen_as_among_all_also_after_storage() -> None:
    log = a_shop("regular").until(UNTIL)
    fitted = fit_variant(replace(IN_RHYTHM, pace=True, recalibration="history"), log, UNTIL, HORIZON)
    stored = Forecaster.from_parameters(json.loads(json.dumps(fitted.to_parameters())))
    together = fitted.predict(log)
    for i in (0, 17, 800, 1_100):
        rows = log.customer == i
        alone = PurchaseLog.of(
            [log.customer_id[i]], np.zeros(rows.sum(), dtype=np.int64), log.day[rows], log.spend[rows]
        )
        for one in (fitted, stored):
            assert one.predict(alone).purchases[0] == together.purchases[i]
            assert one.predict(alone).spend[0] == together.spend[i]


def some_trials(rhythm: float) -> tuple[Trial, ...]:
    return tuple(
        Trial(variant, (loss, loss))
        for variant, loss in (
            (AT_RANDOM, 0.80),
            (replace(AT_RANDOM, pace=True), 0.80),
            (replace(AT_RANDOM, pace=True, recalibration="habits"), 0.80),
            (IN_RHYTHM, rhythm),
            (replace(IN_RHYTHM, pace=True), rhythm),
            (replace(IN_RHYTHM, pace=True, recalibration="habits"), rhythm),
        )
    )


def test_a_rhythm_stays_unless_it_foresaw_worse_in_every_window() -> None:
    kept, refused = (
        replace(v, pace=True, recalibration="habits") for v in (IN_RHYTHM, AT_RANDOM)
    )  # fmt: skip
    assert choose(some_trials(0.81), IN_RHYTHM) == kept
    assert choose(some_trials(0.83), IN_RHYTHM) == refused
    assert why_chosen(some_trials(0.83))[0] == (
        "With the rhythm of customers the loss on earlier windows was 0.830 and 0.830, without it "
        "0.800 and 0.800: more than 2 % worse in both, so it was left out."
    )


def test_among_few_repeat_buyers_the_rhythm_of_their_pauses_is_believed_without_trials() -> None:
    assert choose((), IN_RHYTHM) == replace(IN_RHYTHM, pace=True, recalibration="habits")
