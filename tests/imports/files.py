"""Files of other people's making, and what is in the books after they were imported."""

import gzip
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from crmcore.crm import Crm
from crmcore.imports.report import ImportReport
from crmcore.store import schema
from crmcore.store.database import raw_connection
from crmcore.tables.opening import Shape
from crmcore.usecases.imports import Request, import_file


def a_file(directory: Path, text: str | bytes, name: str = "export.csv", *, packed: bool = False) -> Path:
    data = text if isinstance(text, bytes) else text.encode()
    path = directory / name
    path.write_bytes(gzip.compress(data) if packed else data)
    return path


def imported(
    crm: Crm,
    path: Path,
    kind: Any = "orders",
    *,
    header: bool = True,
    shape: Shape | None = None,
    **said: Any,
) -> ImportReport:
    """Import a file as an operator would who says ``said``."""
    mapping: Mapping[str, str] = said.pop("mapping", {})
    request = Request(
        path=path,
        workplace=path.parent / "workplace",
        mapping=mapping,
        shape=shape or Shape(header=header),
    )
    return import_file(crm, kind, replace(request, **said))


def orders_in(crm: Crm) -> list[tuple[str, str, datetime, int, int | None, str]]:
    """(order id, customer, moment, amount, margin, status) by id."""
    o = schema.orders.c
    columns = (o.order_id, o.customer_id, o.ordered_at, o.amount_minor, o.margin_minor, o.status)
    with raw_connection(crm.store) as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(o.order_id))]


def returns_in(crm: Crm) -> list[tuple[str, str | None, str, int, int | None, str]]:
    """(return id, order id, customer, amount, margin, status) by id."""
    r = schema.returns.c
    columns = (r.return_id, r.order_id, r.customer_id, r.amount_minor, r.margin_minor, r.status)
    with raw_connection(crm.store) as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(r.return_id))]


def amounts_in(crm: Crm) -> dict[str, list[int]]:
    """The amounts of each customer's orders in the order of their moments."""
    found: dict[str, list[int]] = {}
    for _, customer, _, amount, _, _ in sorted(orders_in(crm), key=lambda row: (row[2], row[3])):
        found.setdefault(customer, []).append(amount)
    return found


def dump(crm: Crm) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that imports write, for comparing two databases."""
    found = {}
    with raw_connection(crm.store) as connection:
        for table in (schema.customers, schema.orders, schema.returns, schema.service_costs):
            rows = connection.execute(select(*table.columns).order_by(*table.primary_key))
            found[table.name] = [tuple(str(value) for value in row) for row in rows]
    return found
