"""Keys of other programs; a digest leaves this table for one comparison only."""

from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, or_, select, update

from crmcore.api_keys import ApiKey
from crmcore.store.schema import api_keys

_COLUMNS = tuple(api_keys.c[field.name] for field in fields(ApiKey))


class ApiKeys:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, key: ApiKey, digest: str) -> None:
        values = {column.name: getattr(key, column.name) for column in _COLUMNS}
        values["scopes"] = list(key.scopes)
        self._connection.execute(insert(api_keys).values(digest=digest, **values))

    def all(self) -> list[ApiKey]:
        """The oldest first."""
        query = select(*_COLUMNS).order_by(api_keys.c.created_at, api_keys.c.key_id)
        return [_key(row) for row in self._connection.execute(query)]

    def living(self, name_or_id: str) -> ApiKey | None:
        """The key of this name or id that was not revoked."""
        query = select(*_COLUMNS).where(
            api_keys.c.revoked_at.is_(None),
            or_(api_keys.c.name == name_or_id, api_keys.c.key_id == name_or_id),
        )
        row = self._connection.execute(query).first()
        return None if row is None else _key(row)

    def with_digest(self, key_id: str) -> tuple[ApiKey, str] | None:
        row = self._connection.execute(
            select(*_COLUMNS, api_keys.c.digest).where(api_keys.c.key_id == key_id)
        ).one_or_none()
        return None if row is None else (_key(row), row.digest)

    def revoke(self, key_id: str, now: datetime) -> None:
        self._set(key_id, revoked_at=now)

    def touch(self, key_id: str, now: datetime) -> None:
        self._set(key_id, last_used_at=now)

    def _set(self, key_id: str, **values: datetime) -> None:
        self._connection.execute(update(api_keys).where(api_keys.c.key_id == key_id).values(**values))


def _key(row: Any) -> ApiKey:
    values = {column.name: getattr(row, column.name) for column in _COLUMNS}
    return ApiKey(**values | {"scopes": tuple(values["scopes"])})
