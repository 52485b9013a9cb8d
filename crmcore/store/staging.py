"""Temporary tables that a file's records are laid down in before they join the others.

Laying down locks nothing that customers use: it is done before the transaction that joins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text

if TYPE_CHECKING:
    from crmcore.store.workbench import Workbench  # Loads DuckDB, which only imports need.

_LOCK = 5_203_418  # Imports into PostgreSQL wait for one another; any number that all versions share.
_CACHE_KIB = 131_072  # SQLite's pages in memory during an import; its indexes are filled at random places.

_TABLES = {
    "import_customers": ("customer_id VARCHAR(64)",),
    "import_orders": (
        "order_id VARCHAR(64)", "customer_id VARCHAR(64)", "ordered_at {moment}", "amount_minor BIGINT",
        "margin_minor BIGINT", "status VARCHAR(24)", "items TEXT", "line_count BIGINT",
    ),
    "import_returns": (
        "return_id VARCHAR(64)", "order_ref VARCHAR(64)", "customer_id VARCHAR(64)", "requested_at {moment}",
        "amount_minor BIGINT", "margin_minor BIGINT", "is_whole {truth}", "line_count BIGINT",
    ),
}  # fmt: skip


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
            if table == "import_returns":
                self.run("CREATE INDEX import_returns_of ON import_returns (order_ref)")
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

    def moment(self, column: str) -> str:
        """A staged moment as the tables keep it."""
        return column if self._is_sqlite else f"({column} AT TIME ZONE 'UTC')"

    def bound_moment(self, moment: Any) -> Any:
        """A moment as a value of a statement."""
        return moment.strftime("%Y-%m-%d %H:%M:%S.%f") if self._is_sqlite else moment

    def json(self, column: str) -> str:
        return column if self._is_sqlite else f"CAST({column} AS JSON)"

    def _fill(self, table: str, bench: Workbench, query: str) -> None:
        if self._is_sqlite:
            statement = f"INSERT INTO {table} VALUES ({', '.join('?' * len(_TABLES[table]))})"
            for chunk in bench.chunks(query):
                self._connection.exec_driver_sql(statement, chunk)
            return
        driver: Any = self._connection.connection.dbapi_connection
        with (
            bench.as_csv(query).open("rb") as file,
            driver.cursor() as cursor,
            cursor.copy(f"COPY {table} FROM STDIN (FORMAT csv)") as copy,
        ):
            while block := file.read(1 << 20):
                copy.write(block)
