"""What scoring reads, and the runs and snapshots it writes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, RowMapping, Select, delete, insert, select

from crmcore.store.schema import (
    current_values,
    needs,
    orders,
    returns,
    service_costs,
    value_runs,
    value_snapshots,
)
from crmcore.tiers import Tier
from crmcore.value.snapshots import MoneyRow, NeedBudget, ValueRun, ValueSnapshot


class Values:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # --- what scoring reads ---

    def orders_before(self, moment: datetime) -> list[MoneyRow]:
        """Every order placed before the moment that was not cancelled."""
        columns = (orders.c.order_id, orders.c.customer_id, orders.c.ordered_at, *_money(orders.c))
        query = select(*columns, orders.c.margin_minor).where(
            orders.c.ordered_at < moment, orders.c.status != "cancelled"
        )
        return self._rows(query)

    def returns_before(self, moment: datetime) -> list[MoneyRow]:
        """Every return asked for before the moment that was not refused."""
        columns = (returns.c.return_id, returns.c.customer_id, returns.c.requested_at, *_money(returns.c))
        query = select(*columns).where(returns.c.requested_at < moment, returns.c.status != "refused")
        return self._rows(query)

    def service_costs_before(self, moment: datetime) -> list[MoneyRow]:
        table = service_costs.c
        columns = (table.cost_id, table.customer_id, table.incurred_at, *_money(table))
        return self._rows(select(*columns).where(table.incurred_at < moment))

    def open_need_budgets(self) -> list[NeedBudget]:
        """Budgets of needs that their customers confirmed and nobody has met."""
        query = select(needs.c.customer_id, needs.c.budget).where(
            needs.c.status == "open", needs.c.customer_id.is_not(None)
        )
        rows = self._connection.execute(query)
        return [NeedBudget(customer_id, budget) for customer_id, budget in rows if budget]

    def current_tiers(self) -> dict[str, Tier]:
        query = select(current_values.c.customer_id, value_snapshots.c.tier).join(
            value_snapshots, current_snapshot()
        )
        return {row.customer_id: row.tier for row in self._connection.execute(query)}

    # --- what scoring writes ---

    def add_run(self, run: ValueRun) -> None:
        values = {
            **vars(run),
            "parameters": dict(run.parameters),
            "diagnostics": [dict(d) for d in run.diagnostics],
        }
        self._connection.execute(insert(value_runs).values(values))

    def publish(self, snapshots: Sequence[ValueSnapshot]) -> None:
        """Make these the current values of the firm; customers outside them have none any more."""
        self._connection.execute(delete(current_values))
        if not snapshots:
            return
        rows = [{**vars(s), "reasons": [dict(r) for r in s.reasons]} for s in snapshots]
        self._connection.execute(insert(value_snapshots), rows)
        current = [{"customer_id": s.customer_id, "run_id": s.run_id} for s in snapshots]
        self._connection.execute(insert(current_values), current)

    # --- what everybody reads ---

    def current(self, customer_id: str) -> tuple[ValueRun, ValueSnapshot] | None:
        """The published value of one customer with the run that made it."""
        query = (
            select(value_snapshots, *(c.label(f"run_{c.name}") for c in value_runs.c))
            .select_from(current_values)
            .join(value_snapshots, current_snapshot())
            .join(value_runs, value_runs.c.run_id == current_values.c.run_id)
            .where(current_values.c.customer_id == customer_id)
        )
        row = self._connection.execute(query).mappings().one_or_none()
        if row is None:
            return None
        run = {column.name: row[f"run_{column.name}"] for column in value_runs.c}
        return _run(run), _snapshot(row)

    def tier_of(self, customer_id: str) -> tuple[Tier, date] | None:
        """The published tier and the day until which its data were observed."""
        query = (
            select(value_snapshots.c.tier, value_runs.c.observed_until)
            .join(current_values, current_snapshot())
            .join(value_runs, value_runs.c.run_id == value_snapshots.c.run_id)
            .where(value_snapshots.c.customer_id == customer_id)
        )
        row = self._connection.execute(query).one_or_none()
        return None if row is None else (row.tier, row.observed_until)

    def customers_of_tier(self, tier: Tier) -> list[str]:
        """By value, the best first."""
        query = (
            select(value_snapshots.c.customer_id)
            .join(current_values, current_snapshot())
            .where(value_snapshots.c.tier == tier)
            .order_by(value_snapshots.c.clv_minor.desc(), value_snapshots.c.customer_id)
        )
        return list(self._connection.execute(query).scalars())

    def _rows(self, query: Select[Any]) -> list[MoneyRow]:
        return [MoneyRow(*row) for row in self._connection.execute(query)]


def _money(table: Any) -> tuple[Column[Any], Column[Any]]:
    return table.amount_minor, table.currency


def current_snapshot() -> ColumnElement[bool]:
    """What joins a snapshot to the customer whose published value it is."""
    return (value_snapshots.c.customer_id == current_values.c.customer_id) & (
        value_snapshots.c.run_id == current_values.c.run_id
    )


def _run(row: dict[str, Any]) -> ValueRun:
    return ValueRun(**{**row, "diagnostics": tuple(row["diagnostics"])})


def _snapshot(row: RowMapping) -> ValueSnapshot:
    values = {column.name: row[column.name] for column in value_snapshots.c}
    return ValueSnapshot(**{**values, "reasons": tuple(values["reasons"])})
