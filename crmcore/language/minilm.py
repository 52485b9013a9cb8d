"""The embedder of English: MiniLM sentence vectors, the same that the dialogue's understanding uses."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from understanding import minilm


class MiniLMEmbedder:
    """See :class:`crmcore.needs.language.Embedder`; the model is read at the first use."""

    def embed(self, texts: tuple[str, ...]) -> NDArray[np.float32]:
        return _embed(texts)


@lru_cache(maxsize=256)
def _embed(texts: tuple[str, ...]) -> NDArray[np.float32]:
    vectors: NDArray[np.float32] = minilm.load().encode(texts)
    vectors.setflags(write=False)
    return vectors
