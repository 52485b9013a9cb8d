"""How long the value models take, beside lifetimes and pymc-marketing, in one run.

    scripts/setup-bench                                   # once: pymc-marketing in .venv-bench
    .venv/bin/python -m bench.value_fit                   # 1,000,000 customers, then ours on 16 million
    .venv/bin/python -m bench.value_fit --customers 100000 --rounds 1 --no-growth

Simulated orders of two years, collapsed to days. In every round each engine runs in a process of its own, one
after the other; the processes see the same file. Times are of the task alone, after a warm-up on 2,000
customers. The figures are written to bench/results/value_fit.json at 1,000,000 customers only.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from bench.peers import DAYS, ROOT, run_apart, simulated_orders
from bench.results import write_result
from crmcore.value.summary import summarise_arrays

PEERS = ROOT / ".venv-bench" / "bin" / "python"
TASKS = ("fit_purchases", "fit_spend", "score")
# At most this share of a peer's time.
LIMITS = {
    ("lifetimes", "fit_purchases"): 1 / 30,
    ("lifetimes", "fit_spend"): 1 / 10,
    ("lifetimes", "score"): 1 / 150,
    ("pymc_marketing", "fit_purchases"): 1 / 20,
    ("pymc_marketing", "fit_spend"): 1 / 10,
}
GROWTH, GROWTH_LIMIT = 16, 1.1


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed of the value models beside named peers.")
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-growth", action="store_true", help="leave out 16 million customers")
    chosen = parser.parse_args()
    if not PEERS.exists():
        raise SystemExit("value_fit: pymc-marketing has no environment yet; run scripts/setup-bench first")
    with tempfile.TemporaryDirectory() as directory:
        summary = Path(directory) / "summary.npz"
        orders = write_summary(summary, chosen.customers)
        print(f"{chosen.customers} customers, {orders} orders")
        runs: dict[str, list[dict[str, Any]]] = {"ours": [], "lifetimes": [], "pymc_marketing": []}
        for _ in range(chosen.rounds):
            for engine, done in runs.items():
                done.append(run(engine, summary, repetitions=3 if engine == "ours" else 1))
                print(engine, done[-1])
        growth = None if chosen.no_growth else measure_growth(Path(directory), summary)
    figures = {
        "customers": chosen.customers,
        "orders": orders,
        "engines": {engine: digest(done) for engine, done in runs.items()},
        "share_of_peer": shares(runs),
        "growth": growth,
        "load_average_1_minute": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(figures, indent=2))
    if chosen.customers == 1_000_000:
        write_result(
            "value_fit",
            ".venv/bin/python -m bench.value_fit",
            figures,
            "Seconds of the task alone, median and all values over rounds; one process an engine and "
            "round, one thread of linear algebra. score is p_alive, purchases of 12 months and discounted "
            "12-month value of every customer; ours gives the discounted active time too. With a load "
            "average above the number of cores, read the processor times, which do not wait for a core. "
            "pymc-marketing fits by MAP with its default priors, so its parameters differ a little. growth "
            "is the time a customer at 16 times as many customers (tiled) over that at one.",
        )


def write_summary(path: Path, customers: int) -> int:
    """The purchase summary of simulated customers; returns the number of orders."""
    customer, day, amount = simulated_orders(customers)
    summary = summarise_arrays(range(customers), customer, day, amount, observed_until=DAYS)
    np.savez(
        path,
        x=summary.frequency,
        t_x=summary.recency,
        T=summary.T,
        spend=np.nan_to_num(summary.monetary_value),
    )
    return len(customer)


def run(engine: str, summary: Path, repetitions: int) -> dict[str, Any]:
    python = str(PEERS) if engine == "pymc_marketing" else sys.executable
    return run_apart([python, "bench/value_engines.py", engine, str(summary), str(repetitions)])


def measure_growth(directory: Path, summary: Path) -> dict[str, Any]:
    """Ours on 16 times as many customers, and on as many right before and after it."""
    tiled = directory / "tiled.npz"
    with np.load(summary) as stored:
        x, t_x, T, spend = (np.tile(stored[name], GROWTH) for name in ("x", "t_x", "T", "spend"))
    np.savez(tiled, x=x, t_x=t_x, T=T, spend=spend)
    before, large, after = (run("ours", path, repetitions=5) for path in (summary, tiled, summary))

    def ratios(kind: str) -> dict[str, float]:
        found = {}
        for task in TASKS:
            one = median(before[kind][task] + after[kind][task])
            found[task] = round(median(large[kind][task]) / GROWTH / one, 3)
        return found

    return {
        "times": GROWTH,
        "time_per_customer": ratios("seconds"),
        "processor_time_per_customer": ratios("processor_seconds"),
        "limit": GROWTH_LIMIT,
        "peak_mb": large["peak_mb"],
    }


def digest(done: list[dict[str, Any]]) -> dict[str, Any]:
    def of(kind: str) -> dict[str, list[float]]:
        return {task: [round(s, 4) for one in done for s in one[kind][task]] for task in TASKS}

    def middle(values: dict[str, list[float]]) -> dict[str, float]:
        return {task: round(median(values[task]), 4) for task in TASKS}

    return {
        "median_seconds": middle(of("seconds")),
        "all_seconds": of("seconds"),
        "median_processor_seconds": middle(of("processor_seconds")),
        "peak_mb": median(one["peak_mb"] for one in done),
        "mb_before_the_data": median(one["mb_before"] for one in done),
        "found": done[-1]["found"],
    }


def shares(runs: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Our median time over the peer's, with the limit."""
    of = {engine: digest(done) for engine, done in runs.items()}
    seconds = {engine: digested["median_seconds"] for engine, digested in of.items()}
    busy = {engine: digested["median_processor_seconds"] for engine, digested in of.items()}
    return [
        {
            "peer": peer,
            "task": task,
            "times_faster": round(seconds[peer][task] / seconds["ours"][task], 1),
            "times_less_processor": round(busy[peer][task] / busy["ours"][task], 1),
            "limit": round(1 / limit),
            "kept": seconds["ours"][task] <= limit * seconds[peer][task],
        }
        for (peer, task), limit in LIMITS.items()
    ]


if __name__ == "__main__":
    main()
