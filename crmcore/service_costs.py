"""What serving a customer cost: contacts, returns, discounts, service."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

CostKind = Literal["contact", "return", "discount", "service"]


@dataclass(frozen=True)
class ServiceCost:
    """One row of ``service_costs``; the amount is in minor units of ``currency``."""

    cost_id: str
    customer_id: str
    incurred_at: datetime
    kind: CostKind
    amount_minor: int
    currency: str
