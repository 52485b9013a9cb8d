"""A store that can go back in time, so that many schedules share their common beginning."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from crmcore.store.database import Store, raw_connection
from crmcore.store.transaction import Transaction


class RewindableStore(Store):
    """The real statements on a real SQLite database, inside one transaction that never commits.

    ``write()`` keeps its promise (all or nothing) with a savepoint, and ``branch()`` undoes everything
    that was written in its block.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._only = raw_connection(self)
        self._only.execute(text("BEGIN IMMEDIATE"))
        self._depth = 0

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        with self._savepoint(keep=True):
            yield Transaction(self._only)

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        yield Transaction(self._only)

    @contextmanager
    def branch(self) -> Iterator[None]:
        with self._savepoint(keep=False):
            yield

    @contextmanager
    def _savepoint(self, keep: bool) -> Iterator[None]:
        name = f"s{self._depth}"
        self._only.execute(text(f"SAVEPOINT {name}"))
        self._depth += 1
        try:
            yield
        except BaseException:
            self._only.execute(text(f"ROLLBACK TO {name}"))
            raise
        else:
            if not keep:
                self._only.execute(text(f"ROLLBACK TO {name}"))
        finally:
            self._depth -= 1
            self._only.execute(text(f"RELEASE {name}"))

    def dispose(self) -> None:
        self._only.rollback()
        self._only.close()
        super().dispose()
