"""What went wrong, counted by kind for the operator."""

from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select

from crmcore.store.schema import incidents


class Incidents:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, kind: str, now: datetime, conversation_id: str | None = None, detail: str = "") -> None:
        """Count one; ``detail`` is cut at 400 characters and never holds a customer's words."""
        self._connection.execute(
            insert(incidents).values(kind=kind, at=now, conversation_id=conversation_id, detail=detail[:400])
        )

    def forget_before(self, moment: datetime) -> None:
        self._connection.execute(delete(incidents).where(incidents.c.at < moment))

    def counts_since(self, moment: datetime) -> dict[str, int]:
        query = (
            select(incidents.c.kind, func.count()).where(incidents.c.at >= moment).group_by(incidents.c.kind)
        )
        return {row[0]: row[1] for row in self._connection.execute(query)}

    def count(self, kind: str, conversation_id: str, detail: str) -> int:
        query = select(func.count()).where(
            incidents.c.kind == kind,
            incidents.c.conversation_id == conversation_id,
            incidents.c.detail == detail,
        )
        return int(self._connection.execute(query).scalar_one())
