"""An installation that the first release filled is brought to today's schema with every row in place."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, Table, inspect, text
from typer.testing import CliRunner

from cli import __main__ as rapport
from crmcore.crm import Crm
from crmcore.store.database import SchemaTooNew, Store, known_revisions, raw_connection
from crmcore.usecases.conversations import counters, next_turn, receive
from tests.builders import ROOT, Clock, a_crm

ROWS = Path(__file__).with_name("rows_of_0001.sql")
# Tables that a later release gave up, with the reason in their migration.
GONE = {"channel_identities"}
RISING = (
    ("firm_versions", "version"),
    ("sign_in_attempts", "attempt_id"),
    ("outbox", "outbox_id"),
    ("messages", "id"),
    ("incidents", "incident_id"),
)
DAY_AFTER = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new, empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'rapport.db'}"
    cluster = request.getfixturevalue("postgres")
    found: str = cluster.url(cluster.create())
    return found


@pytest.fixture
def first_release(address: str) -> Iterator[Store]:
    """A database as the first release left it."""
    store = Store(address)
    store.migrate("0001")
    with raw_connection(store) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET TIME ZONE 'UTC'"))
        for statement in ROWS.read_text(encoding="utf-8").split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)
        if connection.dialect.name == "postgresql":
            for table, column in RISING:  # As if the rows had got their numbers one after the other.
                counter = f"pg_get_serial_sequence('{table}', '{column}')"
                connection.exec_driver_sql(f"SELECT setval({counter}, max({column})) FROM {table}")
        connection.commit()
    yield store
    store.dispose()


def rows_of(store: Store, columns: dict[str, list[str]] | None = None) -> Rows:
    """Every row of every table, or of these columns."""
    found: Rows = {}
    with raw_connection(store) as connection:
        names = [name for name in inspect(connection).get_table_names() if name != "alembic_version"]
        for name in names if columns is None else columns:
            table = Table(name, MetaData(), autoload_with=connection)
            wanted = [column.name for column in table.columns] if columns is None else columns[name]
            rows = [
                {column: row[column] for column in wanted}
                for row in connection.execute(table.select()).mappings()
            ]
            found[name] = sorted(rows, key=lambda row: json.dumps(row, default=str, sort_keys=True))
    return found


def test_the_first_release_had_a_row_in_every_table(first_release: Store) -> None:
    assert [name for name, rows in rows_of(first_release).items() if not rows] == []


def test_every_row_is_in_place_after_the_upgrade(first_release: Store) -> None:
    before = rows_of(first_release)
    first_release.migrate()
    assert first_release.revision() == known_revisions()[-1]
    kept = {name: list(rows[0]) for name, rows in before.items() if name not in GONE}
    assert rows_of(first_release, kept) == {name: before[name] for name in kept}


def test_the_upgraded_installation_goes_on_where_it_stood(first_release: Store) -> None:
    first_release.migrate()
    crm: Crm = a_crm(first_release, Clock(DAY_AFTER))
    seen = counters(crm)
    assert (seen.conversations, seen.pending, seen.lost) == ({"account_manager": 1, "bot": 1}, 1, 0)
    turn = next_turn(crm, "cnv_2", "after the upgrade")
    assert turn is not None
    assert turn.text == "Where is my order?"
    received = receive(crm, "cnv_2", "c-2", "Hello?")
    assert received.message.id > 5
    assert received.message.seq == 2
    with first_release.read() as tx:
        current = tx.value.current("cus_1")
        assert current is not None
        assert current[1].clv_minor == 91_000
        assert tx.value.tier_of("cus_2") is not None


def test_a_row_that_points_at_another_still_does(first_release: Store) -> None:
    """The database itself refuses what points nowhere, after as before."""
    first_release.migrate()
    with raw_connection(first_release) as connection:
        statement = text("INSERT INTO drafts VALUES ('cnv_none', 'anna', 'x', '2026-03-09 10:11:00.000000')")
        with pytest.raises(Exception, match=r"(?i)foreign key"):
            connection.execute(statement)
        connection.rollback()


def test_processes_of_the_new_release_that_start_together_upgrade_once(first_release: Store) -> None:
    before = rows_of(first_release)["messages"]
    first_release.dispose()
    code = "import sys; from crmcore.store.database import Store; Store(sys.argv[1]).migrate()"
    command = [sys.executable, "-c", code, first_release.url]
    starts = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) for _ in range(2)]
    assert [(start.communicate()[1], start.returncode) for start in starts] == [(b"", 0)] * 2
    assert first_release.revision() == known_revisions()[-1]
    assert rows_of(first_release)["messages"] == before


def test_an_older_program_refuses_a_newer_schema_with_a_sentence_and_changes_nothing(store: Store) -> None:
    with raw_connection(store) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.commit()
    with pytest.raises(SchemaTooNew, match=r"schema 9999.*a newer Rapport upgraded it") as refused:
        store.migrate()
    assert known_revisions()[-1] in str(refused.value)
    assert store.revision() == "9999"


# --- the command ---------------------------------------------------------------------------------------


def typed(store: Store, monkeypatch: pytest.MonkeyPatch, home: Path, *arguments: str) -> tuple[int, str]:
    monkeypatch.setenv("RAPPORT_HOME", str(home))
    monkeypatch.setenv("RAPPORT_DATABASE_URL", store.url)
    result = CliRunner().invoke(rapport.app, ["upgrade", *arguments])
    return result.exit_code, result.output


def test_the_command_says_what_it_would_do_does_it_and_then_has_nothing_to_do(
    first_release: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    newest = known_revisions()[-1]
    status, said = typed(first_release, monkeypatch, tmp_path, "--check")
    assert (status, "would become" in said, "Back up first" in said) == (1, True, True)
    assert first_release.revision() == "0001"
    status, said = typed(first_release, monkeypatch, tmp_path)
    assert (status, said) == (0, f"The schema was 0001 and is {newest} now.\n")
    status, said = typed(first_release, monkeypatch, tmp_path, "--check", "--json")
    assert (status, json.loads(said)) == (0, {"before": newest, "after": newest, "pending": []})
