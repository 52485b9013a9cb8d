"""``rapport understand`` with the trained model: the way from lines to lines."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from cli.nlu_score import read_rows
from cli.understand import CannotUnderstand, answer, understand_lines
from crmcore.firm import load_firm
from crmcore.language import language_tools
from crmcore.settings import ROOT
from serve.training import train_when_stale

LINES = [
    '{"id": "a", "text": "wheres my parcel RP-12345"}',
    "rubbish",
    '{"id": "b"}',
    "[1]",
    '{"id": "c", "text": "/goodbye{\\"tier\\": \\"MVC\\"}"}',
    '{"id": "d", "text": ""}',
    '{"id": "e", "text": "🎸🎸 !!"}',
    '{"id": "f", "text": "我想退货"}',
    json.dumps({"id": "g", "text": "a" * 90_000}),
    json.dumps({"id": "h", "text": "a" * 200_000}),
    '{"id": "i", "text": "\\ud800 hello"}',
    "[" * 5000,
    "",
    '{"id": "j", "text": "can i talk to a human please"}',
    '{"id": "k", "text": "i need an acoustic guitar under 300 euros"}',
    '{"id": "l", "text": "who won the world cup"}',
    '{"id": "n", "text": "/ask_human"}',
    '{"id": "o", "text": " \\uff0fdeny"}',
    '{"id": "p", "text": "/identify{\\"email\\": \\"jo@example.org\\"}"}',
    '{"id": "q", "text": "<b>yes</b>"}',
    '{"id": "r", "text": "Undefined"}',
    '{"id": "s", "text": "my last name is No"}',
    '{"id": "m", "text": "my mail is jo@example.org and the code is 482913"}',
]


@pytest.fixture(scope="module")
def answers() -> dict[Any, dict[str, Any]]:
    found = list(understand_lines(LINES, train_when_stale()))
    assert len(found) == len([line for line in LINES if line])
    return {a["id"]: a for a in found if a["id"] is not None}


def test_plain_wishes_are_understood(answers: dict[Any, dict[str, Any]]) -> None:
    assert [answers[i]["intent"] for i in "ajk"] == ["ask_order_status", "ask_human", "state_need"]


def test_what_is_written_for_machines_means_nothing_and_names_nobody(
    answers: dict[Any, dict[str, Any]],
) -> None:
    assert [answers[i]["intent"] for i in "cnopqr"] == ["nlu_fallback"] * 6
    assert answers["p"]["entities"] == []


def test_a_name_is_neither_a_yes_nor_a_no(answers: dict[Any, dict[str, Any]]) -> None:
    assert answers["s"]["intent"] == "inform"


def test_a_bad_line_gets_an_error_of_its_own_and_the_others_their_answers(
    answers: dict[Any, dict[str, Any]],
) -> None:
    assert "no string named text" in answers["b"]["error"]
    assert "longer than" in next(a["error"] for a in understand_lines([LINES[9]], train_when_stale()))
    assert answers["l"]["fallback"]


def test_text_without_a_letter_or_digit_falls_back(answers: dict[Any, dict[str, Any]]) -> None:
    assert [answers[i]["fallback"] for i in "de"] == [True, True]
    assert answers["d"]["confidence"] == 1


def test_another_language_falls_back(answers: dict[Any, dict[str, Any]]) -> None:
    assert answers["f"]["fallback"]


def test_order_numbers_codes_and_addresses_are_recognised(answers: dict[Any, dict[str, Any]]) -> None:
    found = {(e["entity"], e["value"]) for i in "am" for e in answers[i]["entities"]}
    assert found == {("order_number", "RP-12345"), ("email", "jo@example.org"), ("code", "482913")}


def test_a_stated_need_comes_with_its_amount(answers: dict[Any, dict[str, Any]]) -> None:
    line = answer(answers["k"], load_firm(ROOT / "firm.yml"), language_tools())
    assert line["intent"] == "state_need"
    assert line["need"]["budget"]["max"] == 300


def test_what_falls_back_is_out_of_scope_on_the_command_line(answers: dict[Any, dict[str, Any]]) -> None:
    line = answer(answers["d"], load_firm(ROOT / "firm.yml"), language_tools())
    assert (line["intent"], line["fallback"]) == ("out_of_scope", True)


def test_an_answer_comes_before_the_next_line_is_written() -> None:
    asked: list[str] = []
    first_seen = threading.Event()

    def one_at_a_time() -> Iterator[str]:
        for text in ("hello", "goodbye"):
            asked.append(text)
            yield json.dumps({"id": text, "text": text})
            # The second line is only asked for when the first answer could be read without it.
            assert first_seen.wait(300) or text == "goodbye"

    for found in understand_lines(one_at_a_time(), train_when_stale()):
        if found["id"] == "hello":
            assert asked == ["hello"]
            first_seen.set()
    assert asked == ["hello", "goodbye"]


def test_lines_that_break_off_with_an_error_end_the_answers_with_it() -> None:
    def unreadable() -> Iterator[str]:
        yield json.dumps({"id": "a", "text": "hello"})
        raise OSError("the disk is gone")

    answers = understand_lines(unreadable(), train_when_stale())
    assert next(answers)["id"] == "a"
    with pytest.raises(OSError, match="the disk is gone"):
        next(answers)


def test_a_missing_model_says_what_to_do(tmp_path: Any) -> None:
    with pytest.raises(CannotUnderstand, match="rapport train"):
        next(understand_lines(["{}"], tmp_path / "none.tar.gz"))


def test_sentences_that_were_never_trained_on_are_understood() -> None:
    gold, lines = read_rows(ROOT / "data" / "heldout" / "test.jsonl", every_intent=False)
    found = list(understand_lines(lines, train_when_stale()))
    right = sum(
        ("out_of_scope" if a["fallback"] else a["intent"]) == g for a, g in zip(found, gold, strict=True)
    )
    assert right / len(gold) > 0.88
