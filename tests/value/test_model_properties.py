"""What must hold of both models at any parameters, and that fits find the parameters they came from."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime

from crmcore.value import bgnbd, gamma_gamma
from crmcore.value.bgnbd import BGNBD, InvalidParameters, expected_purchases, p_alive
from crmcore.value.bgnbd_fit import fit_bgnbd
from crmcore.value.engine import score_firm
from crmcore.value.gamma_gamma import GammaGamma, expected_spend, fit_gamma_gamma
from crmcore.value.model import Ledger, ValueTerms
from crmcore.value.simulate import simulate_summary
from crmcore.value.summary import PurchaseSummary

shapes = st.floats(0.01, 50)
all_params = st.builds(BGNBD, r=shapes, alpha=st.floats(0.1, 2000), a=shapes, b=shapes)


@st.composite
def histories(draw: st.DrawFn) -> PurchaseSummary:
    T = draw(st.floats(1, 4000))
    x = draw(st.integers(0, 5000))
    t_x = T * draw(st.floats(0.001, 1)) if x else 0.0
    return PurchaseSummary.of([x], [t_x], [T])


@settings(max_examples=300, deadline=None)
@given(histories(), all_params, st.floats(0.5, 3650))
def test_expectations_are_finite_and_within_their_bounds(
    history: PurchaseSummary, params: BGNBD, horizon: float
) -> None:
    alive = p_alive(history, params)[0]
    expected = expected_purchases(history, params, horizon)[0]
    discounted = expected_purchases(history, params, horizon, 0.0003)[0]
    at_most = alive * horizon * (params.r + history.frequency[0]) / (params.alpha + history.T[0])
    assert 0 <= alive <= 1
    assert 0 <= discounted <= expected * (1 + 1e-7)
    assert expected <= at_most * (1 + 1e-7)
    assert np.isfinite(bgnbd.log_likelihood(history, params)).all()


@settings(max_examples=100, deadline=None)
@given(histories(), all_params, st.floats(0.5, 1800), st.floats(1.01, 2))
def test_a_longer_horizon_never_brings_fewer_purchases(
    history: PurchaseSummary, params: BGNBD, horizon: float, longer: float
) -> None:
    sooner = expected_purchases(history, params, horizon)[0]
    assert expected_purchases(history, params, horizon * longer)[0] >= sooner * (1 - 1e-7)


@settings(max_examples=100, deadline=None)
@given(all_params, st.integers(1, 200), st.floats(10, 1000))
def test_p_alive_falls_as_the_last_purchase_recedes(params: BGNBD, x: int, T: float) -> None:
    t_x = np.linspace(0.01 * T, T, 20)
    alive = p_alive(PurchaseSummary.of(np.full(20, x), t_x, np.full(20, T)), params)
    assert (np.diff(alive) >= -1e-12).all()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-3, 3), min_size=4, max_size=4))
def test_bgnbd_gradient_is_the_slope_of_the_likelihood(theta: list[float]) -> None:
    x, t_x, T = np.array([0.0, 1, 3, 40]), np.array([0, 0.2, 0.9, 1.9]), np.array([1.0, 1, 1, 2])
    _, gradient = bgnbd.log_likelihood_and_gradient(x, t_x, T, np.array(theta))
    slope = approx_fprime(
        np.array(theta), lambda th: bgnbd.log_likelihood_and_gradient(x, t_x, T, th)[0].sum(), 1e-7
    )
    assert gradient.sum(axis=1) == pytest.approx(slope, rel=1e-4, abs=1e-4)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-2, 3), min_size=3, max_size=3))
def test_gamma_gamma_gradient_is_the_slope_of_the_likelihood(theta: list[float]) -> None:
    x, zbar = np.array([1.0, 2, 30]), np.array([0.1, 1.0, 4.0])
    _, gradient = gamma_gamma.log_likelihood_and_gradient(x, zbar, np.array(theta))
    slope = approx_fprime(
        np.array(theta), lambda th: gamma_gamma.log_likelihood_and_gradient(x, zbar, th)[0].sum(), 1e-7
    )
    assert gradient.sum(axis=1) == pytest.approx(slope, rel=1e-4, abs=1e-3)


def test_fits_recover_the_parameters_of_simulated_customers_within_their_errors() -> None:
    """40 firms of 2,357 customers in continuous time: 95% intervals of the logarithms cover about 95%."""
    true, spend = BGNBD(0.5, 40.0, 0.8, 2.5), GammaGamma(6.0, 4.0, 15.0)
    covered, spend_covered = [], []
    for seed in range(40):
        firm = simulate_summary(np.random.default_rng(seed), 2357, true, spend, 270.0)
        fit = fit_bgnbd(firm)
        assert fit.publishable, fit.diagnostics
        covered.append(_covers([*vars(fit.params).values()], fit.standard_errors, [*vars(true).values()]))
        money = fit_gamma_gamma(firm)
        spend_covered.append(
            _covers([*vars(money.params).values()], money.standard_errors, [*vars(spend).values()])
        )
    # Of 160 (120) intervals at 95%, four standard deviations of chance below.
    assert np.mean(covered) >= 0.88
    assert np.mean(spend_covered) >= 0.88


def _covers(found: list[float], errors: tuple[float, ...], true: list[float]) -> list[bool]:
    return [abs(math.log(f / t)) <= 1.96 * e / f for f, e, t in zip(found, errors, true, strict=True)]


def test_customers_who_never_leave_are_reported_and_not_published() -> None:
    """The ridge a -> 0, where a seasonal log ends: no number is invented for dropout."""
    rng = np.random.default_rng(5)
    loyal = BGNBD(1.5, 60.0, 1e-6, 5.0)
    fit = fit_bgnbd(simulate_summary(rng, 2000, loyal, GammaGamma(6.0, 4.0, 15.0), 300.0))
    assert "dropout_not_identified" in [d.code for d in fit.diagnostics]
    assert not fit.publishable


def test_a_handful_of_repeat_buyers_is_too_few() -> None:
    rng = np.random.default_rng(5)
    few = simulate_summary(rng, 60, BGNBD(0.3, 100.0, 0.8, 2.5), GammaGamma(6.0, 4.0, 15.0), 100.0)
    assert "too_few_repeat_buyers" in [d.code for d in fit_bgnbd(few).diagnostics]
    assert "too_few_repeat_buyers" in [d.code for d in fit_gamma_gamma(few).diagnostics]


def test_nothing_is_valued_by_fits_that_fail_their_checks() -> None:
    rng = np.random.default_rng(5)
    few = simulate_summary(rng, 60, BGNBD(0.3, 100.0, 0.8, 2.5), GammaGamma(6.0, 4.0, 15.0), 100.0)
    scoring = score_firm(few, Ledger(*(np.zeros(60) for _ in range(3))), ValueTerms(0.4, 0.1, 365))
    assert scoring.purchases is not None
    assert scoring.values is None


def test_an_infinite_mean_spend_is_never_a_finite_expectation() -> None:
    newcomer = PurchaseSummary.of([0], [0], [50])
    assert expected_spend(newcomer, GammaGamma(2.0, 0.5, 10.0))[0] == math.inf


def test_free_purchases_are_scored_but_do_not_break_the_fit() -> None:
    rng = np.random.default_rng(3)
    s = simulate_summary(rng, 500, BGNBD(0.9, 40.0, 0.5, 2.5), GammaGamma(6.0, 4.0, 15.0), 300.0)
    spend = s.monetary_value.copy()
    free = int(np.flatnonzero(s.frequency > 0)[0])
    spend[free] = 0.0
    with_free = PurchaseSummary.of(s.frequency, s.recency, s.T, spend)
    fit = fit_gamma_gamma(with_free)
    scored = expected_spend(with_free, fit.params)
    assert fit.n_repeat_buyers == int((s.frequency > 0).sum()) - 1
    assert 0 < scored[free] < fit.params.population_mean
    assert np.isfinite(scored).all()


@given(all_params)
def test_parameters_survive_json(params: BGNBD) -> None:
    assert BGNBD.from_json(params.to_json()) == params


def test_parameters_of_another_version_are_refused() -> None:
    with pytest.raises(InvalidParameters, match="version 9"):
        GammaGamma.from_json('{"model": "gamma-gamma", "version": 9, "p": 1, "q": 2, "v": 3}')


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.nan, math.inf])
def test_parameters_outside_their_domain_are_refused(wrong: float) -> None:
    with pytest.raises(InvalidParameters, match="alpha"):
        BGNBD(0.5, wrong, 1.0, 1.0)
