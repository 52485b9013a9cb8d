"""BG/NBD against the literature. Unit of time: weeks, as in the papers.

Where nothing else is said, the tolerance is half a unit of the last printed digit.
"""

import math

import numpy as np
import pytest

from crmcore.value.bgnbd import BGNBD
from crmcore.value.summary import PurchaseSummary
from tests.value import cdnow

PUBLISHED = BGNBD.of(**cdnow.PUBLISHED)
ROUNDED = BGNBD.of(0.243, 4.414, 0.793, 2.426)  # What the paper prints and BTYD's manual uses.


# The estimates that BTYD's walkthrough ends with (its optimiser stops 1e-5 short of the maximum).
WALKTHROUGH = BGNBD.of(0.2425967, 4.413659, 0.7929869, 2.426164)


def customer(x: float, t_x: float, T: float) -> PurchaseSummary:
    return PurchaseSummary.of([x], [t_x], [T])


def test_fit_reproduces_the_published_cdnow_parameters() -> None:
    """Fader, Hardie & Lee (2005), section 7 and figure 1; seven digits from CLVTools' tests."""
    fit = BGNBD().fit(cdnow.weekly_summary())
    assert fit.params_.r == pytest.approx(0.243, abs=5e-4)
    assert fit.params_.alpha == pytest.approx(4.414, abs=5e-4)
    assert fit.params_.a == pytest.approx(0.793, abs=5e-4)
    assert fit.params_.b == pytest.approx(2.426, abs=5e-4)
    assert fit.log_likelihood_ == pytest.approx(-9582.429, abs=5e-4)
    assert fit.diagnostics_ == ()


def test_fit_reaches_the_maximum_that_clvtools_prints_to_seven_digits() -> None:
    """Their optimiser stops a little short; ours must be at least as likely and within 2e-5 of it."""
    summary = cdnow.weekly_summary()
    fit = BGNBD().fit(summary)
    found = [fit.params_.r, fit.params_.alpha, fit.params_.a, fit.params_.b]
    assert found == pytest.approx([0.2425945, 4.4136019, 0.7929199, 2.4258881], abs=2e-5)
    assert fit.log_likelihood_ >= PUBLISHED.log_likelihood(summary).sum() - 1e-9


def test_fit_in_days_is_the_fit_in_weeks() -> None:
    weeks, days = BGNBD().fit(cdnow.weekly_summary()), BGNBD().fit(cdnow.summary())
    assert days.params_.alpha == pytest.approx(7 * weeks.params_.alpha, rel=1e-7)
    assert (days.params_.r, days.params_.a, days.params_.b) == pytest.approx(
        (weeks.params_.r, weeks.params_.a, weeks.params_.b), rel=1e-7
    )


@pytest.mark.parametrize(
    ("weeks", "printed"), [(0.1429, 0.0078), (1, 0.0532), (3, 0.1506), (31.8571, 1.0405), (32, 1.0437)]
)
def test_newcomers_expected_purchases_are_those_of_hardies_sheet(weeks: float, printed: float) -> None:
    assert PUBLISHED.expected_purchases_of_newcomer(weeks) == pytest.approx(printed, abs=5e-5)


def test_the_sheets_last_row_is_a_truncated_series() -> None:
    """The sheet prints 1.8576 at week 78; the full series of equation (9) gives 1.85796 (mpmath).

    Its 2F1 is a sum of fixed length, whose argument there is 0.946; the other rows are not affected.
    """
    exact = PUBLISHED.expected_purchases_of_newcomer(78)
    assert exact == pytest.approx(1.8579560, abs=5e-7)
    assert exact == pytest.approx(1.8576, abs=5e-4)


def test_a_newcomers_first_year_is_that_of_btyd() -> None:
    """BTYD's walkthrough prints 1.444004, from its own estimates."""
    assert WALKTHROUGH.expected_purchases_of_newcomer(52) == pytest.approx(1.444004, abs=5e-7)


def test_a_customer_with_two_repeat_purchases() -> None:
    """Hardie's sheet: x=2, t_x=30.43, T=38.86, next 39 weeks."""
    expected = PUBLISHED.expected_purchases(customer(2, 30.43, 38.86), 39)[0]
    assert expected == pytest.approx(1.226, abs=5e-4)
    assert expected == pytest.approx(1.22591, abs=5e-6)


def test_customer_1516() -> None:
    """25.75906 with CLVTools' estimates; 25.75659 and .9688523 with BTYD's and the day unrounded."""
    assert PUBLISHED.expected_purchases(customer(26, 30.86, 31), 52)[0] == pytest.approx(25.75906, abs=5e-6)
    as_in_btyd = customer(26, 216 / 7, 31)  # It prints t.x = 30.85714.
    assert WALKTHROUGH.expected_purchases(as_in_btyd, 52)[0] == pytest.approx(25.75659, abs=5e-6)
    assert WALKTHROUGH.p_alive(as_in_btyd)[0] == pytest.approx(0.9688523, abs=5e-8)


def test_distribution_of_purchase_counts_is_that_of_btyds_manual() -> None:
    """BTYD manual, ``bgnbd.pmf``, with the rounded parameters."""
    assert ROUNDED.purchase_count_probability(39, 0) == pytest.approx(0.5737864, abs=5e-8)
    printed = [
        0.0019995214, 0.0015170236, 0.0011633150, 0.0009003148, 0.0007023638,
        0.0005517902, 0.0004361913, 0.0003467171, 0.0002769613, 0.0002222260,
    ]  # fmt: skip
    counts = [ROUNDED.purchase_count_probability(30, x) for x in range(11, 21)]
    assert counts == pytest.approx(printed, abs=6e-11)


def test_log_likelihood_is_stable_for_many_purchases() -> None:
    """Hardie's note 027, as pymc-marketing tests it."""
    params = BGNBD.of(0.25, 4.0, 0.8, 2.5)
    found = params.log_likelihood(PurchaseSummary.of([0, 200], [0, 38], [40, 40]))
    assert found[0] == pytest.approx(-0.59947382, abs=5e-9)
    assert found[1] == pytest.approx(100.7957, abs=5e-5)


@pytest.mark.parametrize(("history", "printed"), [((2, 30.43, 38.86), 5.15636), ((0, 0, 38.86), 1.01421)])
def test_discounted_expected_transactions_without_end(
    history: tuple[float, float, float], printed: float
) -> None:
    """DET at 0.27% a week (15% a year), computed by independent quadrature."""
    found = PUBLISHED.expected_purchases(customer(*history), math.inf, discount=0.0027)
    assert found[0] == pytest.approx(printed, abs=5e-6)


def test_holdout_of_the_cdnow_sample() -> None:
    """39 weeks: BG/NBD foresees 1,653.4 purchases where 1,882 came; by calibration count as in figure 4."""
    summary = cdnow.weekly_summary()
    fit = BGNBD().fit(summary)
    expected = fit.expected_purchases(summary, 39)
    later = cdnow.summary(cdnow.orders()[-1][1].replace(year=1998, month=6, day=30))
    came = dict(zip(later.customer_id, later.frequency, strict=True))
    actual = np.array([came[c] for c in summary.customer_id]) - summary.frequency
    assert actual.sum() == 1882
    assert expected.sum() == pytest.approx(1653.4, abs=0.05)
    assert np.corrcoef(expected, actual)[0, 1] == pytest.approx(0.626, abs=5e-4)
    by_count = np.minimum(summary.frequency, 7)
    means = [expected[by_count == x].mean() for x in range(8)]
    assert means == pytest.approx([0.225, 0.523, 1.044, 1.520, 2.164, 2.654, 3.504, 6.157], abs=5e-4)
    # Of newcomers until week 78, all that came with their first 39 weeks: 4,339.
    assert later.frequency.sum() == 4339
    assert fit.expected_purchases_of_newcomer(summary.T + 39).sum() == pytest.approx(4160.6, abs=0.05)
