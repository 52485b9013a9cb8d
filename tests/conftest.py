"""Fixtures of all tests: stores on both databases, a clock, an installation.

``store`` and ``crm_on_both`` run a test once on SQLite and once on a real PostgreSQL; ``crm`` is on
SQLite alone, for what does not depend on the database.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from crmcore.crm import Crm
from crmcore.store.database import Store
from tests.builders import Clock, a_crm
from tests.postgres import NOT_FOUND, Cluster, find_binaries


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    binaries = find_binaries()
    if binaries is None and os.environ.get("CI"):
        pytest.fail(f"in CI nothing may be left out: {NOT_FOUND}")
    if binaries is None:
        pytest.skip(f"not run on PostgreSQL: {NOT_FOUND}")
    with Cluster(binaries) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Cluster) -> str:
    """The name of a migrated, empty database that tests copy."""
    name = postgres.create()
    store = Store(postgres.url(name))
    store.migrate()
    store.dispose()
    return name


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty database file that tests copy."""
    path = tmp_path_factory.mktemp("template") / "rapport.db"
    store = Store(f"sqlite:///{path}")
    store.migrate()
    store.dispose()
    return path


@pytest.fixture
def sqlite_store(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Store]:
    path = tmp_path / "rapport.db"
    shutil.copy(migrated_sqlite, path)
    store = Store(f"sqlite:///{path}")
    event.listen(store._engine, "connect", _no_waiting_for_the_disk)
    yield store
    store.dispose()


def _no_waiting_for_the_disk(dbapi_connection: Any, _record: object) -> None:
    """Tests need not survive a power cut."""
    dbapi_connection.execute("PRAGMA synchronous=OFF")


@pytest.fixture
def postgres_store(request: pytest.FixtureRequest) -> Iterator[Store]:
    cluster: Cluster = request.getfixturevalue("postgres")
    name = cluster.create(request.getfixturevalue("migrated_postgres"))
    store = Store(cluster.url(name))
    yield store
    store.dispose()
    cluster.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Store:
    """An empty, migrated database of each kind."""
    fixture = "sqlite_store" if request.param == "sqlite" else "postgres_store"
    found: Store = request.getfixturevalue(fixture)
    return found


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def crm(sqlite_store: Store, clock: Clock) -> Crm:
    return a_crm(sqlite_store, clock)


@pytest.fixture
def crm_on_both(store: Store, clock: Clock) -> Crm:
    return a_crm(store, clock)
