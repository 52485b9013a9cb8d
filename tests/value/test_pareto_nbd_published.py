"""Pareto/NBD and MBG/NBD against the literature. Unit of time: weeks, as in the papers.

Where nothing else is said, the tolerance is half a unit of the last printed digit.
"""

import math

import mpmath
import numpy as np
import pytest

from crmcore.value import MBGNBD, ParetoNBD, PurchaseSummary
from tests.value import cdnow

# BTYD's documentation of pnbd.DERT; its manual's example parameters; one point within what its walkthrough
# prints as r .553, alpha 10.580, s .606, beta 11.658 (its optimiser stops a little short of the maximum).
DERT = ParetoNBD.of(0.5629966, 12.5590370, 0.4081095, 10.5148048)
MANUAL = ParetoNBD.of(0.55, 10.56, 0.61, 11.64)
WALKTHROUGH = ParetoNBD.of(0.553377, 10.5795, 0.60590208, 11.6575)


def customer(x: float, t_x: float, T: float) -> PurchaseSummary:
    return PurchaseSummary.of([x], [t_x], [T])


def p_alive_by_quadrature(model: ParetoNBD, x: float, t_x: float, T: float) -> float:
    """Active until T against gone at y, with mpmath at 30 digits."""
    with mpmath.workdps(30):
        r, alpha, s, beta = (mpmath.mpf(v) for v in vars(model.params_).values())
        gone = mpmath.quad(
            lambda y: s * ((alpha + T) / (alpha + y)) ** (r + x) * (beta + T) ** s / (beta + y) ** (s + 1),
            mpmath.linspace(t_x, T, 9),
        )
        return float(1 / (1 + gone))


@pytest.fixture(scope="module")
def fitted() -> ParetoNBD:
    return ParetoNBD().fit(cdnow.weekly_summary())


def test_fit_reproduces_the_published_parameters(fitted: ParetoNBD) -> None:
    """Fader, Hardie & Lee (2005), table 2: .553, 10.578, .606, 11.669, log-likelihood -9,595.0."""
    found = fitted.params_
    assert found.r == pytest.approx(0.553, abs=5e-4)
    assert found.alpha == pytest.approx(10.578, abs=5e-4)
    assert found.s == pytest.approx(0.606, abs=5e-4)
    assert found.beta == pytest.approx(11.669, abs=5e-4)
    assert fitted.log_likelihood_ == pytest.approx(-9594.976, abs=5e-4)
    assert fitted.diagnostics_ == ()


def test_clvtools_estimates_are_no_likelier(fitted: ParetoNBD) -> None:
    """Its five digits (.55315 10.57633 .60625 11.67150) are where its optimiser stops: not quite the top."""
    theirs = ParetoNBD.of(0.55315, 10.57633, 0.60625, 11.67150).log_likelihood(cdnow.weekly_summary()).sum()
    assert fitted.log_likelihood_ - 1e-5 < theirs < fitted.log_likelihood_


def test_standard_errors_are_those_of_clvtools(fitted: ParetoNBD) -> None:
    """.0476 .843 .187 6.21, from its Hessian where its optimiser stopped."""
    errors = list(vars(fitted.standard_errors_).values())
    for found, printed, digit in zip(
        errors, [0.0476, 0.843, 0.187, 6.21], [1e-4, 1e-3, 1e-3, 1e-2], strict=True
    ):
        assert found == pytest.approx(printed, abs=digit / 2)


def test_a_newcomers_first_year(fitted: ParetoNBD) -> None:
    """BTYD's walkthrough: 1.473434."""
    assert fitted.expected_purchases_of_newcomer(52) == pytest.approx(1.473434, abs=5e-7)


def test_a_newcomers_first_weeks_are_those_of_btyds_manual() -> None:
    """BTYD manual, ``pnbd.Expectation`` with its example parameters (lifetimes' tests quote the column)."""
    printed = [
        0, 0.05077821, 0.09916088, 0.14542507, 0.18979930,
        0.23247466, 0.27361274, 0.31335159, 0.35181024, 0.38909211,
    ]  # fmt: skip
    assert MANUAL.expected_purchases_of_newcomer(np.arange(10)) == pytest.approx(printed, abs=5e-9)


def test_customer_1516_of_btyds_walkthrough(fitted: ParetoNBD) -> None:
    """25.45647 and .997874, last purchase at week 30.85714, from estimates of BTYD's own.

    It prints them with three decimals. WALKTHROUGH lies within these (half a unit), is as likely as the
    maximum to 1e-5, and gives all that it prints of a newcomer and of the customer, to the last digit.
    """
    best = customer(26, 216 / 7, 31)
    estimates = list(vars(WALKTHROUGH.params_).values())
    assert estimates == pytest.approx([0.553, 10.580, 0.606, 11.658], abs=5.0001e-4)
    assert WALKTHROUGH.log_likelihood(cdnow.weekly_summary()).sum() > fitted.log_likelihood_ - 1e-5
    assert WALKTHROUGH.expected_purchases_of_newcomer(52) == pytest.approx(1.473434, abs=5e-7)
    assert WALKTHROUGH.expected_purchases(best, 52)[0] == pytest.approx(25.45647, abs=5e-6)
    assert WALKTHROUGH.p_alive(best)[0] == pytest.approx(0.997874, abs=5e-7)
    assert fitted.p_alive(best)[0] == pytest.approx(0.9979, abs=5e-5)


def test_the_pair_that_underflows_in_the_papers_form() -> None:
    """lifetimes' tests: 6.2060517889632418 and 6.2528722475748113."""
    model = ParetoNBD.of(0.55, 10.58, 0.61, 11.67)
    pair = PurchaseSummary.of([132, 133], [200, 200], [200, 200])
    assert model.expected_purchases(pair, 10) == pytest.approx(
        [6.2060517889632418, 6.2528722475748113], rel=1e-12
    )


def test_histories_that_gave_no_number_elsewhere() -> None:
    """CLVTools' four customers whose P(alive) was NaN in an earlier version of it."""
    model = ParetoNBD.of(0.5143, 2.8845, 0.2856, 14.1087)
    x = [221, 254, 161, 204]
    t_x = [103.42857, 97.14286, 94.71429, 98.57143]
    T = [103.57143, 97.28571, 98.00000, 99.42857]
    four = PurchaseSummary.of(x, t_x, T)
    exact = [p_alive_by_quadrature(model, *history) for history in zip(x, t_x, T, strict=True)]
    assert model.p_alive(four) == pytest.approx(exact, rel=1e-9)
    assert np.isfinite(model.log_likelihood(four)).all()
    assert np.isfinite(model.expected_purchases(four, 3650)).all()


def test_histories_that_overflowed_elsewhere() -> None:
    """lifetimes' tests of overflow: a rate scale of .008 and 500 purchases in 37."""
    model = ParetoNBD.of(10.465, 7.98565181e-03, 3.0516, 2.820)
    wild = PurchaseSummary.of([400, 500, 500, 40, 50], [5, 1, 4, 5, 1], [6, 37, 37, 6, 37])
    assert np.isfinite(model.log_likelihood(wild)).all()
    assert ((model.p_alive(wild) >= 0) & (model.p_alive(wild) <= 1)).all()


def test_discounted_residual_transactions_show_the_iso_value_bend() -> None:
    """DERT at .27% a week (15% a year): closed form (Kummer U) and 30-digit quadrature agree on eight digits.

    Of equally silent customers, those who bought more often are worth more, and from three purchases on less.
    """
    seven = DERT.expected_purchases(customer(7, 35, 77.86), math.inf, discount=0.0027)[0]
    assert seven == pytest.approx(1.8641833, abs=5e-8)
    counts = np.arange(1, 11)
    same_silence = PurchaseSummary.of(counts, np.full(10, 30), np.full(10, 77.86))
    printed = [2.1992, 2.8435, 2.8671, 2.4454, 1.8405, 1.2624, 0.8096, 0.4948, 0.2920, 0.1679]
    assert DERT.expected_purchases(same_silence, math.inf, 0.0027) == pytest.approx(printed, abs=5e-5)


def test_discounted_residual_transactions_of_the_cdnow_fit() -> None:
    """With the estimates of an earlier edition of BTYD's walkthrough, four decimals (lifetimes' tests)."""
    model = ParetoNBD.of(0.5534, 10.5802, 0.6061, 11.6562)
    both = PurchaseSummary.of([0, 26], [0, 30.86], [39, 31])
    found = model.expected_purchases(both, math.inf, 0.0027)
    assert found == pytest.approx([0.4747, 86.0304], abs=5e-5)


def test_holdout_by_calibration_count(fitted: ParetoNBD) -> None:
    """Means of 39 weeks for 0, 1, ..., 7 and more repeat purchases, as in figure 5 of the 2005 paper."""
    summary = cdnow.weekly_summary()
    expected = fitted.expected_purchases(summary, 39)
    by_count = np.minimum(summary.frequency, 7)
    means = [expected[by_count == x].mean() for x in range(8)]
    printed = [0.138, 0.599, 1.196, 1.714, 2.398, 2.907, 3.819, 6.403]
    assert means == pytest.approx(printed, abs=5e-4)
    assert expected.sum() == pytest.approx(1665.5, abs=0.05)  # 11.5% below the 1,882 that came.


def test_mbgnbd_fit_is_that_of_btydplus() -> None:
    """.525 6.183 .891 1.614 (lifetimes' tests quote BTYDplus), on the sheet with weeks of two decimals."""
    sheet = cdnow.published_summary()
    model = MBGNBD().fit(PurchaseSummary.of(sheet[:, 1], sheet[:, 2], sheet[:, 3]))
    assert list(vars(model.params_).values()) == pytest.approx([0.525, 6.183, 0.891, 1.614], abs=5e-4)
