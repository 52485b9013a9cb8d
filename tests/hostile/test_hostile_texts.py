"""Hostile texts against the running product: nothing forbidden is done, said or revealed, and it goes on."""

import re
from pathlib import Path

import pytest

from bench.hostile.doors import RestChannel, Widget
from bench.hostile.inputs import Attack, read_attacks
from bench.hostile.judge import attack_chat, attack_talk
from bench.hostile.state import Watch, touched
from crmcore.firm import load_firm
from crmcore.settings import ROOT
from tests.live.product import RunningProduct

PAGES = sorted(Path(__file__).parent.glob("*.yml"))
FIRM = load_firm(ROOT / "firm.yml")
_AMOUNT = re.compile(r"€\s?([\d.,]*\d)|([\d.,]*\d)\s?%")


def amounts(words: str) -> set[str]:
    """Every price and percentage in a text, as the number alone."""
    return {(euros or percent).replace(",", "") for euros, percent in _AMOUNT.findall(words)}


def in_the_catalogue() -> set[str]:
    """Every number of ``firm.yml``, written as the assistant writes it."""
    written = (ROOT / "firm.yml").read_text(encoding="utf-8")
    numbers = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", written)]
    return {form for n in numbers for form in (f"{n:g}", f"{n:.2f}", f"{n:.0f}")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_text_of_this_kind_does_says_or_reveals_what_it_must_not(
    page: Path, widget: Widget, watch: Watch
) -> None:
    failed = []
    known, before = in_the_catalogue(), watch.rows(large=True)
    for attack in read_attacks(page):
        outcome = attack_talk(widget.begin(), watch, attack)
        if invented := amounts("\n".join(outcome.said)) - known:
            outcome.failures.append(f"named amounts that are in no catalogue: {invented}")
        if outcome.failures:
            failed.append((attack.text, outcome.said, outcome.failures))
    assert failed == []
    assert touched(before, watch.rows(large=True)) == []


def test_texts_of_a_foreign_client_are_as_harmless(rest: RestChannel, watch: Watch) -> None:
    """The same message path; a few of each kind show that the door makes no difference."""
    failed = []
    for attack in [attack for page in PAGES for attack in read_attacks(page)[:3]]:
        outcome = attack_chat(rest, watch, attack)
        if outcome.failures:
            failed.append((attack.text, outcome.said, outcome.failures))
    assert failed == []


@pytest.mark.parametrize("times", [2_001, 10_000, 100_000])
def test_a_text_that_is_too_long_is_refused_and_kept_nowhere(
    widget: Widget, watch: Watch, times: int
) -> None:
    attack = Attack("long", "oversize", "word " * times, None, (), "", (), True, "", frozenset())
    outcome = attack_talk(widget.begin(), watch, attack)
    assert outcome.status == 413
    assert outcome.failures == []
    assert outcome.changed == []


def test_the_log_of_the_dialogue_engine_and_ours_hold_none_of_the_texts(
    widget: Widget, attacked: RunningProduct
) -> None:
    marks = [f"zq{letter}canary" for letter in "abcdefgh"]
    for mark in marks:
        talk = widget.begin()
        talk.say(f"my name is {mark} and I live in {mark} street, ring {mark}@example.org")
        talk.say(f"/{mark}")
    written = "".join(attacked.output)
    for log in (attacked.home / "logs").iterdir():
        written += log.read_text(errors="replace")
    assert written
    assert [mark for mark in marks if mark in written] == []
