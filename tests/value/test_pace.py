"""The pace of a shop: what lasts, what comes back every year and what passes are told apart."""

import numpy as np
import pytest

from crmcore.value import pace
from crmcore.value.pace import YEAR, Pace, fit_pace

WEEKS = 104
DAY = 4.0 + 7.0 * np.arange(WEEKS + 26)  # Half a year of them is still to come.
USUAL = 80.0


def followed(log_pace: np.ndarray, seed: int = 1, clumps: int = 1) -> Pace:
    rng = np.random.default_rng(seed)
    counts = clumps * rng.poisson(USUAL / clumps * np.exp(log_pace[:WEEKS]))
    return fit_pace(DAY, counts.astype(float), np.full(WEEKS, USUAL))


def a_season() -> np.ndarray:
    of_year = DAY % YEAR
    return np.where((of_year > 320) & (of_year < 355), 0.9, -0.1) + 0.2 * np.sin(2 * np.pi * of_year / YEAR)


def test_a_shop_without_a_pace_of_its_own_gets_none() -> None:
    found = followed(np.zeros(len(DAY)))
    assert max(found.slow, found.season, found.passing) < 0.06
    np.testing.assert_allclose(found.log_pace, 0.0, atol=0.06)


def test_a_season_that_was_seen_twice_is_expected_again() -> None:
    found = followed(a_season())
    assert found.season > 3 * max(found.slow, found.passing)
    ahead = slice(WEEKS, None)
    np.testing.assert_allclose(found.log_pace[ahead], a_season()[ahead], atol=0.15)


def test_a_shop_that_fades_goes_on_where_it_is() -> None:
    fading = -0.8 * DAY / (7 * WEEKS)
    found = followed(fading)
    assert found.slow > 2 * found.passing
    assert found.log_pace[WEEKS] == pytest.approx(fading[WEEKS], abs=0.1)
    assert found.log_pace[-1] < -0.5


def test_weeks_further_ahead_are_less_sure_and_counts_make_the_known_ones_surer() -> None:
    found = followed(-0.8 * DAY / (7 * WEEKS))
    of_week = np.sqrt(np.diag(found.covariance))
    assert of_week[WEEKS // 2] < of_week[WEEKS - 1] < of_week[WEEKS + 10] < of_week[-1]
    assert found.error_of_mean(np.eye(len(DAY))[WEEKS + 20]) == pytest.approx(of_week[WEEKS + 20])
    assert 0.001 < found.error_of_mean(np.full(len(DAY), 1 / len(DAY))) < 0.1


def test_a_sale_passes() -> None:
    sale = np.where(np.isin(np.arange(len(DAY)), (30, 31, 70, 71, 102, 103)), 1.2, 0.0)
    found = followed(sale)
    assert found.passing > 2 * max(found.slow, found.season)
    assert found.log_pace[WEEKS - 1] > 0.7
    assert abs(found.log_pace[-1]) < 0.2


def test_a_shop_that_was_shut_for_weeks_keeps_its_season() -> None:
    rng = np.random.default_rng(2)
    counts = rng.poisson(USUAL * np.exp(a_season()[:WEEKS])).astype(float)
    counts[60:68] = 0.0
    found = fit_pace(DAY, counts, np.full(WEEKS, USUAL))
    assert (found.log_pace[60:68] < -4).all()
    np.testing.assert_allclose(found.log_pace[WEEKS:], a_season()[WEEKS:], atol=0.25)


def test_a_shop_that_shuts_in_the_same_weeks_every_year_has_a_season() -> None:
    log_pace = np.where((DAY % YEAR > 100) & (DAY % YEAR < 240), -6.0, 0.4)
    found = followed(log_pace)
    ahead = slice(WEEKS, WEEKS + 12)
    np.testing.assert_allclose(found.log_pace[ahead], log_pace[ahead], atol=0.3)
    assert found.log_pace[WEEKS + 20] < -2


def test_the_search_ends_where_more_turns_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    sale = np.where(np.isin(np.arange(len(DAY)), (30, 31, 70, 71, 102, 103)), 1.2, 0.0)
    once = followed(sale)
    monkeypatch.setattr(pace, "_MOST_TURNS", 48)
    monkeypatch.setattr(pace, "_NEAR", 1e-6)
    np.testing.assert_allclose(followed(sale).log_pace, once.log_pace, atol=0.03)


def test_purchases_that_come_in_clumps_are_no_pace() -> None:
    found = followed(np.zeros(len(DAY)), clumps=8)
    assert found.clumps > 4
    assert np.abs(found.log_pace).mean() < 0.1
    np.testing.assert_allclose(found.log_pace[WEEKS + 4 :], 0.0, atol=0.1)


def test_a_few_weeks_that_differ_by_chance_are_no_clumps() -> None:
    weeks = 6
    found = [
        fit_pace(
            DAY[: weeks + 10], np.random.default_rng(seed).poisson(USUAL, weeks) * 1.0, np.full(weeks, USUAL)
        )
        for seed in range(12)
    ]
    assert np.mean([pace.clumps for pace in found]) < 1.1


def test_weeks_without_a_customer_say_nothing() -> None:
    usual = np.where(np.arange(WEEKS) < 50, 1e-9, USUAL)
    counts = np.random.default_rng(3).poisson(usual).astype(float)
    found = fit_pace(DAY, counts, usual)
    assert np.isfinite(found.log_pace).all()
    np.testing.assert_allclose(found.log_pace, 0.0, atol=0.1)
