"""Laying the firm's log into an engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import pyarrow as pa

from crmcore.firm import Firm
from crmcore.store.engines.any import FirmEngine
from crmcore.store.transaction import Transaction
from crmcore.value.books import check_currency, least_budget
from crmcore.value.buyer_type import comes_back
from crmcore.value.relational.logs import COSTS, KNOWN, MONEY, STANDING, Calendar, Log


def lay_log(tx: Transaction, engine: FirmEngine, firm: Firm, observed_until: date) -> tuple[Log, Calendar]:
    """All that counts until the end of ``observed_until``, a day of the firm, and the firm's days.

    An engine that computes where the rows lie reads them there; into any other they move in columns. Raises
    :class:`~crmcore.value.books.ForeignCurrency`.
    """
    end = datetime.combine(observed_until + timedelta(days=1), time(), firm.zone)
    foreign = tx.scorings.foreign_row(firm.currency, end)
    check_currency([] if foreign is None else [foreign], firm.currency)
    calendar = Calendar.of(observed_until, firm.zone, tx.scorings.first_second(end))
    known = engine.upload("batch_known", _known(tx, firm.currency))
    there = engine.firm_log(end)
    if there is not None:
        return Log(*there[:3], known, there[3]), calendar
    scorings = tx.scorings
    orders = engine.upload("batch_orders", _table(scorings.log_columns("orders", end), MONEY))
    returns = engine.upload("batch_returns", _table(scorings.log_columns("returns", end), MONEY))
    costs = engine.upload("batch_costs", _table(scorings.log_columns("costs", end), COSTS))
    standing = engine.upload("batch_standing", _table(scorings.tier_columns(), STANDING))
    return Log(orders, returns, costs, known, standing), calendar


def scored_table(tx: Transaction, run_id: str) -> pa.Table:
    """Who has figures of a run already."""
    return _table(tx.scorings.scored_columns(run_id), pa.schema([STANDING.field("customer_id")]))


def _table(parts: Iterator[Sequence[Sequence[Any]]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_batches(
        [
            pa.record_batch(
                [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema
            )
            for columns in parts
        ],
        schema,
    )


def _known(tx: Transaction, currency: str) -> pa.Table:
    """Few rows, of whom somebody has asked: stated budgets, and answers that make an always-a-share."""
    budgets: dict[str, list[int]] = {}
    for need in tx.value.open_need_budgets():
        of = budgets.setdefault(need.customer_id, [0, 0])
        of[need.provenance != "declared"] += least_budget(need, currency)
    returning = {customer_id for customer_id, said in tx.value.answers().items() if comes_back(said)}
    customers = sorted(budgets.keys() | returning)
    columns = [
        customers,
        [budgets.get(c, [0, 0])[0] for c in customers],
        [budgets.get(c, [0, 0])[1] for c in customers],
        [c in returning for c in customers],
    ]
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, KNOWN, strict=True)], KNOWN)
