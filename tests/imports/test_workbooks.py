"""Workbooks that are not what they seem: sizes that lie, bombs, damage inside."""

import io
import tracemalloc
import zipfile
from collections.abc import Iterable
from pathlib import Path

import openpyxl
import pytest

from crmcore.imports.errors import UnreadableFile
from crmcore.tables import unpacking
from crmcore.tables.opening import Shape, opened

SHEET = "xl/worksheets/sheet1.xml"


def a_row(line: int, *cells: str) -> str:
    texts = "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in cells)
    return f'<row r="{line}">{texts}</row>'


HEADER = a_row(1, "customer_id", "date", "amount")
ROWS = [HEADER, *(a_row(i, f"c{i}", "2025-01-02", "5.00") for i in range(2, 12))]


def a_workbook(path: Path, rows: Iterable[str], *, size: str = "A1:C11", before: str = "") -> Path:
    """A workbook whose sheet says that its cells are in ``size``; the rows are written as they come."""
    plain = io.BytesIO()
    openpyxl.Workbook().save(plain)
    with zipfile.ZipFile(plain) as parts, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name in parts.namelist():
            if name != SHEET:
                book.writestr(name, parts.read(name))
        with book.open(SHEET, "w") as sheet:
            head = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
            sheet.write(f'{before}{head}<dimension ref="{size}"/><sheetData>'.encode())
            for row in rows:
                sheet.write(row.encode())
            sheet.write(b"</sheetData></worksheet>")
    return path


def lines_and_width(path: Path) -> tuple[list[int], int]:
    with opened(path, Shape(), path.parent) as table:
        lines = [int(line) for batch in table.batches() for line in batch.lines]  # type: ignore[union-attr]
        return lines, len(table.names)


@pytest.mark.parametrize("size", ["A1", "A1:C3", "A1:XFD1048576", "B2:B2"])
def test_a_size_that_lies_hides_no_rows_and_makes_none(tmp_path: Path, size: str) -> None:
    assert lines_and_width(a_workbook(tmp_path / "o.xlsx", ROWS, size=size)) == (list(range(2, 12)), 3)


def test_a_long_sheet_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    before = '\ufeff<?xml version="1.0" encoding="utf-8" standalone="yes"?>\r\n'
    long = a_row(12, "c", "2025-01-02", "5.00", "x" * 30_000)
    path = a_workbook(
        tmp_path / "o.xlsx", [*ROWS, *[long.replace('"12"', f'"{i}"') for i in range(12, 212)]], before=before
    )
    assert len(lines_and_width(path)[0]) == 210


def test_long_parts_without_rows_do_no_harm(tmp_path: Path) -> None:
    path = a_workbook(tmp_path / "o.xlsx", ROWS)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/calcChain.xml", "<calcChain>" + '<c r="A1" i="1"/>' * 400_000 + "</calcChain>")
        book.writestr("xl/media/image1.png", b"\x89PNG" + bytes(6_000_000))
        links = "".join(f'<Relationship Id="r{i}" Type="h" Target="mailto:{i}@x.y"/>' for i in range(90_000))
        namespace = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
        book.writestr(
            "xl/worksheets/_rels/sheet1.xml.rels", f"<Relationships {namespace}>{links}</Relationships>"
        )
    assert len(lines_and_width(path)[0]) == 10


def test_a_wide_row_far_down_widens_the_table(tmp_path: Path) -> None:
    path = a_workbook(tmp_path / "o.xlsx", [*ROWS, a_row(40_000, "c", "2025-01-02", "1", "", "note")])
    assert lines_and_width(path) == ([*range(2, 12), 40_000], 5)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([*ROWS, '<row r="99999999999"><c><v>1</v></c></row>'], "where every sheet ends"),
        ([*ROWS, '<row r="12"><c r="ZZZ12"><v>1</v></c></row>'], "18278 columns"),
        ([*ROWS, '<row r="12"><c t="s"><v>77</v></c></row>'], "damaged"),
        ([*ROWS, "<row r='12'><c"], "damaged"),
        ([*ROWS, '<row r="12"><c r="??"><v>1</v></c></row>'], "damaged"),
    ],
    ids=["row", "column", "text", "cut off", "place"],
)
def test_what_no_sheet_holds_is_refused(tmp_path: Path, rows: list[str], says: str) -> None:
    with pytest.raises(UnreadableFile, match=says):
        lines_and_width(a_workbook(tmp_path / "o.xlsx", rows))


@pytest.mark.parametrize(
    ("rows", "before"),
    [
        ([HEADER, '<row r="2">', *["<c/>" * 100_000] * 200, "</row>"], ""),
        ([HEADER, *["<!-- </row> -->" * 30_000] * 200], ""),
        (ROWS, '<!DOCTYPE a [<!ENTITY b "' + "c" * 5_000_000 + '">]>'),
    ],
    ids=["one row", "comments", "entities"],
)
def test_a_bomb_is_refused_in_little_memory(tmp_path: Path, rows: list[str], before: str) -> None:
    path = a_workbook(tmp_path / "o.xlsx", rows, before=before)
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableFile, match="row without end"):
            lines_and_width(path)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 20_000_000


def test_a_workbook_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = a_workbook(tmp_path / "o.xlsx", [HEADER, *["".join(ROWS[1:]) * 1000] * 10])
    monkeypatch.setattr(unpacking, "_MOST", 8 << 20)
    with pytest.raises(UnreadableFile, match="unpacks to more than 8 MB; save the sheet as CSV"):
        lines_and_width(path)
