"""The published CDNOW log, as it is distributed: the known totals come out to the cent."""

import importlib.util
from decimal import Decimal
from pathlib import Path

import pytest

from crmcore.crm import Crm
from crmcore.imports.errors import UnreadableFile
from tests.imports.files import a_file, imported, orders_in


def cdnow(name: str) -> Path:
    spec = importlib.util.find_spec("lifetimes")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "datasets" / name


def test_the_master_file_goes_in_whole_and_a_shorter_one_before_it_changes_nothing(
    crm: Crm, tmp_path: Path
) -> None:
    master = cdnow("CDNOW_master.txt").read_bytes()
    half = a_file(tmp_path, master[: master.rfind(b"\n", 0, len(master) // 2) + 1], "half.txt")
    mapping = {"amount": "dollar_value"}
    first = imported(crm, half, mapping=mapping)
    report = imported(crm, a_file(tmp_path, master, packed=True), mapping=mapping)
    assert (report.read, report.rejected, report.customers) == (69_659, 0, 23_570)
    assert report.total == Decimal("2500315.63")
    assert report.unchanged == first.imported
    assert first.imported + report.imported == 69_659
    # 215 different lines stand there more than once, in 470 rows.
    assert report.repeats == 470 - 215
    rows = orders_in(crm)
    assert len(rows) == 69_659
    assert sum(row[3] for row in rows) == 250_031_563
    assert sum(row[3] == 0 for row in rows) == 80  # Gifts are purchases.


def test_the_sample_has_no_header(crm: Crm, tmp_path: Path) -> None:
    sample = cdnow("CDNOW_sample.txt")
    with pytest.raises(UnreadableFile, match="Say --no-header"):
        imported(crm, sample)
    mapping = {"customer_id": "2", "ordered_at": "3", "quantity": "4", "amount": "5"}
    report = imported(crm, sample, header=False, mapping=mapping, workplace=tmp_path)
    assert (report.read, report.customers, report.total) == (6_919, 2_357, Decimal("244091.94"))
