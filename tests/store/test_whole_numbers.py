"""Whole numbers on their way to PostgreSQL."""

import pytest
from sqlalchemy import insert, text

from crmcore.store import schema
from crmcore.store.database import Store, raw_connection
from tests.builders import OPEN_HOURS, Clock, a_crm
from tests.value.shop import add_customers

PREPARED = text(
    "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'INSERT INTO service_costs%'"
)


@pytest.mark.parametrize("number", [0, -1, 32_767, 32_768, -(2**31), 2**31 - 1])
def test_small_and_large_are_of_one_type(postgres_store: Store, number: int) -> None:
    with raw_connection(postgres_store) as connection:
        row = connection.exec_driver_sql("SELECT pg_typeof(%s)::text, %s", (number, number)).one()
    assert tuple(row) == ("integer", number)


@pytest.mark.parametrize(
    ("number", "kind"), [(2**31, "bigint"), (-(2**31) - 1, "bigint"), (2**63, "numeric")]
)
def test_what_no_integer_holds_is_sent_whole(postgres_store: Store, number: int, kind: str) -> None:
    with raw_connection(postgres_store) as connection:
        row = connection.exec_driver_sql("SELECT pg_typeof(%s)::text, %s", (number, number)).one()
    assert tuple(row) == (kind, number)


def test_amounts_of_any_size_are_one_prepared_statement(postgres_store: Store) -> None:
    add_customers(a_crm(postgres_store, Clock()), ["c1"])
    with raw_connection(postgres_store) as connection:
        for number in range(30):
            cost = {
                "cost_id": f"s{number}", "customer_id": "c1", "incurred_at": OPEN_HOURS, "kind": "contact",
                "amount_minor": 10 ** (number % 9), "currency": "EUR",
            }  # fmt: skip
            connection.execute(insert(schema.service_costs), cost)
        assert connection.execute(PREPARED).scalar() == 1
