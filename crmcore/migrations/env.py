"""Runs the migrations on the engine that ``Store.migrate`` hands over, all of them or none.

Two processes may start at the same moment: on PostgreSQL the second waits for an advisory lock, on
SQLite for the write lock, and then finds nothing left to do.
"""

from alembic import context
from sqlalchemy import text

from crmcore.store.schema import metadata

MIGRATION_LOCK = 5_203_417  # Any number, as long as every version of the product uses the same.

engine = context.config.attributes["engine"]

with engine.connect() as connection:
    if connection.dialect.name == "sqlite":
        # SQLite changes a table by making it anew; with foreign keys on, that would lose the rows that
        # point at it or refuse. They are checked as a whole before the end instead.
        connection.execute(text("PRAGMA foreign_keys=OFF"))
        connection.execute(text("BEGIN IMMEDIATE"))
    else:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        transactional_ddl=True,
    )
    context.run_migrations()
    if connection.dialect.name == "sqlite":
        astray = connection.execute(text("PRAGMA foreign_key_check")).first()
        if astray is not None:
            raise RuntimeError(f"the migration would leave a row of {astray[0]} without its {astray[2]}")
    connection.commit()
    if connection.dialect.name == "sqlite":
        connection.execute(text("PRAGMA foreign_keys=ON"))
