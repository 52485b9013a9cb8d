"""Whether DuckDB, PostgreSQL and Spark give the same tiers and values as numpy: figures, not only a test.

    uv sync --group spark                        # pyspark beside the rest, with Java 17 on the machine
    python -m bench.value_engines_agree --postgres postgresql://user@host/name

The firm of tests/value/batch_firm.py, with returns, negative orders, service costs, budgets, customers who
are always a share and tiers of the night before; a forecast with every layer stands on the closed forms.
"""

import argparse
import importlib.util
from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from bench.results import write_result
from crmcore.store.engines.duckdb import DuckDBEngine
from crmcore.store.engines.postgres import PostgresEngine
from crmcore.usecases.value_chunks import KEPT
from crmcore.value.benchmarks import find_benchmarks
from crmcore.value.clv import CustomerValues, value_customers
from crmcore.value.engine import score_firm
from crmcore.value.forecast_fit import fit_variant
from crmcore.value.forecasting import Variant
from crmcore.value.peers import purchase_size
from crmcore.value.ranking import rank
from crmcore.value.relational.batch import FirmBatch
from tests.value.batch_firm import POLICY, TERMS, a_firm

CUSTOMERS = 2_000
_FOUND_AFTERWARDS = ("low", "high")


def main() -> None:
    parser = argparse.ArgumentParser(description="The same tiers and values on every engine.")
    parser.add_argument("--postgres", help="address of a database in which temporary tables may be made")
    chosen = parser.parse_args()
    engines: dict[str, AbstractContextManager[Any]] = {"duckdb": DuckDBEngine()}
    if chosen.postgres:
        engines["postgres"] = PostgresEngine(chosen.postgres)
    if importlib.util.find_spec("pyspark"):
        from crmcore.store.engines.spark import SparkEngine

        engines["spark"] = SparkEngine()
    firm = a_firm(CUSTOMERS)
    books = firm.books()
    fit = score_firm(books.summary, books.ledger, TERMS).fit
    assert fit.model is not None
    until = firm.calendar().observed_until.toordinal()
    layers = fit_variant(Variant("pareto-nbd", pace=True, recalibration="history"), books.log, until, 365)
    model = replace(fit.model, forecaster=layers)
    values = value_customers(books.summary, books.ledger, model, books.comes_back, books.log)
    size = purchase_size(books.summary)
    peers = find_benchmarks(books.summary.T, size, values.clv, values.expected_purchases).peers
    _, ranked = rank(books, values, peers, TERMS.horizon_days, POLICY, firm.previous, "EUR")
    order = np.argsort(books.summary.customer_id)
    tiers = [ranked[i].decided.tier for i in order]
    figures: dict[str, Any] = {"customers": len(books.summary), "tiers": dict(Counter(tiers)), "engines": {}}
    for name, engine in engines.items():
        with engine as opened:
            batch = FirmBatch.of(opened, firm.log(opened), firm.calendar(), 100.0)
            valued = batch.value(model, batch.purchases(), KEPT)
            benchmarks, borders = valued.benchmarks_and_borders(POLICY)
            rows = opened.read(valued.ranked(benchmarks, borders, POLICY)).sort_by("customer_id")
        figures["engines"][name] = {
            "other_tiers": sum(a != b for a, b in zip(rows["tier"].to_pylist(), tiers, strict=True)),
            "other_money": _other_money(rows, [ranked[i].money for i in order]),
            "largest_difference": _differences(rows, values, order),
        }
        print(name, figures["engines"][name])
    write_result(
        "value_engines_agree",
        "python -m bench.value_engines_agree --postgres postgresql://user@host/name",
        figures,
        "Against numpy, customer by customer: how many have another tier or another amount in minor units, "
        "and the largest difference of each figure, relative or, below one, absolute. Spark runs in one "
        "process.",
    )


def _other_money(rows: pa.Table, money: list[Any]) -> int:
    names = [name for name in vars(money[0]) if name in rows.column_names]
    return sum(
        found != getattr(amounts, name)
        for name in names
        for found, amounts in zip(rows[name].to_pylist(), money, strict=True)
    )


def _differences(rows: pa.Table, values: CustomerValues, order: Any) -> dict[str, float]:
    found = {}
    for name, column in vars(values).items():
        if name not in _FOUND_AFTERWARDS:
            expected = column[order]
            apart = np.abs(rows[name].to_numpy() - expected) / np.maximum(np.abs(expected), 1.0)
            found[name] = float(f"{apart.max():.2e}")
    return found


if __name__ == "__main__":
    main()
