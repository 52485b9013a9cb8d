"""Reading a long list in pages: a place in it that survives inserts, written as an opaque text.

Lists are ordered by a moment that never changes and by an identifier. A page begins after the last row of
the one before, so rows that come in meanwhile neither repeat nor hide what was there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 12, 31, tzinfo=UTC)
_MOMENT_BYTES = 8
CURSOR_PATTERN = "^([0-9a-f]{2}){9,264}$"


@dataclass(frozen=True)
class Place:
    """Just after the row of this moment and identifier."""

    at: datetime
    row_id: str


@dataclass(frozen=True)
class Window:
    """At most ``limit`` rows after a place; from the beginning when there is none."""

    limit: int
    after: Place | None = None


@dataclass(frozen=True)
class Page[Row]:
    """``next`` is None on the last page."""

    rows: list[Row]
    next: Place | None


def write_cursor(place: Place) -> str:
    """The place as hexadecimal digits.

    >>> write_cursor(Place(_EPOCH + timedelta(microseconds=1), "A"))
    '000000000000000141'
    """
    moment = (place.at - _EPOCH) // timedelta(microseconds=1)
    return (max(moment, 0).to_bytes(_MOMENT_BYTES) + place.row_id.encode()).hex()


def read_cursor(cursor: str) -> Place:
    """The place; ``cursor`` matches ``CURSOR_PATTERN``. A made-up one is a place like any other.

    >>> read_cursor("000000000000000141").row_id
    'A'
    """
    written = bytes.fromhex(cursor)
    moment = int.from_bytes(written[:_MOMENT_BYTES])
    most = (_LAST - _EPOCH) // timedelta(microseconds=1)
    row_id = written[_MOMENT_BYTES:].decode(errors="replace").replace("\0", "")
    return Place(_EPOCH + timedelta(microseconds=min(moment, most)), row_id)
