"""Text files with delimited columns, in any common encoding, packed or not."""

import codecs
import io
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from crmcore.imports.errors import UnreadableFile
from crmcore.tables import layout
from crmcore.tables.arrow import bools
from crmcore.tables.encodings import find_encoding
from crmcore.tables.opening import Shape, open_bytes, teaching
from crmcore.tables.table import Batch, BrokenRow, Progress

_BLOCK = 4 << 20  # Bytes that Arrow parses at once; a row cannot be longer.
_SAMPLE = 1 << 18  # Characters.
_OPEN = "a quotation mark is never closed"


class DelimitedTable:
    """A text file, understood from its first lines and read in blocks."""

    def __init__(self, path: Path, shape: Shape, *, is_gzip: bool) -> None:
        self._path, self._is_gzip = path, is_gzip
        self._size = path.stat().st_size
        self.header = shape.header
        raw, file = open_bytes(path, is_gzip=is_gzip)
        with raw, file:
            self._encoding = find_encoding(file, shape.encoding)
        sample = self._sample()
        self._delimiter = (
            layout.read_delimiter(shape.delimiter) if shape.delimiter else layout.find_delimiter(sample)
        )
        rows = layout.rows_of(sample, self._delimiter)
        if not rows:
            raise UnreadableFile(f"{path.name} holds no rows")
        if len(rows) > 1:
            layout.check_header(rows[0], rows[1], header=shape.header)
        self._columns = _usual_length(rows)
        if self._columns > layout.MOST_COLUMNS:
            raise UnreadableFile(f"{path.name} has {self._columns} columns; it is no table of records")
        numbers = tuple(str(i + 1) for i in range(self._columns))
        if shape.header:
            self.names = tuple(name.strip() for name in rows[0]) + numbers[len(rows[0]) :]
        else:
            self.names = numbers
        self._heading = next((i for i, line in enumerate(sample.splitlines(), 1) if line.strip()), 1)
        packed = "packed " if is_gzip else ""
        self.described = (
            f"{packed}{self._encoding} text, columns separated by {layout.name_of(self._delimiter)}"
        )

    def batches(self, progress: Progress | None = None) -> Iterator[Batch | BrokenRow]:
        """Rows in the order of the file, each broken one before the batch that it would be in."""
        names = [str(i) for i in range(self._columns)]
        broken: list[tuple[int, Any]] = []

        def keep(row: Any) -> str:
            broken.append((row.number, row))
            return "skip"

        raw, file = open_bytes(self._path, is_gzip=self._is_gzip)
        with raw, file, _reading(self._path):
            source = _Remembering(self._as_utf8(file))
            reader = pa_csv.open_csv(
                pa.PythonFile(source, mode="r"),
                read_options=pa_csv.ReadOptions(
                    # One thread, because only then Arrow numbers the rows that it cannot use.
                    use_threads=False, block_size=_BLOCK, column_names=names,
                ),
                parse_options=pa_csv.ParseOptions(
                    delimiter="\t" if self._delimiter == layout.BLANKS else self._delimiter,
                    newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=keep,
                ),
                convert_options=pa_csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False,
                ),
            )  # fmt: skip
            next_record, extra_lines, breaks = 1, 0, 0
            columns: tuple[Any, ...] = ()
            lines = np.empty(0, dtype=np.int64)
            for batch in reader:
                columns = tuple(batch.columns)
                records = _records(next_record, batch.num_rows, [number for number, _ in broken])
                last = int(records[-1]) if len(records) else next_record - 1
                inside = [(number, row) for number, row in broken if number <= last]
                broken = [(number, row) for number, row in broken if number > last]
                lines, broken_lines, breaks = _lines(records, columns, inside)
                yield from self._broken(inside, broken_lines + extra_lines)
                yield _without_blank(self._without_heading(Batch(lines + extra_lines, columns)))
                next_record, extra_lines = last + 1, extra_lines + breaks
                if progress is not None:
                    progress(raw.tell(), self._size)
            if _ends_open(columns, source.end):
                raise UnreadableFile(
                    f"{self._path.name}: {_OPEN} in line {int(lines[-1]) + extra_lines - breaks}"
                )
            _, broken_lines, _ = _lines(np.empty(0, dtype=np.int64), (), broken)
            yield from self._broken(broken, broken_lines + extra_lines)

    def _broken(self, rows: list[tuple[int, Any]], lines: Any) -> Iterator[BrokenRow]:
        for (_, row), line in zip(rows, lines.tolist(), strict=True):
            if row.text.strip() and not (self.header and line <= self._heading):
                yield BrokenRow(line, row.text, row.expected_columns, row.actual_columns)

    def _without_heading(self, batch: Batch) -> Batch:
        if not self.header or not len(batch.lines) or batch.lines[0] > self._heading:
            return batch
        return _filtered(batch, batch.lines > self._heading)

    def _sample(self) -> str:
        raw, file = open_bytes(self._path, is_gzip=self._is_gzip)
        with raw, file:
            wrapped = io.TextIOWrapper(file, self._encoding, errors="replace", newline="")
            text = wrapped.read(_SAMPLE)
        if len(text) == _SAMPLE:
            text = text[: text.rfind("\n") + 1] or text
        return text.lstrip("\ufeff")

    def _as_utf8(self, file: BinaryIO) -> BinaryIO | io.RawIOBase:
        text: BinaryIO | io.RawIOBase = file
        if self._encoding == "utf-8-sig":
            file.read(3)
        elif self._encoding != "utf-8":
            text = _Chunks(_transcoded(file, self._encoding))
        return _Chunks(_tabbed(text)) if self._delimiter == layout.BLANKS else text


class _Remembering:
    """A file that remembers its end."""

    closed = False

    def __init__(self, file: BinaryIO | io.RawIOBase) -> None:
        self._file, self.end = file, b""

    def read(self, size: int = -1) -> bytes:
        found = self._file.read(size) or b""
        self.end = found[-64:] if found.strip() else self.end
        return found


def _ends_open(columns: tuple[Any, ...], end: bytes) -> bool:
    """Whether the last row swallowed the rest of the file because its quotation mark is never closed."""
    if not columns or not len(columns[-1]):
        return False
    return "\n" in columns[-1][-1].as_py().strip() and not end.rstrip().endswith(b'"')


class _Chunks(io.RawIOBase):
    """A binary file made of the chunks of an iterator."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._iterator, self._rest = chunks, b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        parts, length = [self._rest], len(self._rest)
        while size < 0 or length < size:
            chunk = next(self._iterator, b"")
            if not chunk:
                break
            parts.append(chunk)
            length += len(chunk)
        joined = b"".join(parts)
        size = len(joined) if size < 0 else size
        self._rest = joined[size:]
        return joined[:size]


def _transcoded(file: BinaryIO, encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
    while chunk := file.read(1 << 20):
        if decoded := decoder.decode(chunk).lstrip("\ufeff"):
            yield decoded.encode("utf-8")
    if rest := decoder.decode(b"", final=True):
        yield rest.encode("utf-8")


def _tabbed(file: BinaryIO | io.RawIOBase) -> Iterator[bytes]:
    """Whole lines, their columns separated by one tab."""
    rest = b""
    while chunk := file.read(1 << 20):
        whole, newline, rest_of_chunk = (rest + chunk).rpartition(b"\n")
        rest = rest_of_chunk
        if newline:
            yield _tabs(whole + newline)
    if rest:
        yield _tabs(rest)


def _tabs(lines: bytes) -> bytes:
    inner = re.sub(rb"[ \t]+", b"\t", lines)
    return re.sub(rb"(?m)^\t|\t(?=\r?$)", b"", inner)


def _records(first: int, rows: int, broken: list[int]) -> Any:
    """The numbers of a batch's rows in the file: those from ``first`` that are not broken."""
    numbers = np.arange(first, first + rows, dtype=np.int64)
    for number in sorted(broken):
        numbers[np.searchsorted(numbers, number) :] += 1
    return numbers


def _lines(records: Any, columns: tuple[Any, ...], broken: list[tuple[int, Any]]) -> tuple[Any, Any, int]:
    """Lines of the good and of the broken rows, counted from the batch's start; and all its line breaks."""
    numbers = np.concatenate((records, np.array([number for number, _ in broken], dtype=np.int64)))
    own = np.array([row.text.count("\n") for _, row in broken], dtype=np.int64)
    breaks = np.concatenate((_line_breaks(columns, len(records)), own))
    order = np.argsort(numbers, kind="stable")
    before = np.empty_like(breaks)
    before[order] = np.cumsum(breaks[order]) - breaks[order]
    lines = numbers + before
    return lines[: len(records)], lines[len(records) :], int(breaks.sum())


def _line_breaks(columns: tuple[Any, ...], rows: int) -> Any:
    """How many line breaks each row holds inside quotes."""
    found = np.zeros(rows, dtype=np.int64)
    for column in columns:
        if pc.any(pc.match_substring(column, "\n")).as_py():
            found += pc.count_substring(column, "\n").to_numpy(zero_copy_only=False)
    return found


def _without_blank(batch: Batch) -> Batch:
    """Rows in which nothing stands are no rows."""
    if not len(batch.lines):
        return batch
    blank = pc.equal(batch.columns[0], "")
    for column in batch.columns[1:]:
        if not pc.any(blank).as_py():
            return batch
        blank = pc.and_(blank, pc.equal(pc.utf8_trim_whitespace(column), ""))
    return _filtered(batch, ~blank.to_numpy(zero_copy_only=False)) if pc.any(blank).as_py() else batch


def _filtered(batch: Batch, keep: Any) -> Batch:
    if bool(keep.all()):
        return batch
    mask = bools(keep)
    return Batch(batch.lines[keep], tuple(column.filter(mask) for column in batch.columns))


def _usual_length(rows: list[list[str]]) -> int:
    lengths = [len(row) for row in rows]
    return max(set(lengths), key=lambda length: (lengths.count(length), length))


class _reading:  # noqa: N801 - reads as a sentence where it is used.
    """Says Arrow's and the decoder's troubles in words about the file."""

    def __init__(self, path: Path) -> None:
        self._path, self._name = path, path.name

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, at: object) -> None:
        if isinstance(error, (OSError, EOFError, zlib.error)):
            with teaching(self._path):
                raise error
        if isinstance(error, UnicodeError):
            raise UnreadableFile(
                f"{self._name} is not in one encoding to its end; name the right one with --encoding"
            ) from error
        if isinstance(error, pa.ArrowInvalid):
            if "straddl" in str(error) or "out of sync" in str(error):
                raise UnreadableFile(
                    f"{self._name}: {_OPEN}, or a row has more than {_BLOCK >> 20} MB"
                ) from error
            if "UTF8" in str(error):
                raise UnreadableFile(
                    f"{self._name} is not in one encoding to its end; name the right one with --encoding"
                ) from error
            raise UnreadableFile(f"{self._name} cannot be read as a table: {error}") from error
