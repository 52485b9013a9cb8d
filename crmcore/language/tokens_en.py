"""Words with their places in the text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_TOKEN = re.compile(r"[^\W_]+(?:['’\-/][^\W_]+)*|[^\w\s]", re.UNICODE)


@dataclass(frozen=True)
class Token:
    text: str
    low: str
    start: int
    end: int
    taken: bool  # It belongs to an amount, a time, a count or a place.
    measured: bool = False  # It belongs to a specification such as "queen size".

    @property
    def is_word(self) -> bool:
        return self.text[0].isalnum()


def tokens(
    text: str, taken: Sequence[tuple[int, int]], measured: Sequence[tuple[int, int]] = ()
) -> list[Token]:
    return [
        Token(
            m[0],
            m[0].lower().replace("’", "'"),
            m.start(),
            m.end(),
            any(start <= m.start() < end for start, end in taken),
            any(start <= m.start() < end for start, end in measured),
        )
        for m in _TOKEN.finditer(text)
    ]


def joined(text: str, part: Sequence[Token]) -> str:
    """The stretch of text from the first to the last of these tokens."""
    return text[part[0].start : part[-1].end] if part else ""
