"""A decision on record: what was decided, why, from which inputs and by which version of the rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

DecisionKind = Literal["tier", "offer", "escalation"]


@dataclass(frozen=True)
class Decision:
    """``inputs`` hold all that the pure function was given, so that a replay needs nothing else."""

    decision_id: str
    kind: DecisionKind
    customer_id: str | None
    conversation_id: str | None
    outcome: str
    reasons: tuple[str, ...]
    inputs: Mapping[str, Any]
    model_version: str
    firm_version: int | None
    decided_at: datetime
