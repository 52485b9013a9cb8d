"""Sentence embeddings: the same numbers everywhere, whatever the text."""

import json
import subprocess

import numpy as np
import pytest

from serve.training import RASA_PYTHON, rasa_environment
from understanding import minilm

SENTENCES = [
    "That is a happy person",
    "That is a very happy person",
    "Today is a sunny day",
    "wheres my parcel",
]
STRANGE = ["", "   ", "🎸🎸🎸", "我想退货", "\ud800", "a" * 200_000, "word " * 50_000, "\x00\u202e<b>"]


def test_similar_sentences_get_the_cosine_that_the_models_authors_publish() -> None:
    # The model card of all-MiniLM-L6-v2 gives 0.943 for this pair, to three places.
    happy, very_happy, sunny = minilm.load().encode(SENTENCES[:3])
    assert happy @ very_happy == pytest.approx(0.943, abs=0.001)
    assert happy @ sunny < 0.4


def test_a_sentence_has_the_same_vector_alone_and_in_a_batch() -> None:
    together = minilm.load().encode(
        [*SENTENCES, "a much longer sentence that needs padding for all the others " * 3]
    )
    alone = np.concatenate([minilm.load().encode([s]) for s in SENTENCES])
    np.testing.assert_allclose(together[:4], alone, atol=1e-5)


@pytest.mark.parametrize("text", STRANGE, ids=range(len(STRANGE)))
def test_any_text_becomes_a_finite_unit_vector(text: str) -> None:
    (vector,) = minilm.load().encode_depths([text])
    assert np.isfinite(vector).all()
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-4)


def test_a_very_long_text_counts_no_further_than_its_bound() -> None:
    start = "where is my parcel " * 200
    first, second = minilm.load().encode([start, start + "and now something completely different " * 5000])
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_no_texts_give_an_empty_array() -> None:
    assert minilm.load().encode([]).shape == (0, 384)


def test_the_meanings_inside_the_depths_are_those_of_encode() -> None:
    depths = minilm.load().encode_depths(SENTENCES)
    np.testing.assert_allclose(minilm.meanings(depths), minilm.load().encode(SENTENCES), atol=1e-5)


def test_both_pythons_compute_the_same_vectors() -> None:
    program = (
        "import json, sys; from understanding import minilm; "
        "print(json.dumps(minilm.load().encode(json.load(sys.stdin)).tolist()))"
    )
    run = subprocess.run(
        [str(RASA_PYTHON), "-c", program],
        input=json.dumps(SENTENCES), capture_output=True, text=True, check=True, env=rasa_environment(),
    )  # fmt: skip
    np.testing.assert_allclose(np.array(json.loads(run.stdout)), minilm.load().encode(SENTENCES), atol=1e-5)
