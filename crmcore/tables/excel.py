"""Excel workbooks; a sheet is held in memory, because it has a million rows at most."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import openpyxl
import pyarrow as pa
from openpyxl.utils.exceptions import InvalidFileException

from crmcore.imports.errors import UnreadableFile
from crmcore.tables import layout
from crmcore.tables.opening import Shape
from crmcore.tables.table import Batch, BrokenRow, Progress

_ROWS = 20_000
_Row = Sequence[Any]


class ExcelTable:
    def __init__(self, path: Path, name: str, shape: Shape) -> None:
        self.header = shape.header
        try:
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        except (BadZipFile, InvalidFileException, KeyError, ValueError) as error:
            raise UnreadableFile(f"{name} is no Excel workbook, or it is damaged: {error}") from error
        try:
            sheet = _sheet(book, name, shape.sheet)
            rows = (
                (i, row) for i, row in enumerate(sheet.iter_rows(values_only=True), 1) if _holds_anything(row)
            )
            first = next(rows, None)
            if first is None:
                raise UnreadableFile(f"sheet {sheet.title!r} of {name} is empty")
            others = f" of {len(book.sheetnames)}; --sheet names another" if len(book.sheetnames) > 1 else ""
            self.described = f"Excel, sheet {sheet.title!r}{others}"
            self._batches = [] if shape.header else [[first]]
            self._batches += iter(lambda: list(islice(rows, _ROWS)), [])
        finally:
            book.close()
        self._width = max(_width(row) for batch in [[first], *self._batches] for _, row in batch)
        numbers = tuple(str(i + 1) for i in range(self._width))
        self.names = numbers
        if shape.header:
            given = tuple(str(cell).strip() if cell is not None else "" for cell in first[1][: self._width])
            self.names = tuple(cell or number for cell, number in zip(given, numbers, strict=False))
            self.names += numbers[len(self.names) :]
        data = next((row for batch in self._batches for _, row in batch if row is not first[1]), None)
        if data is not None:
            layout.check_header([_cell(c) for c in first[1]], [_cell(c) for c in data], header=shape.header)

    def batches(self, progress: Progress | None = None) -> Iterator[Batch | BrokenRow]:
        for done, batch in enumerate(self._batches, 1):
            lines = np.array([line for line, _ in batch], dtype=np.int64)
            cells = [[row[i] if i < len(row) else None for _, row in batch] for i in range(self._width)]
            yield Batch(lines, tuple(_column(column) for column in cells))
            if progress is not None:
                progress(done, len(self._batches))


def _sheet(book: Any, name: str, wanted: str | None) -> Any:
    if wanted is None:
        return book.worksheets[0]
    found = next((sheet for sheet in book.worksheets if sheet.title == wanted), None)
    if found is None:
        raise UnreadableFile(
            f"{name} has no sheet {wanted!r}; it has {', '.join(map(repr, book.sheetnames))}"
        )
    return found


def _holds_anything(row: _Row) -> bool:
    return any(cell is not None and cell != "" for cell in row)


def _width(row: _Row) -> int:
    return max(i for i, cell in enumerate(row, 1) if cell is not None and cell != "")


def _column(cells: list[Any]) -> Any:
    """With the type that all its cells share, else as text."""
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds == {datetime}:
        return pa.array(cells, pa.timestamp("us"))
    if kinds == {int}:
        return pa.array([None if cell is None else str(cell) for cell in cells], pa.string())
    if kinds and kinds <= {int, float}:
        return pa.array([None if cell is None else float(cell) for cell in cells], pa.float64())
    return pa.array([_cell(cell) for cell in cells], pa.string())


def _cell(cell: Any) -> str:
    """A cell among texts. A fraction gets an exponent, so that it says nothing of the texts' decimal mark."""
    match cell:
        case None:
            return ""
        case float():
            return (
                str(int(cell))
                if cell.is_integer()
                else f"{cell!r}e0"
                if "e" not in repr(cell)
                else repr(cell)
            )
        case datetime():
            return cell.isoformat(" ")
        case date() | time():
            return cell.isoformat()
    return str(cell)
