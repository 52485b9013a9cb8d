"""What the marketer chose, as it stands in the address."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Query

from crmcore.needs.board import BoardFilter

TIERS = ("MVC", "MGC", "core", "BZ", "unknown")
TIER_NAMES = {
    "MVC": "Most valuable",
    "MGC": "Most growable",
    "core": "Core",
    "BZ": "Below zero",
    "unknown": "Not known",
}
STATUSES = {
    "understood": "Not confirmed",
    "open": "Open",
    "met": "Met",
    "withdrawn": "Withdrawn",
    "contradicted": "Contradicted",
}
PERIODS = {"7": "Last 7 days", "30": "Last 30 days", "90": "Last 90 days", "365": "Last year"}
WEIGHTS = {"number": "Number of needs", "worth": "Worth of the customers", "growth": "What they could add"}

Weight = Literal["number", "worth", "growth"]


@dataclass(frozen=True)
class Filters:
    """An empty text does not restrict."""

    category: str = ""
    tier: str = ""
    status: str = ""
    period: str = ""
    text: str = ""
    by: Weight = "number"

    @property
    def is_restricted(self) -> bool:
        return any((self.category, self.tier, self.status, self.period, self.text))

    def board(self, now: datetime, verbatims_per_cell: int) -> BoardFilter:
        return BoardFilter(
            category=self.category or None,
            tier=self.tier or None,
            status=self.status or None,
            since=now - timedelta(days=int(self.period)) if self.period else None,
            text=self.text or None,
            verbatims_per_cell=verbatims_per_cell,
        )

    def address(self, path: str, **changed: Any) -> str:
        """The path with these filters, some of them changed; what does not restrict is left out."""
        wanted = {name: value for name, value in asdict(replace(self, **changed)).items() if value}
        if wanted.get("by") == "number":
            del wanted["by"]
        return f"{path}?{urlencode(wanted)}" if wanted else path


def filters(
    category: Annotated[str, Query(max_length=64)] = "",
    tier: Literal["", "MVC", "MGC", "core", "BZ", "unknown"] = "",
    status: Literal["", "understood", "open", "met", "withdrawn", "contradicted"] = "",
    period: Literal["", "7", "30", "90", "365"] = "",
    text: Annotated[str, Query(max_length=100)] = "",
    by: Weight = "number",
) -> Filters:
    return Filters(category, tier, status, period, text.strip(), by)
