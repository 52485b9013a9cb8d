"""Opens the database and hands out transactions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import ArgumentError, DataError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from crmcore.errors import CrmError, StoreUnavailable
from crmcore.store.import_people import PeopleImports
from crmcore.store.imports import Imports
from crmcore.store.lost_connections import use_no_lost_connection
from crmcore.store.transaction import Transaction
from crmcore.store.whole_numbers import send_whole_numbers_alike

MIGRATIONS = Path(__file__).parent.parent / "migrations"


class UnusableAddress(CrmError):
    """The database's address names nothing that this installation can speak to."""


class SchemaTooNew(CrmError):
    """An older program must not touch what a newer one has changed: it would lose what it does not know."""

    def __init__(self, found: str, newest: str) -> None:
        super().__init__(
            f"the database has the schema {found}, and this program knows them up to {newest} only: "
            "a newer Rapport upgraded it. Start that one, or restore a backup from before the upgrade"
        )


class UnstorableValue(CrmError):
    """No row can hold this value, so none was written and none can be found by it."""


class Store:
    """The one door to the database.

    ``write()`` is one transaction that commits when its block ends and rolls back when it raises;
    ``read()`` never writes and sees one moment of the data, however many statements it takes. On SQLite
    a write takes the lock at once (``BEGIN IMMEDIATE``), because a transaction that reads first and
    writes later loses to a concurrent writer; and one process has one writer at a time, which keeps
    waiting inside a fair queue instead of SQLite's busy loop.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._is_sqlite = url.startswith("sqlite")
        self._writer = threading.Lock()
        try:
            self._engine = _engine(url)
        except (ArgumentError, ModuleNotFoundError) as error:
            # The address may hold a password, so it is not repeated.
            raise UnusableAddress(
                "the database's address cannot be used; write it as sqlite:///<path> or "
                "postgresql+psycopg://<user>:<password>@<host>/<name>"
            ) from error

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        if not self._is_sqlite:
            with _reachable(), self._engine.begin() as connection:
                yield Transaction(connection)
            return
        with self._writer, _reachable(), self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield Transaction(connection)
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        with _reachable(), self._engine.connect() as connection:
            if self._is_sqlite:
                connection.exec_driver_sql("BEGIN")
            else:  # SQLite's readers see one moment by themselves.
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield Transaction(connection)
            connection.rollback()

    @contextmanager
    def staged(self) -> Iterator[Staged]:
        """For imports: a connection of its own, whose temporary tables are gone when the block ends."""
        with _reachable(), self._engine.connect() as connection:
            connection.detach()
            yield Staged(self, connection)

    def migrate(self, revision: str = "head") -> None:
        """Bring the schema to the newest version (or an earlier one, of a later); data stay in place.

        Raises
        ------
        SchemaTooNew : a newer program upgraded this database; nothing was changed.
        """
        require_known(self.revision())
        config = migration_config()
        config.attributes["engine"] = self._engine
        with _reachable():
            command.upgrade(config, revision)

    def revision(self) -> str | None:
        """The version of the schema in the database; None when nothing was created yet."""
        with _reachable(), self._engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            return found

    def dispose(self) -> None:
        self._engine.dispose()


class Staged:
    """Records are laid down first, while others go on writing; ``write()`` then joins them to the rest."""

    def __init__(self, store: Store, connection: Connection) -> None:
        self._store, self._connection = store, connection
        self.imports = Imports(connection)
        self.people = PeopleImports(connection)

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """One transaction; it commits when its block ends and rolls back when it raises."""
        self._connection.commit()  # The temporary tables stay; on PostgreSQL making them was a transaction.
        sqlite = self._store._is_sqlite
        with self._store._writer if sqlite else nullcontext():
            if sqlite:
                self._connection.execute(text("BEGIN IMMEDIATE"))
            try:
                yield Transaction(self._connection)
            except BaseException:
                self._connection.rollback()
                raise
            self._connection.commit()


def migration_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def known_revisions() -> list[str]:
    """The versions of the schema that this program knows, the newest last."""
    scripts = ScriptDirectory.from_config(migration_config())
    return [script.revision for script in scripts.walk_revisions()][::-1]


def require_known(revision: str | None) -> None:
    """Raise ``SchemaTooNew`` for a version that a newer program made."""
    known = known_revisions()
    if revision is not None and revision not in known:
        raise SchemaTooNew(revision, known[-1])


@contextmanager
def _reachable() -> Iterator[None]:
    """Say the database's troubles in the core's own words, so that surfaces need not know SQLAlchemy."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        what = getattr(error, "orig", None) or error
        raise StoreUnavailable(f"the database is not available: {what}") from error
    except DataError as error:  # PostgreSQL refuses what SQLite would not find: a NUL, a text too long.
        raise UnstorableValue("a value is longer than may be kept, or holds a NUL character") from error


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        engine = create_engine(
            url,
            pool_size=10,
            max_overflow=10,
            pool_timeout=5,  # A customer who waits longer is better told.
            connect_args={"connect_timeout": 3},
            hide_parameters=True,
        )
        send_whole_numbers_alike(engine)
        use_no_lost_connection(engine)
        return engine
    # Hidden parameters: a statement that fails must not write a customer's words into a log.
    engine = create_engine(
        url, connect_args={"timeout": 30, "check_same_thread": False}, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def _prepare(dbapi_connection: Any, _record: object) -> None:
        # The driver must not open transactions by itself; ``Store`` says BEGIN. Full synchronisation,
        # because an acknowledged message must also survive a power cut; it costs a few milliseconds.
        dbapi_connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL"):
            dbapi_connection.execute(f"PRAGMA {pragma}")
        # The commit that fills the log moves it into the database, and waits for that. An order with its
        # value is 12 pages, so by SQLite's own measure of 1,000 every 83rd would wait; now every 330th.
        dbapi_connection.execute("PRAGMA wal_autocheckpoint=4000")

    return engine


def raw_connection(store: Store) -> Connection:
    """A bare connection for migrations, backups and tests; use cases never need it."""
    return store._engine.connect()
