"""DuckDB inside this process: what does not fit its memory goes to files that are gone with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

import ibis
import pyarrow as pa
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
        self._ibis = ibis.duckdb.connect()
        self._ibis.con.execute(
            f"SET memory_limit = '{self._memory_mb}MB'; SET preserve_insertion_order = false"
        )
        self._ibis.con.execute("SET temp_directory = ?", [self._spill.name])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._ibis.disconnect()
        self._spill.cleanup()

    def firm_log(self, moment: datetime) -> None:
        """The firm's rows have to be moved here."""

    def upload(self, name: str, rows: pa.Table) -> Table:
        return self._ibis.create_table(name, rows, overwrite=True)

    def scan(self, path: Path) -> Table:
        """A Parquet file, read where it lies."""
        return self._ibis.read_parquet(path)

    def keep(self, name: str, expression: Table) -> Table:
        return self._ibis.create_table(name, expression, overwrite=True)

    def read(self, expression: Table) -> pa.Table:
        return self._ibis.to_pyarrow(expression)

    def stream(self, expression: Table, rows: int) -> Iterator[pa.RecordBatch]:
        yield from self._ibis.to_pyarrow_batches(expression, chunk_size=rows)

    def fence(self, expression: Table) -> Table:
        return expression  # What occurs twice is found and computed once.
