"""Escalations: from the request for a person to the end of his work, and the facts that route them."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, and_, func, select, update

from crmcore.escalation import Escalation, EscalationStatus, WaitingCustomer
from crmcore.paging import Page, Window
from crmcore.store.customers import shown_name
from crmcore.store.paging import equals, page_of
from crmcore.store.schema import (
    conversations,
    current_values,
    customers,
    escalations,
    value_snapshots,
)
from crmcore.store.statements import insert_once
from crmcore.store.value import current_snapshot

OPEN: tuple[EscalationStatus, ...] = ("requested", "waiting", "active", "callback")


class Escalations:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, escalation: Escalation) -> Escalation:
        """Store it; an escalation with the same source key stays, and is returned."""
        insert_once(self._connection, escalations, vars(escalation))
        query = select(escalations).where(escalations.c.source_key == escalation.source_key)
        return Escalation(**self._connection.execute(query).mappings().one())

    def by_source(self, source_key: str) -> Escalation | None:
        return self._one(select(escalations).where(escalations.c.source_key == source_key))

    def open_of(self, conversation_id: str, *statuses: EscalationStatus) -> Escalation | None:
        """The conversation's newest escalation in one of these states; without any, not at its end."""
        return self._one(
            select(escalations)
            .where(
                escalations.c.conversation_id == conversation_id, escalations.c.status.in_(statuses or OPEN)
            )
            .order_by(escalations.c.requested_at.desc(), escalations.c.escalation_id.desc())
            .limit(1)
        )

    def of_conversation(self, conversation_id: str) -> list[Escalation]:
        query = (
            select(escalations)
            .where(escalations.c.conversation_id == conversation_id)
            .order_by(escalations.c.requested_at)
        )
        return [Escalation(**row) for row in self._connection.execute(query).mappings()]

    def listed(
        self,
        window: Window,
        customer_id: str | None,
        status: EscalationStatus | None,
        updated_since: datetime | None,
    ) -> Page[Escalation]:
        """The oldest first; an escalation changes when it is asked for, claimed and ended."""
        table = escalations.c
        query = select(escalations).where(*equals({table.customer_id: customer_id, table.status: status}))
        if updated_since is not None:
            changed = func.coalesce(table.ended_at, table.claimed_at, table.requested_at)
            query = query.where(changed >= updated_since)
        at, row_id = table.requested_at, table.escalation_id
        return page_of(self._connection, query, at, row_id, window, lambda row: Escalation(**row))

    def start_waiting(self, escalation_id: str, assigned_to: str | None) -> None:
        """It waits for an account manager: for this one, or for the first who is free."""
        self._set(escalation_id, status="waiting", assigned_to=assigned_to, claimed_at=None, claimed_by=None)

    def start_callback(self, escalation_id: str) -> None:
        self._set(escalation_id, status="callback")

    def claim_all(self, conversation_id: str, staff_id: str, now: datetime) -> list[Escalation]:
        """Whatever was open in the conversation is now in this person's hands; returns that."""
        values = {"status": "active", "assigned_to": staff_id, "claimed_by": staff_id, "claimed_at": now}
        return self._change_open(conversation_id, values)

    def resolve_all(self, conversation_id: str, now: datetime) -> list[Escalation]:
        """Whatever was open in the conversation is over; returns that."""
        return self._change_open(conversation_id, {"status": "resolved", "ended_at": now})

    def waiting(self, values_since: date) -> list[WaitingCustomer]:
        """Everybody in the queue. Values observed before ``values_since`` count as unknown."""
        waits = and_(
            escalations.c.conversation_id == conversations.c.conversation_id,
            escalations.c.status == "waiting",
        )
        query = (
            select(
                conversations,
                escalations.c.escalation_id,
                escalations.c.reason,
                escalations.c.summary,
                escalations.c.requested_at,
                shown_name().label("name"),
                value_snapshots.c.tier,
                value_snapshots.c.observed_until,
            )
            .select_from(conversations)
            .outerjoin(escalations, waits)
            .outerjoin(customers, customers.c.customer_id == conversations.c.customer_id)
            .outerjoin(current_values, current_values.c.customer_id == conversations.c.customer_id)
            .outerjoin(value_snapshots, current_snapshot())
            .where(conversations.c.owner_kind == "queue")
        )
        return [
            WaitingCustomer(
                conversation_id=row.conversation_id,
                escalation_id=row.escalation_id,
                customer_id=row.customer_id,
                customer_name=row.name,
                verified=row.verified_at is not None,
                tier=row.tier
                if row.verified_at is not None and row.observed_until and row.observed_until >= values_since
                else None,
                open_case=row.open_case,
                mood=row.mood,
                cause=row.reason or "request",
                summary=row.summary or "",
                waiting_since=row.requested_at or row.last_message_at,
            )
            for row in self._connection.execute(query)
        ]

    def loads(self) -> dict[str, int]:
        """How many conversations each account manager holds now."""
        query = (
            select(conversations.c.owner_id, func.count())
            .where(conversations.c.owner_kind == "account_manager")
            .group_by(conversations.c.owner_id)
        )
        return {row[0]: row[1] for row in self._connection.execute(query)}

    def _change_open(self, conversation_id: str, values: dict[str, Any]) -> list[Escalation]:
        statement = (
            update(escalations)
            .where(escalations.c.conversation_id == conversation_id, escalations.c.status.in_(OPEN))
            .values(values)
            .returning(escalations)
        )
        found = [Escalation(**row) for row in self._connection.execute(statement).mappings()]
        return sorted(found, key=lambda one: (one.requested_at, one.escalation_id))

    def _one(self, query: Any) -> Escalation | None:
        row = self._connection.execute(query).mappings().one_or_none()
        return None if row is None else Escalation(**row)

    def _set(self, escalation_id: str, **values: Any) -> None:
        statement = update(escalations).where(escalations.c.escalation_id == escalation_id)
        self._connection.execute(statement.values(**values))
