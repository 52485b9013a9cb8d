"""Every sentence that the gateway says stands in the wording file, and every mark has one."""

import ast
import string
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crmcore.conversations import Message, mark_text
from tests.builders import ROOT, a_firm
from web.gateway.brain import BrainError
from web.gateway.choices import apology, greeting
from web.gateway.shown import shown_message
from web.wording import load_wording

WORDING = load_wording()
MARKS: dict[str, list[dict[str, Any]]] = {
    "queued": [
        {"position": 1, "wait_minutes": 4},
        {"position": 3, "wait_minutes": 12},
        {"position": 2, "wait_minutes": None},
    ],
    "assigned": [{"name": "Anna Berg"}],
    "joined": [{"name": "Anna Berg"}],
    "left": [{"name": "Anna Berg"}],
    "requeued": [
        {"name": "Anna Berg", "position": 1, "wait_minutes": 4},
        {"name": "Anna Berg", "position": 1, "wait_minutes": None},
    ],
    "callback": [{"opens_at": "2026-03-12T09:00:00+00:00"}, {"opens_at": None}],
    "bot": [{}],
    "waiting": [{"name": "Anna Berg"}, {"name": ""}],
    "closed": [{"name": "Anna Berg"}, {"name": ""}],
}


def a_mark(kind: str, values: dict[str, Any]) -> Message:
    return Message(
        id=1, conversation_id="cnv_1", seq=2, client_id="mark:2", sender="system", sender_id=None,
        sender_name="", kind=f"mark:{kind}", text=mark_text(values), buttons=(), in_reply_to=None,
        epoch=1, state="done", payload=None, intent=None, created_at=datetime(2026, 3, 11, tzinfo=UTC),
    )  # fmt: skip


def words(kind: str, values: dict[str, Any]) -> str:
    shown = shown_message(a_mark(kind, values), a_firm(), WORDING, "en")
    text: str = shown["text"]
    return text


@pytest.mark.parametrize("kind", MARKS)
def test_every_mark_is_a_sentence_with_its_values(kind: str) -> None:
    for values in MARKS[kind]:
        sentence = words(kind, values)
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert not set(sentence) & set("{}")
        assert "None" not in sentence
        assert str(values.get("name", "")) in sentence or kind == "closed"


def test_every_mark_that_the_core_knows_is_tried_here() -> None:
    import crmcore.conversations

    told = [
        line.split("``")[1]
        for line in (crmcore.conversations.__doc__ or "").splitlines()
        if "``mark:" in line
    ]
    assert {kind.removeprefix("mark:") for kind in told} == set(MARKS)


def test_the_queue_is_told_with_position_and_wait() -> None:
    assert "next in line" in words("queued", {"position": 1, "wait_minutes": 4})
    assert "number 3" in words("queued", {"position": 3, "wait_minutes": 12})
    assert "12 min" in words("queued", {"position": 3, "wait_minutes": 12})


def test_the_opening_is_told_in_the_firms_own_time() -> None:
    summer = words("callback", {"opens_at": "2026-07-13T08:00:00+00:00"})
    assert "Monday, 13 July at 09:00" in summer


@pytest.mark.parametrize("tone", ["warm", "formal", "brisk"])
def test_the_greeting_names_the_assistant_and_says_what_it_is(tone: str) -> None:
    text = greeting(WORDING, "en", tone, "Melody", "Meridian").text
    assert "Melody" in text
    assert "Meridian" in text
    assert "digital assistant" in text
    assert "person" in text


@pytest.mark.parametrize("kind", [*(error.kind for error in BrainError.__subclasses__()), "interrupted"])
def test_every_failure_has_an_honest_sentence_and_a_person_to_ask(kind: str) -> None:
    sorry = apology(WORDING, "en", kind, 7)
    assert sorry.text.startswith("Sorry")
    assert len(sorry.buttons) == 2
    assert "person" in sorry.buttons[1][0]


def test_a_language_without_sentences_is_answered_in_english() -> None:
    assert WORDING.say("zh", "buttons.again") == WORDING.say("en", "buttons.again")


def test_every_sentence_of_the_file_is_used() -> None:
    """By its whole key, or by the part before its last dot where code chooses among several."""
    sources = "\n".join(path.read_text() for path in (ROOT / "web").rglob("*.py"))
    unused = {
        key
        for key in WORDING.known()
        if f'"{key}"' not in sources and f'f"{key.rsplit(".", 1)[0]}.{{' not in sources
    }
    assert unused == set()


def python_files() -> list[Path]:
    return sorted([*(ROOT / "web" / "gateway").glob("*.py"), ROOT / "web" / "live.py"])


@pytest.mark.parametrize("path", python_files(), ids=lambda path: path.name)
def test_no_sentence_for_customers_is_written_in_python(path: Path) -> None:
    """Whatever becomes a ``Reply(…)`` comes from the wording, never from a literal."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Reply":
            literal = [n for n in ast.walk(node.args[0]) if isinstance(n, ast.Constant | ast.JoinedStr)]
            keys = [n.value for n in literal if isinstance(n, ast.Constant) and isinstance(n.value, str)]
            assert all(" " not in key for key in keys), ast.unparse(node)


def test_the_placeholders_of_every_sentence_are_known() -> None:
    known = {
        "assistant", "firm", "name", "position", "wait_minutes", "opens_at",
        "weekday", "day", "month", "time", "text", "most",
    }  # fmt: skip
    for key in WORDING.known():
        values = dict.fromkeys(known, "x")
        fields = {
            field for _, field, _, _ in string.Formatter().parse(WORDING.say("en", key, **values)) if field
        }
        assert fields == set()


def test_what_is_shown_holds_nothing_internal() -> None:
    shown = shown_message(
        replace(a_mark("bot", {}), payload="/secret", sender_id="stf_1"), a_firm(), WORDING, "en"
    )
    assert set(shown) == {
        "seq", "client_id", "sender", "name", "kind", "text", "buttons", "at", "state",
    }  # fmt: skip
    assert "secret" not in str(shown)
    assert "stf_1" not in str(shown)
