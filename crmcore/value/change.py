"""What moved a customer's value between two moments, in parts that add up to the cent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

Cause = Literal[
    "late_rows",
    "time_passing",
    "orders_and_returns",
    "service_costs",
    "parameters_and_terms",
    "changed_afterwards",
    "another_model_version",
]
WORDS: dict[Cause, str] = {
    "late_rows": "rows of the time before that came, or were changed, later",
    "time_passing": "days that passed, with nothing new",
    "orders_and_returns": "new orders and returns",
    "service_costs": "new service costs",
    "parameters_and_terms": "new parameters, firm-wide figures and terms",
    "changed_afterwards": "rows that were changed after the second moment",
    "another_model_version": "another version of the model valued him, so the parts cannot be told apart",
}


@dataclass(frozen=True)
class Moved:
    """One cause, and by how much it moved the actual value."""

    cause: Cause
    amount: Decimal


@dataclass(frozen=True)
class ValueChange:
    """Actual value (clv) before and after, and the causes in the order in which they were counted; ``moved``
    adds up to the difference. Potential moves by its own sources, needs among them. Money in ``currency``."""

    since: date
    until: date
    before: Decimal
    after: Decimal
    moved: tuple[Moved, ...]
    declared_potential: Decimal
    estimated_potential: Decimal
    tier_before: str
    tier_after: str
    currency: str
