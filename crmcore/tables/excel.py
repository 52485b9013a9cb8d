"""Excel workbooks; the columns of a sheet are held in memory, because it has a million rows at most."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

import numpy as np
import openpyxl
import pyarrow as pa
from openpyxl.utils.exceptions import InvalidFileException

from crmcore.imports.errors import UnreadableFile
from crmcore.tables import layout
from crmcore.tables.opening import Shape
from crmcore.tables.table import Batch, BrokenRow, Progress
from crmcore.tables.unpacking import require_bounded

_ROWS = 20_000
_LAST_ROW = 1_048_576  # Of any sheet, says Excel.
_MOST_CELLS = 50_000_000
_Row = tuple[int, Sequence[Any]]


class ExcelTable:
    def __init__(self, path: Path, name: str, shape: Shape) -> None:
        self.header = shape.header
        self._name = name
        with _reading(name):
            require_bounded(path, name)
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
            try:
                sheet = _sheet(book, name, shape.sheet)
                others = (
                    f" of {len(book.sheetnames)}; --sheet names another" if len(book.sheetnames) > 1 else ""
                )
                self.described = f"Excel, sheet {sheet.title!r}{others}"
                self._read(_rows(sheet, name), sheet.title)
            finally:
                book.close()

    def batches(self, progress: Progress | None = None) -> Iterator[Batch | BrokenRow]:
        for done, batch in enumerate(self._batches, 1):
            nothing = pa.nulls(len(batch.lines), pa.string())
            yield Batch(batch.lines, batch.columns + (nothing,) * (self._width - len(batch.columns)))
            if progress is not None:
                progress(done, len(self._batches))

    def _read(self, rows: Iterator[_Row], title: str) -> None:
        first = next(rows, None)
        if first is None:
            raise UnreadableFile(f"sheet {title!r} of {self._name} is empty")
        second = next(rows, None)
        if second is not None:
            layout.check_header(
                [_cell(c) for c in first[1]], [_cell(c) for c in second[1]], header=self.header
            )
        head = [row for row in ((None if self.header else first), second) if row is not None]
        self._batches: list[Batch] = []
        self._width = len(first[1])
        while some := [*head, *islice(rows, _ROWS - len(head))]:
            head = []
            self._keep(some)
        numbers = tuple(str(i + 1) for i in range(self._width))
        self.names = numbers
        if self.header:
            given = tuple(str(cell).strip() if cell is not None else "" for cell in first[1])
            self.names = tuple(cell or number for cell, number in zip(given, numbers, strict=False))
            self.names += numbers[len(self.names) :]

    def _keep(self, rows: list[_Row]) -> None:
        """As columns, which take a tenth of the memory of rows."""
        width = max(len(row) for _, row in rows)
        self._width = max(self._width, width)
        if self._width > layout.MOST_COLUMNS:
            raise UnreadableFile(f"{self._name} has {self._width} columns; it is no table of records")
        if self._width * (sum(len(batch.lines) for batch in self._batches) + len(rows)) > _MOST_CELLS:
            raise UnreadableFile(
                f"{self._name} has more than {_MOST_CELLS:,} cells; save the sheet as CSV, "
                "which is read in blocks"
            )
        cells = ([row[i] if i < len(row) else None for _, row in rows] for i in range(width))
        lines = np.array([line for line, _ in rows], dtype=np.int64)
        self._batches.append(Batch(lines, tuple(_column(column) for column in cells)))


@contextmanager
def _reading(name: str) -> Iterator[None]:
    """Say what openpyxl raises for a damaged workbook, each part in its own way, in words about the file."""
    damaged = (
        BadZipFile, InvalidFileException, ParseError, NotImplementedError, RuntimeError,
        ArithmeticError, AttributeError, LookupError, TypeError, ValueError,
    )  # fmt: skip
    try:
        yield
    except damaged as error:
        raise UnreadableFile(
            f"{name} is no Excel workbook, or it is damaged ({type(error).__name__}: {error})"
        ) from error


def _rows(sheet: Any, name: str) -> Iterator[_Row]:
    """The rows in which something stands, each with its line and without the empty cells at its end."""
    # What a sheet says of its own size is often wrong, and rows outside would be passed over.
    sheet.reset_dimensions()
    for line, row in enumerate(sheet.iter_rows(values_only=True), 1):
        if line > _LAST_ROW:
            raise UnreadableFile(f"{name} has rows after number {_LAST_ROW:,}, where every sheet ends")
        if width := _width(row):
            yield line, row[:width]


def _sheet(book: Any, name: str, wanted: str | None) -> Any:
    if wanted is None:
        return book.worksheets[0]
    found = next((sheet for sheet in book.worksheets if sheet.title == wanted), None)
    if found is None:
        raise UnreadableFile(
            f"{name} has no sheet {wanted!r}; it has {', '.join(map(repr, book.sheetnames))}"
        )
    return found


def _width(row: Sequence[Any]) -> int:
    """Up to the last cell in which something stands; 0 when nothing does."""
    return max((i for i, cell in enumerate(row, 1) if cell is not None and cell != ""), default=0)


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
