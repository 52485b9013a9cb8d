"""The figures of the value report, counted by hand."""

from typing import get_args

import numpy as np
import pytest

from crmcore.value.backtest import _by_frequency
from crmcore.value.bgnbd import BGNBD
from crmcore.value.fitting import DiagnosticCode
from crmcore.value.lift import lift_by_tenth
from crmcore.value.loyalty import LoyaltyBorders
from crmcore.value.loyalty_map import map_loyalty
from crmcore.value.mending import WHAT_TO_DO
from crmcore.value.operational_time import OperationalTime
from crmcore.value.purchase_log import PurchaseLog
from crmcore.value.spread import Bar, Typical, bars, typical_by_tenth
from crmcore.value.tracking import track

MODEL = BGNBD.of(r=0.9, alpha=70.0, a=0.5, b=4.5)


def a_log(*rows: tuple[int, int]) -> PurchaseLog:
    """(customer, day), each for one euro."""
    customer, day = (np.array(column) for column in zip(*rows, strict=True))
    return PurchaseLog.of(range(int(customer.max()) + 1), customer, day, np.ones(len(rows)))


def test_tracking_counts_repeat_purchases_of_those_who_were_known_then() -> None:
    # Known until day 20: customers 0 and 1. Customer 2 comes later and does not count.
    log = a_log((0, 2), (0, 9), (0, 30), (1, 5), (1, 20), (1, 21), (1, 40), (2, 22), (2, 25))
    found = track(log, MODEL, OperationalTime.calendar(2, 50), until=20, horizon=17)
    # Whole weeks back from day 20 to before the first purchase, and two whole weeks of the horizon.
    assert found.day.tolist() == [-1, 6, 13, 20, 27, 34]
    assert found.actual.tolist() == [0, 0, 1, 2, 3, 4]


def test_tracking_expects_of_each_customer_what_a_newcomer_of_his_age_buys() -> None:
    log = a_log((0, 0), (1, 10))
    found = track(log, MODEL, OperationalTime.calendar(0, 40), until=20, horizon=14)
    ages = [(max(day, 0), max(day - 10, 0)) for day in found.day.tolist()]
    by_hand = [float(MODEL.expected_purchases_of_newcomer(np.array(pair)).sum()) for pair in ages]
    assert found.expected == pytest.approx(by_hand, rel=1e-4, abs=1e-6)


def test_lift_is_what_each_tenth_brought_and_what_it_was_foreseen_to() -> None:
    foreseen = np.array([10.0, 9, 8, 7, 6, 5, 4, 3, 2, 1, *[0.5] * 10])
    actual = np.array([30.0, 10, 20, 0, 0, 0, 0, 0, 0, 0, *[4.0] * 10])
    tenths = lift_by_tenth(actual, foreseen)
    assert [t.number for t in tenths] == list(range(1, 11))
    # Two of twenty customers are a tenth; the ten at the end share what they brought, 8 % a tenth.
    assert [t.actual for t in tenths] == pytest.approx([0.4, 0.2, 0, 0, 0, 0.08, 0.08, 0.08, 0.08, 0.08])
    assert tenths[0].foreseen == pytest.approx(19 / 60)


def test_a_group_knows_how_far_its_mean_may_be_off() -> None:
    came = np.array([1.0, 3.0, 8.0, 0.0, 0.0, 5.0])
    frequency = np.array([1.0, 1.0, 1.0, 2.0, 2.0, 3.0])
    once, twice, thrice = _by_frequency(frequency, np.full(6, 0.5), came)
    assert (once.label, once.customers, once.actual) == ("1", 3, 4.0)
    assert once.error == pytest.approx(np.sqrt(13 / 3))
    # Two who both bought nothing, and one alone, show no spread; chance has one.
    assert twice.error == pytest.approx(np.sqrt(0.5 / 2))
    assert thrice.error == pytest.approx(np.sqrt(0.5))


def test_the_histogram_has_round_borders_and_open_ends() -> None:
    values = np.array([*np.arange(0, 100), 5_000.0, -800.0])
    found = bars(values)
    assert found[0] == Bar(None, 0.0, 1)
    assert found[1] == Bar(0.0, 5.0, 5)
    assert found[-1] == Bar(100.0, None, 1)
    assert sum(bar.customers for bar in found) == len(values)


def test_a_firm_of_equal_customers_has_one_bar() -> None:
    assert [bar for bar in bars(np.full(7, 3.2)) if bar.customers] == [Bar(3.0, 4.0, 7)]


def test_a_typical_customer_is_the_middle_of_his_tenth() -> None:
    value = np.arange(30.0)
    found = typical_by_tenth(value, value - 5, value + 9)
    assert len(found) == 10
    assert found[0] == Typical(1, 28.0, 23.0, 37.0)
    assert found[-1] == Typical(10, 1.0, -4.0, 10.0)
    assert len(typical_by_tenth(value[:3], value[:3], value[:3])) == 3


def test_the_map_puts_everybody_into_his_group_and_draws_neighbours_as_one() -> None:
    purchases = np.array([0.1, 0.1, 5.0, 6.0, 0.2])
    value = np.array([10.0, 10.0, 90.0, -20.0, 80.0])
    found = map_loyalty(purchases, value, LoyaltyBorders(clv=50.0, purchases=1.0))
    groups = {total.group: (total.customers, total.value) for total in found.groups}
    assert groups == {
        "stranger": (2, 20.0), "butterfly": (1, 80.0), "true_friend": (1, 90.0), "barnacle": (1, -20.0),
    }  # fmt: skip
    strangers = [point for point in found.points if point.group == "stranger"]
    assert [(p.customers, p.purchases, p.value) for p in strangers] == [(2, 0.1, 10.0)]


def test_there_is_advice_for_all_that_a_fit_may_not_find() -> None:
    assert set(WHAT_TO_DO) == set(get_args(DiagnosticCode))
