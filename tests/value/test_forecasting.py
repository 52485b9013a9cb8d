"""Forecasts with pace and habits: what each layer is for, and that the past chooses well."""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from crmcore.value.accuracy import accuracy
from crmcore.value.backtest import backtest
from crmcore.value.forecast_choice import (
    ENOUGH_TO_CHOOSE,
    LEAST_REPEAT_BUYERS,
    choose,
    fit_forecaster,
    why_chosen,
)
from crmcore.value.forecast_features import features_of
from crmcore.value.forecast_fit import Workshop, fit_variant
from crmcore.value.forecasting import Forecaster, Trial, Variant
from crmcore.value.operational_time import OperationalTime, fit_operational_time
from crmcore.value.pace import YEAR
from crmcore.value.purchase_log import PurchaseLog
from crmcore.value.recalibration import Recalibration, fit_recalibration
from crmcore.value.summary import InvalidHistory, PurchaseSummary
from crmcore.value.usual_spend import is_assumed
from tests.value.worlds import World, a_world

UNTIL, HORIZON = 560, 150  # The horizon holds the second Christmas, of which nothing may be known.


@cache
def a_shop(world: World) -> PurchaseLog:
    return a_world(world, seed=1, customers=1_500)


def test_the_clock_runs_fast_at_christmas_and_slowly_after_it() -> None:
    time = fit_operational_time(a_shop("season").until(UNTIL), UNTIL, UNTIL + HORIZON)
    assert time.between(325, 353) > 1.6 * time.between(250, 278)
    assert time.between(366, 394) < 0.8 * time.between(250, 278)
    # What was seen a year before is expected again, though nothing was bought on those days yet.
    assert time.between(325 + 364, 353 + 364 - 7) == pytest.approx(time.between(325, 353 - 7), rel=0.35)


def test_without_a_season_the_clock_stays_near_the_calendar() -> None:
    time = fit_operational_time(a_shop("plain").until(UNTIL), UNTIL, UNTIL)
    weeks = np.array([time.between(day, day + 28) for day in range(120, UNTIL - 28, 28)])
    assert np.abs(weeks / 28 - 1).max() < 0.15


def test_a_shop_that_was_there_before_its_log_does_not_seem_to_fade() -> None:
    """An export begins amid a shop's life: its regular customers are seen first, all in the first weeks."""
    rng = np.random.default_rng(5)
    n, days = 1_200, 300
    rate = rng.gamma(1.2, 1 / 40, n)
    who = np.repeat(np.arange(n), rng.poisson(rate * days))
    log = PurchaseLog.of(range(n), who, rng.integers(0, days, len(who)), np.ones(len(who)))
    time = fit_operational_time(log, days - 1, days + 90)
    assert time.between(days - 1, days + 89) == pytest.approx(90, rel=0.1)


def test_two_weeks_of_log_are_no_season() -> None:
    log = PurchaseLog.of([0], np.array([0, 0]), np.array([3, 9]), np.array([1.0, 1.0]))
    time = fit_operational_time(log, 12, 20)
    assert time.clock.tolist() == OperationalTime.calendar(3, 20).clock.tolist()


def test_recalibration_finds_who_buys_more_than_foreseen_and_leaves_the_total_to_others() -> None:
    rng = np.random.default_rng(2)
    kind = rng.normal(size=20_000)
    forecast = rng.gamma(1.0, 0.8, 20_000)
    actual = rng.poisson(forecast * 1.7 * np.exp(0.5 * kind)).astype(float)
    layer = fit_recalibration(("kind",), kind[:, None], actual, forecast)
    assert layer.coefficients[0] / layer.deviations[0] == pytest.approx(0.5, abs=0.03)
    assert layer.factor(np.array([[layer.means[0]]])) == pytest.approx(1.0)


def test_a_recalibration_doubles_or_halves_a_customer_at_most() -> None:
    layer = Recalibration(("kind",), (0.0,), (1.0,), (5.0,))
    factors = layer.factor(np.array([[-3.0], [0.0], [3.0]]))
    assert factors == pytest.approx([0.5, 1.0, 2.0], rel=0.02)


def the_feature(name: str, known: PurchaseLog) -> tuple[np.ndarray, PurchaseSummary]:
    """What a recalibration reads of each customer, and his summary on the clock of the forecast."""
    base = fit_variant(PACE, known, UNTIL, HORIZON).base
    summary = base.summary(known, UNTIL)
    closed = base.foresee(known, summary, HORIZON, UNTIL)
    return features_of((name,), known, summary, base, closed, UNTIL)[:, 0], summary


def test_only_a_silence_of_more_than_two_usual_pauses_is_overdue() -> None:
    overdue, summary = the_feature("long_overdue", a_shop("regular").until(UNTIL))
    pause = summary.recency / np.maximum(summary.frequency, 1)
    often = summary.frequency > 4
    assert (overdue[often & (summary.days_since_last_purchase < 1.5 * pause)] == 0).all()
    assert (overdue[often & (summary.days_since_last_purchase > 4 * pause)] > 0).all()


def test_one_of_the_days_that_are_learnt_from_lies_a_year_before() -> None:
    workshop = Workshop(a_shop("season").until(UNTIL))
    window, origins = workshop.origins(UNTIL, HORIZON)
    assert window == HORIZON
    assert UNTIL - 365 in origins
    assert max(origins) == UNTIL - HORIZON


def test_few_data_hardly_move_a_recalibration() -> None:
    kind = np.array([[0.0], [1.0]])
    layer = fit_recalibration(("kind",), kind, np.array([0.0, 3.0]), np.array([1.0, 1.0]))
    assert abs(layer.coefficients[0]) < 0.1


def test_one_customer_alone_is_foreseen_as_among_all() -> None:
    log = a_shop("season").until(UNTIL)
    fitted = fit_variant(Variant("pareto-nbd", pace=True, recalibration="history"), log, UNTIL, HORIZON)
    together = fitted.predict(log)
    for i in (0, 17, 800):
        rows = log.customer == i
        alone = PurchaseLog.of(
            [log.customer_id[i]], np.zeros(rows.sum(), dtype=np.int64), log.day[rows], log.spend[rows]
        )
        assert fitted.predict(alone).purchases[0] == together.purchases[i]
        assert fitted.predict(alone).spend[0] == together.spend[i]


def test_what_comes_after_the_day_changes_nothing() -> None:
    log = a_shop("season")
    known = log.until(UNTIL)
    seen, unseen = (fit_forecaster(each, UNTIL, HORIZON) for each in (log, known))
    assert seen.variant == unseen.variant
    np.testing.assert_array_equal(seen.predict(known).spend, unseen.predict(known).spend)


def test_a_seasonal_shop_is_foreseen_better_than_by_closed_forms_and_rules() -> None:
    found = backtest(a_shop("season"), UNTIL, HORIZON)
    assert found.forecaster.variant.pace
    engine, closed, *rules = found.measured
    assert abs(engine.spend.total_error) < abs(closed.spend.total_error)
    assert engine.spend.rmse < closed.spend.rmse
    assert engine.spend.gini > max(m.spend.gini for m in (closed, *rules)) - 0.005


def test_after_its_first_christmas_a_shop_is_not_taken_for_a_growing_one() -> None:
    """A season that was seen once is expected again in part; closed forms take its peak for growth."""
    found = backtest(a_shop("season"), 365, 180)
    engine, closed, *_ = found.measured
    assert closed.purchases.total_error > 2
    assert abs(engine.purchases.total_error) < 0.4 * closed.purchases.total_error


@pytest.mark.parametrize("world", ["drift", "plain", "promotion", "regular"])
def test_where_the_closed_forms_are_right_or_nearly_so_the_engine_is_no_worse(world: World) -> None:
    found = backtest(a_shop(world), UNTIL, HORIZON)
    engine, closed, *rules = found.measured
    assert abs(engine.purchases.total_error) < abs(closed.purchases.total_error) + 0.05
    assert engine.purchases.rmse < 1.02 * closed.purchases.rmse
    assert engine.purchases.gini > max(m.purchases.gini for m in (closed, *rules)) - 0.005
    assert engine.spend.gini > max(m.spend.gini for m in (closed, *rules)) - 0.005


def test_a_fading_shop_is_not_foreseen_to_stay_as_it_was() -> None:
    log = a_shop("drift")
    found = fit_forecaster(log, UNTIL, HORIZON)
    actual = log.window(UNTIL, UNTIL + HORIZON)[0][log.first_day <= UNTIL]
    known = log.until(UNTIL)
    closed = fit_variant(Variant(), log, UNTIL, HORIZON).predict(known)
    engine = found.predict(known)
    assert abs(accuracy(actual, engine.purchases).total_error) < 0.7 * abs(
        accuracy(actual, closed.purchases).total_error
    )


PLAIN = Variant("pareto-nbd")
PACE = Variant("pareto-nbd", pace=True)


def with_(variant: Variant, recalibration: str) -> Variant:
    return replace(variant, recalibration=recalibration)


def a_trial(variant: Variant, *losses: float) -> Trial:
    return Trial(variant, losses)


def test_pace_and_habits_stay_where_one_window_speaks_for_them_and_one_against() -> None:
    found = choose(
        (
            a_trial(PLAIN, 0.80, 0.90),
            a_trial(PACE, 0.85, 0.89),
            a_trial(with_(PACE, "habits"), 0.84, 0.92),
            a_trial(with_(PACE, "history"), 0.83, 0.93),
        )
    )
    assert found == with_(PACE, "habits")


def test_a_layer_that_was_worse_in_every_window_is_left_out() -> None:
    plain, pace = a_trial(PLAIN, 0.80, 0.90), a_trial(PACE, 0.83, 0.93)
    habits, history = (
        a_trial(with_(PLAIN, "habits"), 0.83, 0.93), a_trial(with_(PLAIN, "history"), 0.82, 0.92)
    )  # fmt: skip
    assert choose((plain, pace, habits, history)) == PLAIN


def test_the_whole_history_is_taken_where_it_was_better_in_every_window() -> None:
    trials = (
        a_trial(PLAIN, 0.9, 0.9),
        a_trial(PACE, 0.8, 0.8),
        a_trial(with_(PACE, "habits"), 0.79, 0.79),
        a_trial(with_(PACE, "history"), 0.76, 0.76),
    )
    assert choose(trials) == with_(PACE, "history")
    assert choose((*trials[:-1], a_trial(with_(PACE, "history"), 0.76, 0.78))) == with_(PACE, "habits")


def test_the_choice_says_why() -> None:
    trials = (
        a_trial(PLAIN, 0.9, 0.9),
        a_trial(PACE, 0.8, 0.8),
        a_trial(with_(PACE, "habits"), 0.83, 0.84),
        a_trial(with_(PACE, "history"), 0.76, 0.79),
    )
    assert choose(trials) == PACE
    assert why_chosen(trials) == (
        "With the pace of the shop the loss on earlier windows was "
        "0.800 and 0.800, without it 0.900 and 0.900: "
        "not more than 2 % worse in both, so it stays.",
        "With the habits of customers the loss on earlier windows was "
        "0.830 and 0.840, without it 0.800 and 0.800: "
        "more than 2 % worse in both, so it was left out.",
        "With their whole history the loss on earlier windows was "
        "0.760 and 0.790, without it 0.800 and 0.800: "
        "not more than 2 % better in both, so it was not taken.",
    )
    assert why_chosen(()) == ()


def test_one_window_alone_leaves_nothing_out() -> None:
    trials = (a_trial(PLAIN, 0.1), a_trial(PACE, 0.9))
    assert choose(trials) == with_(PACE, "habits")
    assert why_chosen(trials) == ()


def test_trials_are_sorted_by_loss() -> None:
    found = fit_forecaster(a_shop("season"), UNTIL, HORIZON)
    losses = [trial.loss for trial in found.trials]
    assert losses == sorted(losses)
    tried = {trial.variant for trial in found.trials}
    assert tried == {Variant(), PLAIN, PACE, with_(PACE, "habits"), with_(PACE, "history")}
    assert all(len(trial.losses) == 2 for trial in found.trials)


def test_a_forecaster_that_was_stored_foresees_the_same_to_the_bit() -> None:
    log = a_shop("season").until(UNTIL)
    fitted = fit_forecaster(log, UNTIL, HORIZON)
    again = Forecaster.from_parameters(json.loads(json.dumps(fitted.to_parameters())))
    assert again.trials == fitted.trials
    for until in (UNTIL, UNTIL + 40, UNTIL + 500):  # The last is far beyond every day that the clock knows.
        one, other = fitted.predict(log, until), again.predict(log, until)
        np.testing.assert_array_equal(one.purchases, other.purchases)
        np.testing.assert_array_equal(one.spend, other.spend)
        assert np.isfinite(one.spend).all()


def test_rows_from_before_the_first_day_that_the_clock_knows_are_foreseen_too() -> None:
    log = a_shop("season").until(UNTIL)
    fitted = fit_variant(Variant("pareto-nbd", pace=True), log, UNTIL, HORIZON)
    late = PurchaseLog.of([0], np.array([0, 0]), np.array([-400, 300]), np.array([10.0, 10.0]))
    assert fitted.base.time.summary(late, UNTIL).T[0] > 399 + fitted.base.time.between(0, UNTIL)
    assert np.isfinite(fitted.predict(late).spend).all()


def test_a_log_too_short_for_trials_is_foreseen_too() -> None:
    log = a_world("plain", seed=4, customers=800, days=70)
    found = fit_forecaster(log, 69, 60)
    assert found.trials == ()
    assert np.isfinite(found.predict(log.until(69)).spend).all()


def test_among_few_repeat_buyers_nothing_is_chosen_by_chance() -> None:
    """As in the value: so a backtest shows what the firm's values stand on."""
    log = a_world("season", seed=1, customers=230).until(UNTIL)
    repeat = int((log.summary(UNTIL).frequency > 0).sum())
    assert LEAST_REPEAT_BUYERS < repeat < ENOUGH_TO_CHOOSE
    found = fit_forecaster(log, UNTIL, HORIZON)
    assert (found.variant, found.trials) == (with_(PACE, "habits"), ())


def test_a_small_seasonal_shop_has_its_season_too() -> None:
    found = backtest(a_world("season", seed=2, customers=230), 640, 90)
    engine, closed, *_ = found.measured
    assert abs(engine.purchases.total_error) < 0.7 * abs(closed.purchases.total_error)
    assert engine.purchases.rmse < closed.purchases.rmse


def test_one_wrong_date_decades_ago_makes_no_clock_of_decades() -> None:
    log = a_shop("season").until(UNTIL)
    wrong = PurchaseLog.of(
        range(len(log) + 1),
        np.append(log.customer, len(log)),
        np.append(log.day, UNTIL - 55 * 365),
        np.append(log.spend, 1.0),
    )
    time = fit_operational_time(wrong, UNTIL, UNTIL + HORIZON)
    assert UNTIL - time.first_day < 6 * 366
    usual = fit_operational_time(log, UNTIL, UNTIL + HORIZON)
    assert time.between(UNTIL, UNTIL + HORIZON) == pytest.approx(
        usual.between(UNTIL, UNTIL + HORIZON), rel=0.1
    )


def test_purchases_soon_after_the_first_one_are_no_pace() -> None:
    """Each purchase brings others within days, and customers come in the first year alone."""
    log = a_shop("batch").until(UNTIL)
    time = fit_operational_time(log, UNTIL, UNTIL + HORIZON)
    weeks = np.array([time.between(day, day + 28) for day in range(28, UNTIL - 28, 28)]) / 28
    assert weeks.max() < 1.7 * weeks.min()


def test_a_customer_who_bought_in_the_season_ahead_is_told_from_one_who_did_not() -> None:
    known = a_shop("season").until(UNTIL)
    feature, _ = the_feature("own_season", known)
    a_year_before, _ = known.window(UNTIL - YEAR, UNTIL - YEAR + HORIZON)
    old = known.first_day <= UNTIL - YEAR
    assert (feature[~old] == 0).all()
    assert feature[old & (a_year_before > 3)].mean() > 0 > feature[old & (a_year_before == 0)].mean()


def test_where_the_mean_spend_has_no_end_everybody_gets_the_usual_one() -> None:
    log = a_shop("plain")
    rng = np.random.default_rng(4)
    # An inverse gamma with a shape of .8, below 1, has no mean.
    of_customer = 10 / rng.gamma(0.8, 1.0, len(log))
    wild = replace(log, spend=of_customer[log.customer] * rng.gamma(5.0, 0.2, len(log.customer)))
    base = fit_variant(Variant("pareto-nbd"), wild, UNTIL, HORIZON).base
    assert is_assumed(base.spend)
    assert np.isfinite(base.spend.population_mean)


def test_too_few_repeat_buyers_are_refused_with_their_number() -> None:
    log = PurchaseLog.of([0, 1], np.array([0, 0, 1]), np.array([1, 40, 3]), np.array([1.0, 2.0, 3.0]))
    with pytest.raises(InvalidHistory, match="only 1 customers bought again"):
        fit_forecaster(log, 60, 30)
