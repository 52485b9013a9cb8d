"""The statements in ``migrations/`` and the tables in ``schema.py`` are one thing said twice."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from crmcore.store.database import Store, raw_connection
from crmcore.store.schema import metadata
from tests.builders import OPEN_HOURS


def test_the_migrations_build_exactly_the_tables_of_the_schema(store: Store) -> None:
    with raw_connection(store) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrating_again_changes_nothing_and_keeps_the_data(store: Store) -> None:
    with store.write() as tx:
        tx.incidents.add("kept", OPEN_HOURS)
    store.migrate()
    with store.read() as tx:
        assert tx.incidents.counts_since(OPEN_HOURS) == {"kept": 1}


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_processes_that_start_at_the_same_moment_migrate_once(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if database == "sqlite":
        url = f"sqlite:///{tmp_path / 'new.db'}"
    else:
        cluster = request.getfixturevalue("postgres")
        url = cluster.url(cluster.create())
    code = "import sys; from crmcore.store.database import Store; Store(sys.argv[1]).migrate()"
    starts = [subprocess.Popen([sys.executable, "-c", code, url], stderr=subprocess.PIPE) for _ in range(2)]
    assert [(start.communicate()[1], start.returncode) for start in starts] == [(b"", 0)] * 2


def test_a_migration_that_breaks_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alembic import op

    made: list[str] = []
    create_table = op.create_table

    def break_at_the_tenth(name: str, *columns: Any, **options: Any) -> object:
        made.append(name)
        if len(made) == 10:
            raise RuntimeError("the power went")
        return create_table(name, *columns, **options)

    monkeypatch.setattr(op, "create_table", break_at_the_tenth)
    store = Store(f"sqlite:///{tmp_path / 'new.db'}")
    with pytest.raises(RuntimeError, match="the power went"):
        store.migrate()
    with raw_connection(store) as connection:
        assert inspect(connection).get_table_names() == []
    store.dispose()
