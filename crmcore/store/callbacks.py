"""Call-backs that were promised, and whether the promise was kept."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from crmcore.escalation import Callback
from crmcore.store.schema import callbacks
from crmcore.store.statements import insert_once


class Callbacks:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, callback: Callback) -> Callback:
        """Store it; a call-back with the same source key stays, and is returned."""
        insert_once(self._connection, callbacks, vars(callback))
        query = select(callbacks).where(callbacks.c.source_key == callback.source_key)
        return Callback(**self._connection.execute(query).mappings().one())

    def get(self, callback_id: str) -> Callback | None:
        return self._one(select(callbacks).where(callbacks.c.callback_id == callback_id))

    def open_of(self, conversation_id: str) -> Callback | None:
        return self._one(
            select(callbacks)
            .where(callbacks.c.conversation_id == conversation_id, callbacks.c.status != "kept")
            .order_by(callbacks.c.created_at.desc(), callbacks.c.callback_id)
            .limit(1)
        )

    def open(self) -> list[Callback]:
        """What is still owed, the nearest promise first."""
        query = select(callbacks).where(callbacks.c.status != "kept").order_by(callbacks.c.promised_by)
        return [Callback(**row) for row in self._connection.execute(query).mappings()]

    def set_contact(self, callback_id: str, contact: str, preferred_at: str) -> None:
        self._set(callback_id, contact=contact, preferred_at=preferred_at)

    def mark_overdue(self, callback_id: str) -> bool:
        """False when it was kept in time or is overdue already."""
        statement = update(callbacks).where(
            callbacks.c.callback_id == callback_id, callbacks.c.status == "promised"
        )
        return self._connection.execute(statement.values(status="overdue")).rowcount == 1

    def mark_kept(self, callback_id: str, staff_id: str, now: datetime) -> bool:
        """False when somebody had kept it before."""
        statement = update(callbacks).where(
            callbacks.c.callback_id == callback_id, callbacks.c.status != "kept"
        )
        values = {"status": "kept", "kept_at": now, "kept_by": staff_id}
        return self._connection.execute(statement.values(values)).rowcount == 1

    def _one(self, query: Any) -> Callback | None:
        row = self._connection.execute(query).mappings().one_or_none()
        return None if row is None else Callback(**row)

    def _set(self, callback_id: str, **values: Any) -> None:
        statement = update(callbacks).where(callbacks.c.callback_id == callback_id)
        self._connection.execute(statement.values(**values))
