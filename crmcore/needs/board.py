"""What the marketer sees of needs: how many by category and tier, in whose words."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class BoardFilter:
    """Every part that is None does not restrict; ``tier`` may be ``unknown``; ``until`` is not included."""

    category: str | None = None
    tier: str | None = None
    status: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    verbatims_per_cell: int = 50


@dataclass(frozen=True)
class BoardCell:
    category: str
    tier: str  # "unknown" for visitors and customers without a value.
    count: int


@dataclass(frozen=True)
class BoardRow:
    """One need with its evidence."""

    need_id: str
    customer_id: str | None
    customer_name: str | None
    conversation_id: str | None
    category: str
    tier: str
    product: str | None
    verbatim: str
    status: str
    confidence: float
    stated_at: datetime


@dataclass(frozen=True)
class NeedsBoard:
    """``rows`` hold the newest of each cell, the newest first; ``total`` and the cells count them all."""

    total: int
    cells: tuple[BoardCell, ...]
    rows: tuple[BoardRow, ...]
