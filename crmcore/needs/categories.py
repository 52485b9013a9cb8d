"""Which category of the firm's catalogue a text speaks of, by meaning and without training.

The catalogue's own words (names, examples in customers' words, products and attribute words) are
embedded once; a text belongs to the category whose nearest words are nearest to it. A text that is
near to nothing gets no category. Method and thresholds: ``docs/methods/needs.md``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from crmcore.catalogue import NeedCategory, Product
from crmcore.firm import Firm
from crmcore.needs.language import Embedder

NEAR_ENOUGH = 0.45  # A cosine below this is no category; chosen on our own test texts, see the method.
_SLOPE = 9.0  # How fast confidence rises with the cosine above the threshold, and
_MARGIN_SLOPE = 12.0  # with the distance to the second category.


@dataclass(frozen=True)
class Match:
    """The best category, or None; ``confidence`` in [0, 1] that this answer is right."""

    category: str | None
    confidence: float


def match_category(text: str, product: str | None, firm: Firm, language: str, embedder: Embedder) -> Match:
    """The category whose words are nearest to the whole text or to the product that it names."""
    whole, whole_of = _sentences(firm, language)
    things, things_of = _things(firm, language)
    order = [n.id for n in firm.needs]
    scores = np.zeros(len(order))
    sentence = _best(embedder, text, whole, whole_of, len(order))
    if product:
        thing = _best(embedder, product, things, things_of, len(order))
        scores = np.maximum(0.5 * sentence + 0.5 * thing, 0.92 * thing)
    else:
        scores = np.maximum(sentence, 0.9 * _best(embedder, text, things, things_of, len(order)))
    ranked = np.argsort(-scores)
    best = float(scores[ranked[0]])
    margin = best - float(scores[ranked[1]]) if len(order) > 1 else 1.0
    confidence = float(_sigmoid(_SLOPE * (best - NEAR_ENOUGH)) * _sigmoid(_MARGIN_SLOPE * margin + 0.5))
    if best < NEAR_ENOUGH:
        return Match(None, float(_sigmoid(_SLOPE * (NEAR_ENOUGH - best))))
    return Match(order[int(ranked[0])], confidence)


def _best(
    embedder: Embedder, text: str, words: tuple[str, ...], owners: tuple[int, ...], count: int
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """For each category the cosine of its nearest words; shape (count,)."""
    cosines = embedder.embed(words) @ embedder.embed((text,))[0]
    best = np.full(count, -1.0)
    np.maximum.at(best, np.asarray(owners), cosines.astype(np.float64))
    return best


def _sentences(firm: Firm, language: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    found = [
        (example, index)
        for index, need in enumerate(firm.needs)
        for example in (*need.examples.get(language, ()), need.name.get(language, need.id))
    ]
    return tuple(t for t, _ in found), tuple(i for _, i in found)


def _things(firm: Firm, language: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    found: dict[str, int] = {}
    said = Counter(
        word for n in firm.needs for a in n.attributes for v in a.values for word in v.words.get(language, ())
    )
    shared = frozenset(word for word, times in said.items() if times > 1)  # These tell no categories apart.
    for index, need in enumerate(firm.needs):
        for word in (*_category_words(need, shared, language), *_product_words(firm, need, language)):
            found.setdefault(word, index)
    return tuple(found), tuple(found.values())


def _category_words(need: NeedCategory, shared: frozenset[str], language: str) -> list[str]:
    name = need.name.get(language, need.id)
    words = [name]
    for attribute in need.attributes:
        for value in attribute.values:
            words.append(f"{value.name.get(language, value.id)} {name}")
            words += [f"{word} {name}" for word in value.words.get(language, ()) if word not in shared]
    return words


def _product_words(firm: Firm, need: NeedCategory, language: str) -> list[str]:
    def words(product: Product) -> tuple[str, ...]:
        return (product.about.get(language, product.name), *product.words.get(language, ()))

    return [word for product in firm.products if product.category == need.id for word in words(product)]


def _sigmoid(x: float) -> float:
    return float(1.0 / (1.0 + np.exp(-x)))
