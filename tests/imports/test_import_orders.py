"""Orders from a firm's own file: what goes in, what happens the second time, and what is refused."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from crmcore.crm import Crm
from crmcore.imports.errors import SameRecordsAgain, UnreadableFile, WrongMapping
from tests.imports.files import a_file, amounts_in, imported, orders_in, returns_in

ORDERS = """order_id,customer_id,ordered_at,amount
A1,anna,2025-03-01 10:00:00,12.50
A2,ben,2025-03-02,7
A3,anna,2025-03-02T23:30:00Z,0.00
"""


def test_orders_and_their_customers_go_in_and_a_second_time_changes_nothing(
    crm_on_both: Crm, tmp_path: Path
) -> None:
    crm = crm_on_both
    path = a_file(tmp_path, ORDERS)
    first = imported(crm, path)
    assert (first.read, first.imported, first.customers, first.new_customers) == (3, 3, 2, 2)
    assert first.total == Decimal("19.50")
    assert orders_in(crm) == [
        ("A1", "anna", datetime(2025, 3, 1, 10, tzinfo=UTC), 1250, None, "delivered"),
        ("A2", "ben", datetime(2025, 3, 2, tzinfo=UTC), 700, None, "delivered"),
        ("A3", "anna", datetime(2025, 3, 2, 23, 30, tzinfo=UTC), 0, None, "delivered"),
    ]
    again = imported(crm, path)
    assert (again.imported, again.unchanged, again.new_customers) == (0, 3, 0)
    assert again.total == first.total


def test_an_order_that_is_told_otherwise_is_corrected(crm_on_both: Crm, tmp_path: Path) -> None:
    crm = crm_on_both
    imported(crm, a_file(tmp_path, ORDERS))
    report = imported(crm, a_file(tmp_path, ORDERS.replace("12.50", "10.00")))
    assert (report.imported, report.updated, report.unchanged) == (0, 1, 2)
    assert amounts_in(crm)["anna"] == [1000, 0]


def test_rows_of_one_order_are_its_lines(crm_on_both: Crm, tmp_path: Path) -> None:
    crm = crm_on_both
    text = (
        "order_id,customer_id,date,quantity,unit_price,sku\n"
        "A1,anna,2025-03-01,2,5.00,tea\nA1,anna,2025-03-01,1,2.50,cup\n"
    )
    report = imported(crm, a_file(tmp_path, text))
    assert (report.read, report.imported, report.total) == (2, 2, Decimal("12.50"))
    assert report.mapping["amount"] == '"quantity"*"unit_price"'
    with crm.store.read() as tx:
        order = tx.orders.get("A1")
    assert order is not None
    assert order.amount_minor == 1250
    assert [(i.product, i.quantity, i.amount_minor) for i in order.items] == [
        ("cup", 1, 250),
        ("tea", 2, 1000),
    ]
    assert imported(crm, a_file(tmp_path, text)).unchanged == 2


def test_a_longer_export_without_ids_adds_what_is_new_and_keeps_true_repeats(
    crm_on_both: Crm, tmp_path: Path
) -> None:
    crm = crm_on_both
    rows = ["customer,date,amount", "anna,2025-03-01,5", "anna,2025-03-01,5", "ben,2025-03-02,7"]
    first = imported(crm, a_file(tmp_path, "\n".join(rows)))
    assert (first.imported, first.repeats) == (3, 1)
    longer = imported(crm, a_file(tmp_path, "\n".join([*rows, "anna,2025-03-01,5", "ben,2025-03-05,1"])))
    assert (longer.imported, longer.unchanged, longer.repeats) == (2, 3, 2)
    assert amounts_in(crm) == {"anna": [500, 500, 500], "ben": [700, 100]}


def test_repeats_are_dropped_on_request(crm: Crm, tmp_path: Path) -> None:
    text = "customer,date,amount\nanna,2025-03-01,5\nanna,2025-03-01,5\n"
    report = imported(crm, a_file(tmp_path, text), drop_duplicates=True)
    assert (report.read, report.imported, report.duplicates, report.total) == (2, 1, 1, Decimal("5.00"))


def test_credits_lessen_the_margin_and_are_no_purchase(crm_on_both: Crm, tmp_path: Path) -> None:
    crm = crm_on_both
    text = (
        "order_id,customer_id,date,quantity,amount,cost of goods\n"
        "A1,anna,2025-03-01,1,50.00,30\nA1,anna,2025-03-09,-1,-20.00,12\n"  # Part of A1 came back.
        "A2,ben,2025-03-02,1,8.00,3\nC9,ben,2025-03-20,-1,8.00,3\n"  # A credit note of its own.
        "C10,eve,2025-03-20,-1,-4.00,1\n"  # Nobody knows for what.
    )
    report = imported(crm, a_file(tmp_path, text), mapping={"cost": "cost of goods"})
    assert (report.imported, report.total) == (5, Decimal("26.00"))
    assert [(row[0], row[3], row[4]) for row in orders_in(crm)] == [("A1", 5000, 2000), ("A2", 800, 500)]
    assert returns_in(crm) == [
        ("A1-R", "A1", "anna", 2000, 800, "refunded"),
        ("C10-R", None, "eve", 400, 300, "refunded"),
        ("C9-R", "A2", "ben", 800, 500, "refunded"),
    ]
    assert imported(crm, a_file(tmp_path, text), mapping={"cost": "cost of goods"}).unchanged == 5


def test_a_status_cancels_or_sends_back_and_only_moves_on(crm_on_both: Crm, tmp_path: Path) -> None:
    crm = crm_on_both
    text = (
        "order_id,customer_id,date,amount,status\nA1,anna,2025-03-01,5,Canceled\n"
        "A2,anna,2025-03-02,6,shipped\nA3,anna,2025-03-03,7,refunded\n"
    )
    assert imported(crm, a_file(tmp_path, text)).imported == 3
    assert [(row[0], row[5]) for row in orders_in(crm)] == [
        ("A1", "cancelled"),
        ("A2", "shipped"),
        ("A3", "delivered"),
    ]
    assert returns_in(crm) == [("A3-R", "A3", "anna", 700, None, "refunded")]
    later = text.replace("Canceled", "open").replace("shipped", "refunded")
    report = imported(crm, a_file(tmp_path, later))
    assert (report.updated, report.unchanged) == (1, 2)
    assert [row[5] for row in orders_in(crm)] == ["cancelled", "delivered", "delivered"]
    assert [row[0] for row in returns_in(crm)] == ["A2-R", "A3-R"]


def test_one_bad_row_keeps_the_whole_file_out_and_is_written_down(crm_on_both: Crm, tmp_path: Path) -> None:
    crm = crm_on_both
    path = a_file(tmp_path, ORDERS + "A4,,2025-03-04,1\nA5,ben,2025-03-05,abc\nA6,ben,2025-03-06\n")
    report = imported(crm, path)
    assert (report.outcome, report.read, report.imported, report.rejected) == ("refused", 6, 0, 3)
    assert report.total == Decimal("19.50")
    assert orders_in(crm) == []
    assert report.rejects_file is not None
    assert report.rejects_file.read_text().splitlines() == [
        "line,reason,order_id,customer_id,ordered_at,amount",
        "5,there is no customer id,A4,,2025-03-04,1",
        "6,amount is no number,A5,ben,2025-03-05,abc",
        '7,the row has 3 columns and not 4,"A6,ben,2025-03-06"',
    ]
    assert report.rejects_file.stat().st_mode & 0o777 == 0o600

    kept = imported(crm, path, keep_good=True)
    assert (kept.outcome, kept.imported, kept.rejected) == ("imported", 3, 3)
    assert len(orders_in(crm)) == 3


def test_an_order_belongs_to_one_customer(crm_on_both: Crm, tmp_path: Path) -> None:
    crm = crm_on_both
    imported(crm, a_file(tmp_path, ORDERS))
    shared = (
        "order_id,customer_id,date,amount\nB1,anna,2025-03-01,1\nB1,ben,2025-03-01,1\nB2,ben,2025-03-01,2\n"
    )
    report = imported(crm, a_file(tmp_path, shared), keep_good=True)
    assert (report.imported, report.rejected) == (1, 2)
    stolen = "order_id,customer_id,date,amount\nA1,eve,2025-03-01,1\nB3,eve,2025-03-01,2\n"
    refused = imported(crm, a_file(tmp_path, stolen))
    assert (refused.outcome, refused.rejected) == ("refused", 1)
    kept = imported(crm, a_file(tmp_path, stolen), keep_good=True)
    assert (kept.imported, kept.rejected, kept.total) == (1, 1, Decimal("2.00"))
    assert amounts_in(crm) == {"anna": [1250, 0], "ben": [200, 700], "eve": [200]}


def test_the_same_orders_under_other_ids_are_refused(crm_on_both: Crm, tmp_path: Path) -> None:
    crm = crm_on_both
    text = "no,customer,date,amount\nA1,anna,2025-03-01,5\nA2,ben,2025-03-02,7\n"
    path = a_file(tmp_path, text)
    imported(crm, path)
    with pytest.raises(SameRecordsAgain, match="2 of the 2 new orders"):
        imported(crm, path, mapping={"order_id": "no"})
    with pytest.raises(SameRecordsAgain):
        imported(crm, path, mapping={"product": "no"})
    assert len(orders_in(crm)) == 2


def test_a_trial_says_what_would_happen_and_changes_nothing(crm_on_both: Crm, tmp_path: Path) -> None:
    report = imported(crm_on_both, a_file(tmp_path, ORDERS), dry_run=True)
    assert (report.outcome, report.imported, report.new_customers) == ("tried", 3, 2)
    assert orders_in(crm_on_both) == []


def test_test_accounts_are_passed_over(crm: Crm, tmp_path: Path) -> None:
    text = ORDERS + "A4,TEST-1,2025-03-04,99\n"
    report = imported(crm, a_file(tmp_path, text), excluded={"customer_id": "test*"})
    assert (report.read, report.imported, report.excluded, report.total) == (4, 3, 1, Decimal("19.50"))


@pytest.mark.parametrize(
    ("text", "teaches"),
    [
        ("", "is empty"),
        ("customer_id,date,amount\n", "no rows"),
        ("anna,2025-03-01,5\nben,2025-03-01,6\n", "Say --no-header"),
        ('customer_id,date,amount\nanna,2025-03-01,"5\nben,2025-03-01,6\n', "never closed"),
    ],
)
def test_a_file_that_is_no_table_says_why(crm: Crm, tmp_path: Path, text: str, teaches: str) -> None:
    with pytest.raises(UnreadableFile, match=teaches):
        imported(crm, a_file(tmp_path, text))


@pytest.mark.parametrize(
    ("mapping", "teaches"),
    [
        ({"customer": "customer_id"}, "Did you mean 'customer_id'"),
        ({"amount": "amont"}, "Did you mean 'amount'"),
        ({"amount": "4"}, "a constant is written ==4"),
        ({"amount": "amount*"}, "no sum of products"),
        ({"amount": "=many"}, "is no number"),
        ({"ordered_at": "amount*amount"}, "one column or a constant"),
        ({"amount": "amount", "margin": "amount", "cost": "amount"}, "in two ways"),
    ],
)
def test_a_wrong_mapping_says_what_would_be_right(
    crm: Crm, tmp_path: Path, mapping: dict[str, str], teaches: str
) -> None:
    with pytest.raises(WrongMapping, match=teaches):
        imported(crm, a_file(tmp_path, ORDERS), mapping=mapping)
