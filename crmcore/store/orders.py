"""Orders, returns and contracts."""

from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from crmcore.orders import Contract, Order, OrderStatus, Return, ReturnStatus, as_items
from crmcore.paging import Page, Window
from crmcore.store.paging import equals, page_of
from crmcore.store.schema import contracts, orders, returns
from crmcore.store.statements import insert_once

_ADD = insert(orders)  # Built once: an order waits for every statement.


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
            self._connection.execute(_ADD, values)

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

    def add_once(self, order: Order) -> bool:
        """False when an order of this id is there already; of two racers one adds it."""
        values = {column.name: getattr(order, column.name) for column in orders.columns}
        return insert_once(self._connection, orders, values | {"items": [asdict(i) for i in order.items]})

    def save(self, order: Order) -> None:
        """Write what may change of an order: its status, its days, its parcel and whether it is paid."""
        names = ("status", "tracking", "expected_on", "delivered_on", "paid")
        statement = update(orders).where(orders.c.order_id == order.order_id)
        self._connection.execute(statement.values({name: getattr(order, name) for name in names}))

    def listed(self, window: Window, customer_id: str | None, status: OrderStatus | None) -> Page[Order]:
        """The oldest first."""
        query = select(orders).where(*equals({orders.c.customer_id: customer_id, orders.c.status: status}))
        return page_of(self._connection, query, orders.c.ordered_at, orders.c.order_id, window, _order)

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

    def get_return(self, return_id: str) -> Return | None:
        return self._return(returns.c.return_id == return_id)

    def set_return_status(self, return_id: str, status: ReturnStatus) -> None:
        self._connection.execute(
            update(returns).where(returns.c.return_id == return_id).values(status=status)
        )

    def returns_of_order(self, order_id: str) -> list[Return]:
        query = select(returns).where(returns.c.order_id == order_id).order_by(returns.c.requested_at)
        return [Return(**row) for row in self._connection.execute(query).mappings()]

    def listed_returns(self, window: Window, customer_id: str | None, order_id: str | None) -> Page[Return]:
        """The oldest first."""
        query = select(returns).where(
            *equals({returns.c.customer_id: customer_id, returns.c.order_id: order_id})
        )
        at, row_id = returns.c.requested_at, returns.c.return_id
        return page_of(self._connection, query, at, row_id, window, lambda row: Return(**row))

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

    def contracts_started(self, until: date) -> list[Contract]:
        """Everybody's contracts that started on that day or before."""
        query = select(contracts).where(contracts.c.started_on <= until).order_by(contracts.c.contract_id)
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
