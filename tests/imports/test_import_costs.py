"""Service costs from a firm's own file."""

from decimal import Decimal
from pathlib import Path

from sqlalchemy import select

from crmcore.crm import Crm
from crmcore.store import schema
from crmcore.store.database import raw_connection
from tests.imports.files import a_file, imported

COSTS = """ticket_id,customer_id,date,cost,type
T1,anna,2025-03-01,4.20,contact
T2,ben,2025-03-02,7,Returns
"""


def costs_in(crm: Crm) -> list[tuple[str, str, int, str]]:
    c = schema.service_costs.c
    query = select(c.cost_id, c.customer_id, c.amount_minor, c.kind).order_by(c.cost_id)
    with raw_connection(crm.store) as connection:
        return [tuple(row) for row in connection.execute(query)]


def test_costs_go_in_once_and_are_corrected(crm_on_both: Crm, tmp_path: Path) -> None:
    crm = crm_on_both
    report = imported(crm, a_file(tmp_path, COSTS), "costs")
    assert (report.imported, report.new_customers, report.total) == (2, 2, Decimal("11.20"))
    assert costs_in(crm) == [("T1", "anna", 420, "contact"), ("T2", "ben", 700, "return")]
    again = imported(crm, a_file(tmp_path, COSTS.replace("4.20", "5.20")), "costs")
    assert (again.imported, again.updated, again.unchanged) == (0, 1, 1)
    assert costs_in(crm)[0][2] == 520


def test_costs_without_ids_are_told_apart_by_what_they_say(crm_on_both: Crm, tmp_path: Path) -> None:
    crm = crm_on_both
    rows = ["customer,date,amount", "anna,2025-03-01,4", "anna,2025-03-01,4"]
    assert imported(crm, a_file(tmp_path, "\n".join(rows)), "costs").imported == 2
    longer = imported(crm, a_file(tmp_path, "\n".join([*rows, "anna,2025-03-02,4"])), "costs")
    assert (longer.imported, longer.unchanged) == (1, 2)
    assert [cost[2:] for cost in costs_in(crm)] == [(400, "service")] * 3


def test_a_cost_has_one_row_one_customer_and_is_not_below_zero(crm_on_both: Crm, tmp_path: Path) -> None:
    crm = crm_on_both
    imported(crm, a_file(tmp_path, COSTS), "costs")
    text = (
        "ticket_id,customer_id,date,cost\nT1,eve,2025-03-01,1\nT3,eve,2025-03-01,1\nT3,eve,2025-03-01,2\n"
        "T4,eve,2025-03-01,-1\nT5,eve,2025-03-01,3\nT5,eve,2025-03-01,3\n"
    )
    report = imported(crm, a_file(tmp_path, text), "costs", keep_good=True)
    assert (report.read, report.imported, report.duplicates, report.rejected) == (6, 1, 1, 4)
    assert [cost[0] for cost in costs_in(crm)] == ["T1", "T2", "T5"]
