"""The one-time codes that were sent, as digests."""

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from crmcore.identify import TRIES, SentCode
from crmcore.store.schema import verification_codes as codes


class VerificationCodes:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, code: SentCode) -> None:
        values = {column.name: getattr(code, column.name) for column in codes.columns}
        self._connection.execute(insert(codes).values(values))

    def get(self, code_id: str) -> SentCode | None:
        row = (
            self._connection.execute(select(codes).where(codes.c.code_id == code_id)).mappings().one_or_none()
        )
        return None if row is None else SentCode(**row)

    def latest(self, conversation_id: str) -> SentCode | None:
        """The only code of the conversation that counts: a newer one replaces it."""
        query = (
            select(codes)
            .where(codes.c.conversation_id == conversation_id)
            .order_by(codes.c.created_at.desc(), codes.c.code_id.desc())
            .limit(1)
        )
        row = self._connection.execute(query).mappings().one_or_none()
        return None if row is None else SentCode(**row)

    def sent_to_conversation(self, conversation_id: str, since: datetime) -> list[datetime]:
        query = select(codes.c.created_at).where(
            codes.c.conversation_id == conversation_id, codes.c.created_at > since
        )
        return list(self._connection.execute(query).scalars())

    def sent_to_contact(self, contact_digest: str, since: datetime) -> list[datetime]:
        query = select(codes.c.created_at).where(
            codes.c.contact_digest == contact_digest, codes.c.created_at > since
        )
        return list(self._connection.execute(query).scalars())

    def count_attempt(self, code_id: str) -> bool:
        """One more wrong try; settled by the statement, so parallel tries cannot share a count."""
        result = self._connection.execute(
            update(codes)
            .where(codes.c.code_id == code_id, codes.c.attempts < TRIES, codes.c.used_at.is_(None))
            .values(attempts=codes.c.attempts + 1)
        )
        return result.rowcount == 1

    def use(self, code_id: str, now: datetime) -> bool:
        """Spend the code; False when it was spent before."""
        result = self._connection.execute(
            update(codes).where(codes.c.code_id == code_id, codes.c.used_at.is_(None)).values(used_at=now)
        )
        return result.rowcount == 1
