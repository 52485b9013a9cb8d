"""The words with which shops say how far an order is."""

from collections.abc import Mapping
from typing import Literal

from crmcore.imports.errors import UnreadableValue, WrongMapping

ImportedStatus = Literal["placed", "shipped", "delivered", "cancelled", "returned"]

_BY_MEANING: dict[ImportedStatus, tuple[str, ...]] = {
    "placed": (
        "placed", "open", "new", "pending", "processing", "ordered", "created", "packed", "on hold",
    ),
    "shipped": ("shipped", "sent", "dispatched", "in transit", "on the way"),
    "delivered": ("delivered", "complete", "completed", "paid", "fulfilled", "closed", "done", "sale"),
    "cancelled": (
        "cancelled", "canceled", "cancellation", "void", "voided", "failed", "declined", "abandoned",
    ),
    "returned": ("returned", "return", "refunded", "refund", "credited", "chargeback"),
}  # fmt: skip
_WORDS = {word: status for status, words in _BY_MEANING.items() for word in words}


def read_status(text: str, own_words: Mapping[str, ImportedStatus]) -> ImportedStatus:
    """
    >>> read_status("Canceled", {}), read_status("Versandt", {"versandt": "shipped"})
    ('cancelled', 'shipped')
    """
    word = _plain(text)
    found = own_words.get(word) or _WORDS.get(word)
    if found is None:
        raise UnreadableValue(f"{text[:40]!r} is not known; say --status {text[:40]!r}=MEANING, with "
                              f"{', '.join(_BY_MEANING)}")  # fmt: skip
    return found


def read_own_words(pairs: Mapping[str, str]) -> dict[str, ImportedStatus]:
    """The operator's ``WORD=MEANING`` pairs, checked; raises WrongMapping."""
    found: dict[str, ImportedStatus] = {}
    for word, meaning in pairs.items():
        status = next((known for known in _BY_MEANING if known == meaning.lower()), None)
        if status is None:
            raise WrongMapping(f"--status {word}={meaning}: a meaning is one of {', '.join(_BY_MEANING)}")
        found[_plain(word)] = status
    return found


def _plain(word: str) -> str:
    return " ".join(word.casefold().replace("_", " ").replace("-", " ").split())
