"""Every closed form and every quadrature against mpmath, to 1e-9: frequencies to 3,000, ten years, a = 1."""

import itertools
import math

import mpmath
import numpy as np
import pytest

from crmcore.value import BGNBD, MBGNBD, ParetoNBD, PlainRetention, PurchaseSummary
from tests.value.living import PurchaseModels as Models
from tests.value.living import histories

HISTORIES = [(0, 0, 5), (0, 0, 0), (1, 3, 400), (7, 200, 272), (100, 700, 730), (3000, 3600, 3650)]
HORIZONS = [1.0, 365.0, 3650.0]
PARETO = [
    ParetoNBD.of(0.55, 74.0, 0.61, 81.7),
    ParetoNBD.of(0.9, 40.0, 1.0, 200.0),
    ParetoNBD.of(3.0, 20.0, 4.0, 900.0),
    ParetoNBD.of(0.05, 0.5, 0.2, 1.0),
]
BETA_GEOMETRIC = [
    model.of(*params)
    for model in (BGNBD, MBGNBD)
    for params in [
        (0.2426, 30.9, 0.7929, 2.4259),
        (0.9, 70.0, 1.0, 3.5),
        (2.0, 100.0, 0.05, 1.2),
        (0.3, 5.0, 30.0, 0.2),
    ]
]


def exact_active(model: Models, x: float, T: float) -> "mpmath.mpf":
    """A function of s: E[lambda, still active after s] of a customer who is active at T."""
    r, alpha, *rest = (mpmath.mpf(v) for v in vars(model.params_).values())
    if isinstance(model, ParetoNBD):
        s, beta = rest
        return lambda t: (r + x) / (alpha + T) * ((beta + T) / (beta + T + t)) ** s
    a, b = rest
    b = b + x + model.CHANCES_BEFORE
    m = r + x + 1

    def rate(t: "mpmath.mpf") -> "mpmath.mpf":
        sigma = t / (alpha + T)
        series = mpmath.hyp2f1(a + b - m, a, a + b, sigma / (1 + sigma))
        return (r + x) / (alpha + T) * (1 + sigma) ** -a * series

    return rate


def exact_odds_of_having_left(model: Models, x: float, t_x: float, T: float) -> "mpmath.mpf":
    r, alpha, *rest = (mpmath.mpf(v) for v in vars(model.params_).values())
    if not isinstance(model, ParetoNBD):
        a, b = rest
        m = x + model.CHANCES_BEFORE
        return a / (b + m - 1) * ((alpha + T) / (alpha + t_x)) ** (r + x) if m else mpmath.mpf(0)
    s, beta = rest
    pace = 1 / ((r + x) / (alpha + t_x) + (s + 1) / (beta + t_x))
    ends = (
        [mpmath.mpf(t_x)]
        + [t_x + pace * 4**k for k in range(-3, 12) if t_x + pace * 4**k < T]
        + [mpmath.mpf(T)]
    )
    return mpmath.quad(
        lambda y: s * ((alpha + T) / (alpha + y)) ** (r + x) * (beta + T) ** s / (beta + y) ** (s + 1), ends
    )


def exact_integral(rate: "mpmath.mpf", horizon: float, discount: float) -> float:
    """Panels that grow by four: the rate falls as a power of time."""
    ends = [
        mpmath.mpf(0),
        *(mpmath.mpf(4) ** k for k in range(-4, 20) if 4.0**k < horizon),
        mpmath.mpf(horizon),
    ]
    return float(mpmath.quad(lambda t: rate(t) * mpmath.exp(-discount * t), ends))


@pytest.mark.parametrize("model", [*BETA_GEOMETRIC, *PARETO], ids=repr)
def test_p_alive_and_likelihood_are_exact(model: Models) -> None:
    with mpmath.workdps(30):
        for x, t_x, T in HISTORIES:
            history = PurchaseSummary.of([x], [t_x], [T])
            odds = exact_odds_of_having_left(model, x, t_x, T)
            assert model.p_alive(history)[0] == pytest.approx(float(1 / (1 + odds)), rel=1e-9, abs=1e-300)
            r, alpha, third, fourth = (mpmath.mpf(v) for v in vars(model.params_).values())
            log = mpmath.loggamma(r + x) - mpmath.loggamma(r) + r * mpmath.log(alpha)
            log -= (r + x) * mpmath.log(alpha + T)
            log += mpmath.log(1 + odds)
            if isinstance(model, ParetoNBD):
                log += third * mpmath.log(fourth / (fourth + T))
            else:
                stayed = mpmath.beta(third, fourth + x + model.CHANCES_BEFORE)
                log += mpmath.log(stayed / mpmath.beta(third, fourth))
            assert model.log_likelihood(history)[0] == pytest.approx(float(log), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("model", [*BETA_GEOMETRIC, *PARETO], ids=repr)
def test_expected_and_discounted_purchases_are_exact(model: Models) -> None:
    cases = itertools.product([HISTORIES[i] for i in (0, 3, 5)], ((365.0, 0.0), (3650.0, 0.00026)))
    with mpmath.workdps(20):
        for (x, t_x, T), (horizon, discount) in cases:
            history = PurchaseSummary.of([x], [t_x], [T])
            exact = exact_integral(exact_active(model, x, T), horizon, discount)
            alive = model.p_alive(history)[0]
            found = model.expected_purchases(history, horizon, discount)[0]
            assert found == pytest.approx(alive * exact, rel=1e-9, abs=1e-300)


@pytest.mark.parametrize("model", [BETA_GEOMETRIC[0], BETA_GEOMETRIC[5], PARETO[0]], ids=repr)
def test_discounted_purchases_without_end_are_exact(model: Models) -> None:
    with mpmath.workdps(20):
        exact = exact_integral(exact_active(model, 7, 272), 60 / 0.0027, 0.0027)
    history = PurchaseSummary.of([7], [200], [272])
    found = model.expected_purchases(history, math.inf, 0.0027)[0]
    assert found == pytest.approx(model.p_alive(history)[0] * exact, rel=1e-9)


@pytest.mark.parametrize("model", [*BETA_GEOMETRIC, *PARETO], ids=repr)
def test_expectation_of_a_newcomer_is_exact(model: Models) -> None:
    with mpmath.workdps(20):
        stays = 1.0
        if isinstance(model, MBGNBD):
            stays = model.params_.b / (model.params_.a + model.params_.b)
        for t in HORIZONS:
            exact = stays * exact_integral(exact_active(model, 0, 0), t, 0.0)
            assert model.expected_purchases_of_newcomer(t) == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize(
    "model",
    [BGNBD.of(0.3, 30.0, 0.8, 2.5), MBGNBD.of(0.3, 30, 0.8, 2.5), ParetoNBD.of(0.6, 30, 0.6, 80)],
    ids=repr,
)
def test_counts_of_simulated_newcomers(model: Models) -> None:
    """P(X(t) = x) against 200,000 newcomers who live by the model's story: within four standard errors."""
    n, t = 200_000, 90.0
    counts = histories(model, np.random.default_rng(3), n, t).frequency
    for x in range(8):
        chance = model.purchase_count_probability(t, x)
        assert (counts == x).mean() == pytest.approx(chance, abs=4 * math.sqrt(chance * (1 - chance) / n))
    assert counts.mean() == pytest.approx(float(model.expected_purchases_of_newcomer(t)), rel=0.02)


def test_plain_retention_is_pareto_nbd_with_rates_that_do_not_differ() -> None:
    plain, alike = PlainRetention.of(0.02, 0.003), ParetoNBD.of(2e6, 1e8, 3e6, 1e9)
    histories = PurchaseSummary.of([0, 3, 20], [0, 50, 700], [300, 100, 730])
    assert plain.p_alive(histories) == pytest.approx(alike.p_alive(histories), rel=1e-4)
    assert plain.expected_purchases(histories, 365, 0.0003) == pytest.approx(
        alike.expected_purchases(histories, 365, 0.0003), rel=1e-4
    )
    assert plain.log_likelihood(histories) == pytest.approx(alike.log_likelihood(histories), rel=1e-4)
    assert plain.purchase_count_probability(90, 2) == pytest.approx(
        alike.purchase_count_probability(90, 2), rel=1e-4
    )
    assert plain.expected_purchases_of_newcomer(90) == pytest.approx(
        float(alike.expected_purchases_of_newcomer(90)), rel=1e-4
    )
