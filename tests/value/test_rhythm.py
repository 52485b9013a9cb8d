"""What pauses show: a rhythm, so that silence says more, or clumps, which are trips of several purchases."""

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
from crmcore.value.operational_time import fit_operational_time
from crmcore.value.pareto_cnbd import ParetoCNBD
from crmcore.value.purchase_log import PurchaseLog
from crmcore.value.rhythm import Pauses, usual_in_rhythm
from crmcore.value.summary import PurchaseSummary
from crmcore.value.tracking import track_base
from tests.value.worlds import World, a_world

UNTIL, HORIZON = 560, 150
AT_RANDOM, IN_RHYTHM, IN_TRIPS = (Variant(base) for base in ("pareto-nbd", "pareto-cnbd", "pareto-trips"))


@cache
def a_shop(world: World, seed: int = 1) -> PurchaseLog:
    return a_world(world, seed, customers=1_500)


def the_pauses(log: PurchaseLog, until: int = UNTIL) -> Pauses:
    return Pauses.of(log.until(until))


@pytest.mark.parametrize("world", ["plain", "season", "drift", "promotion", "heavy"])
def test_purchases_at_random_have_no_rhythm_and_no_trips(world: World) -> None:
    assert the_pauses(a_shop(world)) == Pauses()


def test_a_rhythm_shows_in_the_pauses() -> None:
    assert the_pauses(a_shop("regular")) == Pauses(steps=3)


def test_purchases_that_bring_others_within_five_days_are_trips() -> None:
    found = the_pauses(a_shop("batch"))
    assert found.steps == 1
    assert 2 <= found.trip_days <= 5


def test_a_handful_of_customers_shows_no_rhythm() -> None:
    who, day = np.repeat(np.arange(4), 12), np.tile(np.arange(0, 360, 30), 4)
    log = PurchaseLog.of(range(4), who, day, np.ones(48))
    assert the_pauses(log, 360) == Pauses()


def test_customers_who_never_bought_three_times_show_nothing() -> None:
    log = PurchaseLog.of(range(2), np.array([0, 0, 1]), np.array([1, 30, 5]), np.ones(3))
    assert the_pauses(log, 60) == Pauses()


def test_a_trip_has_its_first_day_and_the_spend_of_all_its_purchases() -> None:
    who = np.array([0, 0, 0, 0, 1, 1])
    log = PurchaseLog.of(range(2), who, np.array([1, 3, 5, 9, 10, 40]), np.array([1.0, 2, 4, 8, 16, 32]))
    trips = log.trips(2)
    assert trips.customer.tolist() == [0, 0, 1, 1]
    assert trips.day.tolist() == [1, 9, 10, 40]
    assert trips.spend.tolist() == [7.0, 8.0, 16.0, 32.0]
    assert log.trips(0) is log


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


def test_a_shop_of_trips_is_foreseen_no_worse_than_by_every_rule_and_closed_form() -> None:
    found = backtest(a_shop("batch"), UNTIL, HORIZON)
    assert found.forecaster.variant.base == "pareto-trips"
    engine, *others = found.measured
    assert engine.purchases.gini > max(m.purchases.gini for m in others)
    assert engine.purchases.rmse < min(m.purchases.rmse for m in others if m.is_forecast)
    assert abs(engine.purchases.total_error) < 0.1


def test_what_is_foreseen_of_trips_is_counted_in_purchases_and_in_their_money() -> None:
    log = a_shop("batch")
    found = fit_variant(IN_TRIPS, log, UNTIL, HORIZON)
    foreseen = found.predict(log.until(UNTIL))
    bought, spent = (column[log.first_day <= UNTIL] for column in log.window(UNTIL, UNTIL + HORIZON))
    assert found.base.per_trip > 1.5
    assert foreseen.purchases.sum() == pytest.approx(bought.sum(), rel=0.1)
    assert foreseen.spend.sum() == pytest.approx(spent.sum(), rel=0.1)


def test_a_shop_where_nobody_has_a_rhythm_is_foreseen_as_before() -> None:
    found = fit_forecaster(a_shop("plain"), UNTIL, HORIZON)
    assert found.variant.base == "pareto-nbd"
    assert all(trial.variant.base != "pareto-cnbd" for trial in found.trials)


@pytest.mark.parametrize(("world", "base"), [("regular", IN_RHYTHM), ("batch", IN_TRIPS)])
def test_one_customer_alone_is_foreseen_as_among_all_also_after_storage(world: World, base: Variant) -> None:
    log = a_shop(world).until(UNTIL)
    fitted = fit_variant(replace(base, pace=True, recalibration="history"), log, UNTIL, HORIZON)
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
    kept, refused = (replace(v, pace=True, recalibration="habits") for v in (IN_RHYTHM, AT_RANDOM))
    assert choose(some_trials(0.81), IN_RHYTHM) == kept
    assert choose(some_trials(0.83), IN_RHYTHM) == refused
    assert why_chosen(some_trials(0.83))[0] == (
        "With the rhythm of customers the loss on earlier windows was 0.830 and 0.830, without it "
        "0.800 and 0.800: more than 2 % worse in both, so it was left out."
    )


def test_among_few_repeat_buyers_the_rhythm_of_their_pauses_is_believed_without_trials() -> None:
    assert choose((), IN_RHYTHM) == replace(IN_RHYTHM, pace=True, recalibration="habits")


def test_the_curve_of_a_forecast_of_trips_counts_purchases() -> None:
    log = a_shop("batch")
    base = fit_variant(IN_TRIPS, log, UNTIL, HORIZON).base
    found = track_base(log, base, HORIZON)
    assert base.per_trip > 1.5
    assert found.expected[0] == found.actual[0] == 0
    assert found.expected[-1] == pytest.approx(found.actual[-1], rel=0.1)
