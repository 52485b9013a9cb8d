"""Lists in pages: the parameters that every list has, and the shape of its answer."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict

from crmcore.paging import Page, Window, read_cursor, write_cursor
from web.api.fields import Cursor, Moment

MOST = 100
USUAL = 50

Limit = Annotated[int, Query(ge=1, le=MOST, description="Rows of one page.")]
After = Annotated[Cursor | None, Query(description="`next_cursor` of the page before.")]
Since = Annotated[
    Moment | None,
    Query(description="Only what changed at this moment or later; write the + of an offset as %2B."),
]


class Listed[Row](BaseModel):
    """One page, the oldest rows first. ``next_cursor`` is null on the last one."""

    model_config = ConfigDict(extra="forbid")
    data: list[Row]
    next_cursor: Cursor | None


def window(limit: int, cursor: str | None) -> Window:
    return Window(limit, read_cursor(cursor) if cursor is not None else None)


def listed[Row, Shown](page: Page[Row], show: Callable[[Row], Shown]) -> Listed[Shown]:
    return Listed(
        data=[show(row) for row in page.rows],
        next_cursor=write_cursor(page.next) if page.next is not None else None,
    )
