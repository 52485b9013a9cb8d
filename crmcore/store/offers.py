"""Offers as they were shown and answered."""

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, exists, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from crmcore.offers import OfferEvent, OfferStatus
from crmcore.paging import Page, Window
from crmcore.store.paging import equals, page_of
from crmcore.store.schema import offers


class Offers:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, event: OfferEvent) -> OfferEvent:
        """Keep a shown offer; one with the same source key that is there already stays and is returned."""
        dialect = sqlite if self._connection.dialect.name == "sqlite" else postgresql
        statement = dialect.insert(offers).values(vars(event))
        self._connection.execute(statement.on_conflict_do_nothing(index_elements=["source_key"]))
        return self.by_source(event.source_key) or event

    def by_source(self, source_key: str) -> OfferEvent | None:
        return self._one(offers.c.source_key == source_key)

    def get(self, offer_event_id: str) -> OfferEvent | None:
        return self._one(offers.c.offer_event_id == offer_event_id)

    def of_customer(self, customer_id: str) -> list[OfferEvent]:
        """The newest first."""
        query = select(offers).where(offers.c.customer_id == customer_id).order_by(offers.c.shown_at.desc())
        return [OfferEvent(**row) for row in self._connection.execute(query).mappings()]

    def listed(
        self,
        window: Window,
        customer_id: str | None,
        status: OfferStatus | None,
        updated_since: datetime | None,
    ) -> Page[OfferEvent]:
        """The oldest first; an offer changes when it is answered."""
        query = select(offers).where(*equals({offers.c.customer_id: customer_id, offers.c.status: status}))
        if updated_since is not None:
            query = query.where(func.coalesce(offers.c.answered_at, offers.c.shown_at) >= updated_since)
        at, row_id = offers.c.shown_at, offers.c.offer_event_id
        return page_of(self._connection, query, at, row_id, window, lambda row: OfferEvent(**row))

    def grant(self, offer_event_id: str, grant_key: str, now: datetime) -> bool:
        """Accept a shown offer; False when it was answered, or granted by another event, before.

        The unique key settles the race between two transactions; the savepoint keeps this one usable
        when it loses.
        """
        granted = exists().where(offers.c.grant_key == grant_key)
        statement = (
            update(offers)
            .where(offers.c.offer_event_id == offer_event_id, offers.c.status == "shown", ~granted)
            .values(status="accepted", grant_key=grant_key, answered_at=now)
        )
        try:
            with self._connection.begin_nested():
                return self._connection.execute(statement).rowcount == 1
        except IntegrityError:
            return False

    def decline(self, offer_event_id: str, now: datetime) -> bool:
        statement = (
            update(offers)
            .where(offers.c.offer_event_id == offer_event_id, offers.c.status == "shown")
            .values(status="declined", answered_at=now)
        )
        return self._connection.execute(statement).rowcount == 1

    def _one(self, condition: ColumnElement[bool]) -> OfferEvent | None:
        row = self._connection.execute(select(offers).where(condition)).mappings().one_or_none()
        return None if row is None else OfferEvent(**row)
