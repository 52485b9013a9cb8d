"""One page of a table, in the order of a moment and an identifier."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, RowMapping, Select, and_, or_

from crmcore.paging import Page, Place, Window


def page_of[Row](
    connection: Connection,
    query: Select[Any],
    at: Column[Any],
    row_id: Column[Any],
    window: Window,
    read: Callable[[RowMapping], Row],
) -> Page[Row]:
    """The rows of the query after the window's place; one more is read, to see whether there are more."""
    if window.after is not None:
        later = and_(at == window.after.at, row_id > window.after.row_id)
        query = query.where(or_(at > window.after.at, later))
    found = connection.execute(query.order_by(at, row_id).limit(window.limit + 1)).mappings().all()
    shown = found[: window.limit]
    more = len(found) > len(shown)
    last = Place(shown[-1][at.name], shown[-1][row_id.name]) if more else None
    return Page([read(row) for row in shown], last)


def equals(wanted: Mapping[Column[Any], object]) -> list[ColumnElement[bool]]:
    """One condition for each column that has something to be equal to."""
    return [column == value for column, value in wanted.items() if value is not None]
