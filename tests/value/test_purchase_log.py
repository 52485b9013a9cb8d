"""Purchases by day, as seen from any day."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.value.purchase_log import PurchaseLog
from crmcore.value.summary import InvalidHistory, summarise_arrays


def a_log(*rows: tuple[int, int, float]) -> PurchaseLog:
    customer, day, amount = (np.array(column) for column in zip(*rows, strict=True))
    return PurchaseLog.of(range(10), customer, day, amount.astype(float))


def test_orders_of_one_day_are_one_purchase_and_returns_are_none() -> None:
    log = a_log((0, 5, 10.0), (0, 5, 2.5), (0, 9, 4.0), (1, 7, -3.0))
    assert log.customer_id == (0,)
    assert log.day.tolist() == [5, 9]
    assert log.spend.tolist() == [12.5, 4.0]


def test_a_window_begins_after_its_first_day_and_holds_its_last() -> None:
    log = a_log((0, 5, 10.0), (0, 6, 1.0), (0, 8, 2.0), (1, 6, 4.0))
    purchases, spend = log.window(5, 8)
    assert purchases.tolist() == [2, 1]
    assert spend.tolist() == [3.0, 4.0]


def test_on_an_earlier_day_nobody_knows_who_comes_later() -> None:
    log = a_log((0, 5, 10.0), (1, 9, 4.0), (2, 5, 1.0), (0, 12, 1.0))
    known = log.until(5)
    assert known.customer_id == (0, 2)
    assert known.customer.tolist() == [0, 1]
    with pytest.raises(InvalidHistory, match="nobody had bought until day 4"):
        log.until(4)


def test_a_log_of_returns_alone_says_what_is_missing() -> None:
    log = a_log((0, 5, -1.0))
    assert len(log) == 0
    with pytest.raises(InvalidHistory, match="nobody had bought until day 9"):
        log.until(9)


def test_some_customers_keep_all_their_purchases() -> None:
    log = a_log(*((c, d, 1.0 + c) for c in range(10) for d in (1, 2 + c)))
    few = log.some(3)
    assert few.customer_id == (0, 4, 9)
    assert few.window(0, 99)[1].tolist() == [2.0, 10.0, 20.0]
    assert log.some(10) is log


rows = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 60), st.integers(0, 5_000).map(lambda v: v / 100)),
    min_size=1,
    max_size=60,
)


@given(rows)
def test_its_summary_is_the_summary_of_the_orders(orders: list[tuple[int, int, float]]) -> None:
    customer, day, amount = (np.array(column) for column in zip(*orders, strict=True))
    ours = PurchaseLog.of(range(7), customer, day, amount).summary(60)
    theirs = summarise_arrays(list(range(7)), customer, day, amount.astype(float), observed_until=60)
    assert ours.customer_id == tuple(sorted(theirs.customer_id))
    order = np.argsort(theirs.customer_id)
    for name in ("frequency", "recency", "T"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name)[order])
    np.testing.assert_allclose(ours.monetary_value, theirs.monetary_value[order], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(ours.spent, theirs.spent[order], rtol=1e-12)
