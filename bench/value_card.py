"""How long it takes to read one customer's value, tier and reasons from the store.

10,000 simulated customers on SQLite, scored once; then cards of customers picked at random are read one
after the other through the same use case that the workspace calls, each in a transaction of its own.

    .venv/bin/python -m bench.value_card
"""

import os
import random
import tempfile
import time
from pathlib import Path

from bench.results import percentile, write_result
from crmcore.crm import Crm
from crmcore.store.database import Store
from crmcore.usecases.value import value_card
from crmcore.usecases.value_score import score
from tests.builders import a_crm
from tests.value.shop import open_shop

CUSTOMERS = 10_000
READS = 2_000
ROUNDS = 5
LIMIT_MS = 5.0


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        store = Store(f"sqlite:///{Path(directory) / 'rapport.db'}")
        store.migrate()
        crm = a_crm(store)
        ids = open_shop(crm, CUSTOMERS)
        started = time.perf_counter()
        report = score(crm)
        scoring_seconds = time.perf_counter() - started
        rounds = [_read(crm, random.Random(seed).choices(ids, k=READS)) for seed in range(ROUNDS)]
        store.dispose()
    figures = {
        "customers": report.customers,
        "reads_a_round": READS,
        "p50_ms": [round(percentile(clock, 50), 3) for clock, _ in rounds],
        "p99_ms": [round(percentile(clock, 99), 3) for clock, _ in rounds],
        "p99_processor_ms": [round(percentile(busy, 99), 3) for _, busy in rounds],
        "limit_ms": LIMIT_MS,
        "score_all_seconds": round(scoring_seconds, 2),
        "load_average_1_minute": round(os.getloadavg()[0], 1),
    }
    print(figures)
    write_result(
        "value_card",
        ".venv/bin/python -m bench.value_card",
        figures,
        "One reader, a warm file cache, SQLite on local disk; one figure a round. With a load average above "
        "the number of cores, p99_ms is the wait for a core. score_all_seconds is one whole `rapport score`: "
        "reading the books, both fits, values, tiers, and writing snapshots and decisions.",
    )


def _read(crm: Crm, wanted: list[str]) -> tuple[list[float], list[float]]:
    """Milliseconds of every read: on the clock, and of processor time."""
    on_the_clock, of_processor = [], []
    for customer_id in wanted:
        started, busy = time.perf_counter(), time.process_time()
        card = value_card(crm, customer_id)
        of_processor.append((time.process_time() - busy) * 1000)
        on_the_clock.append((time.perf_counter() - started) * 1000)
        assert card is not None
        assert card.why
    return on_the_clock, of_processor


if __name__ == "__main__":
    main()
