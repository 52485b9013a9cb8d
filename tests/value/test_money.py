from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.money import MoneyError, estimate_to_minor, exponent, format_money, from_minor, to_minor

currencies = st.sampled_from(["EUR", "USD", "JPY", "KWD", "PLN"])
minors = st.integers(-(10**15), 10**15)


@given(minors, currencies)
def test_minor_units_survive_the_way_to_decimal_and_back(minor: int, currency: str) -> None:
    assert to_minor(from_minor(minor, currency), currency) == minor


@given(st.lists(minors, max_size=50), currencies)
def test_the_sum_of_amounts_is_the_amount_of_the_sum(amounts: list[int], currency: str) -> None:
    assert sum((from_minor(a, currency) for a in amounts), Decimal(0)) == from_minor(sum(amounts), currency)


@given(st.floats(-1e9, 1e9), currencies)
def test_an_estimate_is_off_by_half_a_minor_unit_at_most(amount: float, currency: str) -> None:
    unit = Decimal(1).scaleb(-exponent(currency))
    assert abs(from_minor(estimate_to_minor(amount, currency), currency) - Decimal(amount)) <= unit / 2


def test_an_amount_finer_than_its_currency_is_refused_not_rounded() -> None:
    with pytest.raises(MoneyError, match="at most 2 decimals"):
        to_minor(Decimal("1.005"), "EUR")
    with pytest.raises(MoneyError, match="at most 0 decimals"):
        to_minor(Decimal("1.5"), "JPY")
    assert to_minor(Decimal("1.500"), "EUR") == 150


def test_an_unknown_currency_is_refused_not_guessed() -> None:
    with pytest.raises(MoneyError, match="XYZ"):
        from_minor(1, "XYZ")


@pytest.mark.parametrize("amount", [float("nan"), float("inf")])
def test_an_estimate_that_is_no_number_is_refused(amount: float) -> None:
    with pytest.raises(MoneyError, match="cannot be stored"):
        estimate_to_minor(amount, "EUR")
    with pytest.raises(MoneyError, match="not an amount"):
        to_minor(Decimal(amount), "EUR")


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("1234.5", "EUR", "€1,234.50"),
        ("-3", "GBP", "-£3.00"),
        ("1234567", "JPY", "¥1,234,567"),
        ("12", "PLN", "PLN 12.00"),
        ("-0.001", "EUR", "€0.00"),
    ],
)
def test_money_is_written_for_people(amount: str, currency: str, text: str) -> None:
    assert format_money(Decimal(amount), currency) == text
