"""Setups in words: a firm, a clock, customers, people and conversations."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from sqlalchemy import insert

from crmcore.catalogue import Tier
from crmcore.conversations import Conversation, LeasedTurn, Reply
from crmcore.crm import Crm
from crmcore.firm import Firm, load_firm
from crmcore.staff import StaffMember
from crmcore.store import schema
from crmcore.store.database import Store, raw_connection
from crmcore.usecases import conversations as talk

ROOT = Path(__file__).resolve().parent.parent
OPEN_HOURS = datetime(2026, 3, 11, 10, 0, tzinfo=UTC)  # A Wednesday morning in Dublin.
NIGHT = datetime(2026, 3, 11, 22, 0, tzinfo=UTC)

_numbers = count(1)


@dataclass
class Clock:
    """A clock that moves only when a test says so."""

    now: datetime = OPEN_HOURS

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **units: float) -> datetime:
        self.now += timedelta(**units)
        return self.now


@cache
def a_firm() -> Firm:
    """The demonstration firm, as ``firm.yml`` describes it."""
    return load_firm(ROOT / "firm.yml")


def a_crm(store: Store, clock: Clock | None = None, language: Any = MappingProxyType({})) -> Crm:
    """An installation on this store. It reads no language unless the test brings the tools."""
    return Crm(
        store=store, firm=a_firm(), language=cast(Any, language), secret=b"s" * 32, clock=clock or Clock()
    )


def number() -> int:
    """A number that no other setup of this run has."""
    return next(_numbers)


def client_id() -> str:
    return f"c-{number()}"


def a_staff_member(
    crm: Crm, name: str = "Anna Berg", *, on_duty: bool = True, present: bool = True, capacity: int = 4
) -> StaffMember:
    """An account manager; on duty and at the desk unless the test says otherwise."""
    member = StaffMember(
        staff_id=f"stf_{number()}",
        name=name,
        email=f"person{number()}@example.com",
        role="account_manager",
        on_duty=on_duty,
        last_seen_at=crm.clock() if present else None,
        capacity=capacity,
    )
    with crm.store.write() as tx:
        tx.staff.add(member, "no password")
    return member


def at_the_desk(crm: Crm, member: StaffMember) -> StaffMember:
    """The account manager's workspace was heard of just now."""
    with crm.store.write() as tx:
        tx.staff.set_last_seen(member.staff_id, crm.clock())
    return replace(member, last_seen_at=crm.clock())


def a_customer(
    crm: Crm,
    name: str = "Ken Ito",
    *,
    manager: StaffMember | None = None,
    tier: Tier | None = None,
    observed_until: date | None = None,
) -> str:
    """A customer's id; with a tier he has a published value of today (or of ``observed_until``)."""
    customer_id = f"cus_{number()}"
    now = crm.clock()
    with _raw(crm.store) as connection:
        connection.execute(
            insert(schema.customers).values(
                customer_id=customer_id,
                name=name,
                language="en",
                account_manager_id=manager.staff_id if manager else None,
                created_at=now,
            )
        )
        if tier is not None:
            run_id = f"run_{number()}"
            connection.execute(
                insert(schema.value_runs).values(
                    run_id=run_id,
                    model_version="test",
                    observed_until=observed_until or now.date(),
                    scored_at=now,
                    horizon_days=365,
                    currency="EUR",
                    parameters={},
                    published=True,
                )
            )
            connection.execute(
                insert(schema.value_snapshots).values(
                    customer_id=customer_id,
                    run_id=run_id,
                    observed_until=observed_until or now.date(),
                    scored_at=now,
                    frequency=3,
                    recency=200.0,
                    T=300.0,
                    monetary_value=80.0,
                    p_alive=0.9,
                    expected_purchases=2.0,
                    clv_minor=50_000,
                    cost_to_serve_minor=2_000,
                    p_below_zero=0.01,
                    tier=tier,
                    reasons=[{"code": "test"}],
                )
            )
            connection.execute(insert(schema.current_values).values(customer_id=customer_id, run_id=run_id))
    return customer_id


def a_conversation(crm: Crm, customer_id: str | None = None) -> Conversation:
    """A new conversation with the bot; verified when it has a customer."""
    return talk.open_conversation(crm, "web", f"vis_{number()}", "en", customer_id)


def a_message(crm: Crm, conversation: Conversation, text: str = "hello") -> int:
    """The customer writes; returns the message's id."""
    return talk.receive(crm, conversation.conversation_id, client_id(), text).message.id


def a_turn(crm: Crm, conversation: Conversation, text: str = "hello") -> LeasedTurn:
    """The customer writes and the bot begins to answer."""
    a_message(crm, conversation, text)
    turn = talk.next_turn(crm, conversation.conversation_id, "test")
    assert turn is not None, "the bot has nothing to answer"
    return turn


def answered(crm: Crm, conversation: Conversation, text: str = "hello", reply: str = "Good morning.") -> None:
    """The customer writes and the bot answers."""
    talk.finish_turn(crm, a_turn(crm, conversation, text), [Reply(reply)])


def _raw(store: Store) -> Any:
    return _Committed(store)


class _Committed:
    """A bare connection whose statements are committed: setups may write what no use case does."""

    def __init__(self, store: Store) -> None:
        self._connection = raw_connection(store)

    def __enter__(self) -> Any:
        return self._connection

    def __exit__(self, kind: object, error: object, at: object) -> None:
        if kind is None:
            self._connection.commit()
        self._connection.close()
