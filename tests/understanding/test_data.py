"""The training examples: enough of them, none in two intents, none held out."""

import json
import re
from collections import Counter
from pathlib import Path

from ruamel.yaml import YAML

from cli.nlu_measures import CORE
from understanding.typos import mistype

ROOT = Path(__file__).parents[2]
ALSO = (
    "cancel_order report_problem ask_payment_options ask_store_info contact_preference opt_out_contact "
    "ask_help identify inform correct abort ask_why serious_matter ask_data_rights"
).split()


def examples() -> list[tuple[str, str]]:
    found = []
    for path in sorted((ROOT / "data" / "nlu").glob("*.yml")):
        for block in YAML(typ="safe").load(path)["nlu"]:
            for line in block["examples"].splitlines() if "intent" in block else ():
                found.append(
                    (block["intent"], re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", line.removeprefix("- ")))
                )
    return found


def plain(text: str) -> str:
    return re.sub(r"[^\w]+", " ", text.lower()).strip()


def test_every_intent_has_at_least_forty_examples() -> None:
    counts = Counter(intent for intent, _ in examples())
    assert set(counts) == {*CORE, *ALSO}
    assert {i: n for i, n in counts.items() if n < 40} == {}
    assert counts["out_of_scope"] >= 150


def test_no_example_belongs_to_two_intents() -> None:
    intents: dict[str, set[str]] = {}
    for intent, text in examples():
        intents.setdefault(text.lower(), set()).add(intent)
    assert {t: i for t, i in intents.items() if len(i) > 1} == {}


def test_no_held_out_sentence_is_trained_on() -> None:
    trained = {plain(text) for _, text in examples()}
    for path in (ROOT / "data" / "heldout").glob("*.jsonl"):
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        # A bare "yes" may be in both; a sentence may not.
        seen = [r["text"] for r in rows if plain(r["text"]) in trained and len(r["text"].split()) >= 3]
        assert seen == []


def test_a_mistyped_copy_is_the_same_for_the_same_seed_and_differs_from_the_sentence() -> None:
    sentences = [text for _, text in examples() if len(text.split()) >= 4]
    first, again = mistype(sentences, seed=3), mistype(sentences, seed=3)
    assert first == again
    assert sum(a != b for a, b in zip(sentences, first, strict=True)) > 0.6 * len(sentences)


def test_mistyping_leaves_an_empty_sentence_empty() -> None:
    assert mistype(["", "  "]) == ["", ""]
