"""Exports that overlap: however a log is cut, importing the pieces gives what importing the whole gives."""

import csv
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from crmcore.crm import Crm
from crmcore.store import schema
from crmcore.store.database import raw_connection
from tests.imports.files import a_file, dump, imported

Row = tuple[str, str, str, str]

ROWS = st.builds(
    lambda customer, day, amount, status: (customer, day, amount, status),
    st.sampled_from(["anna", "ben"]),
    st.integers(0, 9).map(lambda n: (date(2025, 3, 1) + timedelta(n)).isoformat()),
    st.sampled_from(["5.00", "7.50", "0.00", "-5.00", "-7.50"]),
    st.sampled_from(["delivered", "cancelled"]),
)


def written(directory: str, rows: list[Row], ids: bool) -> Path:
    """With ids, two rows in a row are lines of one order."""
    text = io.StringIO()
    out = csv.writer(text)
    out.writerow([*(["order_id"] if ids else []), "customer_id", "date", "amount", "status"])
    for customer, day, amount, status in rows:
        out.writerow([*([f"{customer}{day}"] if ids else []), customer, day, amount, status])
    return a_file(Path(directory), text.getvalue())


@contextmanager
def emptied(crm: Crm) -> Iterator[None]:
    yield
    with raw_connection(crm.store) as connection:
        for table in (schema.returns, schema.orders, schema.customers):
            connection.execute(delete(table))
        connection.commit()


def after(
    crm: Crm, pieces: list[list[Row]], ids: bool
) -> tuple[dict[str, list[tuple[object, ...]]], int, int]:
    """The books after importing the pieces, and how many rows were read and imported."""
    read = new = 0
    with emptied(crm), tempfile.TemporaryDirectory() as directory:
        for piece in pieces:
            if piece:
                report = imported(crm, written(directory, piece, ids))
                assert report.outcome == "imported", report.reasons
                assert report.read == report.imported + report.updated + report.unchanged
                read, new = read + report.read, new + report.imported
        return dump(crm), read, new


@settings(max_examples=15, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=12), st.data(), st.booleans())
def test_windows_that_grow_give_what_the_whole_gives(
    crm_for_examples: Crm, rows: list[Row], data: st.DataObject, ids: bool
) -> None:
    if ids:  # A cut may go through an order, whose amount then grows; a status never moves back.
        rows = [(customer, day, amount, "delivered") for customer, day, amount, _ in rows]
    first = last = data.draw(st.integers(0, len(rows)))
    pieces = []
    while (first, last) != (0, len(rows)):
        first = data.draw(st.integers(0, first))
        last = data.draw(st.integers(last, len(rows)))
        pieces.append(rows[first:last])
        if len(pieces) == 3:
            first, last = 0, len(rows)
    pieces.append(rows)
    whole, _, _ = after(crm_for_examples, [rows], ids)
    grown, _, new = after(crm_for_examples, pieces, ids)
    assert grown == whole
    if not ids:
        assert new == len(rows)  # Every row was new exactly once.


@settings(max_examples=10, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=12), st.integers(1, 4), st.integers(0, 3))
def test_windows_of_days_that_overlap_give_what_the_whole_gives(
    crm_for_examples: Crm, rows: list[Row], length: int, overlap: int
) -> None:
    rows.sort(key=lambda row: row[1])
    starts = range(0, 10, length)
    pieces = []
    for start in starts:
        begin = (date(2025, 3, 1) + timedelta(start - overlap)).isoformat()
        end = (date(2025, 3, 1) + timedelta(start + length)).isoformat()
        pieces.append([row for row in rows if begin <= row[1] < end])
    whole, _, _ = after(crm_for_examples, [rows], False)
    assert after(crm_for_examples, pieces, False)[0] == whole


@pytest.fixture(scope="module")
def crm_for_examples(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crm]:
    """One installation for all examples; each leaves it empty."""
    import shutil

    from crmcore.store.database import Store
    from tests.builders import a_crm

    path = tmp_path_factory.mktemp("overlaps") / "rapport.db"
    shutil.copy(migrated_sqlite, path)
    store = Store(f"sqlite:///{path}")
    yield a_crm(store)
    store.dispose()
