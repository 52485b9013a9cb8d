"""Shifted-beta-geometric against the two cohorts of Fader & Hardie (2007) and (2010).

The data are their percentages of 1,000 customers. Half a unit of the last printed digit throughout; what the
papers do not print was computed independently of this code.
"""

import math
from dataclasses import dataclass
from datetime import date

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.value import ContractSummary, InvalidHistory, ShiftedBetaGeometric
from crmcore.value.contracts import summarise_contracts

REGULAR = ContractSummary.of_cohort([1000, 631, 468, 382, 326, 289, 262, 241])
HIGH_END = ContractSummary.of_cohort([1000, 869, 743, 653, 593, 551, 517, 491])
RUNNING = ContractSummary.of(range(5), [True] * 5)


@pytest.mark.parametrize(
    ("cohort", "alpha", "beta", "log_likelihood"),
    [(REGULAR, 0.7041, 1.1820, -1680.265), (HIGH_END, 0.6681, 3.8061, -1611.158)],
)
def test_fit_reaches_the_maximum(
    cohort: ContractSummary, alpha: float, beta: float, log_likelihood: float
) -> None:
    model = ShiftedBetaGeometric().fit(cohort)
    assert model.params_.alpha == pytest.approx(alpha, abs=5e-5)
    assert model.params_.beta == pytest.approx(beta, abs=5e-5)
    assert model.log_likelihood_ == pytest.approx(log_likelihood, abs=5e-4)
    assert model.log_likelihood(cohort).sum() == pytest.approx(model.log_likelihood_, rel=1e-12)
    assert model.diagnostics_ == ()


@pytest.mark.parametrize(
    ("cohort", "percent"),
    [(REGULAR, [22.0, 20.4, 19.1, 18.0, 17.0]), (HIGH_END, [46.0, 43.6, 41.4, 39.5, 37.8])],
)
def test_projected_survival_in_years_eight_to_twelve(cohort: ContractSummary, percent: list[float]) -> None:
    model = ShiftedBetaGeometric().fit(cohort)
    assert 100 * model.survival(np.arange(8, 13)) == pytest.approx(percent, abs=5e-2)


@pytest.mark.parametrize(
    ("cohort", "printed"),
    [(REGULAR, [2.964, 4.103, 4.870, 5.442, 5.894]), (HIGH_END, [5.414, 5.901, 6.294, 6.620, 6.897])],
)
def test_residual_lifetime_before_each_renewal(cohort: ContractSummary, printed: list[float]) -> None:
    """DERL at 10%, equation (6) of Fader & Hardie (2010), before renewals 1 to 5."""
    model = ShiftedBetaGeometric().fit(cohort)
    # 5.4145 (from .66809, 3.80609) is printed as 5.414.
    assert model.expected_renewals(RUNNING, math.inf, 0.1) == pytest.approx(printed, abs=6e-4)


shapes = st.floats(0.01, 100)


@settings(max_examples=60, deadline=None)
@given(shapes, shapes, st.integers(0, 500), st.floats(0.001, 2))
def test_endless_renewals_are_equation_six(alpha: float, beta: float, renewals: int, d: float) -> None:
    with mpmath.workdps(40):
        b = mpmath.mpf(beta) + renewals
        a = mpmath.mpf(alpha)
        exact = b / (a + b) * mpmath.hyp2f1(1, b + 1, a + b + 1, 1 / (1 + mpmath.mpf(d)))
    model = ShiftedBetaGeometric.of(alpha, beta)
    found = model.expected_renewals(ContractSummary.of([renewals], [True]), math.inf, d)[0]
    assert found == pytest.approx(float(exact), rel=1e-9)
    assert model.expected_renewals(ContractSummary.of([renewals], [True]), 3, d)[0] <= found * (1 + 1e-9)


def test_retention_rises_with_the_age_of_a_cohort_although_nobody_changes() -> None:
    rates = ShiftedBetaGeometric().fit(REGULAR).retention_rate(np.arange(1, 8))
    assert (np.diff(rates) > 0).all()
    assert rates[0] == pytest.approx(1.1820 / (0.7041 + 1.1820), abs=1e-4)


def test_a_contract_that_ended_is_not_renewed() -> None:
    model = ShiftedBetaGeometric.of(0.7, 1.2)
    assert model.expected_renewals(ContractSummary.of([3, 3], [True, False]), 5)[1] == 0


def test_customers_who_leave_alike_are_said_to() -> None:
    """A geometric cohort: one in five leaves every year, whoever is left."""
    alike = ContractSummary.of_cohort([1000, 800, 640, 512, 410, 328])
    model = ShiftedBetaGeometric().fit(alike)
    assert [d.code for d in model.diagnostics_] == ["differences_not_identified"]
    assert model.publishable_
    assert model.retention_rate(3) == pytest.approx(0.8, abs=0.01)


def test_contracts_that_nobody_ended_are_not_published() -> None:
    model = ShiftedBetaGeometric().fit(ContractSummary.of([1] * 100, [True] * 100))
    assert "dropout_not_identified" in [d.code for d in model.diagnostics_]
    assert not model.publishable_


def test_too_few_contracts_are_said() -> None:
    model = ShiftedBetaGeometric().fit(ContractSummary.of([0, 1, 2, 1], [False, True, False, True]))
    assert "too_few_contracts" in [d.code for d in model.diagnostics_]


def test_contracts_in_their_first_period_say_nothing() -> None:
    with pytest.raises(InvalidHistory, match="come up for renewal"):
        ShiftedBetaGeometric().fit(ContractSummary.of([0, 0], [True, True]))


def test_an_endless_sum_needs_a_discount() -> None:
    with pytest.raises(InvalidHistory, match="discount_rate > 0"):
        ShiftedBetaGeometric.of(1, 2).expected_renewals(RUNNING, math.inf)


@dataclass(frozen=True)
class Club:
    contract_id: str
    started_on: date
    ends_on: date | None = None


@pytest.mark.parametrize(
    ("started", "ended", "renewals", "active"),
    [
        (date(2023, 5, 10), None, 2, True),
        (date(2023, 7, 1), None, 2, True),
        (date(2023, 7, 2), None, 1, True),
        (date(2025, 1, 1), None, 0, True),
        (date(2023, 5, 10), date(2024, 5, 10), 0, False),
        (date(2023, 5, 10), date(2024, 8, 1), 1, False),
        (date(2023, 5, 10), date(2026, 5, 10), 2, True),
        (date(2024, 2, 29), None, 1, True),
    ],
)
def test_a_contract_renews_on_every_anniversary_that_it_lives_to_see(
    started: date, ended: date | None, renewals: int, active: bool
) -> None:
    found = summarise_contracts([Club("k", started, ended)], observed_until=date(2025, 7, 1))
    assert (found.renewals.tolist(), found.active.tolist()) == ([renewals], [active])


def test_a_contract_that_starts_later_is_not_seen() -> None:
    assert len(summarise_contracts([Club("k", date(2026, 1, 1))], observed_until=date(2025, 7, 1))) == 0
