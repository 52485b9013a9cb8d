"""An import beside what the product itself writes: chats go on, and what was asked for here counts once."""

import os
from pathlib import Path
from typing import Any

import pytest

from crmcore.crm import Crm
from crmcore.store.imports import Imports
from crmcore.store.staging import Staging
from crmcore.usecases.orders import cancel_order, request_return
from tests.builders import a_conversation, a_message, a_turn
from tests.imports.files import a_file, imported, orders_in, returns_in

ORDERS = """order_id,customer_id,date,amount,status
A1,anna,2026-03-05,50.00,delivered
A2,anna,2026-03-06,20.00,placed
"""


def test_customers_write_while_a_file_is_read_and_laid_down(
    crm_on_both: Crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crm = crm_on_both
    conversation = a_conversation(crm)
    written: list[int] = []
    lay_down = Staging._fill

    def fill(self: Staging, *given: Any) -> None:
        lay_down(self, *given)
        written.append(a_message(crm, conversation, f"message {len(written)}"))

    monkeypatch.setattr(Staging, "_fill", fill)
    assert imported(crm, a_file(tmp_path, ORDERS)).imported == 2
    assert len(written) == 3


def test_an_import_that_breaks_off_leaves_nothing(
    crm_on_both: Crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(*_: object) -> None:
        raise RuntimeError("the power went")

    monkeypatch.setattr(Imports, "join_returns", break_off)
    with pytest.raises(RuntimeError, match="the power went"):
        imported(crm_on_both, a_file(tmp_path, ORDERS))
    assert orders_in(crm_on_both) == []
    with crm_on_both.store.read() as tx:
        assert tx.customers.get("anna") is None
    assert not list((tmp_path / "workplace").iterdir())


def test_what_a_killed_import_left_behind_is_removed_by_the_next(crm: Crm, tmp_path: Path) -> None:
    left, running = tmp_path / "workplace" / "import-old", tmp_path / "workplace" / "import-now"
    left.mkdir(parents=True)
    running.mkdir()
    (left / "workbench").write_text("rows of customers")
    os.utime(left, (1, 1))
    imported(crm, a_file(tmp_path, ORDERS))
    assert not left.exists()
    assert running.exists()


def test_an_order_cancelled_in_the_chat_stays_cancelled(crm_on_both: Crm, tmp_path: Path) -> None:
    crm = crm_on_both
    path = a_file(tmp_path, ORDERS)
    imported(crm, path)
    cancel_order(crm, a_turn(crm, a_conversation(crm, "anna")), "A2")
    assert imported(crm, path).unchanged == 2
    assert [row[5] for row in orders_in(crm)] == ["delivered", "cancelled"]


@pytest.mark.parametrize(
    "credit", ["A1,anna,2026-03-20,-50.00,", "C7,anna,2026-03-20,-50.00,"], ids=["of the order", "of its own"]
)
def test_a_return_asked_for_in_the_chat_and_its_credit_are_one(
    crm_on_both: Crm, tmp_path: Path, credit: str
) -> None:
    crm = crm_on_both
    imported(crm, a_file(tmp_path, ORDERS))
    request_return(crm, a_turn(crm, a_conversation(crm, "anna")), "A1", "too small")
    crm.clock.advance(days=20)  # type: ignore[attr-defined]
    longer = a_file(tmp_path, ORDERS + credit + "\n")
    report = imported(crm, longer)
    assert (report.updated, report.unchanged, report.imported) == (1, 2, 0)
    assert returns_in(crm) == [("A1-R", "A1", "anna", 5000, None, "refunded")]
    assert imported(crm, longer).unchanged == 3


def test_a_large_first_load_keeps_the_indexes(
    crm: Crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy import inspect

    from crmcore.store import staging
    from crmcore.store.database import raw_connection

    def indexes() -> set[str | None]:
        with raw_connection(crm.store) as connection:
            return {index["name"] for index in inspect(connection).get_indexes("orders")}

    before = indexes()
    monkeypatch.setattr(staging, "_MANY", 1)
    imported(crm, a_file(tmp_path, ORDERS))
    assert indexes() == before
    assert before
