"""Which articles of the catalogue a customer's words mean."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import SequenceMatcher

from crmcore.catalogue import NeedCategory, Product

_TYPO = 0.84  # Two words this alike count as one word mistyped.
_ENOUGH = 0.5  # The share of an article's name that must have been said.
# Words of names that many articles share and customers use for anything.
_COMMON = frozenset("the and with for set of in pair stereo black white new pro".split())


@dataclass(frozen=True)
class FoundProducts:
    """``certain``: these very articles were named; else they are of the kind that was named."""

    products: tuple[Product, ...]
    certain: bool


def find_products(
    text: str, language: str, products: Sequence[Product], needs: Sequence[NeedCategory], most: int = 4
) -> FoundProducts:
    """The articles named in the text, mistyped or not; else some of the kind named; else none.

    The cheapest of a kind come first, those in stock before the others.
    """
    said = _words(text)
    if not said:
        return FoundProducts((), certain=False)
    scores = {p.id: _named(p, language, said) for p in products}
    best = max(scores.values(), default=0.0)
    if best >= _ENOUGH:
        return FoundProducts(tuple(p for p in products if scores[p.id] == best)[:most], certain=True)
    kinds = [need.id for need in needs if _is_said(_words(need.name.get(language, "")), said)]
    kinds += [
        p.category for p in products if any(_is_said(_words(w), said) for w in p.words.get(language, ()))
    ]
    of_kind = sorted((p for p in products if p.category in kinds), key=lambda p: (not p.in_stock, p.price))
    return FoundProducts(tuple(of_kind[:most]), certain=False)


def of_category(
    products: Sequence[Product], category: str, ceiling: Decimal | None = None, most: int = 4
) -> tuple[Product, ...]:
    """Some articles of a category that cost at most ``ceiling``, those in stock and the cheapest first.

    When all of them cost more, the cheapest are still an answer.
    """
    all_of_it = sorted(
        (p for p in products if p.category == category), key=lambda p: (not p.in_stock, p.price)
    )
    within = [p for p in all_of_it if ceiling is None or p.price <= ceiling]
    return tuple((within or all_of_it)[:most])


_REFERS_BACK = re.compile(r"\b(?:it|its|it's|this|that|they|them|these|those)\b", re.IGNORECASE)


def refers_back(text: str) -> bool:
    """Whether an English question goes on about an article named before.

    >>> refers_back("whats the warranty on it"), refers_back("do you sell washing machines")
    (True, False)
    """
    return _REFERS_BACK.search(text) is not None


def closest(similarity: Mapping[str, float], products: Sequence[Product], least: float) -> Product | None:
    """The article nearest in meaning, when it is near enough."""
    nearest = max(products, key=lambda p: similarity.get(p.id, 0.0), default=None)
    return nearest if nearest is not None and similarity.get(nearest.id, 0.0) >= least else None


def _named(product: Product, language: str, said: Sequence[str]) -> float:
    """The share of the article's name that was said; a model number such as ``P-145`` is enough alone."""
    name = _words(product.name)
    if not name:
        return 0.0
    hits = [word for word in name if any(_alike(word, s) for s in said)]
    if any(any(c.isdigit() for c in word) and any(c.isalpha() for c in word) for word in hits):
        return 1.0
    share = len(hits) / len(name)
    # One common word of a long name says little; the maker's name alone says less than the model's.
    return share if len(hits) > 1 or len(name) == 1 else share / 2


def _is_said(words: Sequence[str], said: Sequence[str]) -> bool:
    return bool(words) and all(any(_alike(word, s) for s in said) for word in words)


def _alike(a: str, b: str) -> bool:
    if a == b or a == b.rstrip("s") or b == a.rstrip("s"):
        return True
    if min(len(a), len(b)) < 4 or any(c.isdigit() for c in a + b):
        return False
    return SequenceMatcher(None, a, b).ratio() >= _TYPO


def _words(text: str) -> list[str]:
    joined = re.sub(r"(?<=[A-Za-z])-(?=\d)", "", text.lower())  # P-145 is said as P145 too.
    return [w for w in re.findall(r"[^\W_]+", joined) if len(w) > 1 and w not in _COMMON]
