"""From the order log to the tiers of a million customers, beside lifetimes, in one run.

    .venv/bin/python -m bench.value_batch
    .venv/bin/python -m bench.value_batch --customers 100000 --rounds 1

Simulated orders of two years in one Parquet file, the customers named by text. In every round each engine
runs in a process of its own, one after the other, and reads the same file. Ours: the expression on
DuckDB with numpy's fits. lifetimes: summary_data_from_transaction_data, both fits, customer_lifetime_value,
tiers by quantiles of pandas. Figures are written to bench/results/value_batch.json at 1,000,000 customers.
"""

import argparse
import json
import os
import sys
import tempfile
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.peers import DAYS, run_apart, simulated_orders
from bench.results import write_result

WARM_UP = 3_000
TIME_LIMIT, MEMORY_LIMIT = 1 / 12, 0.6
_FIRST = date(2023, 1, 1).toordinal() - date(1970, 1, 1).toordinal()


def main() -> None:
    parser = argparse.ArgumentParser(description="From the log to tiers, beside lifetimes.")
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    runs: dict[str, list[dict[str, Any]]] = {"ours": [], "lifetimes": []}
    with tempfile.TemporaryDirectory() as directory:
        log, warm_up = Path(directory) / "log.parquet", Path(directory) / "warm_up.parquet"
        write_log(warm_up, WARM_UP)
        orders = write_log(log, chosen.customers)
        for _ in range(chosen.rounds):
            for engine, done in runs.items():
                done.append(run(engine, log, warm_up))
                print(engine, done[-1])
    figures = {
        "customers": chosen.customers,
        "orders": orders,
        "engines": {engine: digest(done) for engine, done in runs.items()},
        "against_lifetimes": against(runs),
        "load_average_1_minute": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(figures["against_lifetimes"], indent=2))
    if chosen.customers == 1_000_000:
        write_result(
            "value_batch",
            ".venv/bin/python -m bench.value_batch",
            figures,
            "From a Parquet file of orders to the tier of every customer: medians over rounds, one process "
            "an engine and round, after a warm-up on 3,000 customers. Extra memory is the peak over that "
            "after the warm-up. Ours uses every core, lifetimes one; with a load average above their number "
            "read the processor times. Closed forms alone, as lifetimes knows no forecast; the interval "
            "of each value, returns and service costs are not in it, as lifetimes has none. Stages are "
            "[seconds, processor seconds].",
        )


def write_log(path: Path, customers: int) -> int:
    """Simulated orders by time; returns how many."""
    customer, day, amount = simulated_orders(customers)
    order = np.argsort(day, kind="stable")
    names = np.char.add("c", np.char.zfill(customer[order].astype("U7"), 7))
    rows = {
        "customer_id": pa.array(names),
        "at": (day[order] + _FIRST) * 86_400 + 43_200,
        "amount_minor": np.maximum(np.rint(amount[order] * 100), 1).astype(np.int64),
    }
    pq.write_table(pa.table(rows), path)
    return len(customer)


def run(engine: str, log: Path, warm_up: Path) -> dict[str, Any]:
    script = "bench/value_batch_engines.py"
    return run_apart([sys.executable, script, engine, str(log), str(warm_up), str(DAYS)])


def digest(done: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "median_seconds": median(one["seconds"] for one in done),
        "all_seconds": [one["seconds"] for one in done],
        "median_processor_seconds": median(one["processor_seconds"] for one in done),
        "extra_mb": round(median(one["peak_mb"] - one["mb_before"] for one in done), 1),
        "stages_of_the_last_round": done[-1]["stages"],
        "found": done[-1]["found"],
    }


def against(runs: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    ours, theirs = digest(runs["ours"]), digest(runs["lifetimes"])
    time = ours["median_seconds"] / theirs["median_seconds"]
    processor = ours["median_processor_seconds"] / theirs["median_processor_seconds"]
    memory = ours["extra_mb"] / theirs["extra_mb"]
    return {
        "times_faster": round(1 / time, 1),
        "times_less_processor": round(1 / processor, 1),
        "share_of_extra_memory": round(memory, 2),
        "time_limit_kept": time <= TIME_LIMIT,
        "memory_limit_kept": memory <= MEMORY_LIMIT,
    }


if __name__ == "__main__":
    main()
