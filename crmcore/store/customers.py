"""Customers, and the outside names under which channels know them."""

from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from crmcore.customers import Customer
from crmcore.store.schema import customers

_COLUMNS = tuple(customers.c[field.name] for field in fields(Customer))


class Customers:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, *new: Customer) -> None:
        values = [{c.name: getattr(customer, c.name) for c in _COLUMNS} for customer in new]
        if values:
            self._connection.execute(insert(customers), values)

    def get(self, customer_id: str) -> Customer | None:
        row = self._connection.execute(
            select(*_COLUMNS).where(customers.c.customer_id == customer_id)
        ).one_or_none()
        return None if row is None else Customer(**row._mapping)

    def any(self) -> bool:
        """Whether there is a customer at all."""
        return self._connection.execute(select(customers.c.customer_id).limit(1)).first() is not None

    def assign(self, customer_id: str, staff_id: str) -> None:
        """Give the customer an account manager of his own."""
        self._set(customer_id, account_manager_id=staff_id)

    def account_manager_of(self, customer_id: str) -> str | None:
        """The staff id of the customer's own account manager."""
        return self._connection.execute(
            select(customers.c.account_manager_id).where(customers.c.customer_id == customer_id)
        ).scalar_one_or_none()

    def remember(self, customer_id: str, key: str, value: Any) -> None:
        """Keep one fact about how the customer likes to be served."""
        customer = self.get(customer_id)
        if customer is None:
            raise RuntimeError(f"customer {customer_id} vanished inside a transaction")
        kept = replace(customer, usage={**customer.usage, key: value})
        self._set(customer_id, usage=kept.usage)

    def set_termination(self, customer_id: str, termination: dict[str, Any], at: datetime) -> None:
        """Why and when a customer left, and what he was worth then."""
        self._set(customer_id, termination=termination, terminated_at=at)

    def _set(self, customer_id: str, **values: Any) -> None:
        self._connection.execute(
            update(customers).where(customers.c.customer_id == customer_id).values(**values)
        )
