"""Fits find the parameters that simulated firms were made from, and their 95% intervals cover as they say."""

import pytest

from tests.value.recovery import TRUTHS, recover


@pytest.mark.parametrize("name", [name for name in TRUTHS if name != "pareto_nbd"])
def test_intervals_of_three_hundred_firms_cover_the_truth(name: str) -> None:
    found = recover(name, firms=300)
    assert found.converged == 300
    for parameter, share in found.coverage.items():
        assert 0.92 <= share <= 0.98, (parameter, found)
        assert found.median_ratio[parameter] == pytest.approx(1, abs=0.03)


def test_intervals_of_pareto_nbd_cover_the_truth() -> None:
    """Forty firms here, because its likelihood is an integral; bench/value_recovery.py has three hundred."""
    found = recover("pareto_nbd", firms=40)
    assert found.converged == 40
    for parameter, share in found.coverage.items():
        assert share >= 0.85, (parameter, found)
        assert found.median_ratio[parameter] == pytest.approx(1, abs=0.15)
