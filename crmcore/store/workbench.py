"""Where the lines of a file are put in order before they meet the database: numbered, grouped, added up.

An embedded DuckDB in a private directory, so that a file larger than memory can be grouped, and so that
customers' writes never wait for it.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import duckdb
import pyarrow as pa

from crmcore.errors import CrmError

_MEMORY = "192MB"
_AT_REST = "48MB"  # While the database works.
APART = "chr(31)"  # Separates what is digested; no text of a line holds it.


class NoRoom(CrmError):
    """The private directory has no room for sorting; nothing was imported."""


class Workbench(ABC):
    """Holds one file's lines. ``scheme`` begins the ids of rows that have none: which columns made them.

    Each kind of file has a bench of its own.
    """

    _has_amounts = True

    def __init__(self, directory: Path, scheme: str = "") -> None:
        self._scheme = scheme
        self._directory = directory
        self._db = duckdb.connect(
            str(directory / "workbench"),
            config={
                "memory_limit": _MEMORY,
                "temp_directory": str(directory),
                "threads": 2,
                "preserve_insertion_order": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        self._db.execute("CREATE TABLE rejects (line BIGINT, reason VARCHAR)")

    def __enter__(self) -> "Workbench":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._db.close()
        if isinstance(error, duckdb.Error):
            raise NoRoom(f"the rows cannot be sorted in {self._directory.parent}: {error}") from error

    def add(self, lines: Any, rejects: list[tuple[int, str]]) -> None:
        """Lines as an Arrow batch, and what could not be read."""
        if not self._has("lines"):
            self._db.from_arrow(lines).create("lines")
        else:
            self._db.from_arrow(lines).insert_into("lines")
        self.reject(rejects)

    def reject(self, rows: list[tuple[int, str]]) -> None:
        """Lines that are not taken, with their reasons."""
        if rows:
            lines, reasons = zip(*rows, strict=True)
            columns = {"line": pa.array(lines, pa.int64()), "reason": pa.array(reasons, pa.string())}
            self._db.from_arrow(pa.table(columns)).insert_into("rejects")

    def _number_rows(self, content: str, own_id: str, order: str) -> None:
        """Number the rows that say the same; each gets a ``key``: its id, else one made of what it says.

        Such an id begins with the row's second, so that a database's indexes grow at their end.
        """
        digest = "printf('%08x-', moment // 1000000) || left(md5(content), 16) || '-' || (place - 1)"
        self._db.execute(
            f"""
            CREATE TABLE kept AS
            SELECT * EXCLUDE (content),
                {f"coalesce({own_id}, '{self._scheme}' || {digest})" if self._scheme else own_id} AS key
            FROM (
                SELECT *, row_number() OVER (PARTITION BY md5_number(content) ORDER BY {order}) AS place
                FROM (SELECT *, {content} AS content FROM lines)
            )
            """
        )
        self._db.execute("DROP TABLE lines")
        self._repeats = self._one("SELECT count(*) FROM kept WHERE place > 1")

    def _keep_one_of_each(self, own_id: str, reason: str) -> None:
        """Rows of one id count once when they say the same, and are refused when they do not."""
        self._refuse(
            f"""SELECT key FROM kept WHERE place = 1 AND {own_id} IS NOT NULL
            GROUP BY key HAVING count(*) > 1""",
            reason,
        )
        self._db.execute(f"DELETE FROM kept WHERE place > 1 AND {own_id} IS NOT NULL")

    @abstractmethod
    def settle(self, *, drop_duplicates: bool) -> None:
        """Once all lines are there: number them, bring together what belongs together."""

    @abstractmethod
    def queries(self) -> Mapping[str, str]:
        """What fills each temporary table of the database."""

    def refuse(self, keys: list[str], reason: str) -> None:
        """Take what has these ids off the settled bench; its lines are refused."""
        self._db.from_arrow(pa.table({"key": pa.array(keys, pa.string())})).create("others")
        self._refuse("SELECT key FROM others", reason)

    def _refuse(self, keys: str, reason: str) -> None:
        """Take the rows with these keys (a query) off the bench."""
        self._db.execute(f"CREATE OR REPLACE TABLE refused AS {keys}")
        self._db.execute(
            "INSERT INTO rejects SELECT line, ? FROM kept WHERE key IN (SELECT key FROM refused)", [reason]
        )
        self._db.execute("DELETE FROM kept WHERE key IN (SELECT key FROM refused)")

    # --- what goes to the database ------------------------------------------------------------------

    def chunks(self, query: str, rows: int = 20_000) -> Iterator[list[tuple[Any, ...]]]:
        found = self._db.execute(query)
        while chunk := found.fetchmany(rows):
            yield chunk

    def as_csv(self, query: str) -> Path:
        """The rows in a file that PostgreSQL copies: empty for none, quoted otherwise where it must be."""
        path = self._directory / "staged.csv"
        self._db.execute(
            f"COPY ({query}) TO '{str(path).replace(chr(39), chr(39) * 2)}' (FORMAT csv, HEADER false)"
        )
        return path

    def rest(self) -> None:
        """Give memory back; what lies on the bench stays on the disk."""
        self._db.execute(f"SET memory_limit = '{_AT_REST}'")

    # --- figures ------------------------------------------------------------------------------------

    def rejected(self) -> int:
        return self._one("SELECT count(*) FROM rejects")

    def reasons(self) -> list[tuple[str, int, int]]:
        """Each reason, how often, and its first line; the most frequent first."""
        query = (
            "SELECT reason, count(*) AS n, min(line) FROM rejects GROUP BY reason ORDER BY n DESC, 3 LIMIT 20"
        )
        return self._db.execute(query).fetchall()

    def rejects_between(self, first: int, last: int) -> dict[int, str]:
        """Reasons by line."""
        query = "SELECT line, reason FROM rejects WHERE line BETWEEN ? AND ?"
        return dict(self._db.execute(query, [first, last]).fetchall())

    def figures(self) -> tuple[int, int | None, int]:
        """Customers, the signed sum of the good lines in minor units, and how many lines were kept.

        The sum is None where lines have no amounts.
        """
        total = "coalesce(sum(amount), 0)::BIGINT" if self._has_amounts else "NULL"
        query = f"SELECT count(DISTINCT customer_id), {total}, count(*) FROM kept"
        row = self._db.execute(query).fetchone()
        assert row is not None, "an aggregate has a row"
        return row[0], row[1], row[2]

    def repeats(self) -> int:
        """Lines that say the same as an earlier one, kept or dropped."""
        return self._repeats

    def _has(self, table: str) -> bool:
        return bool(
            self._db.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = ?", [table]).fetchone()
        )

    def _one(self, query: str) -> int:
        row = self._db.execute(query).fetchone()
        assert row is not None
        return int(row[0])


def moment(column: str) -> str:
    """A moment as the databases read it: UTC, six digits of a second."""
    return f"strftime(make_timestamp({column}), '%Y-%m-%d %H:%M:%S.%f')"
