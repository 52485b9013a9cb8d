"""What reading a need asks of a language: small protocols, so that English is only the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Level = Literal["low", "moderate", "high", "unlimited"]
Slot = Literal["budget", "quantity", "timing", "location", "purpose", "product", "attributes"]


@dataclass(frozen=True)
class Money:
    """An amount or a level that somebody would spend; ``currency`` only when he said it."""

    start: int
    end: int
    raw: str
    min: Decimal | None = None
    max: Decimal | None = None
    target: Decimal | None = None
    currency: str | None = None
    level: Level | None = None


@dataclass(frozen=True)
class When:
    """A stretch of text about time; the dates are the firm's days, None where they are open or unclear."""

    start: int
    end: int
    raw: str  # Without the preposition.
    bound: Literal["by", "from", "on"] = "on"
    earliest: date | None = None
    latest: date | None = None


@dataclass(frozen=True)
class Count:
    """How many; ``start == end`` when it was said by naming people ("just me")."""

    start: int
    end: int
    value: int


@dataclass(frozen=True)
class Phrases:
    """What the grammar of the sentence gives away, whatever the trade."""

    product: str | None = None
    attributes: tuple[str, ...] = ()
    purpose: str | None = None
    places: tuple[str, ...] = ()


class Recogniser(Protocol):
    """Finds the slots of one language in a text of bounded length; never raises on any text."""

    def asked_for(self, agent_turn: str) -> frozenset[Slot]:
        """What a question of the assistant asks for; empty when it is no question."""

    def money(self, text: str, asked: frozenset[Slot]) -> Money | None: ...

    def times(self, text: str, today: date, asked: frozenset[Slot]) -> tuple[When, ...]: ...

    def count(self, text: str, taken: Sequence[tuple[int, int]], asked: frozenset[Slot]) -> Count | None:
        """How many things or people; ``taken`` are stretches that say something else."""

    def phrases(self, text: str, taken: Sequence[tuple[int, int]], asked: frozenset[Slot]) -> Phrases: ...


class Embedder(Protocol):
    """Turns sentences into unit vectors whose dot product is a similarity of meaning."""

    def embed(self, texts: tuple[str, ...]) -> NDArray[np.float32]:
        """Shape (n, d); asking for the same tuple again is cheap."""


@dataclass(frozen=True)
class LanguageTools:
    """The tools of each language that the installation can read."""

    recognisers: Mapping[str, Recogniser]
    embedders: Mapping[str, Embedder]

    def recogniser(self, language: str) -> Recogniser:
        """The language's own, else the first one: an unread language must not stop a conversation."""
        return self.recognisers.get(language) or next(iter(self.recognisers.values()))

    def embedder(self, language: str) -> Embedder:
        return self.embedders.get(language) or next(iter(self.embedders.values()))
