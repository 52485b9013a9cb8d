"""Parquet files, whose columns have types of their own."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet

from crmcore.imports.errors import UnreadableFile
from crmcore.tables.opening import Shape
from crmcore.tables.table import Batch, BrokenRow, Progress

_ROWS = 65_536


class ParquetTable:
    def __init__(self, path: Path, name: str, shape: Shape) -> None:
        del shape  # A Parquet file says all of it itself.
        try:
            texts = [field.name for field in pa_parquet.read_schema(path) if pa.types.is_string(field.type)]
            # A text that stands in a million rows is in the file once; read so, it is in memory once.
            self._file = pa_parquet.ParquetFile(path, read_dictionary=texts)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise UnreadableFile(f"{name} is damaged or not whole: {error}") from error
        self._name = name
        self.names = tuple(self._file.schema_arrow.names)
        self.header = True
        self.described = "Parquet"

    def batches(self, progress: Progress | None = None) -> Iterator[Batch | BrokenRow]:
        first, total = 1, self._file.metadata.num_rows
        try:
            for batch in self._file.iter_batches(_ROWS):
                lines = np.arange(first, first + batch.num_rows, dtype=np.int64)
                yield Batch(lines, tuple(batch.columns))
                first += batch.num_rows
                if progress is not None:
                    progress(first - 1, total)
        except pa.ArrowException as error:
            raise UnreadableFile(f"{self._name} is damaged or not whole: {error}") from error
