"""Setups for needs: language tools with a fake embedder, and needs in words."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crmcore.language.recognise_en import EnglishRecogniser
from crmcore.needs.language import LanguageTools
from crmcore.needs.values import Budget, Need, ReadNeed

A_FRIDAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class WordEmbedder:
    """A second, honest embedder: texts are near when they share words. It needs no model."""

    def embed(self, texts: tuple[str, ...]) -> NDArray[np.float32]:
        vectors = np.zeros((len(texts), 4096), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in set(text.lower().replace("?", " ").replace(",", " ").split()):
                if len(word) > 3:
                    stem = word.removesuffix("s")
                    vectors[row, sum(ord(c) * 31**i for i, c in enumerate(stem)) % 4096] = 1.0
        length = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        return np.asarray(vectors / length, dtype=np.float32)


def fake_tools() -> LanguageTools:
    return LanguageTools({"en": EnglishRecogniser()}, {"en": WordEmbedder()})


def a_read_need(category: str = "turntable", **says: Any) -> ReadNeed:
    return ReadNeed(**{"verbatim": f"i need a {category}", "category": category, "confidence": 0.8, **says})


def a_need(
    category: str = "turntable", *, status: str = "understood", need_id: str = "need_1", **says: Any
) -> Need:
    kept: Mapping[str, Any] = {"probes": says.pop("probes", ())}
    return Need(
        need_id=need_id,
        customer_id="cus_1",
        conversation_id="cnv_1",
        source_key=f"test:{need_id}",
        read=a_read_need(category, **says),
        provenance="declared",
        status=status,  # type: ignore[arg-type]
        stated_at=NOON,
        confirmed_at=None,
        updated_at=NOON,
        **kept,
    )


def up_to(amount: str) -> Budget:
    from decimal import Decimal

    return Budget(f"up to {amount}", max=Decimal(amount), currency="EUR")
