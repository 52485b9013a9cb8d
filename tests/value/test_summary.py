from collections import Counter
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.value.counts import count
from crmcore.value.summary import InvalidHistory, PurchaseSummary, summarise
from tests.value import cdnow

END = date(2026, 6, 30)


def one(*rows: tuple[date, float], until: date = END) -> PurchaseSummary:
    return summarise([("ana", day, amount) for day, amount in rows], observed_until=until)


def test_the_cdnow_log_gives_the_published_summary() -> None:
    """Hardie's sheet prints weeks with two decimals and the mean spend in cents."""
    ours, published = cdnow.summary(), cdnow.published_summary()
    assert [int(c) for c in ours.customer_id] == published[:, 0].tolist()
    assert ours.frequency.tolist() == published[:, 1].tolist()
    assert ours.recency / 7 == pytest.approx(published[:, 2], abs=0.00501)
    age = ours.T / 7
    assert age == pytest.approx(published[:, 3], abs=0.00501)
    spend = np.nan_to_num(ours.monetary_value)
    assert spend == pytest.approx(published[:, 4], abs=0.00501)


def test_several_orders_on_a_day_are_one_purchase_with_their_sum() -> None:
    s = one((date(2026, 1, 1), 10), (date(2026, 2, 1), 20), (date(2026, 2, 1), 5))
    assert (s.frequency[0], s.monetary_value[0], s.spent[0]) == (1, 25, 35)


def test_the_first_day_counts_neither_as_repeat_nor_in_the_mean() -> None:
    s = one((date(2026, 1, 1), 10), (date(2026, 1, 1), 90))
    assert s.frequency[0] == 0
    assert s.recency[0] == 0
    assert np.isnan(s.monetary_value[0])
    assert s.T[0] == (END - date(2026, 1, 1)).days


def test_a_free_order_is_a_purchase() -> None:
    s = one((date(2026, 1, 1), 10), (date(2026, 3, 1), 0))
    assert (s.frequency[0], s.monetary_value[0]) == (1, 0)


def test_a_return_is_no_purchase_and_lowers_what_was_brought() -> None:
    s = one((date(2026, 1, 1), 10), (date(2026, 3, 1), 40), (date(2026, 4, 1), -40))
    assert (s.frequency[0], s.monetary_value[0], s.returned[0]) == (1, 40, 40)
    assert s.recency[0] == (date(2026, 3, 1) - date(2026, 1, 1)).days


def test_orders_after_the_end_of_observation_are_not_seen() -> None:
    rows = [("ana", date(2026, 1, 1), 10), ("ana", date(2026, 7, 1), 10), ("ben", date(2026, 7, 2), 10)]
    s = summarise(rows, observed_until=END)
    assert s.customer_id == ("ana",)
    assert s.frequency[0] == 0


def test_days_since_last_purchase_is_age_less_recency() -> None:
    s = one((date(2026, 1, 1), 10), (date(2026, 6, 20), 10))
    assert s.days_since_last_purchase[0] == 10


def test_an_empty_log_gives_an_empty_summary() -> None:
    assert len(summarise([], observed_until=END)) == 0


rows = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(700_000, 700_060), st.integers(-20, 50)), max_size=60
)


@given(rows)
def test_the_order_of_the_log_does_not_matter_and_money_adds_up(
    log: list[tuple[str, int, int]],
) -> None:
    shuffled = sorted(log, key=lambda row: (row[2], row[1]))
    first = summarise(log, observed_until=700_050)
    second = summarise(shuffled, observed_until=700_050)
    place = [second.customer_id.index(c) for c in first.customer_id]
    assert first.frequency.tolist() == second.frequency[place].tolist()
    assert first.recency.tolist() == second.recency[place].tolist()
    assert first.spent.sum() == sum(a for _, day, a in log if a >= 0 and day <= 700_050)
    assert ((first.recency >= 0) & (first.recency <= first.T)).all()


@pytest.mark.parametrize(
    ("history", "rule"),
    [
        (([2], [50], [40]), "recency <= T"),
        (([0], [5], [40]), "recency must be 0"),
        (([-1], [0], [40]), "frequency of 0 or more"),
    ],
)
def test_a_history_that_cannot_be_names_the_customer_and_the_rule(
    history: tuple[list[float], ...], rule: str
) -> None:
    with pytest.raises(InvalidHistory, match=f"'ken' .*{rule}"):
        PurchaseSummary.of(*history, customer_id=["ken"])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([1, 2], [5], [40, 50]), "frequency is of 2 customers, but recency is of 1"),
        (([1, 2], [5, 6], [40]), "T is of 1"),
        (([1, 2], [5, 6], [40, 50], [9.0]), "monetary_value is of 1"),
        (([1], [5], [40], [9.0], ["ana", "ben"]), "customer_id is of 2"),
        (([[1], [2]], [5, 6], [40, 50]), "one figure a customer"),
    ],
)
def test_a_column_that_misses_a_customer_is_not_read_for_another(
    columns: tuple[list[float], ...], message: str
) -> None:
    with pytest.raises(InvalidHistory, match=message):
        PurchaseSummary.of(*columns)


def test_an_amount_that_is_no_number_names_the_customer() -> None:
    with pytest.raises(InvalidHistory, match=r"'ana' .* nan"):
        one((date(2026, 1, 1), float("nan")))


def test_parts_are_the_customers_in_their_order_without_a_copy() -> None:
    whole = PurchaseSummary.of([0, 1, 2, 3, 4], [0, 1, 2, 3, 4], [9, 9, 9, 9, 9], customer_id=list("abcde"))
    parts = list(whole.parts(2))
    assert [part.customer_id for part in parts] == [("a", "b"), ("c", "d"), ("e",)]
    assert np.concatenate([part.frequency for part in parts]).tolist() == whole.frequency.tolist()
    assert np.shares_memory(parts[1].T, whole.T)


@given(st.lists(st.integers(0, 200_000), max_size=40))
def test_counting_frequencies_is_exact_for_small_and_for_huge_ones(x: list[int]) -> None:
    values, times = count(np.array(x, float))
    assert dict(zip(values.tolist(), times.tolist(), strict=True)) == Counter(x)


def test_ids_may_be_tuples() -> None:
    ids = [("shop", 1), ("shop", 2)]
    assert list(PurchaseSummary.of([1, 0], [5, 0], [9, 9], [3.0, 0.0], customer_id=ids).customer_id) == ids
    assert len(PurchaseSummary.of([1, 0], [5, 0], [9, 9], customer_id=[("a",), ("b", 2)])) == 2


def test_a_column_of_tables_is_refused_with_its_shape() -> None:
    with pytest.raises(InvalidHistory, match=r"monetary_value is an array of shape \(2, 1\)"):
        PurchaseSummary.of([1, 0], [5, 0], [9, 9], np.ones((2, 1)))
