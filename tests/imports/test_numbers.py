"""Numbers as people write them; what may mean two is refused."""

from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.imports.errors import UnreadableValue
from crmcore.imports.numbers import DecimalMark, fits_currency, number_evidence, read_number
from crmcore.tables.columns import evidence_in_numbers, read_numbers

AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=2)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12.50", "12.50"),
        ("1,234.50", "1234.50"),
        ("1.234,50", "1234.50"),
        ("1 234,50", "1234.50"),
        ("1\u00a0234,50 €", "1234.50"),
        ("1'234.50", "1234.50"),
        ("$1,234.50", "1234.50"),
        ("-€5.00", "-5.00"),
        ("€-5.00", "-5.00"),
        ("(1,234.50)", "-1234.50"),
        ("12.50-", "-12.50"),
        ("\u221212.50", "-12.50"),
        ("EUR 7", "7"),
        ("1,234,567", "1234567"),
        ("1,23,456.00", "123456.00"),
        ("1.2e3", "1200"),
        ("0.30000000000000004", "0.3"),
        ("0.123", "0.123"),
        (".5", "0.5"),
    ],
)
def test_what_a_number_says_by_itself(text: str, value: str) -> None:
    assert read_number(text) == Decimal(value)


@pytest.mark.parametrize("text", ["1.234", "1,234", "12.345", "-999,999"])
def test_a_number_that_may_mean_two_is_refused_until_it_is_told(text: str) -> None:
    with pytest.raises(UnreadableValue, match="--decimal"):
        read_number(text)
    mark: DecimalMark = "." if "." in text else ","
    other: DecimalMark = "," if mark == "." else "."
    assert read_number(text, mark) == Decimal(text.replace(",", "."))
    assert read_number(text, other) == Decimal(text.replace(mark, ""))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("abc", "no number"),
        ("12,5,0.1,2", "no number"),
        ("1.2.3", "no number"),
        ("--5", "no number"),
        ("5 %", "no number"),
        ("1234567890123", "larger"),
        ("1e300", "larger"),
        ("0.12345678", "more than 6 decimals"),
    ],
)
def test_what_is_no_number_says_so(text: str, why: str) -> None:
    with pytest.raises(UnreadableValue, match=why):
        read_number(text)


def test_a_file_in_one_style_settles_its_ambiguous_numbers() -> None:
    assert number_evidence(["1.234", "12,50"]).decimal == ","
    assert number_evidence(["1,234", "12.5"]).decimal == "."
    assert number_evidence(["1.234", "950"]).decimal is None
    assert number_evidence(["1.234,50", "1,234.50"]).decimal is None  # Both: each must speak for itself.


def test_signs_beside_amounts_are_compared_with_the_currency() -> None:
    assert number_evidence(["$5", "5 EUR", "n/a", "abc"]).currencies == {"$", "EUR"}
    assert fits_currency("$", "CAD")
    assert fits_currency("€", "EUR")
    assert not fits_currency("$", "EUR")


@settings(max_examples=100, deadline=None)
@given(AMOUNTS, st.sampled_from([".", ","]), st.sampled_from(["", ",", ".", " ", "'"]), st.booleans())
def test_whatever_style_an_amount_is_written_in_it_is_read_exactly(
    amount: Decimal, mark: DecimalMark, group: str, accounting: bool
) -> None:
    if group == mark:
        group = ""
    text = f"{abs(amount):,.2f}".replace(",", "g").replace(".", mark).replace("g", group)
    if amount < 0:
        text = f"({text})" if accounting else f"-{text}"
    assert read_number(text, mark) == amount


TEXTS = st.one_of(
    AMOUNTS.map(str),
    AMOUNTS.map(lambda a: f"{a:,.2f}"),
    AMOUNTS.map(lambda a: f"{a:.2f}".replace(".", ",")),
    st.integers(-10_000, 10_000).map(str),
    st.text("0123456789.,-+ e()", max_size=8),
    st.sampled_from(["1.234", "1,234", "", "NULL", "007", "-0", "1e5", "+5", "1_000", "٣"]),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXTS, max_size=12), st.sampled_from([".", ",", None]))
def test_a_column_is_read_as_its_values_one_by_one(texts: list[str], mark: DecimalMark | None) -> None:
    column = pa.array(texts, pa.string())
    read = read_numbers(column, mark)
    for i, text in enumerate(texts):
        if text.strip().lower() in ("", "null", "-"):
            assert read.missing[i]
            continue
        expected = _alone(text.strip(), mark)
        assert read.problems.get(i, int(read.values[i])) == expected
    shown = number_evidence(t.strip() for t in texts if t.strip().lower() not in ("", "null", "-"))
    assert evidence_in_numbers(column) == shown


def _alone(text: str, mark: DecimalMark | None) -> int | str:
    try:
        return int(read_number(text, mark).scaleb(6))
    except UnreadableValue as error:
        return str(error)


def test_numbers_that_the_file_gives_a_type_say_nothing_about_texts() -> None:
    typed = pa.array([1.5, None, 12345.678])
    assert evidence_in_numbers(typed).decimal is None
    assert read_numbers(typed, ",").values.tolist() == [1_500_000, 0, 12_345_678_000]
