"""Statements that SQLite and PostgreSQL spell differently."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_once(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless a unique key of it is taken; False when it was. Two racers get one row."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table).values(dict(values)).on_conflict_do_nothing()
    # The row comes back only when it was inserted; not every driver counts rows of an INSERT.
    return connection.execute(statement.returning(*table.primary_key)).first() is not None
