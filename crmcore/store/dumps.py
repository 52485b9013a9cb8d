"""Copies a whole database out and in, of one moment, whoever writes meanwhile.

SQLite by its own online backup, PostgreSQL by ``pg_dump`` and ``pg_restore``. A password travels in the
environment of those programs, never in their arguments.
"""

import glob
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, func, inspect, make_url, select, table, text
from sqlalchemy.exc import DatabaseError

from crmcore.errors import CrmError
from crmcore.store.database import Store, raw_connection
from crmcore.store.schema import metadata

Kind = Literal["sqlite", "postgresql"]
_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")


class CannotDump(CrmError):
    """The copy could not be made or put in; the message says what to mend."""


class TargetInUse(CrmError):
    """Somebody works with the database that is to be replaced."""

    def __init__(self, who: str) -> None:
        super().__init__(f"{who} uses the database that is to be restored; stop every part of Rapport first")


@dataclass(frozen=True)
class Dump:
    """What was copied. ``rows`` counts each table at that very moment."""

    kind: Kind
    revision: str
    rows: Mapping[str, int]


def kind_of(url: str) -> Kind:
    return "sqlite" if url.startswith("sqlite") else "postgresql"


def sqlite_path(url: str) -> Path:
    return Path(make_url(url).database or "")


def dump(store: Store, target: Path) -> Dump:
    """Copy the database of ``store`` into the file ``target``.

    Raises
    ------
    CannotDump : there is nothing to copy, or pg_dump is missing or refuses.
    """
    revision = store.revision()
    if revision is None:
        raise CannotDump("the database holds nothing yet; there is nothing to back up")
    if kind_of(store.url) == "sqlite":
        copy_sqlite(sqlite_path(store.url), target)
        copied = Store(f"sqlite:///{target}")
        try:
            with raw_connection(copied) as connection:
                rows = count_rows(connection)
        finally:
            copied.dispose()
            _as_one_file(target)
        return Dump("sqlite", revision, rows)
    return Dump("postgresql", revision, _dump_postgresql(store, target))


def copy_sqlite(source: Path, target: Path) -> None:
    """SQLite's online backup in one step: a reader's look at one moment, which holds up no writer."""
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=30)) as origin,
        closing(sqlite3.connect(target)) as copy,
    ):
        origin.backup(copy, pages=-1)
        found = copy.execute("PRAGMA integrity_check").fetchone()[0]
    if found != "ok":
        raise CannotDump(f"{source.name} is damaged ({found}); restore an earlier backup")
    _as_one_file(target)


def _as_one_file(path: Path) -> None:
    """Without the write-ahead log beside it, so that the file alone is everything."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


def _dump_postgresql(store: Store, target: Path) -> dict[str, int]:
    """The rows are counted in the snapshot that pg_dump copies."""
    with raw_connection(store).execution_options(isolation_level="REPEATABLE READ") as connection:
        snapshot = str(connection.execute(text("SELECT pg_export_snapshot()")).scalar_one())
        rows = count_rows(connection)
        _run(
            [
                *("pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--no-password"),
                *(f"--snapshot={snapshot}", f"--file={target}"),
            ],
            store.url,
        )
        connection.rollback()
    return rows


def load(dumped: Path, kind: Kind, url: str) -> None:
    """Put a copy into an empty or to be replaced database; on PostgreSQL all of it or nothing.

    Raises
    ------
    CannotDump : pg_restore is missing or refuses; the database is as it was.
    """
    if kind == "sqlite":
        target = sqlite_path(url)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = target.with_name(f"{target.name}.restoring")
        new.unlink(missing_ok=True)
        copy_sqlite(dumped, new)
        new.chmod(0o600)
        _synchronise(new)
        for old in (f"{target.name}-wal", f"{target.name}-shm"):
            target.with_name(old).unlink(missing_ok=True)
        new.replace(target)
        _synchronise(target.parent)
        return
    _run(
        [
            *("pg_restore", "--single-transaction", "--exit-on-error", "--clean", "--if-exists"),
            *("--no-owner", "--no-privileges", "--no-password"),
            *(f"--dbname={make_url(url).database}", str(dumped)),
        ],
        url,
    )


def drop_tables(store: Store, keep: set[str]) -> None:
    """Drop our tables but ``keep``: a newer schema's tables stand in the way of an older copy."""
    with raw_connection(store) as connection:
        present = set(inspect(connection).get_table_names())
        for name in present & (set(metadata.tables) - keep):
            connection.execute(text(f'DROP TABLE "{name}" CASCADE'))
        connection.commit()


def holds_anything(store: Store) -> bool:
    """Whether any of our tables has a row; what cannot be read holds something that might be mended."""
    try:
        with raw_connection(store) as connection:
            return any(count_rows(connection).values())
    except DatabaseError:
        return True


def count_rows(connection: Connection) -> dict[str, int]:
    """How many rows each of our tables has, of those that are there."""
    present = set(inspect(connection).get_table_names()) & set(metadata.tables)
    return {
        name: int(connection.execute(select(func.count()).select_from(table(name))).scalar_one())
        for name in sorted(present)
    }


def rows_of(store: Store) -> dict[str, int]:
    with raw_connection(store) as connection:
        return count_rows(connection)


def require_unused(url: str) -> None:
    """Raise ``TargetInUse`` when any other process has the database open."""
    if kind_of(url) == "sqlite":
        path = sqlite_path(url)
        if path.exists():
            require_unused_file(path)
        return
    store = Store(url)
    try:
        with raw_connection(store) as connection:
            others = connection.execute(
                text(
                    "SELECT count(*) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            ).scalar_one()
    finally:
        store.dispose()
    if others:
        raise TargetInUse(f"{others} other connection{'s' if others > 1 else ''}")


def require_unused_file(path: Path) -> None:
    """A write-ahead log can be given up only by who is alone with the file."""
    try:
        with closing(sqlite3.connect(path, timeout=0.2)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as error:
        raise TargetInUse("another process") from error
    except sqlite3.DatabaseError:
        return  # It is no database any more; nobody can work with it, and it is about to be replaced.


def _run(command: list[str], url: str) -> None:
    program = find_program(command[0])
    if program is None:
        raise CannotDump(
            f"{command[0]} was not found; install PostgreSQL's client programs "
            "(Debian: apt-get install postgresql-client), of the server's version or newer"
        )
    finished = subprocess.run(
        [str(program), *command[1:]], env={**os.environ, **libpq_environment(url)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if finished.returncode != 0:
        said = [line for line in finished.stderr.splitlines() if "error:" in line] or ["it says nothing"]
        raise CannotDump(f"{command[0]} refused: {said[0].partition('error:')[2].strip() or said[0]}")


def find_program(name: str) -> Path | None:
    """On the path, else the newest of those that are installed beside it."""
    on_path = shutil.which(name)
    if on_path:
        return Path(on_path)
    found = [Path(place) / name for pattern in _PLACES for place in glob.glob(pattern)]
    return max((path for path in found if path.exists()), default=None)


def libpq_environment(url: str) -> dict[str, str]:
    """The address as PostgreSQL's own programs read it."""
    address = make_url(url)
    values = {
        "PGHOST": address.host,
        "PGPORT": None if address.port is None else str(address.port),
        "PGUSER": address.username,
        "PGPASSWORD": None if address.password is None else str(address.password),
        "PGDATABASE": address.database,
    }
    for name, variable in (("host", "PGHOST"), ("sslmode", "PGSSLMODE"), ("sslrootcert", "PGSSLROOTCERT")):
        given = address.query.get(name)
        if isinstance(given, str):
            values[variable] = given
    return {name: value for name, value in values.items() if value}


def _synchronise(path: Path) -> None:
    """Wait until it is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
