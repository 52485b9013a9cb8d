"""Customers, and the outside names under which channels know them."""

from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from crmcore.customers import Customer
from crmcore.paging import Page, Window
from crmcore.store.paging import page_of
from crmcore.store.schema import customers
from crmcore.store.statements import insert_once

_COLUMNS = tuple(customers.c[field.name] for field in fields(Customer))


def shown_name() -> ColumnElement[str]:
    """What staff see of a customer: his name, or the firm's own identifier while nobody has told it."""
    return func.coalesce(func.nullif(customers.c.name, ""), customers.c.customer_id)


class Customers:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, *new: Customer) -> None:
        values = [{c.name: getattr(customer, c.name) for c in _COLUMNS} for customer in new]
        if values:
            self._connection.execute(insert(customers), values)

    def add_once(self, customer: Customer) -> bool:
        """False when he is there already; of two racers one adds him."""
        return insert_once(self._connection, customers, {c.name: getattr(customer, c.name) for c in _COLUMNS})

    def locked(self, customer_id: str) -> Customer | None:
        """The customer, held until the transaction ends: no other change of his orders comes between."""
        query = (
            select(*_COLUMNS).where(customers.c.customer_id == customer_id).with_for_update(key_share=True)
        )
        row = self._connection.execute(query).one_or_none()
        return None if row is None else Customer(**row._mapping)

    def rename(self, customer_id: str, name: str, language: str) -> None:
        self._set(customer_id, name=name, language=language)

    def listed(self, window: Window) -> Page[Customer]:
        """In the order in which they came."""
        at, row_id = customers.c.created_at, customers.c.customer_id
        return page_of(self._connection, select(*_COLUMNS), at, row_id, window, lambda row: Customer(**row))

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
