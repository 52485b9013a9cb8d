"""A working morning in the shop: customers with a history, some waiting, some with the assistant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Table, insert, update

from crmcore.catalogue import Tier
from crmcore.conversations import Conversation, Reply
from crmcore.crm import Crm
from crmcore.store import schema
from crmcore.store.database import raw_connection
from crmcore.tiers import Reason, store_reason
from crmcore.usecases import conversations as talk
from crmcore.usecases.escalation import request_person
from tests.builders import a_conversation, a_customer, a_turn, client_id, number
from tests.staff.office import Office


@dataclass(frozen=True)
class Morning:
    """The conversations of the scene by what is going on in them."""

    complaining: Conversation  # MVC, verified, upset, waiting the longest.
    leaving: Conversation  # MGC, verified, wants to cancel the club.
    stranger: Conversation  # Not verified.
    chatting: Conversation  # Still with the assistant.


def put(crm: Crm, table: Table, **values: Any) -> None:
    """Write a row that no use case of ours writes."""
    with raw_connection(crm.store) as connection:
        connection.execute(insert(table).values(**values))
        connection.commit()


def change(crm: Crm, conversation: Conversation, **values: Any) -> None:
    with raw_connection(crm.store) as connection:
        key = schema.conversations.c.conversation_id == conversation.conversation_id
        connection.execute(update(schema.conversations).where(key).values(**values))
        connection.commit()


def worth(crm: Crm, customer_id: str, tier: Tier, clv: int, potential: int, why: Reason) -> None:
    """Give an already scored customer these figures, in minor units."""
    snapshots = schema.value_snapshots
    reasons = [store_reason(why)]
    with raw_connection(crm.store) as connection:
        connection.execute(
            update(snapshots)
            .where(snapshots.c.customer_id == customer_id)
            .values(tier=tier, clv_minor=clv, potential_minor=potential, reasons=reasons)
        )
        connection.execute(update(schema.value_runs).values(model_version="bgnbd-1 gamma-gamma-1"))
        connection.commit()


def a_need(crm: Crm, category: str, verbatim: str, **values: Any) -> str:
    """A need of a customer, or of a conversation whose visitor is unknown."""
    need_id = f"need_{number()}"
    now = crm.clock()
    defaults = {"status": "open", "provenance": "declared", "confidence": 0.93, "stated_at": now}
    row = {**defaults, **values, "need_id": need_id, "category": category, "verbatim": verbatim}
    put(crm, schema.needs, source_key=f"test:{need_id}", updated_at=now, **row)
    return need_id


def history(crm: Crm, customer_id: str) -> None:
    """Orders, the club, consents and contacts."""
    now = crm.clock()
    bought = [
        (9, 64_900, "shipped", "Rega Planar 2"),
        (58, 12_750, "delivered", "Kind of Blue"),
        (140, 38_900, "delivered", "Sennheiser HD 600"),
    ]
    for days, amount, status, product in bought:
        ordered = now - timedelta(days=days)
        due = (ordered + timedelta(days=3)).date()
        put(
            crm, schema.orders, order_id=f"AB-{20417 + number()}", customer_id=customer_id,
            ordered_at=ordered, amount_minor=amount, currency="EUR", status=status,
            expected_on=due, delivered_on=due if status == "delivered" else None,
            items=[{"product": product, "quantity": 1, "amount_minor": amount}],
        )  # fmt: skip
    put(
        crm, schema.contracts, contract_id=f"con_{number()}", customer_id=customer_id, product="encore-club",
        started_on=date(2024, 9, 2), renews_on=date(2026, 4, 2), fee_minor=690, currency="EUR",
    )  # fmt: skip
    for purpose, granted in (("offers", True), ("contact", True), ("profiling", True), ("research", False)):
        put(
            crm, schema.consents, customer_id=customer_id, purpose=purpose, granted=granted,
            decided_at=now - timedelta(days=200), source="import",
        )  # fmt: skip
    for kind, value in (("email", "ines.marchetti@example.com"), ("phone", "+353 1 555 0188")):
        put(
            crm, schema.contacts, contact_id=f"ct_{number()}", customer_id=customer_id, kind=kind,
            value=value, normalized=value, current=True, changed_at=now,
        )  # fmt: skip


def says(crm: Crm, conversation: Conversation, *lines: str) -> None:
    """Alternately the customer and the assistant, the customer first; a last odd line stays unanswered."""
    for at in range(0, len(lines) - 1, 2):
        turn = a_turn(crm, conversation, lines[at])
        talk.finish_turn(crm, turn, [Reply(lines[at + 1])])
    if len(lines) % 2:
        talk.receive(crm, conversation.conversation_id, client_id(), lines[-1])


def a_morning(office: Office) -> Morning:
    crm, clock = office.crm, office.clock
    ana = office.members["Ana"]
    top = Reason("value_in_top_share", Decimal(1842), Decimal(1105))
    grow = Reason("potential_in_top_share", Decimal(1260), Decimal(980))
    ines = a_customer(crm, "Inês Marchetti", manager=ana, tier="MVC")
    worth(
        crm,
        ines,
        "MVC",
        184_200,
        61_000,
        top,
    )
    history(crm, ines)
    tomas = a_customer(crm, "Tomás Doyle", tier="MGC")
    worth(
        crm,
        tomas,
        "MGC",
        41_300,
        126_000,
        grow,
    )
    a_need(
        crm, "turntable", "I want something quiet for late evenings, nothing too fiddly", customer_id=ines,
        product="Rega Planar 3", attributes={"handling": "automatic"}, quantity=1,
        purpose="late-evening listening", budget={"max_minor": 90_000, "currency": "EUR", "raw": "under 900"},
        timing={"raw": "before Easter", "earliest": None, "latest": "2026-04-05"}, confirmed_at=clock(),
    )  # fmt: skip
    a_need(
        crm, "lessons", "my daughter would like to start with the violin in autumn", customer_id=ines,
        confidence=0.78, status="understood", stated_at=clock() - timedelta(days=41),
    )  # fmt: skip
    a_need(crm, "keyboard", "a stage piano I can carry alone", customer_id=tomas)

    clock.advance(minutes=-16)
    complaining = a_conversation(crm, ines)
    says(
        crm, complaining,
        "hi, my turntable arrived on saturday and the platter is scratched",
        "I am sorry to hear that, Inês. Is it order AB-20418, the Rega Planar 2?",
        "yes. this is the second time something arrives damaged",
        "I have noted your complaint as C-7F3Q. Shall I arrange a replacement, or would you like a person?",
        "I want to talk to somebody, not to a robot",
        "Of course. I am fetching a colleague.",
    )  # fmt: skip
    change(crm, complaining, mood="upset", open_case="complaint")
    put(
        crm, schema.complaints, complaint_id=f"cmp_{number()}", reference="C-7F3Q", customer_id=ines,
        conversation_id=complaining.conversation_id, source_key=f"test:{number()}", status="open",
        verbatim="my turntable arrived on saturday and the platter is scratched", opened_at=clock(),
    )  # fmt: skip
    request_person(crm, complaining.conversation_id)
    clock.advance(minutes=9)
    leaving = a_conversation(crm, tomas)
    says(
        crm,
        leaving,
        "how do I cancel the club?",
        "I can do that for you. May I ask what made you decide?",
        "not using it",
    )
    change(crm, leaving, open_case="cancelling")
    request_person(crm, leaving.conversation_id)
    clock.advance(minutes=4)
    stranger = a_conversation(crm)
    says(
        crm,
        stranger,
        "do you repair accordions",
        "Our workshop repairs strings, guitars and record players.",
        "and who does?",
    )
    a_need(
        crm,
        "workshop",
        "do you repair accordions",
        conversation_id=stranger.conversation_id,
        status="understood",
        confidence=0.61,
    )
    request_person(crm, stranger.conversation_id)
    clock.advance(minutes=3)
    chatting = a_conversation(crm, a_customer(crm, "Ruth Okafor"))
    says(crm, chatting, "when will my records come", "Your order AB-20399 is due on Friday, 13 March.")
    put(
        crm, schema.callbacks, callback_id="cb_1", conversation_id=chatting.conversation_id,
        source_key="test:callback", contact="+353 1 555 0117", preferred_at="tomorrow after lunch",
        promised_by=clock() + timedelta(hours=20), status="promised", created_at=clock() - timedelta(hours=2),
    )  # fmt: skip
    return Morning(complaining, leaving, stranger, chatting)
