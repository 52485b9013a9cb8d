"""Complaints."""

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from crmcore.complaints import Complaint
from crmcore.store.schema import complaints


class Complaints:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, complaint: Complaint) -> None:
        values = {column.name: getattr(complaint, column.name) for column in complaints.columns}
        self._connection.execute(insert(complaints).values(values))

    def by_source(self, source_key: str) -> Complaint | None:
        query = select(complaints).where(complaints.c.source_key == source_key)
        row = self._connection.execute(query).mappings().one_or_none()
        return None if row is None else Complaint(**row)

    def open_in(self, conversation_id: str) -> Complaint | None:
        """The open complaint of one conversation."""
        query = (
            select(complaints)
            .where(complaints.c.conversation_id == conversation_id, complaints.c.status == "open")
            .order_by(complaints.c.opened_at.desc())
            .limit(1)
        )
        row = self._connection.execute(query).mappings().one_or_none()
        return None if row is None else Complaint(**row)

    def of_customer(self, customer_id: str) -> list[Complaint]:
        """The newest first."""
        query = (
            select(complaints)
            .where(complaints.c.customer_id == customer_id)
            .order_by(complaints.c.opened_at.desc())
        )
        return [Complaint(**row) for row in self._connection.execute(query).mappings()]

    def extend(self, complaint_id: str, verbatim: str) -> None:
        self._connection.execute(
            update(complaints).where(complaints.c.complaint_id == complaint_id).values(verbatim=verbatim)
        )

    def attach(self, conversation_id: str, customer_id: str) -> None:
        """What a visitor complained about before he was known is his now."""
        self._connection.execute(
            update(complaints)
            .where(complaints.c.conversation_id == conversation_id, complaints.c.customer_id.is_(None))
            .values(customer_id=customer_id)
        )

    def resolve(self, complaint_id: str, now: datetime) -> bool:
        """False when it was resolved before."""
        result = self._connection.execute(
            update(complaints)
            .where(complaints.c.complaint_id == complaint_id, complaints.c.status == "open")
            .values(status="resolved", resolved_at=now)
        )
        return result.rowcount == 1
