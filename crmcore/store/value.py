"""What scoring reads, and the runs and snapshots it writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    Integer,
    RowMapping,
    Select,
    and_,
    bindparam,
    cast,
    delete,
    func,
    insert,
    literal_column,
    null,
    select,
    text,
    true,
    union_all,
    update,
)

from crmcore.store.schema import (
    current_values,
    customer_traits,
    needs,
    orders,
    returns,
    service_costs,
    value_runs,
    value_snapshots,
)
from crmcore.store.schema import customers as customer_rows
from crmcore.tiers import Tier
from crmcore.value.snapshots import (
    BookRows,
    CurrentFigures,
    InForce,
    MoneyRow,
    NeedBudget,
    StandingTier,
    ValueRun,
    ValueSnapshot,
)

Customers = Sequence[str] | None  # None: everybody.
_AT_ONCE = 500
_EVER = datetime.max.replace(tzinfo=UTC)


def current_snapshot() -> ColumnElement[bool]:
    """What joins a snapshot to the customer whose published value it is."""
    return and_(
        value_snapshots.c.customer_id == current_values.c.customer_id,
        value_snapshots.c.run_id == current_values.c.run_id,
        value_snapshots.c.revision == current_values.c.revision,
    )


class Query:
    """A query over everybody that can be asked of some customers, or of one. Built once, because a refresh is
    short; of one without a list, because SQLAlchemy writes a list into the statement each time anew."""

    def __init__(self, everybody: Any, some: Any, one: Any) -> None:
        self.everybody, self.some, self.one = everybody, some, one

    @classmethod
    def of(cls, everybody: Select[Any], customer: Column[Any]) -> Query:
        some = everybody.where(customer.in_(bindparam("customers", expanding=True)))
        return cls(everybody, some, everybody.where(customer == bindparam("customer")))

    @classmethod
    def together(cls, *queries: Query) -> Query:
        """Those of the same columns in one statement; one more column counts which of them a row is of."""
        numbered = [query.but(partial(_numbered, i)) for i, query in enumerate(queries)]
        return cls(
            union_all(*(q.everybody for q in numbered)),
            union_all(*(q.some for q in numbered)),
            union_all(*(q.one for q in numbered)),
        )

    def but(self, change: Callable[[Any], Any]) -> Query:
        return Query(change(self.everybody), change(self.some), change(self.one))


def _numbered(number: int, query: Select[Any]) -> Select[Any]:
    return query.add_columns(literal_column(str(number), Integer))


def _money(table: Any, margin: Any) -> Select[Any]:
    key, at = table.primary_key.columns[0], table.c[_MOMENTS[table.name]]
    columns = (key, table.c.customer_id, at, table.c.amount_minor, table.c.currency, margin)
    return select(*columns).where(at < bindparam("moment"))


_MOMENTS = {"orders": "ordered_at", "returns": "requested_at", "service_costs": "incurred_at"}
ORDERS = Query.of(
    _money(orders, orders.c.margin_minor).where(orders.c.status != "cancelled"), orders.c.customer_id
)
RETURNS = Query.of(
    _money(returns, returns.c.margin_minor).where(returns.c.status != "refused"), returns.c.customer_id
)
COSTS = Query.of(_money(service_costs, null().label("margin_minor")), service_costs.c.customer_id)
# In the columns of money: its name, who said it, no moment and no amount, the words, no margin, the budget.
_BUDGETS = Query.of(
    select(
        needs.c.need_id, needs.c.customer_id, null(), null(), needs.c.provenance, null(), needs.c.budget
    ).where(needs.c.status == "open", needs.c.customer_id.is_not(None)),
    needs.c.customer_id,
)
_TRAITS = Query.of(
    select(
        customer_traits.c.trait, customer_traits.c.customer_id, null(), null(), customer_traits.c.answer,
        null(), null(),
    ),
    customer_traits.c.customer_id,
)  # fmt: skip
_NO_BUDGET = cast(null(), JSON)
_OF_MONEY = [money.but(lambda s: s.add_columns(_NO_BUDGET)) for money in (ORDERS, RETURNS, COSTS)]
_OF_BOOKS = [*_OF_MONEY, _BUDGETS, _TRAITS]
_BOOKS = Query.together(*_OF_BOOKS)
_STANDING = Query.of(
    select(
        value_snapshots.c.customer_id,
        value_snapshots.c.tier,
        value_snapshots.c.decision_id,
        value_snapshots.c.reasons,
        value_runs.c.model_version,
        value_snapshots.c.run_id,
        value_snapshots.c.revision,
        value_snapshots.c.observed_until,
    )
    .select_from(current_values)
    .join(value_snapshots, current_snapshot())
    .join(value_runs, value_runs.c.run_id == value_snapshots.c.run_id),
    current_values.c.customer_id,
)
_LAST_REVISIONS = Query.of(
    select(value_snapshots.c.customer_id, func.max(value_snapshots.c.revision))
    .where(value_snapshots.c.run_id == bindparam("run"))
    .group_by(value_snapshots.c.customer_id),
    value_snapshots.c.customer_id,
)
_NEWEST_RUN = (
    select(value_runs)
    .where(value_runs.c.finished)
    .order_by(value_runs.c.scored_at.desc(), value_runs.c.run_id.desc())
    .limit(1)
)
_RUN_IN_FORCE = _NEWEST_RUN.where(value_runs.c.published)
_NAMED_IN_FORCE = _RUN_IN_FORCE.with_only_columns(value_runs.c.run_id, value_runs.c.model_version).subquery()


def _beside_run_in_force(standing: Select[Any]) -> Any:
    """After the columns of the books."""
    tiers = standing.subquery()
    nothing = [null() for _ in _OF_BOOKS[0].one.selected_columns]
    return select(*nothing, _NAMED_IN_FORCE, tiers).join_from(_NAMED_IN_FORCE, tiers, true(), isouter=True)


_IN_FORCE = _STANDING.but(_beside_run_in_force)
_STANDING_TYPES = [c.type for c in [*_NAMED_IN_FORCE.c, *_STANDING.one.selected_columns]]
# The first of a union says the types for all; psycopg keeps a statement that is shorter than 4,096 letters.
_TO_REFRESH = Query.together(
    _OF_BOOKS[0].but(lambda s: s.add_columns(*(cast(null(), t) for t in _STANDING_TYPES))),
    *(of.but(lambda s: s.add_columns(*(null() for _ in _STANDING_TYPES))) for of in _OF_BOOKS[1:]),
    _IN_FORCE,
)
_CURRENT = (
    select(value_snapshots, *(c.label(f"run_{c.name}") for c in value_runs.c))
    .select_from(current_values)
    .join(value_snapshots, current_snapshot())
    .join(value_runs, value_runs.c.run_id == current_values.c.run_id)
    .where(current_values.c.customer_id == bindparam("customer"))
)
_ADD_SNAPSHOTS = insert(value_snapshots)
_MAKE_CURRENT = text(
    "INSERT INTO current_values (customer_id, run_id, revision) VALUES (:customer_id, :run_id, :revision) "
    "ON CONFLICT (customer_id) DO UPDATE SET run_id = excluded.run_id, revision = excluded.revision"
)
# Any number but that of the migrations. A lock on the table would be one more statement.
_PUBLISHING = 5_203_418
# In one order, so that two who lock several customers never wait for each other; the lock against publishing
# comes with the first row, before the row is locked.
_LOCK = Query.of(
    select(func.pg_advisory_xact_lock_shared(_PUBLISHING), customer_rows.c.customer_id),
    customer_rows.c.customer_id,
).but(lambda s: s.order_by(customer_rows.c.customer_id).with_for_update(key_share=True))


class Values:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # --- what valuing reads: of everybody, or of the named customers alone ---

    def rows_before(self, moment: datetime, customers: Customers = None) -> BookRows:
        """What happened before the moment, and what these customers have said of themselves until now.

        Orders that were not cancelled, returns that were not refused, service costs; and as
        :meth:`open_need_budgets` and :meth:`answers`.
        """
        found = BookRows([], [], [], [], {})
        for row in self._ask(_BOOKS, customers, moment=moment):
            _enter(found, row[-1], row)
        return found

    def rows(self, customers: Sequence[str]) -> BookRows:
        """All of the books of these customers, whatever day it is."""
        return self.rows_before(_EVER, customers)

    def orders_before(self, moment: datetime) -> list[MoneyRow]:
        """Everybody's orders placed before the moment that were not cancelled."""
        return [MoneyRow(*row) for row in self._ask(ORDERS, None, moment=moment)]

    def open_need_budgets(self, customers: Customers = None) -> list[NeedBudget]:
        """Budgets of needs that their customers confirmed and nobody has met."""
        return [
            NeedBudget(row[0], row[1], row[4], row.budget)
            for row in self._ask(_BUDGETS, customers)
            if row.budget
        ]

    def answers(self, customers: Customers = None) -> dict[str, dict[str, str]]:
        """What customers answered of themselves, trait -> answer, by customer."""
        found: dict[str, dict[str, str]] = {}
        for row in self._ask(_TRAITS, customers):
            found.setdefault(row.customer_id, {})[row.trait] = row.answer
        return found

    def standing(self, customers: Customers = None) -> dict[str, StandingTier]:
        """The tier that each customer has now; who has none is not in it."""
        return dict(map(_standing, self._ask(_STANDING, customers)))

    def in_force(self, customers: Sequence[str]) -> InForce | None:
        """What a refresh of these customers goes by, at one moment; None before any run was published.

        In one statement, because an order waits for each.
        """
        books = BookRows([], [], [], [], {})
        run: Sequence[Any] | None = None
        standing = {}
        for row in self._ask(_TO_REFRESH, customers, moment=_EVER):
            kind = row[-1]
            if kind < len(_OF_BOOKS):
                _enter(books, kind, row)
                continue
            run, tier = row[7:9], row[9:-1]
            if tier[0] is not None:
                customer_id, standing[customer_id] = _standing(tier)
        return None if run is None else InForce(run[0], run[1], standing, books)

    def run(self, run_id: str) -> ValueRun:
        """One that is there."""
        query = select(value_runs).where(value_runs.c.run_id == run_id)
        return run_of(dict(self._connection.execute(query).mappings().one()))

    def run_in_force(self) -> ValueRun | None:
        """The newest published run: its parameters and borders value everybody until the next."""
        row = self._connection.execute(_RUN_IN_FORCE).mappings().one_or_none()
        return None if row is None else run_of(dict(row))

    def last_revisions(self, run_id: str, customers: Sequence[str]) -> dict[str, int]:
        """The highest revision of each customer within a run; who has no snapshot in it is missing."""
        return dict(self._ask(_LAST_REVISIONS, customers, run=run_id))

    # --- what valuing writes ---

    def lock(self, customers: Sequence[str]) -> None:
        """Let nobody else refresh these customers, and no scoring publish, until the transaction ends;
        of nobody, nothing is locked.

        Whoever stored an order of the same customer meanwhile has committed before this returns. On SQLite
        there is one writer at a time, and nothing to do.
        """
        if self._connection.dialect.name == "sqlite":
            return
        list(self._ask(_LOCK, customers))

    def lock_all(self) -> None:
        """Let nobody refresh a customer until the transaction ends."""
        if self._connection.dialect.name != "sqlite":
            self._connection.execute(select(func.pg_advisory_xact_lock(_PUBLISHING)))
            # And let nobody erase a customer's value meanwhile.
            self._connection.execute(text("LOCK TABLE current_values IN EXCLUSIVE MODE"))

    def add_run(self, run: ValueRun) -> None:
        values = {
            **vars(run),
            "parameters": dict(run.parameters),
            "diagnostics": [dict(d) for d in run.diagnostics],
        }
        self._connection.execute(insert(value_runs).values(values))

    def add_snapshots(self, snapshots: Sequence[ValueSnapshot]) -> None:
        rows = [{**vars(s), "reasons": [dict(r) for r in s.reasons]} for s in snapshots]
        if rows:
            self._connection.execute(_ADD_SNAPSHOTS, rows)

    def publish(self, run_id: str) -> None:
        """Make the run's snapshots the current values of the firm; who is outside has none any more."""
        self._connection.execute(
            update(value_runs).where(value_runs.c.run_id == run_id).values(published=True, finished=True)
        )
        self._connection.execute(delete(current_values))
        columns = (value_snapshots.c.customer_id, value_snapshots.c.run_id, value_snapshots.c.revision)
        chosen = select(*columns).where(value_snapshots.c.run_id == run_id, value_snapshots.c.revision == 0)
        self._connection.execute(insert(current_values).from_select([c.name for c in columns], chosen))

    def make_current(self, snapshots: Sequence[ValueSnapshot]) -> None:
        """Make these the current values of their customers, and of nobody else."""
        rows = [{"customer_id": s.customer_id, "run_id": s.run_id, "revision": s.revision} for s in snapshots]
        if rows:
            self._connection.execute(_MAKE_CURRENT, rows)

    def drop(self, customers: Sequence[str]) -> None:
        """These customers have no value any more."""
        for some in chunks(customers):
            self._connection.execute(delete(current_values).where(current_values.c.customer_id.in_(some)))

    def keep_answer(self, customer_id: str, trait: str, answer: str, provenance: str, now: datetime) -> None:
        """What he answered last about a trait takes the place of what he answered before."""
        table = customer_traits.c
        self._connection.execute(
            delete(customer_traits).where(table.customer_id == customer_id, table.trait == trait)
        )
        row = {"customer_id": customer_id, "trait": trait, "answer": answer}
        self._connection.execute(insert(customer_traits).values(**row, provenance=provenance, stated_at=now))

    # --- what everybody reads ---

    def history(self, customer_id: str, newest: int | None = None) -> list[tuple[ValueRun, ValueSnapshot]]:
        """Every value of a customer (or his newest ones) with the run it was made by, the oldest first."""
        query = (
            select(value_snapshots, *(c.label(f"run_{c.name}") for c in value_runs.c))
            .join(value_runs, value_runs.c.run_id == value_snapshots.c.run_id)
            .where(value_snapshots.c.customer_id == customer_id, value_runs.c.finished)
            .order_by(value_snapshots.c.scored_at.desc(), value_runs.c.scored_at.desc())
            .order_by(value_snapshots.c.revision.desc())
            .limit(newest)
        )
        rows = self._connection.execute(query).mappings().all()
        return [_pair(row) for row in reversed(rows)]

    def totals(self) -> dict[Tier, tuple[int, int, int]]:
        """Customers, their value and their potential (minor units) of each tier now."""
        query = (
            select(
                value_snapshots.c.tier,
                func.count(),
                func.sum(value_snapshots.c.clv_minor),
                func.coalesce(func.sum(value_snapshots.c.potential_minor), 0),
            )
            .join(current_values, current_snapshot())
            .group_by(value_snapshots.c.tier)
        )
        return {row[0]: (row[1], int(row[2]), int(row[3])) for row in self._connection.execute(query)}

    def current_figures(self) -> list[CurrentFigures]:
        """The published figures of every customer, in no order; whose they are does not matter."""
        query = select(*(value_snapshots.c[name] for name in CurrentFigures._fields)).join(
            current_values, current_snapshot()
        )
        return [CurrentFigures(*row) for row in self._connection.execute(query)]

    def newest_run(self) -> ValueRun | None:
        """The newest scoring, published or not."""
        row = self._connection.execute(_NEWEST_RUN).mappings().one_or_none()
        return None if row is None else run_of(dict(row))

    def tiers_at(self, moment: datetime) -> dict[str, Tier]:
        """The tier of each customer at a moment: his last one by the run that was in force then."""
        in_force = _RUN_IN_FORCE.where(value_runs.c.scored_at < moment).with_only_columns(value_runs.c.run_id)
        run_id = self._connection.execute(in_force).scalar_one_or_none()
        query = (
            select(value_snapshots.c.customer_id, value_snapshots.c.tier)
            .where(value_snapshots.c.run_id == run_id, value_snapshots.c.scored_at < moment)
            .order_by(value_snapshots.c.revision)
        )
        return {row[0]: row[1] for row in self._connection.execute(query)}

    def current(self, customer_id: str) -> tuple[ValueRun, ValueSnapshot] | None:
        """The published value of one customer with the run that made it."""
        row = self._connection.execute(_CURRENT, {"customer": customer_id}).mappings().one_or_none()
        return None if row is None else _pair(row)

    def last_published_at(self) -> datetime | None:
        """When the newest published run was made; None before the first."""
        query = select(func.max(value_runs.c.scored_at)).where(value_runs.c.published)
        found: datetime | None = self._connection.execute(query).scalar_one()
        return found

    def tier_of(self, customer_id: str) -> tuple[Tier, date] | None:
        """The published tier and the day until which its data were observed."""
        query = (
            select(value_snapshots.c.tier, value_snapshots.c.observed_until)
            .join(current_values, current_snapshot())
            .where(value_snapshots.c.customer_id == customer_id)
        )
        row = self._connection.execute(query).one_or_none()
        return None if row is None else (row.tier, row.observed_until)

    def customers_of_tier(self, tier: Tier) -> list[str]:
        """By value, the best first."""
        query = (
            select(value_snapshots.c.customer_id)
            .join(current_values, current_snapshot())
            .where(value_snapshots.c.tier == tier)
            .order_by(value_snapshots.c.clv_minor.desc(), value_snapshots.c.customer_id)
        )
        return list(self._connection.execute(query).scalars())

    def _ask(self, query: Query, customers: Customers, **values: object) -> Iterator[Any]:
        if customers is None:
            yield from self._connection.execute(query.everybody, values)
        elif len(customers) == 1:
            yield from self._connection.execute(query.one, {**values, "customer": customers[0]})
        else:
            for some in chunks(customers):
                yield from self._connection.execute(query.some, {**values, "customers": some})


def chunks(customers: Sequence[str]) -> Iterator[Sequence[str]]:
    """SQLite takes a limited number of values in one statement."""
    return (customers[i : i + _AT_ONCE] for i in range(0, len(customers), _AT_ONCE))


def _enter(books: BookRows, kind: int, row: Sequence[Any]) -> None:
    """A row of one of the ``_OF_BOOKS``; ``kind`` counts which."""
    name, customer_id, at, amount, said, margin, budget = row[:7]
    if kind < 3:
        (books.orders, books.returns, books.costs)[kind].append(
            MoneyRow(name, customer_id, at, amount, said, margin)
        )
    elif budget:
        books.budgets.append(NeedBudget(name, customer_id, said, budget))
    elif kind == 4:
        books.answers.setdefault(customer_id, {})[name] = said


def _standing(row: Sequence[Any]) -> tuple[str, StandingTier]:
    """Whose tier it is, and the tier, from a row of ``_STANDING``."""
    customer_id, tier, decision_id, reasons, *rest = row
    return customer_id, StandingTier(tier, decision_id, tuple(r["code"] for r in reasons), *rest)


def _pair(row: RowMapping) -> tuple[ValueRun, ValueSnapshot]:
    run = {column.name: row[f"run_{column.name}"] for column in value_runs.c}
    return run_of(run), _snapshot(row)


def run_of(row: dict[str, Any]) -> ValueRun:
    return ValueRun(**{**row, "diagnostics": tuple(row["diagnostics"])})


def _snapshot(row: RowMapping) -> ValueSnapshot:
    values = {column.name: row[column.name] for column in value_snapshots.c}
    return ValueSnapshot(**{**values, "reasons": tuple(values["reasons"])})
