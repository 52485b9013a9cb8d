"""PostgreSQL: the batch runs where the orders lie, in temporary tables of one connection."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from types import TracebackType

import ibis
import psycopg
import pyarrow as pa
from ibis.expr.types import Table
from psycopg import sql

_EVERYTHING = 2**62


class PostgresEngine:
    """An :class:`~crmcore.value.relational.batch.Engine`, for the length of a ``with`` block.

    address : as the store's, ``postgresql+psycopg://user:password@host/name``.
    """

    def __init__(self, address: str) -> None:
        self._address = address.replace("+psycopg", "")

    def __enter__(self) -> PostgresEngine:
        self._connection = psycopg.connect(self._address, autocommit=True)
        self._connection.execute("SET jit = off")  # Compiling takes longer than it saves.
        self._ibis = ibis.postgres.from_connection(self._connection)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._connection.close()

    def firm_log(self, moment: datetime) -> tuple[Table, Table, Table, Table]:
        """Orders, returns, costs and standing tiers, read where they lie."""
        of = self._ibis.table
        orders, returns, costs = of("orders"), of("returns"), of("service_costs")
        snapshots = of("value_snapshots").rename(previous="tier")
        standing = of("current_values").inner_join(snapshots, ["customer_id", "run_id", "revision"])
        before = ibis.literal(moment)
        return (
            _money(orders.filter(orders.status != "cancelled", orders.ordered_at < before), "ordered_at"),
            _money(
                returns.filter(returns.status != "refused", returns.requested_at < before), "requested_at"
            ),
            costs.filter(costs.incurred_at < before).select("customer_id", "amount_minor"),
            standing.select("customer_id", "previous"),
        )

    def upload(self, name: str, rows: pa.Table) -> Table:
        found = self._ibis.create_table(
            name, schema=ibis.Schema.from_pyarrow(rows.schema), temp=True, overwrite=True
        )
        columns = sql.SQL(", ").join(sql.Identifier(column) for column in rows.column_names)
        copy = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(name), columns)
        with self._connection.cursor() as cursor, cursor.copy(copy) as into:
            for batch in rows.to_batches(max_chunksize=50_000):
                for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    into.write_row(row)
        return self._analysed(name, found)

    def keep(self, name: str, expression: Table) -> Table:
        return self._analysed(name, self._ibis.create_table(name, expression, temp=True, overwrite=True))

    def read(self, expression: Table) -> pa.Table:
        return self._ibis.to_pyarrow(expression)

    def stream(self, expression: Table, rows: int) -> Iterator[pa.RecordBatch]:
        yield from self._ibis.to_pyarrow_batches(expression, chunk_size=rows)

    def fence(self, expression: Table) -> Table:
        # Without a limit the planner would write each step into the next, doubling it at every use.
        return expression.limit(_EVERYTHING)

    def _analysed(self, name: str, table: Table) -> Table:
        """Without statistics the planner would join a million rows by loops."""
        self._connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(name)))
        return table


def _money(rows: Table, at: str) -> Table:
    second = rows[at].truncate("s").epoch_seconds().cast("int64")
    return rows.select("customer_id", at=second, amount_minor="amount_minor", margin_minor="margin_minor")
