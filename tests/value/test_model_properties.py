"""What must hold of every model at any parameters, and what the fits say when they must not be used."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.value import (
    BGNBD,
    MBGNBD,
    GammaGamma,
    InvalidHistory,
    InvalidParameters,
    NotFitted,
    ParetoNBD,
    PlainRetention,
    PurchaseSummary,
    fitting,
)
from crmcore.value.engine import score_firm
from crmcore.value.model import Ledger, ValueTerms
from crmcore.value.purchase_model import check_end
from crmcore.value.simulate import simulate_summary

PurchaseModels = BGNBD | MBGNBD | ParetoNBD
SPEND = GammaGamma.of(6.0, 4.0, 15.0)
shapes = st.floats(0.01, 50)
times = st.floats(0.1, 2000)
any_model = st.one_of(
    st.builds(BGNBD.of, r=shapes, alpha=times, a=shapes, b=shapes),
    st.builds(MBGNBD.of, r=shapes, alpha=times, a=shapes, b=shapes),
    st.builds(ParetoNBD.of, r=shapes, alpha=times, s=shapes, beta=times),
)


@st.composite
def histories(draw: st.DrawFn) -> PurchaseSummary:
    T = draw(st.floats(0, 4000))
    x = draw(st.integers(0, 5000)) if T > 0 else 0
    t_x = T * draw(st.floats(0, 1)) if x else 0.0
    return PurchaseSummary.of([x], [t_x], [T])


@settings(max_examples=100, deadline=None)
@given(histories(), any_model, st.floats(0, 3650, allow_subnormal=False))
def test_expectations_are_finite_and_within_their_bounds(
    history: PurchaseSummary, model: PurchaseModels, horizon: float
) -> None:
    ahead = model.predict(history, horizon, 0.0003)
    shape, rate = model.purchase_rate(history)
    at_most = ahead.p_alive[0] * horizon * shape[0] / rate[0]
    assert 0 <= ahead.p_alive[0] <= 1
    assert 0 <= ahead.discounted_purchases[0] <= ahead.expected_purchases[0] * (1 + 1e-9)
    assert ahead.expected_purchases[0] <= at_most * (1 + 1e-9)
    assert 0 <= ahead.active_time[0] <= horizon * (1 + 1e-9)
    assert np.isfinite(model.log_likelihood(history)).all()
    assert np.isfinite(model.expected_purchases(history, math.inf, 0.0003)).all()
    assert np.isfinite(model.expected_purchases_of_newcomer(horizon))


@settings(max_examples=60, deadline=None)
@given(histories(), any_model, st.floats(0.5, 1800), st.floats(1.01, 2))
def test_a_longer_horizon_never_brings_fewer_purchases(
    history: PurchaseSummary, model: PurchaseModels, horizon: float, longer: float
) -> None:
    sooner = model.expected_purchases(history, horizon)[0]
    assert model.expected_purchases(history, horizon * longer)[0] >= sooner * (1 - 1e-9)


@settings(max_examples=100, deadline=None)
@given(any_model, st.integers(1, 200), st.floats(10, 1000))
def test_p_alive_falls_as_the_last_purchase_recedes(model: PurchaseModels, x: int, T: float) -> None:
    t_x = np.linspace(0.01 * T, T, 20)
    alive = model.p_alive(PurchaseSummary.of(np.full(20, x), t_x, np.full(20, T)))
    assert (np.diff(alive) >= -1e-12).all()


@settings(max_examples=60, deadline=None)
@given(any_model, st.floats(0.1, 400))
def test_counts_of_a_newcomer_are_a_distribution_with_the_expected_mean(
    model: PurchaseModels, t: float
) -> None:
    chances = np.array([model.purchase_count_probability(t, x) for x in range(40)])
    assert (chances >= 0).all()
    assert chances.sum() <= 1 + 1e-9
    if chances[-1] < 1e-12:
        assert chances.sum() == pytest.approx(1, abs=1e-8)
        assert chances @ np.arange(40) == pytest.approx(
            float(model.expected_purchases_of_newcomer(t)), rel=1e-6, abs=1e-9
        )


@settings(max_examples=10, deadline=None)
@given(any_model, st.integers(0, 2**32 - 1), st.booleans())
def test_a_customer_alone_is_foreseen_to_the_bit_as_in_a_batch(
    model: PurchaseModels, seed: int, whole_days: bool
) -> None:
    rng = np.random.default_rng(seed)
    T = rng.uniform(1, 1500, 200)
    x = np.floor(np.minimum(rng.geometric(0.2, 200) - 1.0, T))
    t_x = np.where(x > 0, T * rng.random(200), 0)
    if whole_days:
        T, t_x = np.floor(T), np.floor(t_x)
    batch = model.predict(PurchaseSummary.of(x, t_x, T), 365, 0.0003)
    for i in rng.integers(0, 200, 5):
        alone = model.predict(PurchaseSummary.of([x[i]], [t_x[i]], [T[i]]), 365, 0.0003)
        for name in ("p_alive", "expected_purchases", "discounted_purchases", "active_time"):
            assert getattr(alone, name)[0] == getattr(batch, name)[i]


def test_one_figure_alone_is_to_the_bit_that_of_the_whole_forecast() -> None:
    firm = simulate_summary(np.random.default_rng(1), 300, BGNBD.of(0.5, 40.0, 0.8, 2.5), SPEND, 270.0)
    for model in (BGNBD.of(0.5, 40, 0.8, 2.5), MBGNBD.of(0.5, 40, 0.8, 2.5), ParetoNBD.of(0.5, 40, 0.6, 80)):
        ahead = model.predict(firm, 365, 0.0003)
        assert (model.p_alive(firm) == ahead.p_alive).all()
        assert (model.expected_purchases(firm, 365) == ahead.expected_purchases).all()
        assert (model.expected_purchases(firm, 365, 0.0003) == ahead.discounted_purchases).all()
        assert (model.expected_active_time(firm, 365, 0.0003) == ahead.active_time).all()


def test_a_horizon_beyond_twice_what_was_seen_is_said() -> None:
    model, seen = BGNBD.of(0.5, 40.0, 0.8, 2.5), PurchaseSummary.of([1, 0], [50, 0], [100, 90])
    assert model.predict(seen, 200).diagnostics == ()
    assert [d.code for d in model.predict(seen, 201).diagnostics] == ["extrapolates_beyond_twice_T"]
    assert not model.predict(seen, 201).diagnostics[0].blocking


def test_a_firm_whose_customers_all_fell_silent_at_once_is_told_that_orders_may_be_missing() -> None:
    firm = simulate_summary(np.random.default_rng(1), 1000, BGNBD.of(0.9, 40.0, 0.8, 2.5), SPEND, 150.0)
    late = replace(firm, T=firm.T + 40)
    few = late.take(np.arange(5))
    assert check_end(firm) == check_end(few) == ()
    money = Ledger(*(np.zeros(1000) for _ in range(4)))
    found = score_firm(late, money, ValueTerms(0.4, 0.1, 300)).fit.diagnostics
    told = next(d for d in found if d.code == "log_ends_early")
    assert told.message.startswith("Nobody has bought for 4")
    assert not told.blocking


def test_a_scoring_passes_on_that_its_horizon_is_long() -> None:
    rng = np.random.default_rng(1)
    firm = simulate_summary(rng, 1000, BGNBD.of(0.9, 40.0, 0.8, 2.5), SPEND, 150.0)
    money = Ledger(*(np.zeros(1000) for _ in range(4)))
    long, short = (score_firm(firm, money, ValueTerms(0.4, 0.1, days)) for days in (365, 300))
    assert "extrapolates_beyond_twice_T" in [d.code for d in long.fit.diagnostics]
    assert "extrapolates_beyond_twice_T" not in [d.code for d in short.fit.diagnostics]
    assert long.values is not None


@pytest.mark.parametrize("model", [BGNBD(), MBGNBD(), ParetoNBD()])
def test_customers_who_never_leave_are_reported_and_not_published(model: PurchaseModels) -> None:
    """The ridge a -> 0 (or s -> 0), where a seasonal log ends: no number is invented for dropout."""
    rng = np.random.default_rng(5)
    model.fit(simulate_summary(rng, 2000, BGNBD.of(1.5, 60.0, 1e-6, 5.0), SPEND, 300.0))
    assert "dropout_not_identified" in [d.code for d in model.diagnostics_]
    assert not model.publishable_


def test_a_handful_of_repeat_buyers_is_too_few() -> None:
    rng = np.random.default_rng(5)
    few = simulate_summary(rng, 60, BGNBD.of(0.3, 100.0, 0.8, 2.5), SPEND, 100.0)
    for model in (BGNBD(), MBGNBD(), ParetoNBD(), GammaGamma()):
        assert "too_few_repeat_buyers" in [d.code for d in model.fit(few).diagnostics_]


def test_nothing_is_valued_by_fits_that_fail_their_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "_STEPS", 1)
    shop = _shop()
    scoring = score_firm(shop, Ledger(*(np.zeros(len(shop)) for _ in range(4))), ValueTerms(0.4, 0.1, 365))
    assert "not_converged" in [d.code for d in scoring.fit.diagnostics]
    assert scoring.fit.purchases is not None
    assert scoring.values is None


@given(histories(), st.floats(0.01, 50), st.floats(0.01, 50), st.floats(0.01, 1e6), st.floats(0, 1e6))
def test_expected_spend_is_never_negative_or_no_number(
    history: PurchaseSummary, p: float, q: float, v: float, spend: float
) -> None:
    paid = PurchaseSummary.of(history.frequency, history.recency, history.T, [spend])
    assert GammaGamma.of(p, q, v).expected_spend(paid)[0] >= 0


def test_an_infinite_mean_spend_is_never_a_finite_expectation() -> None:
    newcomer = PurchaseSummary.of([0], [0], [50])
    assert GammaGamma.of(2.0, 0.5, 10.0).expected_spend(newcomer)[0] == math.inf


def test_spend_without_a_finite_mean_is_reported_and_not_published() -> None:
    rng = np.random.default_rng(5)
    wild = simulate_summary(rng, 1500, BGNBD.of(0.9, 40.0, 0.5, 2.5), GammaGamma.of(6.0, 0.8, 15.0), 300.0)
    spend = GammaGamma().fit(wild)
    assert "spend_mean_infinite" in [d.code for d in spend.diagnostics_]
    assert not spend.publishable_


def test_free_purchases_are_scored_but_do_not_break_the_fit() -> None:
    rng = np.random.default_rng(3)
    s = simulate_summary(rng, 500, BGNBD.of(0.9, 40.0, 0.5, 2.5), SPEND, 300.0)
    spend = s.monetary_value.copy()
    free = int(np.flatnonzero(s.frequency > 0)[0])
    spend[free] = 0.0
    with_free = PurchaseSummary.of(s.frequency, s.recency, s.T, spend)
    model = GammaGamma().fit(with_free)
    scored = model.expected_spend(with_free)
    assert model.n_informative_ == int((s.frequency > 0).sum()) - 1
    assert 0 < scored[free] < model.population_mean
    assert np.isfinite(scored).all()


@given(any_model)
def test_known_parameters_survive_json(model: PurchaseModels) -> None:
    assert type(model).from_json(model.to_json()).params_ == model.params_


def test_a_fit_survives_json_with_its_errors_and_diagnostics() -> None:
    rng = np.random.default_rng(5)
    firm = simulate_summary(rng, 60, BGNBD.of(0.3, 100.0, 0.8, 2.5), SPEND, 100.0)
    for model in (BGNBD().fit(firm), GammaGamma().fit(firm)):
        again = type(model).from_json(model.to_json())
        assert again.to_json() == model.to_json()
        assert again.diagnostics_ == model.diagnostics_
        assert again.log_likelihood_ == model.log_likelihood_


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ('{"model": "gamma-gamma", "version": 9}', "version 9"),
        ('{"model": "bg-nbd", "version": 2}', "got bg-nbd"),
        ('{"model": "gamma-gamma", "version": 2}', "lacks or misnames something .'parameters'"),
        ("[1]", "got None"),
        ("not json", "stored as JSON"),
    ],
)
def test_what_this_version_did_not_store_is_refused_with_what_to_do(stored: str, said: str) -> None:
    with pytest.raises(InvalidParameters, match=f"{said}.*again"):
        GammaGamma.from_json(stored)


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.nan, math.inf])
def test_parameters_outside_their_domain_are_refused(wrong: float) -> None:
    with pytest.raises(InvalidParameters, match="alpha"):
        BGNBD.of(0.5, wrong, 1.0, 1.0)


def test_a_model_that_has_seen_nothing_says_so() -> None:
    with pytest.raises(NotFitted, match=r"BGNBD\(\).fit"):
        BGNBD().p_alive(PurchaseSummary.of([1], [2], [3]))


def _shop() -> PurchaseSummary:
    return simulate_summary(np.random.default_rng(5), 3000, BGNBD.of(0.5, 40.0, 0.8, 2.5), SPEND, 300.0)


def test_a_figure_that_is_one_parameter_is_as_sure_as_that_parameter() -> None:
    model = BGNBD().fit(_shop())
    for i, name in enumerate(("r", "alpha", "a", "b")):
        gradient = np.eye(4)[i] * getattr(model.params_, name)
        error = math.sqrt(model.variance_of(gradient))
        assert error == pytest.approx(getattr(model.standard_errors_, name))


def test_given_parameters_are_sure_and_of_stored_ones_nobody_claims_to_know() -> None:
    model = BGNBD().fit(_shop())
    assert BGNBD.of(*vars(model.params_).values()).variance_of(np.ones(4)) == 0.0
    with pytest.raises(NotFitted, match="fit the model again"):
        BGNBD.from_json(model.to_json()).variance_of(np.ones(4))


@pytest.mark.parametrize("model", [BGNBD(), MBGNBD(), ParetoNBD()])
def test_customers_who_are_all_alike_are_foreseen_but_their_parameters_are_said_to_be_loose(
    model: PurchaseModels,
) -> None:
    """Rates that do not differ push r and alpha up for ever; their ratio, and so the forecast, is sound."""
    rng = np.random.default_rng(4)
    stays = np.minimum(rng.exponential(300, 1500), 400.0)
    bought = rng.poisson(0.02 * stays).astype(float)
    last = np.where(bought > 0, stays * rng.random(1500) ** (1 / np.maximum(bought, 1)), 0.0)
    model.fit(PurchaseSummary.of(bought, last, np.full(1500, 400.0)))
    said = [d for d in model.diagnostics_ if d.code == "differences_not_identified"]
    assert said
    assert model.publishable_, model.diagnostics_
    shape, rate = model.purchase_rate(PurchaseSummary.of([10], [390], [400]))
    assert shape[0] / rate[0] == pytest.approx(0.02, rel=0.3)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 5, 40, 150]), st.sampled_from([0.0, 0.1, 2.0, 60.0]))
def test_every_odd_firm_gets_a_verdict_and_finite_numbers(seed: int, n: int, busy: float) -> None:
    rng = np.random.default_rng(seed)
    T = np.floor(rng.uniform(1, 800, n))
    t_x = np.floor(T * rng.choice([rng.random(n), np.ones(n)]))
    x = np.where(t_x > 0, np.minimum(rng.poisson(busy, n), T), 0.0)
    firm = PurchaseSummary.of(x, np.where(x > 0, t_x, 0), T, np.exp(rng.normal(3, rng.choice([0, 1, 3]), n)))
    some = PurchaseSummary.of(firm.frequency[:3], firm.recency[:3], T[:3])
    for model in (BGNBD(), MBGNBD(), PlainRetention()):
        ahead = model.fit(firm).predict(some, 365, 0.0003)
        assert model.diagnostics_
        assert math.isfinite(model.log_likelihood_)
        for figures in (ahead.p_alive, ahead.expected_purchases, ahead.discounted_purchases):
            assert np.isfinite(figures).all()
    if (x > 0).any():
        assert not np.isnan(GammaGamma().fit(firm).expected_spend(firm)).any()


def test_plain_retention_learns_what_few_customers_can_tell() -> None:
    """Three hundred customers of a world in which half stay for a year; assuming 80% hardly moves it."""
    rng = np.random.default_rng(8)
    stays = np.minimum(rng.exponential(365 / math.log(2), 300), 700.0)
    bought = rng.poisson(0.03 * stays).astype(float)
    last = np.where(bought > 0, stays * rng.random(300) ** (1 / np.maximum(bought, 1)), 0.0)
    everybody = PurchaseSummary.of(bought, last, np.full(300, 700.0))
    model = PlainRetention(assumed_retention=0.8).fit(everybody)
    assert model.yearly_retention() == pytest.approx(0.5, abs=0.05)
    assert model.params_.purchase_rate == pytest.approx(0.03, rel=0.05)
    nobody_left = PlainRetention().fit(PurchaseSummary.of([3, 4], [99, 98], [100, 100]))
    assert 0.3 < nobody_left.yearly_retention() < 1
    assert [d.code for d in nobody_left.diagnostics_] == ["same_rates_assumed"]
    assert nobody_left.publishable_


def test_the_fit_without_leaving_is_the_nbd_and_no_silence_outweighs_it() -> None:
    shop = _shop()
    staying = BGNBD().fit_without_leaving(shop)
    long_silent = PurchaseSummary.of([3, 40], [10, 200], [2_000, 2_000])
    assert staying.p_alive(long_silent) == pytest.approx(1.0)
    assert staying.log_likelihood_ < BGNBD().fit(shop).log_likelihood_
    assert staying.log_likelihood_ == pytest.approx(float(staying.log_likelihood(shop).sum()))
    assert staying.variance_of(np.array([1.0, 0.0, 0.0, 0.0])) > 0
    assert staying.variance_of(np.array([0.0, 0.0, 1.0, 1.0])) < 1e-9


@pytest.mark.parametrize("model", [BGNBD, MBGNBD, ParetoNBD, PlainRetention, GammaGamma])
def test_what_is_no_summary_is_refused_with_how_to_make_one(model: type[BGNBD]) -> None:
    with pytest.raises(InvalidHistory, match=r"PurchaseSummary\.of"):
        model().fit([1, 2, 3])  # type: ignore[arg-type]
