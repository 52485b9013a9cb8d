"""The special function and the expectations built on it, against mpmath at 40 digits."""

import mpmath
import numpy as np
import pytest
from numpy.typing import NDArray

from crmcore.value import hypergeometric
from crmcore.value.bgnbd import BGNBD
from crmcore.value.hypergeometric import mean_power
from crmcore.value.summary import PurchaseSummary


def mpmath_mean_power(a: float, beta: float, m: float, sigma: float, digits: int = 40) -> float:
    with mpmath.workdps(digits):
        a_, b_, m_, s_ = (mpmath.mpf(v) for v in (a, beta, m, sigma))
        z, c = s_ / (1 + s_), a_ + b_
        if a <= m:
            return float((1 + s_) ** -a_ * mpmath.hyp2f1(c - m_, a_, c, z))
        return float((1 + s_) ** -m_ * mpmath.hyp2f1(m_, b_, c, z))


@pytest.mark.parametrize("a", [0.001, 0.3, 0.793, 1.0, 1.5, 3.0, 11.9, 12.1, 60.0])
@pytest.mark.parametrize("b", [0.2, 2.426, 50.0])
@pytest.mark.parametrize("x", [0, 1, 7, 100])
def test_mean_power_agrees_with_mpmath(a: float, b: float, x: int) -> None:
    for r in (0.05, 0.243, 4.0):
        for sigma in (1e-3, 0.5, 5.0, 300.0):
            exact = mpmath_mean_power(a, b + x, r + x + 1, sigma)
            found = mean_power(a, np.array([b + x]), np.array([r + x + 1]), np.array([sigma]))[0]
            assert found == pytest.approx(exact, rel=1e-10, abs=1e-300)


@pytest.mark.parametrize("apart", [0.0, 1e-9, 1e-6, 1e-3])
@pytest.mark.parametrize(
    ("a", "beta", "m"), [(3, 4.01, 1), (12, 101, 2), (1, 103, 1), (0.3, 2, 1.3), (1.3, 7, 6.3)]
)
def test_mean_power_keeps_its_digits_where_m_less_a_is_nearly_whole(
    a: float, beta: float, m: float, apart: float
) -> None:
    """There scipy's 2F1 loses up to all digits for an argument above 0.9."""
    for sigma in (9.5, 400.0, 1000.0):
        exact = mpmath_mean_power(a, beta, m + apart, sigma)
        found = mean_power(a, np.array([beta]), np.array([m + apart]), np.array([sigma]))[0]
        assert found == pytest.approx(exact, rel=1e-10)


@pytest.mark.parametrize("a", [12.1, 300.0])
@pytest.mark.parametrize("beta", [12.1, 1000.0])
def test_mean_power_of_many_who_leave_alike_agrees_with_mpmath(a: float, beta: float) -> None:
    """Both shapes large: narrow bells, and with m near a and a large sigma the widest of them."""
    for m in (0.25, 12.0, 500.0):
        for sigma in (1e-3, 0.5, 30.0, 1e4):
            exact = mpmath_mean_power(a, beta, m, sigma, digits=200)  # Its series loses many.
            found = mean_power(a, np.array([beta]), np.array([m]), np.array([sigma]))[0]
            assert found == pytest.approx(exact, rel=1e-10, abs=1e-300)


def test_a_narrow_bell_takes_few_evaluations(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are all that a firm costs whose customers leave alike; 241 a customer took six times as long."""
    asked: list[int] = []
    whole = hypergeometric._log_integrand

    def counting(a: float, *of: NDArray[np.float64]) -> NDArray[np.float64]:
        asked.append(of[-1].size)
        return whole(a, *of)

    monkeypatch.setattr(hypergeometric, "_log_integrand", counting)
    beta, sigma = np.linspace(13.0, 80.0, 1_000), np.linspace(0.01, 6.0, 1_000)
    mean_power(60.0, beta, np.linspace(0.8, 60.0, 1_000), sigma)
    assert sum(asked) <= 40 * 1_000


def textbook(params: BGNBD, x: float, t_x: float, T: float, t: float) -> float:
    """Equation (10) of Fader, Hardie & Lee (2005) as printed, at 60 digits; needs a != 1."""
    with mpmath.workdps(60):
        r, alpha, a, b = (
            mpmath.mpf(v)
            for v in (params.params_.r, params.params_.alpha, params.params_.a, params.params_.b)
        )
        z = mpmath.mpf(t) / (alpha + T + t)
        power = ((alpha + T) / (alpha + T + t)) ** (r + x)
        inner = 1 - power * mpmath.hyp2f1(r + x, b + x, a + b + x - 1, z)
        odds = a / (b + x - 1) * ((alpha + T) / (alpha + t_x)) ** (r + x) if x else 0
        return float((a + b + x - 1) / (a - 1) * inner / (1 + odds))


@pytest.mark.parametrize(
    "params",
    [
        BGNBD.of(0.2426, 30.9, 0.7929, 2.4259),
        BGNBD.of(0.9, 70.0, 0.6, 3.5),
        BGNBD.of(0.3, 10.0, 1.7, 4.0),
        BGNBD.of(2.0, 100.0, 0.05, 1.2),
    ],
)
@pytest.mark.parametrize("t", [1.0, 30.0, 365.0, 3650.0])
@pytest.mark.parametrize(
    ("x", "t_x", "T"),
    [(0, 0, 5), (1, 3, 400), (7, 200, 272), (100, 700, 730), (720, 728, 730), (3000, 3600, 3650)],
)
def test_expected_purchases_agree_with_the_printed_formula(
    params: BGNBD, t: float, x: float, t_x: float, T: float
) -> None:
    found = params.expected_purchases(PurchaseSummary.of([x], [t_x], [T]), t)[0]
    assert found == pytest.approx(textbook(params, x, t_x, T, t), rel=1e-9)


def test_expected_purchases_at_a_equal_to_one_are_the_limit() -> None:
    """The printed formula divides by a - 1."""
    customer = PurchaseSummary.of([0, 2, 40], [0, 100, 300], [300, 300, 310])
    at_one = BGNBD.of(0.3, 30.0, 1.0, 2.5).expected_purchases(customer, 365)
    around = [
        textbook(BGNBD.of(0.3, 30.0, 1.0 + step, 2.5), *history, 365)
        for history in ((0, 0, 300), (2, 100, 300), (40, 300, 310))
        for step in (-1e-6, 1e-6)
    ]
    middle = (np.array(around[::2]) + np.array(around[1::2])) / 2
    assert at_one == pytest.approx(middle, rel=1e-9)


def test_a_daily_buyer_over_ten_years_has_a_finite_expectation() -> None:
    """scipy's 2F1 overflows in the printed form from frequency 1,500 on."""
    customer = PurchaseSummary.of([5000, 720, 1500], [5000, 729, 1500], [5001, 730, 1501])
    for horizon in (365.0, 1825.0, 3650.0):
        found = BGNBD.of(0.2426, 30.9, 0.7929, 2.4259).expected_purchases(customer, horizon)
        assert np.isfinite(found).all()
        assert (found > 0).all()
        assert (found <= horizon * 1.01).all()


def test_active_days_agree_with_the_integral_of_the_chance_to_be_active() -> None:
    params = BGNBD.of(0.9, 70.0, 0.8, 3.0)
    x, t_x, T, horizon = 4, 300, 400, 365

    def active(s: float) -> float:
        return mpmath_mean_power(
            params.params_.a, params.params_.b + x, params.params_.r + x, s / (params.params_.alpha + T)
        )

    customer = PurchaseSummary.of([x], [t_x], [T])
    exact = float(mpmath.quad(lambda s: active(float(s)), [0, horizon])) * params.p_alive(customer)[0]
    assert params.expected_active_time(customer, horizon)[0] == pytest.approx(exact, rel=1e-9)
