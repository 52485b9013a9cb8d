"""Reading needs with the real sentence embedder: our own utterances, categories, and hostile texts."""

import time
from collections import Counter
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from crmcore.language import language_tools
from crmcore.needs import ReadNeed, read_need, slots
from crmcore.needs.values import MAX_VERBATIM, NO_CATEGORY
from tests.builders import ROOT, a_firm
from tests.needs.builders import A_FRIDAY, fake_tools


@cache
def utterances() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = YAML(typ="safe").load(ROOT / "tests" / "needs" / "utterances.yml")
    return rows


def read(text: str, asked: str | None = None) -> ReadNeed:
    return read_need(text, a_firm(), language_tools(), A_FRIDAY, asked)


def words(text: str) -> Counter[str]:
    small = {"a", "an", "the", "of", "for", "to", "in", "with", "my", "our"}
    plain = (w.strip(".,?!").lower() for w in text.replace("-", " ").split())
    return Counter(w.removesuffix("s") for w in plain if w and w not in small)


def alike(one: str, other: str) -> bool:
    a, b = words(one), words(other)
    return bool(a and b) and 2 * (a & b).total() / (a.total() + b.total()) >= 0.5


def found(row: dict[str, Any], slot: str, got: dict[str, Any]) -> tuple[int, int, int]:
    """Values asked for, values found, values predicted; an attribute of the catalogue counts by its value."""
    want, have = row.get(slot), got[slot]
    if slot == "attributes":
        have = [a.partition("=")[2].replace("-", " ") or a for a in have]
    if slot in ("attributes", "timing", "location"):
        wanted = list(want or ())
        return len(wanted), sum(any(alike(str(w), h) for h in have) for w in wanted), len(have)
    if slot == "quantity":
        return int(want is not None), int(want is not None and want == have), int(have is not None)
    return int(bool(want)), int(bool(want and have and alike(want, have))), int(bool(have))


# The least share of stated values that must be found, and of predicted values that must be right.
@pytest.mark.parametrize(
    ("slot", "recall", "precision"),
    [
        ("product", 0.97, 0.9),
        ("quantity", 1.0, 1.0),
        ("timing", 1.0, 0.95),
        ("location", 1.0, 1.0),
        ("attributes", 0.93, 0.8),
        ("purpose", 0.9, 0.75),
    ],
)
def test_what_people_say_in_many_trades_is_found(slot: str, recall: float, precision: float) -> None:
    counts = [found(r, slot, slots(read(r["text"], r.get("asked")))) for r in utterances()]
    asked, right, predicted = (sum(c[i] for c in counts) for i in range(3))
    assert right / asked >= recall, f"{right} of {asked}"
    assert right / predicted >= precision, f"{right} of {predicted} predicted"


def test_every_budget_of_our_utterances_is_exact() -> None:
    for row in utterances():
        stated = {k: row[k] for k in ("min", "max", "target", "currency", "level") if k in row}
        budget = slots(read(row["text"], row.get("asked")))["budget"]
        assert bool(budget) == bool(stated), row["text"]
        assert {k: budget[k] for k in stated} == stated if budget else True, row["text"]


CATEGORIES = (
    ("my old deck eats records, time for another one", "turntable"),
    ("something to spin LPs on, nothing complicated", "turntable"),
    ("cans for mixing at home", "headphones"),
    ("earbuds for the gym", "headphones"),
    ("better sound for the living room, maybe floorstanders", "speakers"),
    ("a soundbar for the telly", "speakers"),
    ("an amp with a phono input", "amplifier"),
    ("i want to stream spotify on my stereo", "amplifier"),
    ("strat style electric guitar for my nephew", "guitar"),
    ("a uke for the holidays", "guitar"),
    ("88 key electric piano", "keyboard"),
    ("my daughter wants to start the fiddle", "strings-and-wind"),
    ("clarinet for the school band", "strings-and-wind"),
    ("electronic drums that don't annoy the neighbours", "drums"),
    ("old jazz LPs", "records"),
    ("the complete mozart on cd", "cds"),
    ("scores for our choir, 20 of them", "sheet-music"),
    ("new strings and a capo", "accessories"),
    ("replacement needle for my cartridge", "accessories"),
    ("can someone fix my crackling amplifier", "workshop"),
    ("piano lessons for a complete beginner", "lessons"),
)


def test_nine_of_ten_categories_are_found_by_meaning() -> None:
    wrong = [(text, read(text).category) for text, category in CATEGORIES if read(text).category != category]
    assert len(wrong) <= len(CATEGORIES) // 10, wrong


@pytest.mark.parametrize(
    "text",
    [
        "I need a pepperoni pizza",
        "a flight to Lisbon next week",
        "we'd like a double room with a sea view",
        "a firm mattress, queen size",
        "I want a mobile plan with more data",
        "an appointment with a dentist",
        "car insurance please",
        "25 office chairs",
        "hmm",
        "",
    ],
)
def test_what_the_firm_does_not_have_gets_no_category(text: str) -> None:
    assert read(text).category == NO_CATEGORY


def test_what_the_customer_denies_is_no_attribute() -> None:
    need = read("a turntable without bluetooth, no belt drive")
    assert "connection" not in need.attributes
    assert "drive" not in need.attributes


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=800), st.none() | st.text(max_size=200))
def test_no_text_breaks_the_reading(text: str, asked: str | None) -> None:
    need = read_need(text, a_firm(), fake_tools(), A_FRIDAY, asked)
    assert need.verbatim == text[:MAX_VERBATIM]
    assert slots(need)


HOSTILE = {
    "digits": "1" * 20_000,
    "commas": "1,000," * 3_000,
    "words": "twenty " * 3_000,
    "for": "for a " * 3_000,
    "with": "with a , and " * 2_000,
    "money": "between $1 and " * 1_000,
    "spaces": " " * 20_000,
    "dates": "1/1/1 of may the 3rd " * 1_000,
    "accents": "é\u0301" * 5_000,
    "emoji": "👩‍👩‍👧" * 2_000,
    "capitals": "in New York De La " * 1_000,
    "quotes": "'\"" * 5_000,
    "hyphens": "a-" * 5_000,
    "controls": "\u202e\u200b\x07" * 3_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_is_read_in_bounded_time(name: str) -> None:
    tools = fake_tools()
    read_need("warm up", a_firm(), tools, A_FRIDAY)
    begun = time.perf_counter()
    need = read_need(HOSTILE[name], a_firm(), tools, A_FRIDAY, "How many, when, and what kind?")
    assert time.perf_counter() - begun < 1.0
    assert len(need.verbatim) <= MAX_VERBATIM
