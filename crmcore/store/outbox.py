"""Letters to be sent. The body may hold a code, so it is deleted once the letter is on its way."""

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from crmcore.letters import Letter, QueuedLetter
from crmcore.store.schema import outbox


class Outbox:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, letter: Letter, now: datetime) -> int:
        """The number of the new letter."""
        statement = (
            insert(outbox)
            .values(
                kind=letter.kind,
                recipient=letter.recipient,
                subject=letter.subject,
                body=letter.body,
                created_at=now,
            )
            .returning(outbox.c.outbox_id)
        )
        return int(self._connection.execute(statement).scalar_one())

    def get(self, outbox_id: int) -> QueuedLetter | None:
        query = select(outbox).where(outbox.c.outbox_id == outbox_id)
        row = self._connection.execute(query).mappings().one_or_none()
        return None if row is None else QueuedLetter(**row)

    def newest(self, limit: int = 50) -> list[QueuedLetter]:
        """Sent or not, the newest first: what the demonstration shows."""
        query = select(outbox).order_by(outbox.c.outbox_id.desc()).limit(limit)
        return [QueuedLetter(**row) for row in self._connection.execute(query).mappings()]

    def mark_sent(self, outbox_id: int, now: datetime) -> bool:
        """False when another process had sent it."""
        result = self._connection.execute(
            update(outbox)
            .where(outbox.c.outbox_id == outbox_id, outbox.c.sent_at.is_(None))
            .values(sent_at=now, body="")
        )
        return result.rowcount == 1
