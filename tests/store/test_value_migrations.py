"""Values that were stored before a migration are there afterwards, and are the current ones."""

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from crmcore.store.database import MIGRATIONS, Store, raw_connection


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: object) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/old.db"
    cluster = request.getfixturevalue("postgres")
    return str(cluster.url(cluster.create()))


def test_values_of_a_scoring_become_its_revision_nought(empty_url: str) -> None:
    store = Store(empty_url)
    migrate(store, "0003")
    with raw_connection(store) as connection:
        for statement in (
            "INSERT INTO customers (customer_id, name, language, demographics, lifestyle, usage, created_at) "
            "VALUES ('ana', 'Ana', 'en', '{}', '{}', '{}', '2026-01-01 00:00:00')",
            "INSERT INTO value_runs VALUES ('run_1', 'old/1', '2026-03-01', '2026-03-02 04:00:00', 365, "
            "'EUR', '{}', '[]', true)",
            "INSERT INTO value_snapshots VALUES ('ana', 'run_1', 3, 20.0, 90.0, 45.5, 0.7, 2.5, 12345, 678, "
            "0.25, 9876, 'MGC', '[{\"code\": \"potential_in_top_share\"}]', NULL)",
            "INSERT INTO current_values VALUES ('ana', 'run_1')",
        ):
            connection.execute(text(statement))
        connection.commit()
    store.migrate()
    with store.read() as tx:
        found = tx.value.current("ana")
    assert found is not None
    run, snapshot = found
    assert (snapshot.revision, snapshot.previous_tier) == (0, None)
    assert (snapshot.observed_until, snapshot.scored_at) == (run.observed_until, run.scored_at)
    assert (snapshot.clv_minor, snapshot.tier) == (12345, "MGC")
    store.dispose()


def migrate(store: Store, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = store._engine
    command.upgrade(config, revision)
