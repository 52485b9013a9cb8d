"""What a method says of a customer, with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Provenance = Literal["declared", "estimated", "unknown"]


@dataclass(frozen=True)
class Finding[Kind: str]:
    """``kind`` is None while nothing is known. ``why`` is for staff, one English sentence."""

    kind: Kind | None
    why: str
    provenance: Provenance
