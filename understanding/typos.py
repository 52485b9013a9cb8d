"""Misspell sentences the way hurried people do, to train on.

Each sentence yields one mistyped copy, always the same for the same seed: letters left out, doubled,
swapped or hit on the neighbouring key, and the short forms of text messages.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

# On an English keyboard, what lies beside each letter.
_BESIDE = {
    "a": "qsz", "b": "vn", "c": "xv", "d": "sfe", "e": "wrd", "f": "dgr", "g": "fht", "h": "gjn", "i": "uok",
    "j": "hku", "k": "jli", "l": "ko", "m": "nj", "n": "bmh", "o": "ipl", "p": "ol", "q": "wa", "r": "etf",
    "s": "adw", "t": "ryg", "u": "yij", "v": "cb", "w": "qes", "x": "zc", "y": "tuh", "z": "xa",
}  # fmt: skip
_SHORT = {
    "about": "abt", "and": "n", "are": "r", "because": "cos", "before": "b4", "for": "4", "have": "hv",
    "people": "ppl", "please": "pls", "thanks": "thx", "the": "d", "to": "2", "want": "wnt", "what": "wat",
    "with": "wid", "you": "u", "your": "ur",
}  # fmt: skip
# One word in three is touched, at least one; a short form is taken at this chance where there is one.
_TOUCHED = 0.3
_SHORTENED = 0.3
_SHORTEST = 4


def mistype(sentences: Sequence[str], seed: int = 0) -> list[str]:
    """One mistyped copy of each sentence; a sentence without a long enough word may come back as it is."""
    chance = random.Random(seed)  # noqa: S311 -- nothing here is secret
    return [_mistype(s, chance) for s in sentences]


def _mistype(sentence: str, chance: random.Random) -> str:
    words = sentence.split()
    for _ in range(max(1, round(len(words) * _TOUCHED)) if words else 0):
        place = chance.randrange(len(words))
        word = words[place]
        if word.lower() in _SHORT and chance.random() < _SHORTENED:
            words[place] = _SHORT[word.lower()]
        elif len(word) >= _SHORTEST and word.isalpha():
            words[place] = _slip(word, chance)
    return " ".join(words)


def _slip(word: str, chance: random.Random) -> str:
    # The first letter is seldom wrong, so it stays.
    at = chance.randrange(1, len(word))
    kind = chance.choice(("drop", "swap", "beside", "double"))
    if kind == "drop":
        return word[:at] + word[at + 1 :]
    if kind == "swap" and at + 1 < len(word):
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == "beside":
        return word[:at] + chance.choice(_BESIDE.get(word[at].lower(), word[at])) + word[at + 1 :]
    return word[:at] + word[at] + word[at:]
