"""Any file with a table in it: encodings, delimiters, packing, quotes, Excel, Parquet, and what is broken."""

import gzip
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pa_parquet
import pytest

from crmcore.crm import Crm
from crmcore.imports.errors import UnreadableFile
from crmcore.imports.report import ImportReport
from crmcore.tables import layout
from crmcore.tables.opening import Shape, opened
from crmcore.tables.table import Batch, BrokenRow
from tests.imports.files import a_file, amounts_in, imported, orders_in

PEOPLE = "id,name\n1,Zoë Müller\n2,Ann\n"


def rows_of(path: Path, shape: Shape = Shape()) -> list[tuple[int, list[str]]]:
    """(line, cells) of every row; a broken one shows its text."""
    found: list[tuple[int, list[str]]] = []
    with opened(path, shape, path.parent) as table:
        for batch in table.batches():
            if isinstance(batch, BrokenRow):
                found.append((batch.line, [batch.text]))
                continue
            cells = zip(*(column.to_pylist() for column in batch.columns), strict=True)
            found += zip(batch.lines.tolist(), map(list, cells), strict=True)
    return sorted(found)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1", "utf-32"]
)
@pytest.mark.parametrize("packed", [False, True])
def test_the_encoding_is_found(tmp_path: Path, encoding: str, packed: bool) -> None:
    path = a_file(tmp_path, PEOPLE.encode(encoding), packed=packed)
    assert rows_of(path) == [(2, ["1", "Zoë Müller"]), (3, ["2", "Ann"])]


def test_a_sign_that_is_not_utf8_far_down_is_noticed(tmp_path: Path) -> None:
    text = "id,name\n" + "1,Ann\n" * 300_000 + "2,Zoë Müller\n"
    assert rows_of(a_file(tmp_path, text.encode("cp1252")))[-1] == (300_002, ["2", "Zoë Müller"])


def test_a_wrong_encoding_is_refused_with_the_option_to_say(tmp_path: Path) -> None:
    path = a_file(tmp_path, PEOPLE.encode("cp1252"))
    with pytest.raises(UnreadableFile, match="--encoding"):
        rows_of(path, Shape(encoding="utf-8"))
    with pytest.raises(UnreadableFile, match="not known"):
        rows_of(path, Shape(encoding="utf-9"))


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("id,date,amount\n1,2024-01-01,2.50\n", ","),
        ("id;date;amount\n1;2024-01-01;2,50\n2;2024-01-02;3,75\n", ";"),
        ("id\tname\n1\tAnn, Ben; Co\n2\tEve\n", "\t"),
        ("id|amount\n1|2,50\n2|3,50\n", "|"),
        (" 00004 19970101  2   29.33\n 00004 19970118  2   29.73\n", " "),
        ("id,when\n1,2024-01-01 10:00 pm\n2,2024-01-02 11:00 pm\n", ","),
        ('id,note\n1,"a;b;c"\n2,"d;e;f"\n', ","),
    ],
)
def test_the_delimiter_is_found(text: str, delimiter: str) -> None:
    assert layout.find_delimiter(text) == delimiter


def test_columns_separated_by_blanks_keep_their_lines(tmp_path: Path) -> None:
    path = a_file(tmp_path, " id  amount \r\n\r\n 1    2.50\r\n    2\t3.50  \r\n")
    assert rows_of(path) == [(3, ["1", "2.50"]), (4, ["2", "3.50"])]


def test_rows_know_their_lines_across_blank_lines_quoted_breaks_and_broken_rows(tmp_path: Path) -> None:
    text = 'id,note\n\n1,"two\nlines"\n2,x\n3\n,\n4,"a ""b"" c"\n5,x,y\n"6","three\n\nlines"\n7,x\n'
    assert rows_of(a_file(tmp_path, text)) == [
        (3, ["1", "two\nlines"]),
        (5, ["2", "x"]),
        (6, ["3"]),
        (8, ["4", 'a "b" c']),
        (9, ["5,x,y"]),
        (10, ["6", "three\n\nlines"]),
        (13, ["7", "x"]),
    ]


def test_lines_are_right_beyond_the_first_block(tmp_path: Path) -> None:
    row = "1," + "x" * 90 + "\n"
    text = "id,note\n" + row * 60_000 + '2,"a\nb"\nbroken\n' + row * 60_000 + "3,end\n"
    found = rows_of(a_file(tmp_path, text))
    assert found[60_000:60_003] == [(60_002, ["2", "a\nb"]), (60_004, ["broken"]), (60_005, ["1", "x" * 90])]
    assert found[-1] == (120_005, ["3", "end"])


def test_a_mark_that_is_never_closed_swallows_nothing_unnoticed(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="never closed in line 3"):
        rows_of(a_file(tmp_path, 'id,note\n1,x\n2,"open\n3,x\n4,x\n'))


def test_a_packed_file_is_known_by_its_content(tmp_path: Path) -> None:
    assert len(rows_of(a_file(tmp_path, PEOPLE, "people.csv", packed=True))) == 2
    cut = a_file(tmp_path, gzip.compress(PEOPLE.encode() * 100)[:-20], "cut.csv.gz")
    with pytest.raises(UnreadableFile, match="not whole"):
        rows_of(cut)


def test_a_packed_file_that_ends_too_early_far_down_is_not_taken_for_whole(crm: Crm, tmp_path: Path) -> None:
    rows = "".join(f"c{i},2025-01-01,{i}.00\n" for i in range(200_000))
    packed = gzip.compress(f"customer_id,date,amount\n{rows}".encode())
    with pytest.raises(UnreadableFile, match="not whole"):
        imported(crm, a_file(tmp_path, packed[:-9]))
    assert orders_in(crm) == []


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1old", "save it as .xlsx without one"),
        (b"PK\x03\x04 no zip", "no Excel workbook"),
        (b"PAR1 cut", "damaged"),
        (b"\x1f\x8b\x08", "not whole"),
    ],
)
def test_damage_is_said(tmp_path: Path, data: bytes, why: str) -> None:
    with pytest.raises(UnreadableFile, match=why):
        rows_of(a_file(tmp_path, data))


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="there is no file"):
        rows_of(tmp_path / "nothing.csv")
    with pytest.raises(UnreadableFile, match="is a directory"):
        rows_of(tmp_path)


def test_values_where_names_should_be_and_the_other_way_round(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="Say --no-header"):
        rows_of(a_file(tmp_path, "1,2024-01-01,5\n2,2024-01-01,6\n"))
    with pytest.raises(UnreadableFile, match="Leave --no-header out"):
        rows_of(a_file(tmp_path, "id,date,amount\n2,2024-01-01,6\n"), Shape(header=False))


# --- other kinds of files -------------------------------------------------------------------------


def a_workbook(path: Path, *rows: list[object], other_sheet: str | None = None) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    if other_sheet:
        book.create_sheet(other_sheet).append(["customer_id", "date", "amount"])
        book[other_sheet].append(["zoe", "2025-01-01", 1])
    book.save(path)
    return path


def test_excel_with_real_dates_and_numbers_and_with_texts(crm: Crm, tmp_path: Path) -> None:
    path = a_workbook(
        tmp_path / "orders.xlsx",
        ["Customer", "Order date", "Amount", "Order no"],
        [17850, datetime(2025, 7, 1, 10), 12.5, 1],  # noqa: DTZ001 - Excel knows no zones.
        [],
        [17850, "2025-07-02", "1.234,50", 2],
        [17851, date(2025, 7, 3), 7, 3],
        [None, None, None, None],
    )
    report = imported(crm, path, mapping={"order_id": "Order no"})
    assert (report.read, report.imported, report.total) == (3, 3, Decimal("1254.00"))
    assert [(row[0], row[1]) for row in orders_in(crm)] == [("1", "17850"), ("2", "17850"), ("3", "17851")]
    assert orders_in(crm)[0][2] == datetime(2025, 7, 1, 9, tzinfo=UTC)


def test_an_excel_number_says_nothing_about_the_texts_beside_it(crm: Crm, tmp_path: Path) -> None:
    path = a_workbook(
        tmp_path / "o.xlsx",
        ["customer_id", "date", "amount"],
        ["a", "2025-01-01", 12.5],
        ["a", "2025-01-02", "1,234"],
    )
    report = imported(crm, path)
    assert report.outcome == "refused"
    assert (report.reasons[0].first_line, "--decimal" in report.reasons[0].text) == (3, True)
    assert imported(crm, path, decimal=",", rounding=True).total == Decimal("13.73")


def test_the_sheet_is_chosen(crm: Crm, tmp_path: Path) -> None:
    path = a_workbook(tmp_path / "o.xlsx", ["readme"], ["text"], other_sheet="Orders")
    assert imported(crm, path, shape=Shape(sheet="Orders")).customers == 1
    with pytest.raises(UnreadableFile, match="it has 'Sheet', 'Orders'"):
        imported(crm, path, shape=Shape(sheet="orders 2024"))


def parquet(crm: Crm, path: Path, **columns: pa.Array) -> ImportReport:
    pa_parquet.write_table(pa.table(columns), path)
    return imported(crm, path)


def test_parquet_columns_keep_their_types(crm: Crm, tmp_path: Path) -> None:
    report = parquet(
        crm,
        tmp_path / "o.parquet",
        customer_id=pa.array([1.0, 2.0, None]).cast(pa.float64()),
        ordered_at=pa.array([datetime(2025, 7, 1, 10, tzinfo=UTC)] * 3, pa.timestamp("ns", "UTC")),
        amount=pa.array([Decimal("12.345"), Decimal("7.5"), Decimal(1)]).cast(pa.decimal128(12, 4)),
        product=pa.array(["x", "y", "x"]).dictionary_encode(),
    )
    assert report.rejected == 2  # No customer, and an amount finer than a cent.
    assert {(r.first_line, r.text[:22]) for r in report.reasons} == {
        (1, "amount is finer than t"),
        (3, "there is no customer i"),
    }


def test_a_long_text_in_every_row_of_a_small_file_is_refused(crm: Crm, tmp_path: Path) -> None:
    rows, path = 60_000, tmp_path / "o.parquet"
    long = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["x" * 1_000_000]))
    day, amount = pa.array([date(2025, 1, 1)] * rows), pa.array([2.5] * rows)
    # Without Arrow's own schema, as other programs write it: a text of usual length, so says the file.
    table = pa.table({"customer_id": long, "date": day, "amount": amount})
    pa_parquet.write_table(table, path, store_schema=False)
    assert path.stat().st_size < 100_000
    with pytest.raises(UnreadableFile, match="it is no column of records"):
        imported(crm, path)
    unused = pa.table({"customer_id": ["c"] * rows, "date": day, "amount": amount, "note": long})
    pa_parquet.write_table(unused, path, store_schema=False)
    assert imported(crm, path).read == rows


def test_parquet_packed_and_without_rows(crm: Crm, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    table = pa.table({"customer_id": ["a"], "date": [date(2025, 1, 1)], "amount": [2.5]})
    pa_parquet.write_table(table, buffer)
    assert imported(crm, a_file(tmp_path, buffer.getvalue(), packed=True)).total == Decimal("2.50")
    pa_parquet.write_table(table.slice(0, 0), tmp_path / "none.parquet")
    with pytest.raises(UnreadableFile, match="no rows"):
        imported(crm, tmp_path / "none.parquet")


def test_ids_that_a_program_took_for_numbers_are_the_same_ids(crm: Crm, tmp_path: Path) -> None:
    text = "customer_id,date,amount\n17850.0,2025-01-01,5\n,2025-01-02,6\n17851.0,2025-01-03,7\n"
    assert imported(crm, a_file(tmp_path, text), keep_good=True).rejected == 1
    assert amounts_in(crm) == {"17850": [500], "17851": [700]}


def test_batches_are_small_whatever_the_size_of_the_file(tmp_path: Path) -> None:
    path = a_file(tmp_path, "id,note\n" + ("1," + "x" * 100 + "\n") * 200_000)
    with opened(path, Shape(), tmp_path) as table:
        sizes = [sum(c.nbytes for c in b.columns) for b in table.batches() if isinstance(b, Batch)]
    assert len(sizes) >= 4
    assert max(sizes) < 8 << 20
