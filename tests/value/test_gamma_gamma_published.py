"""Gamma-Gamma against the literature, on the CDNOW sample in dollars."""

import pytest

from crmcore.value.gamma_gamma import GammaGamma
from crmcore.value.summary import PurchaseSummary
from tests.value import cdnow


def test_fit_reproduces_the_published_parameters() -> None:
    """Fader & Hardie (2013), note 025: p 6.25, q 3.74, v 15.44; log-likelihood from CLVTools' tests."""
    fit = GammaGamma().fit(cdnow.weekly_summary())
    assert fit.params_.p == pytest.approx(6.25, abs=5e-3)
    assert fit.params_.q == pytest.approx(3.74, abs=5e-3)
    assert fit.params_.v == pytest.approx(15.44, abs=5e-3)
    assert fit.log_likelihood_ == pytest.approx(-4055.9177, abs=5e-5)


def test_expected_spend_of_the_first_ten_customers() -> None:
    """Hardie's sheet, as lifetimes quotes it."""
    fit = GammaGamma().fit(cdnow.weekly_summary())
    found = fit.expected_spend(cdnow.weekly_summary())[:10]
    printed = [24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17]
    assert found == pytest.approx(printed, abs=5e-3)


def test_fit_does_not_depend_on_the_currency() -> None:
    s = cdnow.weekly_summary()
    cents = PurchaseSummary.of(s.frequency, s.recency, s.T, s.monetary_value * 100)
    dollars, in_cents = GammaGamma().fit(s).params_, GammaGamma().fit(cents).params_
    assert (in_cents.p, in_cents.q, in_cents.v) == pytest.approx(
        (dollars.p, dollars.q, 100 * dollars.v), rel=1e-7
    )


def test_dependence_of_spend_on_frequency_is_said_but_does_not_forbid() -> None:
    """On CDNOW the Spearman correlation is 0.206."""
    fit = GammaGamma().fit(cdnow.weekly_summary())
    assert [d.code for d in fit.diagnostics_] == ["spend_depends_on_frequency"]
    assert "+0.21" in fit.diagnostics_[0].message
    assert fit.publishable_


def test_one_time_buyers_are_scored_by_the_population_mean_and_left_out_of_the_fit() -> None:
    params = GammaGamma.of(6.25, 3.74, 15.44)
    newcomer = PurchaseSummary.of([0], [0], [100], [float("nan")])
    assert params.expected_spend(newcomer)[0] == pytest.approx(6.25 * 15.44 / 2.74)
    assert GammaGamma().fit(cdnow.weekly_summary()).n_informative_ == 946
