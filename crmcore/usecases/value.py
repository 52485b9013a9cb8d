"""Reading one customer's value, and who has a tier."""

from __future__ import annotations

from crmcore.crm import Crm
from crmcore.tiers import Tier
from crmcore.value.card import ValueCard, card_of


def value_card(crm: Crm, customer_id: str) -> ValueCard | None:
    """The published value of a customer; None while he has none."""
    with crm.store.read() as tx:
        found = tx.value.current(customer_id)
    if found is None:
        return None
    today = crm.firm.today(crm.clock())
    return card_of(*found, today=today, stale_after_days=crm.firm.value.stale_after_days)


def customers_of_tier(crm: Crm, tier: Tier) -> list[str]:
    """The customers who have this tier now, by value, the best first."""
    with crm.store.read() as tx:
        return tx.value.customers_of_tier(tier)
