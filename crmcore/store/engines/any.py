"""Opening the engine that a scoring asks for."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Literal, Protocol

from ibis.expr.types import Table

from crmcore.errors import CrmError
from crmcore.store.database import Store
from crmcore.value.relational.batch import Engine

EngineName = Literal["duckdb", "postgres", "spark"]


class EngineUnavailable(CrmError):
    """The engine that was asked for cannot work here."""


class FirmEngine(Engine, Protocol):
    def firm_log(self, moment: datetime) -> tuple[Table, Table, Table, Table] | None:
        """Orders, returns, costs and standing tiers of the firm, where the engine is the firm's own database;
        None where they have to be moved into it."""
        ...


def open_engine(store: Store, name: EngineName) -> AbstractContextManager[FirmEngine]:
    """Raises EngineUnavailable, which says what is missing."""
    if name == "duckdb":
        from crmcore.store.engines.duckdb import DuckDBEngine

        return DuckDBEngine()
    if name == "postgres":
        if store.url.startswith("sqlite"):
            raise EngineUnavailable(
                "the engine postgres computes in the firm's own database, and this one is SQLite; "
                "use duckdb, or move the installation to PostgreSQL"
            )
        from crmcore.store.engines.postgres import PostgresEngine

        return PostgresEngine(store.url)
    try:
        from crmcore.store.engines.spark import SparkEngine
    except ModuleNotFoundError as error:
        raise EngineUnavailable(
            f"the engine spark needs {error.name}, which is not installed here; "
            "add the dependency group `spark` (`uv sync --frozen --only-group app --only-group spark`) and "
            "Java 17"
        ) from error
    return SparkEngine()
