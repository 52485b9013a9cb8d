"""What serving a customer costs is booked where it happens, so that scoring learns it."""

from datetime import datetime
from decimal import Decimal

from crmcore.firm import Firm
from crmcore.ids import new_id
from crmcore.money import to_minor
from crmcore.service_costs import CostKind, ServiceCost
from crmcore.store.transaction import Transaction


def book_cost(
    tx: Transaction, firm: Firm, customer_id: str, kind: CostKind, price: Decimal, now: datetime
) -> None:
    """Book one cost in the transaction of what caused it, which happens once."""
    amount = to_minor(price, firm.currency)
    tx.service_costs.add(ServiceCost(new_id("cost"), customer_id, now, kind, amount, firm.currency))
