"""Opens a file by what is in it; its name decides nothing."""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from crmcore.imports.errors import UnreadableFile
from crmcore.tables.table import Table

_GZIP, _ZIP, _PARQUET, _OLD_EXCEL = b"\x1f\x8b", b"PK\x03\x04", b"PAR1", b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True)
class Shape:
    """What the operator said about the file; None and the empty text are found out."""

    header: bool = True
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None


@contextmanager
def opened(path: Path, shape: Shape, workplace: Path) -> Iterator[Table]:
    """The table in the file; ``workplace`` is a private directory for what has to be unpacked.

    Raises
    ------
    UnreadableFile : it is not there, empty, damaged, or of a kind that is not known.
    """
    from crmcore.tables.delimited import DelimitedTable
    from crmcore.tables.excel import ExcelTable
    from crmcore.tables.parquet import ParquetTable

    with teaching(path):
        start, is_gzip = _start(path)
        if start.startswith(_OLD_EXCEL):
            raise UnreadableFile(
                f"{path.name} is an Excel file of the old kind or with a password; "
                "save it as .xlsx without one, or as CSV"
            )
        if start.startswith((_ZIP, _PARQUET)):
            plain = _unpacked(path, workplace) if is_gzip else path
            kind = ParquetTable if start.startswith(_PARQUET) else ExcelTable
            table: Table = kind(plain, path.name, shape)
        else:
            table = DelimitedTable(path, shape, is_gzip=is_gzip)
    yield table  # What goes wrong from here on has nothing to do with opening.


def open_bytes(path: Path, *, is_gzip: bool) -> tuple[BinaryIO, BinaryIO]:
    """The file as it lies there, for its position, and its contents unpacked."""
    raw = path.open("rb")
    return raw, (io.BufferedReader(gzip.GzipFile(fileobj=raw)) if is_gzip else raw)


@contextmanager
def teaching(path: Path) -> Iterator[None]:
    """Say what is wrong with a file that cannot be opened, unpacked or read on."""
    try:
        yield
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise UnreadableFile(f"{path.name} is damaged or not whole: {error}") from error
    except FileNotFoundError as error:
        raise UnreadableFile(f"there is no file {error.filename}") from error
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror or error}") from error


def _start(path: Path) -> tuple[bytes, bool]:
    if path.is_dir():
        raise UnreadableFile(f"{path} is a directory; name one file")
    with path.open("rb") as file:
        start = file.read(8)
    if not start:
        raise UnreadableFile(f"{path.name} is empty")
    if not start.startswith(_GZIP):
        return start, False
    with gzip.open(path) as unpacked:
        start = unpacked.read(8)
    if not start:
        raise UnreadableFile(f"{path.name} is empty once it is unpacked")
    return start, True


def _unpacked(path: Path, workplace: Path) -> Path:
    """Parquet and Excel are read from the end, which a packed stream does not allow."""
    plain = workplace / "unpacked"
    with gzip.open(path) as packed, plain.open("wb") as file:
        while chunk := packed.read(1 << 20):
            file.write(chunk)
    return plain
