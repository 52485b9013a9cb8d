"""Temporary tables that a file's records are laid down in before they join the others.

Laying down locks nothing that customers use: it is done before the transaction that joins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy import Connection, text

from crmcore.errors import StoreUnavailable
from crmcore.imports.report import Values

if TYPE_CHECKING:
    from crmcore.store.workbench import Workbench  # Loads DuckDB, which only imports need.

_LOCK = 5_203_418  # Imports into PostgreSQL wait for one another; any number that all versions share.
_CACHE_KIB = 65_536  # SQLite's pages in memory during an import; its indexes are filled at random places.

_TABLES = {
    "import_customers": ("customer_id VARCHAR(64)",),
    "import_orders": (
        "order_id VARCHAR(64)", "customer_id VARCHAR(64)", "ordered_at {moment}", "amount_minor BIGINT",
        "margin_minor BIGINT", "status VARCHAR(24)", "items TEXT", "line_count BIGINT",
    ),
    "import_costs": (
        "cost_id VARCHAR(64)", "customer_id VARCHAR(64)", "incurred_at {moment}", "kind VARCHAR(32)",
        "amount_minor BIGINT", "line_count BIGINT",
    ),
    "import_people": (
        "customer_id VARCHAR(64)", "name TEXT", "language VARCHAR(8)", "manager VARCHAR(64)",
        "line_count BIGINT",
    ),
    "import_contacts": (
        "contact_id VARCHAR(40)", "customer_id VARCHAR(64)", "kind VARCHAR(16)", "value TEXT",
        "normalized TEXT",
    ),
    "import_consents": (
        "customer_id VARCHAR(64)", "purpose VARCHAR(32)", "granted {truth}", "decided_at {moment}",
    ),
    "import_returns": (
        "return_id VARCHAR(64)", "order_ref VARCHAR(64)", "customer_id VARCHAR(64)", "requested_at {moment}",
        "amount_minor BIGINT", "margin_minor BIGINT", "is_whole {truth}", "line_count BIGINT",
    ),
}  # fmt: skip
_MANY = 50_000  # Rows; below that, putting each into its place is quick.
_LOOKED_UP = {
    "import_returns": "order_ref",
    "import_contacts": "customer_id",
    "import_consents": "customer_id",
}


@dataclass(frozen=True)
class Merged:
    """Lines of the file by what became of them."""

    imported: int = 0
    updated: int = 0
    unchanged: int = 0

    def __add__(self, other: Merged) -> Merged:
        return Merged(
            self.imported + other.imported, self.updated + other.updated, self.unchanged + other.unchanged
        )


@dataclass(frozen=True)
class Joined:
    """``stayed`` counts contacts and consents that were not replaced, because customers gave them here."""

    rows: Merged = Merged()
    new_customers: int = 0
    stayed: int = 0
    values: Values = "unchanged"
    valued: int = 0


@dataclass(frozen=True)
class Beside:
    """SQL: the file's rows beside the database's, when such a row is there, and when it says otherwise."""

    rows: str
    there: str
    other: str
    counted: str = "TRUE"  # Which of the file's rows count as lines of the file.


class Staging:
    """One file's records on one connection. Statements are the same on both databases but for casts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._is_sqlite = connection.dialect.name == "sqlite"

    def lay_down(self, bench: Workbench, queries: Mapping[str, str]) -> None:
        """Fill temporary tables with the rows of the bench's queries."""
        if self._is_sqlite:
            self._connection.exec_driver_sql(f"PRAGMA cache_size = -{_CACHE_KIB}")
            self.run("BEGIN")  # Temporary tables lie in a file of their own, so this locks nobody out.
        for table, query in queries.items():
            moment, truth = ("TEXT", "INTEGER") if self._is_sqlite else ("TIMESTAMP", "BOOLEAN")
            columns = ", ".join(_TABLES[table]).format(moment=moment, truth=truth)
            self.run(f"CREATE TEMPORARY TABLE {table} ({columns})")
            self._fill(table, bench, query)
            if table in _LOOKED_UP:
                self.run(f"CREATE INDEX {table}_of ON {table} ({_LOOKED_UP[table]})")
            if not self._is_sqlite:
                self.run(f"ANALYZE {table}")
        if self._is_sqlite:
            self.run("COMMIT")

    def lay_down_again(self, bench: Workbench, queries: Mapping[str, str]) -> None:
        """Within the transaction that joins, after the bench has lost some records."""
        for table, query in queries.items():
            self.run(f"DELETE FROM {table}")
            self._fill(table, bench, query)

    def wait_for_other_imports(self) -> None:
        if not self._is_sqlite:  # SQLite has one writer anyway.
            self.run("SELECT pg_advisory_xact_lock(:lock)", lock=_LOCK)

    # --- for those who write statements -------------------------------------------------------------

    def run(self, statement: str, **values: Any) -> int:
        """Returns how many rows the statement touched."""
        return self._connection.execute(text(statement), values).rowcount

    def numbers(self, statement: str, **values: Any) -> tuple[int, ...]:
        """One row of whole numbers."""
        return tuple(int(value) for value in self._connection.execute(text(statement), values).one())

    def texts(self, statement: str, **values: Any) -> list[str]:
        """One column."""
        return list(self._connection.execute(text(statement), values).scalars())

    def merged(self, beside: Beside, **values: Any) -> Merged:
        """What will become of the lines, looked at before anything is written."""
        there, other = beside.there, beside.other
        new, updated, unchanged = self.numbers(
            f"""
            SELECT coalesce(sum(CASE WHEN NOT ({there}) THEN line_count END), 0),
                coalesce(sum(CASE WHEN {there} AND {other} THEN line_count END), 0),
                coalesce(sum(CASE WHEN {there} AND NOT {other} THEN line_count END), 0)
            FROM {beside.rows} WHERE {beside.counted}
            """,
            **values,
        )
        return Merged(new, updated, unchanged)

    def moment(self, column: str) -> str:
        """A staged moment as the tables keep it."""
        return column if self._is_sqlite else f"({column} AT TIME ZONE 'UTC')"

    def day_after(self, column: str) -> str:
        """A staged moment and a day, as the tables keep it."""
        if self._is_sqlite:
            return f"datetime({column}, '+1 day')"
        return f"({column} AT TIME ZONE 'UTC' + INTERVAL '1 day')"

    def bound_moment(self, moment: Any) -> Any:
        """A moment as a value of a statement."""
        return moment.strftime("%Y-%m-%d %H:%M:%S.%f") if self._is_sqlite else moment

    def json(self, column: str) -> str:
        return column if self._is_sqlite else f"CAST({column} AS JSON)"

    @contextmanager
    def many_new(self, table: str, rows: int) -> Iterator[None]:
        """Build the table's indexes anew after a load that is larger than the table was: half the time.

        On SQLite only, where the transaction has the file to itself anyway; readers see the old state.
        """
        few = f"SELECT count(*) FROM (SELECT 1 FROM {table} LIMIT {rows})"
        if not self._is_sqlite or rows < _MANY or self.numbers(few)[0] == rows:
            yield
            return
        indexes = self._connection.execute(
            text(
                "SELECT name, sql FROM sqlite_master "
                "WHERE type = 'index' AND tbl_name = :t AND sql IS NOT NULL"
            ),
            {"t": table},
        ).all()
        for name, _ in indexes:
            self.run(f"DROP INDEX {name}")
        yield
        for _, statement in indexes:
            self._connection.exec_driver_sql(statement)

    def _fill(self, table: str, bench: Workbench, query: str) -> None:
        if self._is_sqlite:
            statement = f"INSERT INTO {table} VALUES ({', '.join('?' * len(_TABLES[table]))})"
            for chunk in bench.chunks(query):
                self._connection.exec_driver_sql(statement, chunk)
            return
        driver: Any = self._connection.connection.dbapi_connection
        try:
            with (
                bench.as_csv(query).open("rb") as file,
                driver.cursor() as cursor,
                cursor.copy(f"COPY {table} FROM STDIN (FORMAT csv)") as copy,
            ):
                while block := file.read(1 << 20):
                    copy.write(block)
        except psycopg.Error as error:  # The driver's own, because SQLAlchemy knows no COPY.
            raise StoreUnavailable(f"the database took no rows: {error}") from error
