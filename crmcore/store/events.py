"""What happened, written in the transaction in which it happened."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, exists, insert, select

from crmcore.events import Event, EventKind
from crmcore.ids import new_id
from crmcore.store.schema import events, webhook_deliveries

# Built once: an order may wait for it.
_ADD = insert(events).returning(events.c.event_id, sort_by_parameter_order=True)


class Events:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, kind: EventKind, at: datetime, told: Sequence[Mapping[str, Any]]) -> list[int]:
        """The rising numbers of the new events, in the order of ``told``, which is not empty."""
        rows = [{"webhook_id": new_id("evt"), "kind": kind, "at": at, "facts": dict(facts)} for facts in told]
        return list(self._connection.execute(_ADD, rows).scalars())

    def get(self, event_id: int) -> Event | None:
        row = self._connection.execute(select(events).where(events.c.event_id == event_id)).mappings().first()
        return None if row is None else Event(**row)

    def after(self, event_id: int, limit: int = 1_000) -> list[Event]:
        """Those of a higher number, in order."""
        query = select(events).where(events.c.event_id > event_id).order_by(events.c.event_id).limit(limit)
        return [Event(**row) for row in self._connection.execute(query).mappings()]

    def forget_before(self, moment: datetime) -> None:
        """Drop what was told long ago; an event that still waits, or that nobody took, stays."""
        mine = webhook_deliveries.c.event_id == events.c.event_id
        told = webhook_deliveries.c.status == "delivered"
        old = select(events.c.event_id).where(events.c.at < moment)
        self._connection.execute(
            delete(webhook_deliveries).where(told, webhook_deliveries.c.event_id.in_(old))
        )
        self._connection.execute(delete(events).where(events.c.at < moment, ~exists().where(mine)))
