"""Every fit climbs by analytical first and second derivatives; here they are checked by differences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.value import (
    BGNBD,
    MBGNBD,
    Estimator,
    GammaGamma,
    ParetoNBD,
    PurchaseSummary,
    beta_geometric,
    cnbd_likelihood,
    gamma_gamma,
    nbd,
    pareto_nbd,
)
from crmcore.value.counts import by_age
from crmcore.value.fitting import Objective

X = np.array([0.0, 0, 1, 3, 40, 200])
T_X = np.array([0.0, 0, 0.2, 0.9, 1.9, 2.0])
T = np.array([1.0, 0, 1, 1, 2, 2])
SPEND = np.array([np.nan, np.nan, 0.1, 1.0, 4.0, 2.0])
SUMMARY = PurchaseSummary.of(X, T_X, T, SPEND)
OBJECTIVES: dict[str, Objective] = {
    "bgnbd": beta_geometric.likelihood(X, T_X, T, 0),
    "mbgnbd": beta_geometric.likelihood(X, T_X, T, 1),
    "pareto": pareto_nbd.likelihood(X, T_X, T),
    "in_rhythm": cnbd_likelihood.likelihood(3, X, T_X, T),
    "gamma_gamma": gamma_gamma.likelihood(X[2:], SPEND[2:]),
    "nbd": nbd._objective(X, T),
}
SIZES = {"gamma_gamma": 3, "nbd": 2}


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(OBJECTIVES)), st.lists(st.floats(-2, 2), min_size=4, max_size=4))
def test_derivatives_are_those_of_the_likelihood(name: str, point: list[float]) -> None:
    objective, theta = OBJECTIVES[name], np.array(point[: SIZES.get(name, 4)])
    _, gradient, hessian = objective(theta)
    step = 1e-5
    for i in range(len(theta)):
        shift = np.eye(len(theta))[i] * step
        (above, slope_above, _), (below, slope_below, _) = objective(theta + shift), objective(theta - shift)
        size = np.abs(hessian).max() + np.abs(gradient).max() + 1
        assert (above - below) / (2 * step) == pytest.approx(gradient[i], abs=1e-6 * size)
        assert (slope_above - slope_below) / (2 * step) == pytest.approx(hessian[i], abs=1e-6 * size)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("bgnbd", BGNBD.of(0.3, 0.5, 0.7, 2.0)),
        ("mbgnbd", MBGNBD.of(0.3, 0.5, 0.7, 2.0)),
        ("pareto", ParetoNBD.of(0.3, 0.5, 0.7, 2.0)),
        ("gamma_gamma", GammaGamma.of(3.0, 2.5, 0.8)),
    ],
)
def test_what_is_climbed_is_the_sum_of_the_customers_likelihoods(
    name: str, model: BGNBD | MBGNBD | ParetoNBD | GammaGamma
) -> None:
    theta = np.log(list(vars(model.params_).values()))
    assert OBJECTIVES[name](theta)[0] == pytest.approx(model.log_likelihood(SUMMARY).sum(), rel=1e-12)


def test_a_fit_that_starts_from_a_sample_is_the_fit_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    from crmcore.value import fitting
    from crmcore.value.simulate import simulate_summary

    firm = simulate_summary(
        np.random.default_rng(2), 9000, BGNBD.of(0.5, 40.0, 0.8, 2.5), GammaGamma.of(6.0, 4.0, 15.0), 270.0
    )
    models: tuple[type[BGNBD] | type[GammaGamma], ...] = (BGNBD, GammaGamma)
    whole = [model().fit(firm) for model in models]
    monkeypatch.setattr(fitting, "_SAMPLE", 1000)
    sampled = [model().fit(firm) for model in models]
    for one, other in zip(whole, sampled, strict=True):
        assert list(vars(one.params_).values()) == pytest.approx(list(vars(other.params_).values()), rel=1e-9)
        assert list(vars(one.standard_errors_).values()) == pytest.approx(
            list(vars(other.standard_errors_).values()), rel=1e-6
        )
        assert one.log_likelihood_ == pytest.approx(other.log_likelihood_, rel=1e-12)


def test_estimators_show_their_parameters() -> None:
    model: Estimator[beta_geometric.BetaGeometricParams] = BGNBD.of(0.25, 4, 1, 2)
    assert repr(model) == "BGNBD(r=0.25, alpha=4, a=1, b=2)"


def test_customers_of_one_age_are_counted_together_and_others_one_by_one() -> None:
    age, x = np.array([5.0, 2.0, 5.0, 9.0]), np.array([1.0, 0.0, 3.0, 2.0])
    ages, customers, purchases = by_age(age, x)
    assert (ages.tolist(), customers.tolist(), purchases.tolist()) == ([2, 5, 9], [1, 2, 1], [0, 4, 2])
    for others in (age + 0.5, age * 1e5):
        found = by_age(others, x)
        assert (found[0].tolist(), found[1].tolist(), found[2].tolist()) == (
            others.tolist(),
            [1] * 4,
            x.tolist(),
        )
    assert [len(column) for column in by_age(age[:0], x[:0])] == [0, 0, 0]
