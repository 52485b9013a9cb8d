"""Whole numbers as PostgreSQL gets them: of so few types that every statement is soon prepared."""

from typing import Any

from psycopg import Connection
from psycopg.adapt import PyFormat
from psycopg.types.numeric import Int4Dumper, IntDumper
from sqlalchemy import event
from sqlalchemy.engine import Engine


def send_whole_numbers_alike(engine: Engine) -> None:
    """Without it psycopg sends a number as smallint, integer or bigint, whichever is the least that holds it.

    A statement is prepared for the types it came with, and a snapshot has a dozen amounts: of hundreds of
    variants most would never be prepared, and PostgreSQL would parse and plan the statement each time.
    """

    @event.listens_for(engine, "connect")
    def _prepare(connection: Connection[Any], _record: object) -> None:
        connection.adapters.register_dumper(int, _WholeNumber)


class _WholeNumber(IntDumper):
    """An integer, or what psycopg takes for a number beyond."""

    _small = Int4Dumper(int)

    def get_key(self, obj: Any, format: PyFormat) -> Any:
        return _WholeNumber if _is_small(obj) else super().get_key(obj, format)

    def upgrade(self, obj: Any, format: PyFormat) -> Any:
        return self._small if _is_small(obj) else super().upgrade(obj, format)


def _is_small(number: int) -> bool:
    return -(2**31) <= number < 2**31
