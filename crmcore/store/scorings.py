"""A scoring of the whole firm: the log that it reads in columns, and its run while it is being written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Select,
    String,
    and_,
    cast,
    delete,
    exists,
    func,
    null,
    or_,
    select,
    type_coerce,
)

from crmcore.store.schema import current_values, decisions, value_runs, value_snapshots
from crmcore.store.schema import customers as customer_rows
from crmcore.store.value import COSTS, ORDERS, RETURNS, Query, chunks, current_snapshot, run_of
from crmcore.tiers import Tier
from crmcore.value.snapshots import MoneyRow, ValueRun

LogKind = Literal["orders", "returns", "costs"]

# A refresh that began so long before the scoring may have ended after it read the books.
_IN_FLIGHT = timedelta(minutes=10)
_PART = 50_000
_LOG: Mapping[LogKind, Query] = {"orders": ORDERS, "returns": RETURNS, "costs": COSTS}
_MOMENTS: Mapping[LogKind, str] = {"orders": "ordered_at", "returns": "requested_at"}


class Scorings:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # --- what a scoring of everybody reads, as plain columns ---

    def foreign_row(self, currency: str, moment: datetime) -> MoneyRow | None:
        """A row of the log that is in another currency."""
        for query in (ORDERS, RETURNS, COSTS):
            foreign = query.everybody.where(query.everybody.selected_columns.currency != currency).limit(1)
            row = self._connection.execute(foreign, {"moment": moment}).one_or_none()
            if row is not None:
                return MoneyRow(*row)
        return None

    def first_second(self, moment: datetime) -> int:
        """When the first order and return of all was, seconds since 1970; that of ``moment`` without any."""
        firsts = [moment]
        for query, at in ((ORDERS, _MOMENTS["orders"]), (RETURNS, _MOMENTS["returns"])):
            column = query.everybody.selected_columns[at]
            found = self._connection.execute(
                query.everybody.with_only_columns(func.min(column)), {"moment": moment}
            ).scalar_one()
            firsts += [found] if found is not None else []
        return int(min(firsts).timestamp())

    def log_columns(self, kind: LogKind, moment: datetime) -> Iterator[Sequence[Sequence[Any]]]:
        """The rows that count before a moment, in parts of columns: whose, at which second since 1970, minor
        units, recorded margin; of costs without the second and the margin."""
        table = _LOG[kind].everybody.selected_columns
        columns = [table.customer_id, table.amount_minor]
        if kind != "costs":
            columns = [
                table.customer_id,
                self._second(table[_MOMENTS[kind]]),
                *columns[1:],
                table.margin_minor,
            ]
        query = _LOG[kind].everybody.with_only_columns(*columns)
        return self._parts(query, moment=moment)

    def tier_columns(self) -> Iterator[Sequence[Sequence[Any]]]:
        """Whose tier is which now, in parts of columns."""
        query = select(value_snapshots.c.customer_id, value_snapshots.c.tier).join(
            current_values, current_snapshot()
        )
        return self._parts(query)

    def scored_columns(self, run_id: str) -> Iterator[Sequence[Sequence[Any]]]:
        """Who has figures of the run itself already, in parts of one column."""
        query = select(value_snapshots.c.customer_id).where(
            value_snapshots.c.run_id == run_id, value_snapshots.c.revision == 0
        )
        return self._parts(query)

    def _second(self, at: ColumnElement[Any]) -> ColumnElement[int]:
        if self._connection.dialect.name == "sqlite":
            whole = func.substr(type_coerce(at, String), 1, 19)
            return cast(func.strftime("%s", whole), Integer)
        return cast(func.floor(func.extract("epoch", at)), BigInteger)

    def _parts(self, query: Select[Any], **values: object) -> Iterator[Sequence[Sequence[Any]]]:
        found = self._connection.execution_options(stream_results=True).execute(query, values)
        for rows in found.partitions(_PART):
            yield list(zip(*rows, strict=True))

    # --- what looks back ---

    def tiers_known_of(self, day: date) -> dict[str, Tier]:
        """Everybody's tier as of the end of ``day``, whenever that was found: by the published run that
        knows most of the days until then."""
        known = value_snapshots.c.observed_until <= day
        run = (  # Not one that knew more of everybody already, and so valued nobody as of its own day.
            select(value_runs.c.run_id)
            .where(value_runs.c.published, value_runs.c.observed_until <= day)
            .where(exists().where(value_snapshots.c.run_id == value_runs.c.run_id, known))
            .order_by(value_runs.c.observed_until.desc(), value_runs.c.scored_at.desc())
            .limit(1)
        )
        run_id = self._connection.execute(run).scalar_one_or_none()
        query = (
            select(value_snapshots.c.customer_id, value_snapshots.c.tier)
            .where(value_snapshots.c.run_id == run_id, known)
            .order_by(value_snapshots.c.revision)
        )
        return {row[0]: row[1] for row in self._connection.execute(query)}

    # --- a scoring that is being written ---

    def unfinished_run(self) -> ValueRun | None:
        query = (
            select(value_runs).where(~value_runs.c.finished).order_by(value_runs.c.scored_at.desc()).limit(1)
        )
        row = self._connection.execute(query).mappings().one_or_none()
        return None if row is None else run_of(dict(row))

    def hold(self, run_id: str) -> bool:
        """Let nobody else write to this run until the transaction ends; False when it is finished."""
        query = select(value_runs.c.run_id).where(value_runs.c.run_id == run_id, ~value_runs.c.finished)
        return self._connection.execute(query.with_for_update()).one_or_none() is not None

    def scored_of(self, run_id: str, customers: Sequence[str]) -> set[str]:
        """Which of these customers have figures of the run itself already."""
        found: set[str] = set()
        for some in chunks(customers):
            query = select(value_snapshots.c.customer_id).where(
                value_snapshots.c.run_id == run_id,
                value_snapshots.c.revision == 0,
                value_snapshots.c.customer_id.in_(some),
            )
            found.update(self._connection.execute(query).scalars())
        return found

    def still_there(self, customers: Sequence[str]) -> set[str]:
        """Which of these customers nobody has erased."""
        found: set[str] = set()
        for some in chunks(customers):
            query = select(customer_rows.c.customer_id).where(customer_rows.c.customer_id.in_(some))
            found.update(self._connection.execute(query).scalars())
        return found

    def discard_unfinished(self) -> None:
        """Forget scorings that nobody will go on with, and the decisions that only they hold."""
        runs = select(value_runs.c.run_id).where(~value_runs.c.finished)
        theirs = select(value_snapshots.c.decision_id).where(value_snapshots.c.run_id.in_(runs))
        held = select(value_snapshots.c.decision_id).where(
            value_snapshots.c.run_id.not_in(runs), value_snapshots.c.decision_id.is_not(None)
        )
        orphans = self._connection.execute(theirs.except_(held)).scalars().all()
        self._connection.execute(delete(value_snapshots).where(value_snapshots.c.run_id.in_(runs)))
        for some in chunks([decision_id for decision_id in orphans if decision_id is not None]):
            self._connection.execute(delete(decisions).where(decisions.c.decision_id.in_(some)))
        self._connection.execute(delete(value_runs).where(~value_runs.c.finished))

    def newer_of(self, run: ValueRun, customers: Sequence[str]) -> set[str]:
        """Who of these has a value that was made since the run began, or that knows more days."""
        found: set[str] = set()
        for some in chunks(customers):
            query = _newer(run).where(value_snapshots.c.customer_id.in_(some))
            found.update(self._connection.execute(query).scalars())
        return found

    def refreshed_since(self, run: ValueRun) -> list[str]:
        """Whose value changed, appeared or went since the run began, or knows more days than it does."""
        table = value_snapshots.c
        gone = select(table.customer_id).where(
            table.run_id == run.run_id,
            table.revision == 0,
            table.previous_tier.is_not(None),
            table.customer_id.not_in(select(current_values.c.customer_id)),
        )
        return sorted(self._connection.execute(_newer(run).union(gone)).scalars())

    def tier_changes(self, run_id: str) -> tuple[dict[str, Tier], dict[str, Tier | None]]:
        """Before the run is published: whose tier it changes, as it is and as it will be (None: without)."""
        fresh, now = value_snapshots.alias("fresh"), value_snapshots
        of_run = and_(fresh.c.run_id == run_id, fresh.c.revision == 0)
        # Each side by the other's key: a full join would compare everybody with everybody on SQLite.
        changed = (
            select(fresh.c.customer_id, now.c.tier, fresh.c.tier)
            .select_from(fresh)
            .outerjoin(current_values, current_values.c.customer_id == fresh.c.customer_id)
            .outerjoin(now, current_snapshot())
            .where(of_run, fresh.c.tier.is_distinct_from(now.c.tier))
        )
        lost = (
            select(now.c.customer_id, now.c.tier, null())
            .select_from(current_values)
            .join(now, current_snapshot())
            .where(current_values.c.customer_id.not_in(select(fresh.c.customer_id).where(of_run)))
        )
        rows = [*self._connection.execute(changed), *self._connection.execute(lost)]
        return {row[0]: row[1] for row in rows if row[1] is not None}, {row[0]: row[2] for row in rows}


def _newer(run: ValueRun) -> Select[Any]:
    table = value_snapshots.c
    return (
        select(table.customer_id)
        .join(current_values, current_snapshot())
        .where(
            or_(
                table.observed_until > run.observed_until,
                table.scored_at > run.scored_at,
                and_(table.scored_at > run.scored_at - _IN_FLIGHT, table.revision > 0),
            )
        )
    )
