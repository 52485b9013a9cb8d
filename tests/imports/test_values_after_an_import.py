"""What an import does to the customers' values: few are refreshed with it, of many the next scoring knows."""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from crmcore.crm import Crm
from crmcore.intake import OrderChange
from crmcore.orders import Order
from crmcore.store.database import Store, raw_connection
from crmcore.store.imports import Imports
from crmcore.store.staging import Merged
from crmcore.usecases import imports
from crmcore.usecases.intake import change_order
from crmcore.usecases.value_score import score
from tests.builders import Clock, a_crm
from tests.imports.files import a_file, imported
from tests.imports.test_import_command import run, told
from tests.value.shop import open_shop
from tests.value.test_refresh import CUSTOMERS, assert_as_in_a_batch, snapshots
from tests.web.gateway.chat import until

NEWS = """order_id,customer_id,date,amount,status
n1,c00003,2026-03-09,4000.00,delivered
n2,a newcomer,2026-03-10,80.00,delivered
n3,c00005,2026-03-10,-12.50,refunded
n4,c00007,2026-03-10,30.00,cancelled
"""


def test_customers_with_news_are_valued_as_in_a_scoring(crm_on_both: Crm, tmp_path: Path) -> None:
    crm = crm_on_both
    ids = open_shop(crm, CUSTOMERS)
    score(crm)
    before = snapshots(crm, ids)
    path = a_file(tmp_path, NEWS)
    report = imported(crm, path)
    assert (report.values, report.valued) == ("refreshed", 4)
    now = crm.clock()
    with crm.store.write() as tx:
        assert_as_in_a_batch(tx, crm, [ids[3], ids[5], ids[7], "a newcomer"], now)
    after = snapshots(crm, ids)
    assert after[ids[3]].clv_minor > before[ids[3]].clv_minor
    assert [c for c in ids if c in after and after[c] != before.get(c)] == [ids[3], ids[5], ids[7]]

    again = imported(crm, path)
    assert (again.unchanged, again.values, again.valued) == (4, "unchanged", 0)
    assert snapshots(crm, ids) == after

    corrected = imported(crm, a_file(tmp_path, NEWS.replace("4000.00", "3900.00")))
    assert (corrected.updated, corrected.values, corrected.valued) == (1, "refreshed", 1)

    costs = a_file(tmp_path, "cost_id,customer_id,date,amount\nk1,c00009,2026-03-10,55\n")
    assert imported(crm, costs, "costs").valued == 1
    with crm.store.write() as tx:
        assert_as_in_a_batch(tx, crm, [ids[3], ids[9]], now)


def test_a_trial_refreshes_nothing(crm: Crm, tmp_path: Path) -> None:
    ids = open_shop(crm, CUSTOMERS)
    score(crm)
    before = snapshots(crm, ids)
    assert imported(crm, a_file(tmp_path, NEWS), dry_run=True).outcome == "tried"
    assert snapshots(crm, ids) == before


def test_an_import_and_the_shop_that_change_one_order_wait_in_no_circle(
    postgres_store: Store, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crm = a_crm(postgres_store, clock)
    ids = open_shop(crm, CUSTOMERS)
    score(crm)
    order = "order_id,customer_id,date,amount,status\nn1,c00003,2026-03-09,4000.00,placed\n"
    imported(crm, a_file(tmp_path, order))
    shop: list[Future[Order]] = []
    join = Imports.join_orders

    def join_and_hear_from_the_shop(self: Imports, *given: Any) -> Merged:
        """The order is changed and not yet valued when the shop says that it was shipped."""
        merged = join(self, *given)
        shop.append(pool.submit(change_order, crm, "n1", OrderChange(status="shipped")))
        until(lambda: somebody_waits_for_a_lock(postgres_store), "the shop waits for the import")
        return merged

    with ThreadPoolExecutor(1) as pool, monkeypatch.context() as patched:
        patched.setattr(Imports, "join_orders", join_and_hear_from_the_shop)
        report = imported(crm, a_file(tmp_path, order.replace("4000", "3900")))
    assert (report.updated, report.values) == (1, "refreshed")
    assert (shop[0].result().status, shop[0].result().amount_minor) == ("shipped", 390_000)
    with crm.store.write() as tx:
        assert_as_in_a_batch(tx, crm, [ids[3]], crm.clock())


def somebody_waits_for_a_lock(store: Store) -> bool:
    with raw_connection(store) as connection:
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return bool(connection.execute(waiting).scalar_one())


def test_the_command_says_whose_values_wait_for_the_next_scoring(
    crm: Crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPPORT_HOME", str(tmp_path / "home"))
    ids = open_shop(crm, CUSTOMERS)
    score(crm)
    before = snapshots(crm, ids)
    path = a_file(tmp_path, NEWS)
    with monkeypatch.context() as many:
        many.setattr(imports, "MOST_REFRESHED", 3)
        said = run(crm, "orders", path)
    assert "The next scoring values these records" in said.output
    assert snapshots(crm, ids) == before
    path.write_text(NEWS + "n5,c00011,2026-03-10,10.00,delivered\n")
    assert "The values of 1 customer are refreshed" in run(crm, "orders", path).output.replace("\n", " ")
    path.write_text(NEWS + "n6,c00011,2026-03-10,10.00,delivered\n")
    found = told(run(crm, "orders", path, "--json"))
    assert (found["values"], found["valued"]) == ("refreshed", 1)
