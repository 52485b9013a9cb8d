"""Measures of a forecast, on cases that can be worked out by hand."""

import numpy as np
import pytest

from crmcore.value.accuracy import accuracy, gini, paired_interval, relative_losses, rmse, top_share


def test_a_perfect_ranking_of_one_buyer_among_ten_catches_all_at_once() -> None:
    actual = np.array([0.0] * 9 + [5.0])
    assert gini(actual, actual) == pytest.approx(0.9)
    assert top_share(actual, actual, 0.1) == pytest.approx(1.0)


def test_a_score_that_tells_nobody_apart_ranks_by_chance() -> None:
    actual = np.arange(10.0)
    same = np.ones(10)
    assert gini(actual, same) == pytest.approx(0.0)
    assert top_share(actual, same, 0.1) == pytest.approx(0.1)


def test_the_order_of_tied_customers_does_not_matter() -> None:
    actual, score = np.array([3.0, 0.0, 1.0, 0.0]), np.array([1.0, 1.0, 0.0, 0.0])
    swapped = [1, 0, 3, 2]
    assert gini(actual, score) == gini(actual[swapped], score[swapped])


def test_twice_too_much_is_an_error_of_plus_one_hundred_percent() -> None:
    found = accuracy(np.array([1.0, 3.0]), np.array([2.0, 6.0]))
    assert found.total_error == pytest.approx(1.0)
    assert found.rmse == pytest.approx(np.sqrt((1 + 9) / 2))


def test_the_loss_of_a_constant_is_one_and_knowing_more_loses_less() -> None:
    rng = np.random.default_rng(3)
    rate = rng.gamma(0.5, 2.0, 4_000)
    bought = rng.poisson(rate).astype(float)
    spent = bought * 20.0
    usual = np.full(4_000, bought.mean())
    of_constant, of_rate, of_double = (
        relative_losses(bought, spent, forecast, forecast * 20).mean() for forecast in (usual, rate, rate * 2)
    )
    assert of_constant == pytest.approx(1.0)
    assert of_rate < 0.7
    assert of_double > of_rate  # Right ranking with a wrong total loses more than both right.


def test_the_paired_interval_tells_a_better_forecast_from_an_equal_one() -> None:
    rng = np.random.default_rng(5)
    truth = rng.gamma(1.0, 1.0, 2_000)
    actual = rng.poisson(truth).astype(float)
    noisy = truth * np.exp(rng.normal(0, 0.8, 2_000))
    difference, low, high = paired_interval(rmse, actual, truth, noisy, rng)
    assert low <= difference <= high < 0
    assert paired_interval(rmse, actual, truth, truth, rng) == (0.0, 0.0, 0.0)
