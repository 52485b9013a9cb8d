"""Setups for offers: a customer to whom one may be made, unless the test says otherwise."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import insert

from crmcore.conversations import Conversation, Reply, Turn
from crmcore.crm import Crm
from crmcore.needs.values import Need
from crmcore.offers import OfferInputs, OpenNeed
from crmcore.store import schema
from crmcore.store.database import raw_connection
from crmcore.usecases import conversations as talk
from tests.builders import a_firm, a_turn, number
from tests.needs.builders import a_read_need

NOW = datetime(2026, 3, 11, 10, 0, tzinfo=UTC)


def a_wish(category: str = "turntable", confidence: float = 1.0) -> OpenNeed:
    return OpenNeed(f"need_{category}", category, f"a {category}", confidence)


def inputs(**changes: Any) -> OfferInputs:
    """A calm, verified core customer with consent who told us of a turntable."""
    usual = OfferInputs(
        now=NOW,
        today=NOW.date(),
        verified=True,
        mood="neutral",
        open_case=None,
        open_complaint=False,
        complaint_resolved_at=None,
        tier="core",
        value_as_of=date(2026, 3, 10),
        stale_after_days=30,
        consents=("offers",),
        needs=(a_wish(),),
        history=(),
        catalogue=a_firm().offers,
        policy=a_firm().offer_policy,
    )
    return replace(usual, **changes)


def consents(crm: Crm, customer_id: str, *purposes: str) -> None:
    connection = raw_connection(crm.store)
    for purpose in purposes:
        connection.execute(
            insert(schema.consents).values(
                customer_id=customer_id, purpose=purpose, granted=True, decided_at=crm.clock(), source="test"
            )
        )
    connection.commit()
    connection.close()


def an_open_need(crm: Crm, customer_id: str, category: str = "turntable") -> str:
    need_id = f"need_{number()}"
    with crm.store.write() as tx:
        tx.needs.add(
            Need(
                need_id=need_id,
                customer_id=customer_id,
                conversation_id=None,
                source_key=f"test:{need_id}",
                read=a_read_need(category, product=f"good {category}", confidence=1.0),
                provenance="declared",
                status="open",
                stated_at=crm.clock(),
                confirmed_at=crm.clock(),
                updated_at=crm.clock(),
            )
        )
    return need_id


def next_turn(crm: Crm, conversation: Conversation, done: Turn, text: str = "yes") -> Turn:
    talk.finish_turn(crm, done, [Reply("and?")])
    return a_turn(crm, conversation, text)
