"""What scoring reads, and the runs and snapshots it writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    Table,
    and_,
    delete,
    func,
    insert,
    select,
    text,
)

from crmcore.store.schema import (
    current_values,
    needs,
    orders,
    returns,
    service_costs,
    value_runs,
    value_snapshots,
)
from crmcore.store.schema import customers as customer_rows
from crmcore.tiers import Tier
from crmcore.value.snapshots import MoneyRow, NeedBudget, StandingTier, ValueRun, ValueSnapshot

Customers = Sequence[str] | None  # None: everybody.
_AT_ONCE = 500


class Values:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # --- what valuing reads: of everybody, or of the named customers alone ---

    def orders_before(self, moment: datetime, customers: Customers = None) -> list[MoneyRow]:
        """Every order placed before the moment that was not cancelled."""
        columns = (orders.c.order_id, orders.c.customer_id, orders.c.ordered_at, *_money(orders.c))
        query = select(*columns, orders.c.margin_minor).where(
            orders.c.ordered_at < moment, orders.c.status != "cancelled"
        )
        return self._rows(query, orders, customers)

    def returns_before(self, moment: datetime, customers: Customers = None) -> list[MoneyRow]:
        """Every return asked for before the moment that was not refused."""
        columns = (returns.c.return_id, returns.c.customer_id, returns.c.requested_at, *_money(returns.c))
        query = select(*columns).where(returns.c.requested_at < moment, returns.c.status != "refused")
        return self._rows(query, returns, customers)

    def service_costs_before(self, moment: datetime, customers: Customers = None) -> list[MoneyRow]:
        table = service_costs.c
        columns = (table.cost_id, table.customer_id, table.incurred_at, *_money(table))
        return self._rows(select(*columns).where(table.incurred_at < moment), service_costs, customers)

    def open_need_budgets(self, customers: Customers = None) -> list[NeedBudget]:
        """Budgets of needs that their customers confirmed and nobody has met."""
        query = select(needs.c.customer_id, needs.c.budget).where(
            needs.c.status == "open", needs.c.customer_id.is_not(None)
        )
        rows = self._of(query, needs, customers)
        return [NeedBudget(customer_id, budget) for customer_id, budget in rows if budget]

    def standing(self, customers: Customers = None) -> dict[str, StandingTier]:
        """The tier that each customer has now; who has none is not in it."""
        query = (
            select(
                value_snapshots.c.customer_id,
                value_snapshots.c.tier,
                value_snapshots.c.decision_id,
                value_snapshots.c.reasons,
                value_runs.c.model_version,
                value_snapshots.c.run_id,
                value_snapshots.c.revision,
                value_snapshots.c.observed_until,
            )
            .select_from(current_values)
            .join(value_snapshots, current_snapshot())
            .join(value_runs, value_runs.c.run_id == value_snapshots.c.run_id)
        )
        found = {}
        for customer_id, tier, decision_id, reasons, *rest in self._of(query, current_values, customers):
            codes = tuple(reason["code"] for reason in reasons)
            found[customer_id] = StandingTier(tier, decision_id, codes, *rest)
        return found

    def run_in_force(self) -> ValueRun | None:
        """The newest published run: its parameters and borders value everybody until the next."""
        query = select(value_runs).where(value_runs.c.published)
        newest = query.order_by(value_runs.c.scored_at.desc(), value_runs.c.run_id.desc()).limit(1)
        row = self._connection.execute(newest).mappings().one_or_none()
        return None if row is None else _run(dict(row))

    # --- what valuing writes ---

    def lock(self, customers: Sequence[str]) -> None:
        """Let nobody else refresh these customers, and no scoring publish, until the transaction ends.

        Whoever stored an order of the same customer meanwhile has committed before this returns. On SQLite
        there is one writer at a time, and nothing to do.
        """
        if self._connection.dialect.name == "sqlite":
            return
        self._connection.execute(text("LOCK TABLE current_values IN ROW EXCLUSIVE MODE"))
        for some in _chunks(customers):
            query = select(customer_rows.c.customer_id).where(customer_rows.c.customer_id.in_(some))
            # In one order, so that two who lock several customers never wait for each other.
            self._connection.execute(
                query.order_by(customer_rows.c.customer_id).with_for_update(key_share=True)
            )

    def lock_all(self) -> None:
        """Let nobody refresh a customer until the transaction ends."""
        if self._connection.dialect.name != "sqlite":
            self._connection.execute(text("LOCK TABLE current_values IN EXCLUSIVE MODE"))

    def add_run(self, run: ValueRun) -> None:
        values = {
            **vars(run),
            "parameters": dict(run.parameters),
            "diagnostics": [dict(d) for d in run.diagnostics],
        }
        self._connection.execute(insert(value_runs).values(values))

    def add_snapshots(self, snapshots: Sequence[ValueSnapshot]) -> None:
        rows = [{**vars(s), "reasons": [dict(r) for r in s.reasons]} for s in snapshots]
        if rows:
            self._connection.execute(insert(value_snapshots), rows)

    def publish(self, run_id: str) -> None:
        """Make the run's snapshots the current values of the firm; who is outside has none any more."""
        self._connection.execute(delete(current_values))
        columns = (value_snapshots.c.customer_id, value_snapshots.c.run_id, value_snapshots.c.revision)
        chosen = select(*columns).where(value_snapshots.c.run_id == run_id, value_snapshots.c.revision == 0)
        self._connection.execute(insert(current_values).from_select([c.name for c in columns], chosen))

    def make_current(self, snapshots: Sequence[ValueSnapshot]) -> None:
        """Make these the current values of their customers, who have none at the moment."""
        rows = [{"customer_id": s.customer_id, "run_id": s.run_id, "revision": s.revision} for s in snapshots]
        if rows:
            self._connection.execute(insert(current_values), rows)

    def drop(self, customers: Sequence[str]) -> None:
        """These customers have no value any more."""
        for some in _chunks(customers):
            self._connection.execute(delete(current_values).where(current_values.c.customer_id.in_(some)))

    def last_revisions(self, run_id: str, customers: Sequence[str]) -> dict[str, int]:
        """The highest revision of each customer within a run; who has no snapshot in it is missing."""
        columns = value_snapshots.c
        query = (
            select(columns.customer_id, func.max(columns.revision))
            .where(columns.run_id == run_id)
            .group_by(columns.customer_id)
        )
        return {row[0]: row[1] for row in self._of(query, value_snapshots, customers)}

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

    def last_published_at(self) -> datetime | None:
        """When the newest published run was made; None before the first."""
        query = select(func.max(value_runs.c.scored_at)).where(value_runs.c.published)
        found: datetime | None = self._connection.execute(query).scalar_one()
        return found

    def tier_of(self, customer_id: str) -> tuple[Tier, date] | None:
        """The published tier and the day until which its data were observed."""
        query = (
            select(value_snapshots.c.tier, value_snapshots.c.observed_until)
            .join(current_values, current_snapshot())
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

    def _rows(self, query: Select[Any], table: Table, customers: Customers) -> list[MoneyRow]:
        return [MoneyRow(*row) for row in self._of(query, table, customers)]

    def _of(self, query: Select[Any], table: Table, customers: Customers) -> Iterator[Any]:
        if customers is None:
            yield from self._connection.execute(query)
            return
        for some in _chunks(customers):
            yield from self._connection.execute(query.where(table.c.customer_id.in_(some)))


def _chunks(customers: Sequence[str]) -> Iterator[Sequence[str]]:
    """SQLite takes a limited number of values in one statement."""
    return (customers[i : i + _AT_ONCE] for i in range(0, len(customers), _AT_ONCE))


def _money(table: Any) -> tuple[Column[Any], Column[Any]]:
    return table.amount_minor, table.currency


def current_snapshot() -> ColumnElement[bool]:
    """What joins a snapshot to the customer whose published value it is."""
    return and_(
        value_snapshots.c.customer_id == current_values.c.customer_id,
        value_snapshots.c.run_id == current_values.c.run_id,
        value_snapshots.c.revision == current_values.c.revision,
    )


def _run(row: dict[str, Any]) -> ValueRun:
    return ValueRun(**{**row, "diagnostics": tuple(row["diagnostics"])})


def _snapshot(row: RowMapping) -> ValueSnapshot:
    values = {column.name: row[column.name] for column in value_snapshots.c}
    return ValueSnapshot(**{**values, "reasons": tuple(values["reasons"])})
