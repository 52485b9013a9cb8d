"""Spark, for a firm whose log is past one machine; here in this process unless the session says otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.expr.types import Table
from pyspark.sql import SparkSession


class SparkEngine:
    """An :class:`~crmcore.value.relational.batch.Engine`, for the length of a ``with`` block.

    What it is given and what it keeps lies in Parquet files of a temporary directory, which every worker must
    see. The session is the one that ``spark-submit`` or ``SPARK_REMOTE`` names, else one inside this process.
    """

    def __enter__(self) -> SparkEngine:
        self._files = TemporaryDirectory(prefix="rapport-batch-")
        self._session = (
            SparkSession.builder.appName("rapport score")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.session.timeZone", "UTC")
            .config("spark.sql.shuffle.partitions", "8")
            # All steps in one generated method are longer than Java allows.
            .config("spark.sql.codegen.wholeStage", "false")
            .getOrCreate()
        )
        self._session.sparkContext.setLogLevel("ERROR")
        self._ibis = ibis.pyspark.connect(self._session)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._session.stop()
        self._files.cleanup()

    def firm_log(self, moment: datetime) -> None:
        """The firm's rows have to be moved here."""

    def upload(self, name: str, rows: pa.Table) -> Table:
        path = self._path(name)
        path.mkdir()
        pq.write_table(rows, path / "rows.parquet")
        return self._scan(path)

    def scan(self, path: Path) -> Table:
        """A Parquet file, read where it lies."""
        return self._scan(path)

    def keep(self, name: str, expression: Table) -> Table:
        path = self._path(name)
        self._session.sql(self._ibis.compile(expression)).write.parquet(str(path))
        return self._scan(path)

    def read(self, expression: Table) -> pa.Table:
        return self._ibis.to_pyarrow(expression)

    def stream(self, expression: Table, rows: int) -> Iterator[pa.RecordBatch]:
        kept = self.keep("streamed", expression)
        yield from self.read(kept).to_batches(max_chunksize=rows)

    def fence(self, expression: Table) -> Table:
        return expression  # Spark writes a costly step into the next only where it is used once.

    def _path(self, name: str) -> Path:
        """A new place for every table, because one that is being read cannot be overwritten."""
        return Path(self._files.name) / f"{name}-{sum(1 for _ in Path(self._files.name).iterdir())}"

    def _scan(self, path: Path) -> Table:
        return self._ibis.read_parquet(path)
