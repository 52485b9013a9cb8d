"""The figures of the understanding page."""

import pytest

from cli.nlu_measures import Share, score, table


def test_wilsons_interval_agrees_with_newcombes_published_example() -> None:
    # Newcombe (1998), "Two-sided confidence intervals for the single proportion", table I: 81 of 263.
    low, high = Share(81, 263).interval()
    assert low == pytest.approx(0.2553, abs=5e-5)
    assert high == pytest.approx(0.3662, abs=5e-5)


def test_an_empty_share_knows_nothing() -> None:
    assert Share(0, 0).interval() == (0.0, 1.0)


def test_scores_count_what_was_found_and_what_was_turned_away() -> None:
    gold = ["greet", "greet", "thank", "out_of_scope", "out_of_scope"]
    scores = score(gold, ["greet", "out_of_scope", "thank", "out_of_scope", "thank"])
    assert (scores.accuracy.hits, scores.accuracy.n) == (3, 5)
    assert (scores.outside_found.hits, scores.outside_found.n) == (1, 2)
    assert (scores.inside_rejected.hits, scores.inside_rejected.n) == (1, 3)
    # F1 is 2/3, 2/3 and 1/2.
    assert scores.macro_f1 == pytest.approx((2 / 3 + 2 / 3 + 1 / 2) / 3)
    assert "greet → out_of_scope (1)" in table(scores)
