"""Reading firm.yml: the shipped file, and what a shop owner hears when his is wrong."""

import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.firm import Firm, FirmError, load_firm, parse_firm
from tests.builders import ROOT, a_firm

TEXT = (ROOT / "firm.yml").read_text(encoding="utf-8")


def problems(text: str) -> list[str]:
    with pytest.raises(FirmError) as raised:
        parse_firm(text)
    return list(raised.value.problems)


def changed(old: str, new: str) -> str:
    assert old in TEXT, f"{old!r} is not in firm.yml"
    return TEXT.replace(old, new, 1)


def line_of(text: str, words: str) -> int:
    return text[: text.index(words)].count("\n") + 1


def test_the_demonstration_firm_is_complete() -> None:
    firm = a_firm()
    assert 40 <= len(firm.products) <= 60
    assert all(need.examples["en"] and need.questions for need in firm.needs)
    assert {product.category for product in firm.products} == {need.id for need in firm.needs}
    assert {n for o in firm.offers for n in o.needs} == {need.id for need in firm.needs} - {"lessons"}
    assert firm.club is not None
    assert str(firm.products[0].price) == "249.00"


def test_an_unknown_tier_is_named_with_its_line_and_what_is_allowed() -> None:
    text = changed(
        "tiers: [MVC, MGC]\n    needs: [records, cds]", "tiers: [MVC, gold]\n    needs: [records, cds]"
    )
    line = line_of(text, "MVC, gold")
    assert problems(text) == [
        f"firm.yml line {line}, offers[5].tiers: 'gold' is not a tier; allowed: MVC, MGC, BZ, core"
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "time_zone: Europe/Dublin",
            "time_zone: Europe/Dublyn",
            "time_zone: 'Europe/Dublyn' is not a time zone",
        ),
        ("currency: EUR", "currency: EURO", "currency: 'EURO' is not a currency; allowed: EUR, GBP"),
        (
            "minutes_per_case:",
            "minutes_per_cas:",
            "unknown key 'minutes_per_cas'; did you mean 'minutes_per_case'?",
        ),
        ('["10:00-16:00"]', '["10:00-16:00", "15:00-17:00"]', "'15:00-17:00' overlaps '10:00-16:00'"),
        ('["10:00-16:00"]', '["16:00-10:00"]', "'16:00-10:00' closes before it opens"),
        ('["10:00-16:00"]', '["10-16"]', "'10-16' is not of the form 09:00-18:00"),
        ('"12-25": Chr', '"12-32": Chr', "'12-32' is not a day of the calendar"),
        (
            "needs: [workshop, guitar]",
            "needs: [workshop, gitar]",
            "'gitar' is not a need category; allowed: turntable",
        ),
        (
            "excludes: [reference-listening]",
            "excludes: [nothing]",
            "'nothing' is not an offer; allowed: vinyl-start",
        ),
        ("id: harrow-two,", "id: harrow-one,", "the id 'harrow-one' is taken by entry 1 of products"),
        ("- id: headphones\n", "- id: turntable\n", "the id 'turntable' is taken by entry 1 of needs"),
        (
            "{drive: belt, handling: automatic",
            "{drive: chain, handling: automatic",
            "'chain' is not a value of 'drive'",
        ),
        (
            "{drive: belt, handling: automatic",
            "{motor: belt, handling: automatic",
            "has no attribute 'motor'",
        ),
        ("about: handling,", "about: colour,", "'colour' is not asked for here; allowed: budget, quantity"),
        ("price: 249.00", "price: -1", "input should be greater than or equal to 0"),
        ("price: 249.00", "price: 249.005", "decimal"),
        (
            "terms: {kind: percent_off, percent: 10}",
            "terms: {kind: percent_off}",
            "'percent_off' needs the key 'percent'",
        ),
        ("name: Alder & Bell\n", "", "the key 'name' is missing"),
        ("languages: [en]", "languages: [en, es]", "the wording in 'es' is missing"),
        (
            "worth: 35.00",
            "worth: 35.00\n    starts: 2026-05-01\n    ends: 2026-04-01",
            "before it starts on 2026-05-01",
        ),
        ("name: Alder & Bell", "name: Alder & Bell\nname: Twice", "not valid YAML"),
        ("name: Alder & Bell", "name: [Alder", "not valid YAML"),
        (
            '"http://127.0.0.1:8080"',
            '"http://127.0.0.1:8080/shop"',
            "is not of the form https://www.example.com",
        ),
    ],
)
def test_a_mistake_is_explained_where_it_stands(old: str, new: str, message: str) -> None:
    text = changed(old, new)
    found = [p for p in problems(text) if message in p]
    assert found, problems(text)
    assert re.match(r"firm\.yml line \d+", found[0])


def test_all_mistakes_are_reported_at_once_in_the_order_of_the_file() -> None:
    text = (
        changed("currency: EUR", "currency: EURO")
        .replace("Europe/Dublin", "Mars/Olympus")
        .replace("worth: 35.00", "")
    )
    found = problems(text)
    lines = [int(re.findall(r"line (\d+)", p)[0]) for p in found]
    assert len(found) == 3
    assert lines == sorted(lines)


def test_a_missing_file_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(FirmError, match="set RAPPORT_FIRM to your firm"):
        load_firm(tmp_path / "none.yml")


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, len(TEXT) - 1), st.sampled_from(["", "x", ":", "[", "- ", "\n", "\t", "}", "'", "é", "0"])
)
def test_a_slip_of_the_finger_is_a_firm_error_or_nothing(place: int, typed: str) -> None:
    text = TEXT[:place] + typed + TEXT[place + 1 :]
    with suppress(FirmError):
        assert isinstance(parse_firm(text), Firm)
