"""Half-written replies of account managers, so that a reload or a restart costs nobody a sentence."""

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from crmcore.store.schema import drafts


class Drafts:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save(self, conversation_id: str, staff_id: str, text: str, now: datetime) -> None:
        """Keep the draft in place of the one before; an empty text removes it."""
        self.remove(conversation_id, staff_id)
        if text:
            self._connection.execute(
                insert(drafts).values(
                    conversation_id=conversation_id, staff_id=staff_id, text=text, saved_at=now
                )
            )

    def get(self, conversation_id: str, staff_id: str) -> str:
        """The draft, or an empty text."""
        query = select(drafts.c.text).where(
            drafts.c.conversation_id == conversation_id, drafts.c.staff_id == staff_id
        )
        return self._connection.execute(query).scalar_one_or_none() or ""

    def remove(self, conversation_id: str, staff_id: str) -> None:
        self._connection.execute(
            delete(drafts).where(drafts.c.conversation_id == conversation_id, drafts.c.staff_id == staff_id)
        )
