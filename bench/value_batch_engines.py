"""One engine in a process of its own: from an order log in a Parquet file to the tier of every customer.

    python bench/value_batch_engines.py ENGINE LOG.parquet WARM_UP.parquet DAYS

Prints one JSON object. The log has the columns customer_id, at (seconds since 1970, within DAYS days of the
first) and amount_minor. The warm-up, a small log of the same kind, goes through first and is not measured:
imports, compilers, caches.
"""

import json
import sys
import time
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import ibis
import lifetimes as peer
import numpy as np
import pandas as pd
from lifetimes.utils import summary_data_from_transaction_data

from crmcore.store.engines.duckdb import DuckDBEngine
from crmcore.tiers import TierPolicy
from crmcore.value.model import ValueTerms
from crmcore.value.relational.batch import FirmBatch
from crmcore.value.relational.logs import COSTS, KNOWN, MONEY, STANDING, Calendar, Log

MEMORY_MB = 500  # What DuckDB's tables may take; the rest is spilt to files.
DISCOUNT_RATE_A_MONTH = 0.01
SHARES = (0.1, 0.15)  # Of the customers, in the two upper tiers.


class Clock:
    """Seconds and processor seconds of each stage."""

    def __init__(self) -> None:
        self.stages: dict[str, tuple[float, float]] = {}
        self._at = time.perf_counter(), time.process_time()

    def lap(self, stage: str) -> None:
        now = time.perf_counter(), time.process_time()
        self.stages[stage] = now[0] - self._at[0], now[1] - self._at[1]
        self._at = now


def ours(path: Path, days: int, clock: Clock) -> dict[str, Any]:
    with DuckDBEngine(memory_mb=MEMORY_MB) as engine:
        orders = engine.scan(path).mutate(margin_minor=ibis.null("int64"))
        first = engine.read(orders.agg(at=orders["at"].min()))["at"][0].as_py()
        nothing = [
            engine.upload(f"no_{name}", schema.empty_table())
            for name, schema in (("returns", MONEY), ("costs", COSTS), ("known", KNOWN), ("tiers", STANDING))
        ]
        until = (datetime.fromtimestamp(first, UTC) + timedelta(days=days)).date()
        batch = FirmBatch.of(engine, Log(orders, *nothing), Calendar.of(until, UTC, first), 100.0)
        clock.lap("summary")
        model = batch.fit(ValueTerms(1.0, (1 + DISCOUNT_RATE_A_MONTH) ** 12 - 1, 365)).model
        assert model is not None
        clock.lap("fits")
        valued = batch.value(model)
        clock.lap("values")
        policy = TierPolicy(*SHARES)
        benchmarks, borders = valued.benchmarks_and_borders(policy)
        rows = engine.read(valued.ranked(benchmarks, borders, policy).select("customer_id", "clv", "tier"))
        clock.lap("tiers")
    return {
        "customers": len(rows),
        "total_value": float(rows["clv"].to_numpy().sum()),
        "tiers": {pair["values"]: pair["counts"] for pair in rows["tier"].value_counts().to_pylist()},
        "parameters": {**vars(model.purchases.params_), **vars(model.spend.params_)},
    }


def lifetimes(path: Path, days: int, clock: Clock) -> dict[str, Any]:
    log = pd.read_parquet(path)
    log["day"] = pd.to_datetime(log.pop("at"), unit="s")
    log["amount"] = log.pop("amount_minor") / 100
    until = log["day"].min() + pd.Timedelta(days=days)
    summary = summary_data_from_transaction_data(
        log, "customer_id", "day", "amount", observation_period_end=until
    )
    del log
    clock.lap("summary")
    buying = peer.BetaGeoFitter()
    buying.fit(summary["frequency"], summary["recency"], summary["T"])
    repeat = summary[(summary["frequency"] > 0) & (summary["monetary_value"] > 0)]
    spend = peer.GammaGammaFitter()
    spend.fit(repeat["frequency"], repeat["monetary_value"])
    clock.lap("fits")
    clv = spend.customer_lifetime_value(
        buying, summary["frequency"], summary["recency"], summary["T"], summary["monetary_value"],
        time=12, discount_rate=DISCOUNT_RATE_A_MONTH, freq="D",
    )  # fmt: skip
    clock.lap("values")
    best, next_best = SHARES
    borders = [0, 1 - best - next_best, 1 - best, 1]
    tiers = pd.qcut(clv.rank(method="first"), borders, labels=["core", "next", "best"])
    clock.lap("tiers")
    return {
        "customers": len(summary),
        "total_value": float(np.asarray(clv).sum()),
        "tiers": {str(tier): int(n) for tier, n in tiers.value_counts().items()},
        "parameters": {k: float(v) for k, v in {**buying.params_, **spend.params_}.items()},
    }


ENGINES: dict[str, Callable[[Path, int, Clock], dict[str, Any]]] = {"ours": ours, "lifetimes": lifetimes}


def main(engine: str, path: Path, warm_up: Path, days: int) -> None:
    warnings.simplefilter("ignore")
    ENGINES[engine](warm_up, days, Clock())
    before = _peak_mb()
    clock = Clock()
    found = ENGINES[engine](path, days, clock)
    stages = {stage: [round(v, 3) for v in times] for stage, times in clock.stages.items()}
    seconds, processor = (round(sum(t[i] for t in clock.stages.values()), 3) for i in (0, 1))
    print(
        json.dumps(
            {
                "seconds": seconds,
                "processor_seconds": processor,
                "stages": stages,
                "peak_mb": _peak_mb(),
                "mb_before": before,
                "found": found,
            }
        )
    )


def _peak_mb() -> float:
    """Of this program alone: the figure of getrusage begins with the parent's."""
    status = Path("/proc/self/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return round(int(peak.split()[1]) / 1024, 1)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
