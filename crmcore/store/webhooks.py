"""Receivers of events, and what is on its way to each of them."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from crmcore.events import Event, EventKind
from crmcore.store.schema import events, webhook_deliveries, webhook_endpoints
from crmcore.webhooks import Delivery, Endpoint, Parcel, known_kinds

_DELIVERY = tuple(column for column in webhook_deliveries.c if column.name != "created_at")

_SUBSCRIBERS = select(webhook_endpoints.c.endpoint_id, webhook_endpoints.c.events).where(
    webhook_endpoints.c.disabled_at.is_(None)
)


class Webhooks:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # --- endpoints ---

    def add_endpoint(self, endpoint: Endpoint) -> None:
        values = {**vars(endpoint), "events": list(endpoint.events)}
        self._connection.execute(insert(webhook_endpoints).values(values))

    def endpoint(self, endpoint_id: str) -> Endpoint | None:
        return self._endpoint(endpoint_id, for_update=False)

    def locked_endpoint(self, endpoint_id: str) -> Endpoint | None:
        """Held until the transaction ends, so that two results are counted one after the other."""
        return self._endpoint(endpoint_id, for_update=True)

    def endpoints(self) -> list[Endpoint]:
        """The oldest first."""
        order = (webhook_endpoints.c.created_at, webhook_endpoints.c.endpoint_id)
        rows = self._connection.execute(select(webhook_endpoints).order_by(*order)).mappings()
        return [_read_endpoint(row) for row in rows]

    def save_endpoint(self, endpoint: Endpoint) -> None:
        values = {**vars(endpoint), "events": list(endpoint.events)}
        statement = update(webhook_endpoints).where(webhook_endpoints.c.endpoint_id == endpoint.endpoint_id)
        self._connection.execute(statement.values(values))

    def remove_endpoint(self, endpoint_id: str) -> None:
        """With everything that was on its way there."""
        mine = webhook_deliveries.c.endpoint_id == endpoint_id
        self._connection.execute(delete(webhook_deliveries).where(mine))
        self._connection.execute(
            delete(webhook_endpoints).where(webhook_endpoints.c.endpoint_id == endpoint_id)
        )

    def subscribed(self, kind: EventKind) -> list[str]:
        """The ids of the endpoints that get this kind."""
        return [row.endpoint_id for row in self._connection.execute(_SUBSCRIBERS) if kind in row.events]

    # --- deliveries ---

    def add_delivery(self, endpoint_id: str, event_id: int, now: datetime) -> Delivery:
        statement = (
            insert(webhook_deliveries)
            .values(endpoint_id=endpoint_id, event_id=event_id, status="waiting", created_at=now)
            .returning(*_DELIVERY)
        )
        return Delivery(**self._connection.execute(statement).mappings().one())

    def parcel(self, delivery_id: int) -> Parcel | None:
        return next(iter(self._parcels(webhook_deliveries.c.delivery_id == delivery_id)), None)

    def save_delivery(self, delivery: Delivery) -> None:
        statement = update(webhook_deliveries).where(webhook_deliveries.c.delivery_id == delivery.delivery_id)
        self._connection.execute(statement.values(vars(delivery)))

    def dead(self, endpoint_id: str | None = None) -> list[Parcel]:
        """What nobody took, the oldest first."""
        mine = [] if endpoint_id is None else [webhook_deliveries.c.endpoint_id == endpoint_id]
        return self._parcels(webhook_deliveries.c.status == "dead", *mine)

    def give_up_waiting(self, endpoint_id: str, why: str) -> int:
        """Whatever waits for this endpoint is dead; returns how many."""
        result = self._connection.execute(
            update(webhook_deliveries)
            .where(webhook_deliveries.c.endpoint_id == endpoint_id, webhook_deliveries.c.status == "waiting")
            .values(status="dead", last_error=why)
        )
        return result.rowcount

    def counts(self) -> dict[tuple[str, str], int]:
        """How many deliveries there are by endpoint and status."""
        key = (webhook_deliveries.c.endpoint_id, webhook_deliveries.c.status)
        rows = self._connection.execute(select(*key, func.count()).group_by(*key))
        return {(row[0], row[1]): row[2] for row in rows}

    def _parcels(self, *conditions: ColumnElement[bool]) -> list[Parcel]:
        chosen = select(*_DELIVERY).where(*conditions).order_by(webhook_deliveries.c.delivery_id)
        deliveries = [Delivery(**row) for row in self._connection.execute(chosen).mappings()]
        numbers = select(webhook_deliveries.c.event_id).where(*conditions)
        told = self._connection.execute(select(events).where(events.c.event_id.in_(numbers))).mappings()
        by_number = {row["event_id"]: Event(**row) for row in told}
        endpoints = {endpoint.endpoint_id: endpoint for endpoint in self.endpoints()}
        return [Parcel(one, endpoints[one.endpoint_id], by_number[one.event_id]) for one in deliveries]

    def _endpoint(self, endpoint_id: str, *, for_update: bool) -> Endpoint | None:
        query = select(webhook_endpoints).where(webhook_endpoints.c.endpoint_id == endpoint_id)
        row = self._connection.execute(query.with_for_update() if for_update else query).mappings().first()
        return None if row is None else _read_endpoint(row)


def _read_endpoint(row: Any) -> Endpoint:
    return replace(Endpoint(**row), events=known_kinds(row["events"]))
