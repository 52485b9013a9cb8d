"""The small English grammar: numbers, money, times and counts, one row a way of saying it."""

from datetime import date
from decimal import Decimal

import pytest

from crmcore.language.counts_en import count
from crmcore.language.money_en import money
from crmcore.language.numbers_en import numbers
from crmcore.language.recognise_en import EnglishRecogniser
from crmcore.language.times_en import span, times
from tests.needs.builders import A_FRIDAY


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("two hundred and fifty", ["250"]),
        ("1.5k or 2 grand", ["1500", "2000"]),
        ("1,299.50 and 1.299,50", ["1299.50", "1299.50"]),
        ("half a dozen, a couple hundred", ["6", "200"]),
        ("half a grand", ["500"]),
        ("two fifty", ["250"]),
        ("twenty five", ["25"]),
        ("three thousand two hundred", ["3200"]),
        ("a hundred", ["100"]),
        ("and, k, hundred", []),
        ("none of these 12abc", []),
    ],
)
def test_numbers_in_digits_and_words(text: str, values: list[str]) -> None:
    assert [n.value for n in numbers(text)] == [Decimal(v) for v in values]


@pytest.mark.parametrize(
    ("text", "low", "high", "target", "currency"),
    [
        ("around 120 euros", None, "120", "about", "EUR"),
        ("under $600", None, "600", None, "USD"),
        ("between 200 and 300 pounds", "200", "300", None, "GBP"),
        ("€200-300", "200", "300", None, "EUR"),
        ("from 50 to 80 dollars", "50", "80", None, "USD"),
        ("I can't go over 900 bucks", None, "900", None, "USD"),
        ("no more than 1.5k for it, that's my budget", None, "1500", None, None),
        ("up to 2 grand", None, "2000", None, None),
        ("$45 or less", None, "45", None, "USD"),
        ("300 euro tops", None, "300", None, "EUR"),
        ("at least 100 quid", "100", None, None, "GBP"),
        ("a hundred and fifty quid", None, "150", "about", "GBP"),
        ("my budget is 400", None, "400", None, None),
        ("price 400ish", None, "400", "about", None),
        ("12 000 kr or so", None, "12000", "about", "NOK"),
    ],
)
def test_amounts_with_their_bounds(
    text: str, low: str | None, high: str | None, target: str | None, currency: str | None
) -> None:
    found = money(text, asked=False)
    assert found is not None
    assert found.currency == currency
    amount = Decimal(high) if high else None
    assert (found.max, found.target) == ((None, amount) if target else (amount, None))
    assert found.min == (Decimal(low) if low else None)


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("something cheap", "low"),
        ("not too expensive", "low"),
        ("nothing fancy, on a tight budget", "low"),
        ("a mid-range one", "moderate"),
        ("price is not a problem", "unlimited"),
        ("money is no object", "unlimited"),
        ("high-end speakers", "high"),
    ],
)
def test_levels_in_words(text: str, level: str) -> None:
    found = money(text, asked=False)
    assert found is not None
    assert found.level == level


@pytest.mark.parametrize(
    "text",
    [
        "16gb of ram",
        "a table for four",
        "up to 30 chairs",
        "over 18 years old",
        "size 43",
        "at 20:30",
        "iphone 12",
    ],
)
def test_a_number_of_something_else_is_no_budget(text: str) -> None:
    assert money(text, asked=False) is None


def test_a_bare_number_is_a_budget_when_it_was_asked_for() -> None:
    found = money("400", asked=True)
    assert found is not None
    assert found.target == Decimal(400)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("today", "2026-11-20", "2026-11-20"),
        ("tmrw", "2026-11-21", "2026-11-21"),
        ("day after tomorrow", "2026-11-22", "2026-11-22"),
        ("monday", "2026-11-23", "2026-11-23"),
        ("friday", "2026-11-27", "2026-11-27"),
        ("next tuesday", "2026-11-24", "2026-11-24"),
        ("next week", "2026-11-23", "2026-11-29"),
        ("the weekend", "2026-11-21", "2026-11-22"),
        ("next month", "2026-12-01", "2026-12-31"),
        ("end of the month", "2026-11-24", "2026-11-30"),
        ("end of May", "2027-05-25", "2027-05-31"),
        ("3 days", "2026-11-20", "2026-11-23"),
        ("a couple of weeks", "2026-11-20", "2026-12-04"),
        ("14 September", "2027-09-14", "2027-09-14"),
        ("December 1st", "2026-12-01", "2026-12-01"),
        ("the 23rd", "2026-11-23", "2026-11-23"),
        ("Christmas", "2026-12-25", "2026-12-25"),
        ("2026-12-03", "2026-12-03", "2026-12-03"),
        ("asap", "2026-11-20", "2026-11-20"),
    ],
)
def test_stretches_of_time_become_days(text: str, first: str, last: str) -> None:
    assert span(text, A_FRIDAY) == (date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize("text", ["03/04", "3/4/2027", "2026-02-31", "half past ten"])
def test_a_date_with_two_readings_is_kept_in_words_only(text: str) -> None:
    assert span(text, A_FRIDAY) == (None, None)


@pytest.mark.parametrize(
    ("text", "bound", "first", "last"),
    [
        ("by friday", "by", None, "2026-11-27"),
        ("before christmas", "by", None, "2026-12-25"),
        ("within two weeks", "by", None, "2026-12-04"),
        ("from next month", "from", "2026-12-01", None),
        ("on friday", "on", "2026-11-27", "2026-11-27"),
    ],
)
def test_a_deadline_has_an_end_and_a_start_has_a_beginning(
    text: str, bound: str, first: str | None, last: str | None
) -> None:
    (found,) = times(text, A_FRIDAY, asked=False)
    days = tuple(d.isoformat() if d else None for d in (found.earliest, found.latest))
    assert (found.bound, *days) == (bound, first, last)


@pytest.mark.parametrize(
    "text", ["a spa weekend", "may I ask", "march in a band", "the second floor", "a sun hat", "may"]
)
def test_words_that_only_look_like_time_are_none(text: str) -> None:
    assert times(text, A_FRIDAY, asked=False) == ()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a table for four", 4),
        ("2x large", 2),
        ("just me", 1),
        ("my wife and I", 2),
        ("two adults and a child", 3),
        ("me and three friends", 4),
        ("we need chairs, quantity 40", 40),
        ("half a dozen eggs", 6),
        ("can I get a latte", 1),
        ("iphone 12 pro", None),
        ("size 43", None),
        ("a cheap one", None),
        ("one way ticket", None),
        ("a 5 year old", None),
        ("looking for a sofa", None),
        ("seats eight", None),
    ],
)
def test_counts_of_things_and_people(text: str, value: int | None) -> None:
    found = count(text, (), asked=False)
    assert (found.value if found else None) == value


@pytest.mark.parametrize(
    ("question", "slots"),
    [
        ("How many do you need?", {"quantity"}),
        ("Roughly what would you like to spend on it?", {"budget"}),
        ("When do you need it back?", {"timing"}),
        ("Where would you like to stay?", {"location"}),
        ("Fine, noted.", set()),
    ],
)
def test_a_question_says_what_it_asks_for(question: str, slots: set[str]) -> None:
    assert EnglishRecogniser().asked_for(question) == slots
