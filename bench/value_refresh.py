"""How long a stored order takes to change the customer's value, and how long it takes to read it.

A shop of 10,000 simulated customers is scored once. For a larger firm every row of it (customers, orders,
costs, decisions, snapshots, current values) is copied inside the database under new names, so that tables
and indexes have their real size. Then, for customers picked at random, one transaction each: an order of now
is stored, summary, value and tier are refreshed, and the transaction commits; and in another round the
card (value, tier, reasons) is read.

    .venv/bin/python -m bench.value_refresh [--customers 1000000] [--database-url postgresql+psycopg://…]
"""

import argparse
import os
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Column, MetaData, Table, insert, literal, select, text

from bench.results import percentile, write_result
from crmcore.crm import Crm
from crmcore.ids import new_id
from crmcore.orders import Order
from crmcore.store import schema
from crmcore.store.database import Store, raw_connection
from crmcore.usecases.value import value_card
from crmcore.usecases.value_refresh import refresh_value
from crmcore.usecases.value_score import score
from tests.builders import Clock, a_crm
from tests.value.shop import open_shop

SHOP = 10_000
TIMES = 2_000
ROUNDS = 3
WARM_UP = 100
LIMIT_MS = 5.0
# What a copy of a customer has, and which of its columns name one of the copied rows.
COPIED: tuple[tuple[Table, tuple[str, ...]], ...] = (
    (schema.customers, ("customer_id",)),
    (schema.orders, ("order_id", "customer_id")),
    (schema.service_costs, ("cost_id", "customer_id")),
    (schema.decisions, ("decision_id", "customer_id")),
    (schema.value_snapshots, ("customer_id", "decision_id")),
    (schema.current_values, ("customer_id",)),
)
# Copies of rows whose references hold need no check.
WITHOUT_CHECKS = {
    "sqlite": ("PRAGMA foreign_keys=OFF", "PRAGMA synchronous=OFF", "PRAGMA cache_size=-500000"),
    "postgresql": ("SET session_replication_role = replica",),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=SHOP)
    parser.add_argument("--database-url", help="an empty PostgreSQL database; SQLite unless given")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as directory:
        store = Store(arguments.database_url or f"sqlite:///{Path(directory) / 'rapport.db'}")
        store.migrate()
        crm = a_crm(store, Clock())
        ids = open_shop(crm, min(SHOP, arguments.customers))
        assert score(crm).run.published
        ids = grow(crm, ids, max(1, arguments.customers // SHOP))
        refreshes = [timed(lambda c: buy(crm, c), ids, seed) for seed in range(ROUNDS)]
        reads = [timed(lambda c: read(crm, c), ids, seed) for seed in range(ROUNDS)]
        store.dispose()
    database = "postgresql" if arguments.database_url else "sqlite"
    figures = {
        "database": database,
        "customers": len(ids),
        "times_a_round": TIMES,
        "refresh_with_commit_p50_ms": [percentile_of(clock, 50) for clock, _ in refreshes],
        "refresh_with_commit_p99_ms": [percentile_of(clock, 99) for clock, _ in refreshes],
        "refresh_p99_processor_ms": [percentile_of(busy, 99) for _, busy in refreshes],
        "card_p50_ms": [percentile_of(clock, 50) for clock, _ in reads],
        "card_p99_ms": [percentile_of(clock, 99) for clock, _ in reads],
        "card_p99_processor_ms": [percentile_of(busy, 99) for _, busy in reads],
        "limit_ms": LIMIT_MS,
        "load_average_1_minute": round(os.getloadavg()[0], 1),
    }
    print(figures)
    write_result(
        f"value_refresh_{database}_{len(ids)}",
        f".venv/bin/python -m bench.value_refresh --customers {len(ids)}"
        + (" --database-url …" if arguments.database_url else ""),
        figures,
        "One writer, no contention, a warm file cache; one figure a round. A refresh is the whole "
        "transaction: the order's row, the customer's rows read, value and tier, snapshot and "
        "decision written, commit to the disk. With a load average above the number of cores it "
        "is the wait for a core; processor time is this process's own, without the database server's and "
        "without waiting.",
    )


def buy(crm: Crm, customer_id: str) -> None:
    now = crm.clock()
    order = Order(
        order_id=new_id("ord"),
        customer_id=customer_id,
        ordered_at=now,
        amount_minor=3500,
        margin_minor=None,
        currency=crm.firm.currency,
        status="placed",
        expected_on=None,
        delivered_on=None,
        tracking=None,
        items=(),
        paid=True,
    )
    with crm.store.write() as tx:
        tx.orders.add(order)
        refresh_value(tx, crm.firm, customer_id, now)


def read(crm: Crm, customer_id: str) -> None:
    card = value_card(crm, customer_id)
    assert card is not None
    assert card.why


def timed(work: Callable[[str], None], ids: list[str], seed: int) -> tuple[list[float], list[float]]:
    """Milliseconds of every piece of work: on the clock, and of processor time."""
    rng = random.Random(seed)
    for customer_id in rng.choices(ids, k=WARM_UP):
        work(customer_id)
    on_the_clock, of_processor = [], []
    for customer_id in rng.choices(ids, k=TIMES):
        started, busy = time.perf_counter(), time.process_time()
        work(customer_id)
        of_processor.append((time.process_time() - busy) * 1000)
        on_the_clock.append((time.perf_counter() - started) * 1000)
    return on_the_clock, of_processor


def percentile_of(clock: list[float], share: int) -> float:
    return round(percentile(clock, share), 3)


def grow(crm: Crm, ids: list[str], times: int) -> list[str]:
    """Copy everybody until the firm is so many times as large; returns the ids of all.

    A copy's rows begin alike, so that they lie together in every index and a million are there in minutes.
    """
    with raw_connection(crm.store) as connection:
        for statement in WITHOUT_CHECKS[connection.dialect.name]:
            connection.execute(text(statement))
        for table, names in COPIED:
            original = table.to_metadata(MetaData(), name="original")
            connection.execute(text(f"CREATE TEMPORARY TABLE original AS SELECT * FROM {table.name}"))
            for copy in range(1, times):
                columns = [copied(c, copy) if c.name in names else c for c in original.columns]
                rows = select(*columns).order_by(original.c[names[0]])
                connection.execute(insert(table).from_select([c.name for c in table.columns], rows))
            connection.execute(text("DROP TABLE original"))
            connection.commit()
        connection.detach()  # It goes with its settings.
    settle(crm.store)
    return ids + [f"~{copy:03d}{customer_id}" for copy in range(1, times) for customer_id in ids]


def settle(store: Store) -> None:
    """Write down what the copying left to be written, which no order would wait for on another day."""
    with raw_connection(store) as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("ANALYZE")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            return
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.exec_driver_sql("VACUUM (ANALYZE)")
        connection.exec_driver_sql("CHECKPOINT")


def copied(column: Column[Any], copy: int) -> Any:
    return literal(f"~{copy:03d}") + column


if __name__ == "__main__":
    main()
