"""The versions of the firm's catalogue; the newest is in service."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from crmcore.store.schema import firm_versions
from crmcore.store.statements import insert_once


@dataclass(frozen=True)
class FirmVersion:
    """A ``firm.yml`` text as it was applied."""

    version: int
    applied_at: datetime
    digest: str
    document: str


class Firms:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def newest(self) -> FirmVersion | None:
        query = select(firm_versions).order_by(firm_versions.c.version.desc()).limit(1)
        row = self._connection.execute(query).mappings().one_or_none()
        return None if row is None else FirmVersion(**row)

    def newest_version(self) -> int | None:
        """The number alone, for decisions to note."""
        query = select(firm_versions.c.version).order_by(firm_versions.c.version.desc()).limit(1)
        found: int | None = self._connection.execute(query).scalar_one_or_none()
        return found

    def by_digest(self, digest: str) -> FirmVersion | None:
        query = select(firm_versions).where(firm_versions.c.digest == digest)
        row = self._connection.execute(query).mappings().one_or_none()
        return None if row is None else FirmVersion(**row)

    def add(self, digest: str, document: str, now: datetime) -> bool:
        """Put a text into service; False when another process put one with this digest there just now."""
        values = {"applied_at": now, "digest": digest, "document": document}
        return insert_once(self._connection, firm_versions, values)
