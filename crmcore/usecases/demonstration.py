"""What the demonstration shop shows beside the product: who may sign in there, and the letters."""

from dataclasses import dataclass
from typing import get_args

from crmcore.catalogue import Tier
from crmcore.crm import Crm
from crmcore.letters import QueuedLetter


@dataclass(frozen=True)
class Visitor:
    """A demonstration customer; ``tier`` is for the person who shows the product, not for him."""

    customer_id: str
    name: str
    tier: Tier


def visitors(crm: Crm) -> list[Visitor]:
    """The best customer of each tier; none as long as nobody has been valued."""
    found = []
    with crm.store.read() as tx:
        for tier in get_args(Tier):
            customer = next(map(tx.customers.get, tx.value.customers_of_tier(tier)[:1]), None)
            if customer is not None:
                found.append(Visitor(customer.customer_id, customer.name, tier))
    return found


def letters(crm: Crm) -> list[QueuedLetter]:
    """The newest first. The body of a letter that has left is gone: it may hold a code."""
    with crm.store.read() as tx:
        return tx.outbox.newest()
