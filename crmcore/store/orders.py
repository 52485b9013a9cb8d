"""Orders, returns and contracts."""

from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from crmcore.orders import Contract, Order, Return, as_items
from crmcore.store.schema import contracts, orders, returns


class Orders:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # --- orders ---

    def add(self, *new: Order) -> None:
        values = [
            {column.name: getattr(order, column.name) for column in orders.columns}
            | {"items": [asdict(item) for item in order.items]}
            for order in new
        ]
        if values:
            self._connection.execute(insert(orders), values)

    def get(self, order_id: str) -> Order | None:
        row = (
            self._connection.execute(select(orders).where(orders.c.order_id == order_id))
            .mappings()
            .one_or_none()
        )
        return None if row is None else _order(row)

    def of_customer(self, customer_id: str) -> list[Order]:
        """The newest first."""
        query = select(orders).where(orders.c.customer_id == customer_id).order_by(orders.c.ordered_at.desc())
        return [_order(row) for row in self._connection.execute(query).mappings()]

    def cancel(self, order_id: str) -> bool:
        """False when the order has left meanwhile: the statement decides, not an earlier look."""
        result = self._connection.execute(
            update(orders)
            .where(orders.c.order_id == order_id, orders.c.status == "placed")
            .values(status="cancelled")
        )
        return result.rowcount == 1

    # --- returns ---

    def add_return(self, new: Return) -> None:
        values = {column.name: getattr(new, column.name) for column in returns.columns}
        self._connection.execute(insert(returns).values(values))

    def return_of_order(self, order_id: str) -> Return | None:
        return self._return(returns.c.order_id == order_id)

    def returns_of(self, customer_id: str) -> list[Return]:
        """The newest first."""
        query = (
            select(returns)
            .where(returns.c.customer_id == customer_id)
            .order_by(returns.c.requested_at.desc())
        )
        return [Return(**row) for row in self._connection.execute(query).mappings()]

    # --- contracts ---

    def add_contract(self, contract: Contract) -> None:
        values = {column.name: getattr(contract, column.name) for column in contracts.columns}
        self._connection.execute(insert(contracts).values(values))

    def contracts_of(self, customer_id: str) -> list[Contract]:
        """The newest first, the ended ones too."""
        query = (
            select(contracts)
            .where(contracts.c.customer_id == customer_id)
            .order_by(contracts.c.started_on.desc())
        )
        return [Contract(**row) for row in self._connection.execute(query).mappings()]

    def end_contract(
        self, contract_id: str, now: datetime, ends_on: date, reason: str, source_key: str
    ) -> bool:
        """False when it had been ended before."""
        result = self._connection.execute(
            update(contracts)
            .where(contracts.c.contract_id == contract_id, contracts.c.cancelled_at.is_(None))
            .values(cancelled_at=now, ends_on=ends_on, cancel_reason=reason, source_key=source_key)
        )
        return result.rowcount == 1

    def _return(self, condition: Any) -> Return | None:
        query = select(returns).where(condition).order_by(returns.c.requested_at.desc()).limit(1)
        row = self._connection.execute(query).mappings().one_or_none()
        return None if row is None else Return(**row)


def _order(row: RowMapping) -> Order:
    return Order(**{**row, "items": as_items(row["items"])})
