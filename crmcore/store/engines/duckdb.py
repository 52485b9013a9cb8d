"""DuckDB inside this process: what does not fit its memory goes to files that are gone with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

import duckdb
import ibis
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.expr.types import Table

# Step by step the expression is compiled in a third of the time; DuckDB puts the steps together.
ibis.options.sql.fuse_selects = False


class DuckDBEngine:
    """An :class:`~crmcore.value.relational.batch.Engine`, for the length of a ``with`` block.

    memory_mb : what its tables and hash tables may take; the rest is spilt to files.
    """

    def __init__(self, memory_mb: int = 2_000) -> None:
        self._memory_mb = memory_mb

    def __enter__(self) -> DuckDBEngine:
        self._spill = TemporaryDirectory(prefix="rapport-batch-")
        self._connection = duckdb.connect(
            config={
                "memory_limit": f"{self._memory_mb}MB",
                "preserve_insertion_order": False,
                "temp_directory": self._spill.name,
            }
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._connection.close()
        self._spill.cleanup()

    def firm_log(self, moment: datetime) -> None:
        """The firm's rows have to be moved here."""

    def upload(self, name: str, rows: pa.Table) -> Table:
        self._connection.register("incoming", rows)
        self._connection.execute(f'CREATE OR REPLACE TABLE "{name}" AS FROM incoming')
        self._connection.unregister("incoming")
        return ibis.table(rows.schema, name=name)

    def scan(self, path: Path) -> Table:
        """A Parquet file, read where it lies."""
        self._connection.read_parquet(str(path)).create_view(path.name)
        return ibis.table(pq.read_schema(path), name=path.name)

    def keep(self, name: str, expression: Table) -> Table:
        self._connection.execute(f'CREATE OR REPLACE TABLE "{name}" AS {_sql(expression)}')
        return ibis.table(expression.schema(), name=name)

    def read(self, expression: Table) -> pa.Table:
        rows = self._connection.sql(_sql(expression)).to_arrow_table()
        return rows.cast(expression.schema().to_pyarrow())

    def stream(self, expression: Table, rows: int) -> Iterator[pa.RecordBatch]:
        schema = expression.schema().to_pyarrow()
        # Through a cursor, so that other tables may be read before this one is at its end.
        for batch in self._connection.cursor().execute(_sql(expression)).to_arrow_reader(rows):
            yield batch.cast(schema)

    def fence(self, expression: Table) -> Table:
        return expression  # What occurs twice is found and computed once.


def _sql(expression: Table) -> str:
    return str(ibis.to_sql(expression, dialect="duckdb", pretty=False))
