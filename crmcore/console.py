"""What a marketer sees: needs by category and tier, weighted by value, in words without persons."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from crmcore.needs.board import NeedsBoard


@dataclass(frozen=True)
class CellWorth:
    """The customers behind one cell of the board, each counted once; money in minor units."""

    category: str
    tier: str
    customers: int
    clv_minor: int
    potential_minor: int


@dataclass(frozen=True)
class NeedsReport:
    """``customers`` and the two sums count each customer once over all cells."""

    board: NeedsBoard
    worth: tuple[CellWorth, ...]
    customers: int
    clv_minor: int
    potential_minor: int
    value_as_of: date | None  # None: nobody has been scored yet.
    state: str  # Differs whenever a need was added or changed.


_PERSONAL = (
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "[e-mail]"),
    (re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b"), "[account]"),
    (re.compile(r"\b[A-Z]{1,4}-\d{3,}\b"), "[order]"),
    # Six digits and more, also in groups: telephone and card numbers. Prices and years stay.
    (re.compile(r"(?<![\w.,:-])\+?\(?\d(?:[ ()/-]{0,2}\d){5,}(?!\w)"), "[number]"),
    (
        re.compile(
            r"(?i)\b\d+[a-z]?,? (?:\w+['’]?\w* ){1,3}(?:street|st|road|rd|avenue|ave|lane|row|square|drive)\b"
        ),
        "[address]",
    ),
    (re.compile(r"(?i)\b(my name is|my name's|i am called) \w+(?: [A-Z]\w+)?"), r"\1 [name]"),
)
_SHORTEST_NAME = 3  # "Al" is also half of "all right"; longer parts of a name are safe to mask as words.


def mask_personal(text: str, names: Iterable[str] = ()) -> str:
    """The text without what points at a person: the reader's question is the need, not who has it.

    >>> mask_personal("I am Ruth, ring +353 1 555 0142 or ruth@example.com", ["Ruth Okafor"])
    'I am [name], ring [number] or [e-mail]'
    >>> mask_personal("two speakers under 900 euros before 2027")
    'two speakers under 900 euros before 2027'
    """
    for pattern, replacement in _PERSONAL:
        text = pattern.sub(replacement, text)
    parts = {part for name in names for part in re.findall(r"\w+", name) if len(part) >= _SHORTEST_NAME}
    for part in sorted(parts, key=len, reverse=True):
        text = re.sub(rf"(?i)\b{re.escape(part)}\b", "[name]", text)
    return text
