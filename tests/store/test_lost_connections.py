"""PostgreSQL goes away and comes back while connections wait in the pool."""

import pytest
from sqlalchemy import text

from crmcore.errors import StoreUnavailable
from crmcore.store import lost_connections
from crmcore.store.database import Store, raw_connection
from tests.builders import OPEN_HOURS

END_OTHERS = text(
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def end_all_connections_of(store: Store) -> None:
    other = Store(store.url)
    with raw_connection(other) as connection:
        connection.execute(END_OTHERS)
    other.dispose()


def waiting(store: Store, number: int) -> None:
    """Leave so many open connections in the pool."""
    connections = [raw_connection(store) for _ in range(number)]
    for connection in connections:
        connection.close()


def write(store: Store) -> None:
    with store.write() as tx:
        tx.incidents.add("seen", OPEN_HOURS)


@pytest.fixture
def asked(postgres_store: Store, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Whom the server was asked for whether it is still there."""
    found: list[object] = []
    ping = postgres_store._engine.dialect.do_ping

    def count(connection: object) -> bool:
        found.append(connection)
        return ping(connection)

    monkeypatch.setattr(postgres_store._engine.dialect, "do_ping", count)
    return found


def test_nobody_notices_that_the_server_was_restarted_in_between(postgres_store: Store) -> None:
    waiting(postgres_store, 3)
    end_all_connections_of(postgres_store)
    for _ in range(3):
        write(postgres_store)
    end_all_connections_of(postgres_store)
    with postgres_store.read() as tx:
        assert not tx.customers.any()


def test_connections_that_were_opened_before_a_restart_are_all_replaced(postgres_store: Store) -> None:
    waiting(postgres_store, 3)
    end_all_connections_of(postgres_store)
    connections = [raw_connection(postgres_store) for _ in range(3)]
    for connection in connections:
        assert connection.execute(text("SELECT 1")).scalar() == 1
        connection.close()


def test_a_connection_that_was_just_used_is_used_without_asking(
    postgres_store: Store, asked: list[object]
) -> None:
    for _ in range(5):
        write(postgres_store)
    assert asked == []


def test_after_a_while_of_waiting_the_server_is_asked(
    postgres_store: Store, asked: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that lost the line would not have said so."""
    write(postgres_store)
    monkeypatch.setattr(lost_connections, "_SURE_SECONDS", 0.0)
    write(postgres_store)
    assert len(asked) == 1


def test_a_loss_amid_a_transaction_is_said_and_the_next_one_works(postgres_store: Store) -> None:
    def lose_it() -> None:
        with postgres_store.write() as tx:
            tx.incidents.add("lost", OPEN_HOURS)
            end_all_connections_of(postgres_store)
            tx.incidents.add("lost", OPEN_HOURS)

    with pytest.raises(StoreUnavailable):
        lose_it()
    write(postgres_store)
