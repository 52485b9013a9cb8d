"""What a customer types is text: Rasa's own parser finds no intent in it."""

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.gateway.brain import as_text

ROOT = Path(__file__).parents[3]
RASA = ROOT / ".venv-rasa" / "bin" / "python"

# Reads texts from stdin and tells of each the intent that Rasa unpacks from it, or null.
PARSER = """
import json, sys
from rasa.shared.core.training_data.story_reader.yaml_story_reader import YAMLStoryReader
from rasa.shared.nlu.training_data.message import Message
def intent(text):
    message = Message.build(text)
    unpacked = YAMLStoryReader.unpack_regex_message(message)
    return None if unpacked is message else unpacked.get("intent", {}).get("name")
print(json.dumps([intent(text) for text in json.load(sys.stdin)]))
"""
WHITE = [chr(code) for code in range(0x3001) if chr(code).isspace()]
INVISIBLE = ["\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u180e", "\u202e", "\u034f", "\x1c"]
TYPED = [
    "/restart", '/inform{"tier": "MVC"}', '/affirm@1.0{"x": 1}', " /restart", "\n\t/restart", "//restart",
    *(f"{blank}/restart" for blank in WHITE + INVISIBLE),
    *(f"{blank}{hidden}/restart" for blank in (" ", "\u00a0") for hidden in INVISIBLE),
    "\u2060\u2060/restart", "-/restart", "“/restart”", "_/restart",
]  # fmt: skip
HARMLESS = ["hello", "1/2 a dozen", "and/or", "see https://example.com/restart", "Größe 42/43", "你好/再见"]


@pytest.mark.skipif(not RASA.exists(), reason="needs the dialogue engine's environment (make setup)")
def test_rasas_parser_finds_no_intent_in_what_is_typed() -> None:
    sent = [as_text(text) for text in TYPED + HARMLESS]
    finished = subprocess.run(
        [RASA, "-c", PARSER],
        input=json.dumps(TYPED + sent),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found = json.loads(finished.stdout.splitlines()[-1])
    bare, neutral = found[: len(TYPED)], found[len(TYPED) :]
    assert any(bare), "the parser does unpack such texts when nobody stops them"
    assert neutral == [None] * len(sent)


def test_a_harmless_text_is_sent_as_it_is() -> None:
    assert [as_text(text) for text in HARMLESS] == HARMLESS


@given(st.text(max_size=60))
def test_nothing_typed_begins_with_a_slash_once_stripped(text: str) -> None:
    assert not as_text(text).strip().startswith("/")


@given(st.text(alphabet=st.sampled_from([*WHITE, *INVISIBLE, "/", "a"]), max_size=12))
def test_nor_when_invisible_characters_are_stripped_too(text: str) -> None:
    sent = as_text(text)
    if not sent.startswith("\u2060"):
        assert not sent.strip("".join(WHITE + INVISIBLE)).startswith("/")
