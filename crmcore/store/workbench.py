"""Where the lines of a file are put in order before they meet the database: numbered, grouped, added up.

An embedded DuckDB in a private directory, so that a file larger than memory can be grouped, and so that
customers' writes never wait for it.
"""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import duckdb
import pyarrow as pa

_MEMORY = "256MB"
_APART = "chr(31)"  # No text of a line holds it.

# What makes two rows the same row. Its status and its margin may change, so they are no part of it.
_CONTENT = f"""concat_ws({_APART}, coalesce(order_id, ''), customer_id, moment, given,
    coalesce(currency, ''), coalesce(quantity::varchar, ''), coalesce(product, ''))"""

_AT_ONCE = 200_000  # Lines of several-line orders that are brought together at once; bounds memory.
_ITEM = """('{"product": ' || to_json(coalesce(product, '?')) || ', "quantity": '
    || greatest(1, coalesce(quantity, 1000000) // 1000000) || ', "amount_minor": ' || amount || '}')"""
_RANK = """CASE status WHEN 'placed' THEN 1 WHEN 'shipped' THEN 2 WHEN 'delivered' THEN 3
    WHEN 'returned' THEN 3 END"""
_STATUS_OF_ONE = "CASE status WHEN 'returned' THEN 'delivered' ELSE status END"


class Workbench:
    """Holds one file's lines. ``scheme`` marks the ids of rows that have none: which columns made them."""

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

    # --- orders -----------------------------------------------------------------------------------

    def settle_orders(self, *, drop_duplicates: bool) -> None:
        """Give every line its order and bring the lines of an order together."""
        self._number_rows()
        if drop_duplicates:
            self._db.execute("DELETE FROM kept WHERE place > 1")
        self._refuse_shared_ids()
        self._db.execute(
            "CREATE TABLE several AS SELECT key FROM sold_lines GROUP BY key HAVING count(*) > 1"
        )
        self._db.execute(
            f"""
            CREATE TABLE sold AS
            SELECT key, customer_id, moment, amount, margin, {_STATUS_OF_ONE} AS status,
                CASE WHEN product IS NULL THEN '[]' ELSE '[' || {_ITEM} || ']' END AS items, 1 AS rows
            FROM sold_lines ANTI JOIN several USING (key)
            """
        )
        parts = 1 + self._one("SELECT count(*) FROM sold_lines SEMI JOIN several USING (key)") // _AT_ONCE
        for part in range(parts):
            self._db.execute(
                f"""
                INSERT INTO sold
                SELECT key, any_value(customer_id), min(moment),
                    coalesce(sum(amount) FILTER (is_valid), sum(amount)),
                    CASE WHEN count(margin) = count(*)
                        THEN coalesce(sum(margin) FILTER (is_valid), sum(margin)) END,
                    coalesce(['placed', 'shipped', 'delivered'][min({_RANK}) FILTER (is_valid)],
                        CASE WHEN bool_or(is_valid) THEN NULL ELSE 'cancelled' END),
                    CASE WHEN count(product) = 0 THEN '[]'
                        ELSE '[' || string_agg({_ITEM}, ', ' ORDER BY product, amount, quantity) || ']' END,
                    count(*)
                FROM (SELECT *, status IS DISTINCT FROM 'cancelled' AS is_valid
                    FROM sold_lines SEMI JOIN several USING (key) WHERE hash(key) % {parts} = {part})
                GROUP BY key
                """
            )
        self._db.execute(
            """
            CREATE TABLE credited AS
            SELECT return_id, any_value(customer_id) AS customer_id, min(moment) AS moment,
                sum(amount)::BIGINT AS amount,
                CASE WHEN count(margin) = count(*) THEN sum(margin)::BIGINT END AS margin,
                coalesce(max(returned_order), max(own)) AS order_ref,
                bool_or(is_whole) AS is_whole, count(*) AS rows
            FROM (
                SELECT CASE WHEN order_id IS NULL THEN key ELSE key || '-R' END AS return_id, customer_id,
                    moment, -amount AS amount, -margin AS margin, returned_order, order_id AS own,
                    false AS is_whole
                FROM kept WHERE credit
                UNION ALL
                SELECT key || '-R', customer_id, moment, amount, margin, key, key, true
                FROM kept WHERE NOT credit AND status = 'returned'
            ) GROUP BY return_id
            """
        )

    def _number_rows(self) -> None:
        self._db.execute(
            f"""
            CREATE TABLE kept AS
            SELECT * EXCLUDE (content),
                coalesce(order_id, '{self._scheme}' || left(md5(content), 24) || '-' || (place - 1)) AS key
            FROM (
                SELECT *, row_number() OVER
                    (PARTITION BY md5_number(content) ORDER BY status, margin, line) AS place
                FROM (SELECT *, {_CONTENT} AS content FROM lines)
            )
            """
        )
        self._db.execute("DROP TABLE lines")
        self._repeats = self._one("SELECT count(*) FROM kept WHERE place > 1")
        self._db.execute("CREATE VIEW sold_lines AS SELECT * FROM kept WHERE NOT credit")

    def _refuse_shared_ids(self) -> None:
        self._db.execute(
            """
            CREATE TEMP TABLE shared AS
            SELECT key FROM kept GROUP BY key HAVING min(customer_id) <> max(customer_id)
            """
        )
        self._db.execute(
            """
            INSERT INTO rejects
            SELECT line, 'order_id is used by several customers; an order has one' FROM kept
            WHERE key IN (SELECT key FROM shared)
            """
        )
        self._db.execute("DELETE FROM kept WHERE key IN (SELECT key FROM shared)")

    def refuse_orders(self, order_ids: list[str], reason: str) -> None:
        """Take these orders out with their credits; their lines are refused."""
        if not order_ids:
            return
        self._db.from_arrow(pa.table({"key": pa.array(order_ids, pa.string())})).create("taken")
        self._db.execute(
            "INSERT INTO rejects SELECT line, ? FROM kept WHERE key IN (SELECT key FROM taken)", [reason]
        )
        for table, key in (("kept", "key"), ("sold", "key"), ("credited", "return_id")):
            ending = " || '-R'" if table == "credited" else ""
            self._db.execute(
                f"DELETE FROM {table} WHERE {key} IN (SELECT key FROM taken) "
                f"OR {key} IN (SELECT key{ending} FROM taken)"
            )
        self._db.execute("DROP TABLE taken")

    # --- what goes to the database ------------------------------------------------------------------

    def staged_orders(self) -> str:
        return f"""
            SELECT key, customer_id, {_moment("moment")}, amount::BIGINT, margin::BIGINT, status, items, rows
            FROM sold ORDER BY key
        """

    def staged_returns(self) -> str:
        return f"""
            SELECT return_id, order_ref, customer_id, {_moment("moment")}, amount, margin, is_whole, rows
            FROM credited ORDER BY return_id
        """

    def staged_customers(self) -> str:
        return "SELECT DISTINCT customer_id FROM kept ORDER BY customer_id"

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

    def figures(self) -> tuple[int, int, int]:
        """Customers, the signed sum of the good lines in minor units, and how many lines were kept."""
        query = "SELECT count(DISTINCT customer_id), coalesce(sum(amount), 0)::BIGINT, count(*) FROM kept"
        row = self._db.execute(query).fetchone()
        assert row is not None
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


def _moment(column: str) -> str:
    """A moment as the databases read it: UTC, six digits of a second."""
    return f"strftime(make_timestamp({column}), '%Y-%m-%d %H:%M:%S.%f')"
