"""One customer's value right after something of his was stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, insert, update

from crmcore.crm import Crm
from crmcore.errors import StoreUnavailable
from crmcore.money import from_minor
from crmcore.store import schema
from crmcore.store.database import Store, raw_connection
from crmcore.store.transaction import Transaction
from crmcore.tiers import Standing, TierPolicy, assign_tier, read_borders
from crmcore.usecases.decisions import replay_decisions
from crmcore.usecases.value import value_card
from crmcore.usecases.value_records import Valued, _snapshot
from crmcore.usecases.value_refresh import books_of, refresh_value, refresh_values, value_by_rules
from crmcore.usecases.value_rules import Rules
from crmcore.usecases.value_score import score
from crmcore.value.relational import batch as firm_batch
from crmcore.value.snapshots import ValueRun, ValueSnapshot
from tests.builders import Clock, a_crm
from tests.concurrency import at_once
from tests.value.shop import add_customers, add_order, open_shop, order_row

CUSTOMERS = 300
BUSY = 6  # The first few, to whom the events of a random log happen.


@dataclass(frozen=True)
class Event:
    """Something of a customer is stored on a day; it happened ``ago`` days before (after, when negative)."""

    kind: str  # order, return, cost, cancel, refuse
    customer: int
    day: int
    ago: int
    amount_minor: int
    margin_minor: int | None


events = st.lists(
    st.builds(
        Event,
        kind=st.sampled_from(["order", "order", "return", "cost", "cancel", "refuse"]),
        customer=st.integers(0, BUSY - 1),
        day=st.integers(0, 5),
        ago=st.integers(-2, 800),
        amount_minor=st.integers(0, 200_000),
        margin_minor=st.none() | st.integers(-5_000, 50_000),
    ),
    min_size=1,
    max_size=12,
)


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Crm, list[str]]]:
    """A shop that was scored last night; nobody may change it for good."""
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('refresh') / 'rapport.db'}")
    store.migrate()
    crm = a_crm(store, Clock())
    ids = open_shop(crm, CUSTOMERS)
    assert score(crm).run.published
    yield crm, ids
    store.dispose()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(log=events)
def test_a_refresh_is_the_batch_of_that_moment_to_the_bit(
    scored: tuple[Crm, list[str]], log: list[Event]
) -> None:
    """Late rows, orders back-dated or of days to come, returns, cancellations, over several days."""
    crm, ids = scored
    with undone(crm) as tx:
        for number, happened in enumerate(sorted(log, key=lambda e: e.day)):
            now = crm.clock() + timedelta(days=happened.day)
            customer_id = ids[happened.customer]
            store_event(tx, crm, number, happened, customer_id, now)
            refresh_value(tx, crm.firm, customer_id, now)
            assert_as_in_a_batch(tx, crm, [customer_id], now)


def test_a_refresh_without_news_repeats_the_batch_of_that_day(crm_on_both: Crm) -> None:
    crm = crm_on_both
    ids = open_shop(crm, CUSTOMERS)
    today = crm.firm.today(crm.clock())
    score(crm, as_of=today)
    before = snapshots(crm, ids)
    with crm.store.write() as tx:
        for customer_id in ids:
            refresh_value(tx, crm.firm, customer_id, crm.clock())
    after = snapshots(crm, ids)
    for customer_id in ids:
        assert_close(figures(after[customer_id]), figures(before[customer_id]))
        assert (before[customer_id].revision, after[customer_id].revision) == (0, 1)


def test_an_order_of_today_counts_at_once(crm_on_both: Crm) -> None:
    crm = crm_on_both
    ids = open_shop(crm, CUSTOMERS)
    score(crm)
    before = value_card(crm, ids[3])
    today = crm.firm.today(crm.clock())
    add_order(crm, "new", ids[3], today, "4000.00")
    refresh(crm, ids[3])
    after = value_card(crm, ids[3])
    assert before is not None
    assert after is not None
    assert after.clv > before.clv
    assert after.tier == "MVC"
    assert (before.as_of, after.as_of) == (today - timedelta(days=1), today)
    assert after.days_since_last_purchase == 0


def test_somebody_new_has_a_value_with_his_first_order_and_none_when_it_is_cancelled(crm: Crm) -> None:
    open_shop(crm, CUSTOMERS)
    score(crm)
    add_customers(crm, ["new"])
    today = crm.firm.today(crm.clock())
    add_order(crm, "n1", "new", today, "80.00")
    refresh(crm, "new")
    card = value_card(crm, "new")
    assert card is not None
    assert card.frequency == 0
    with crm.store.write() as tx:
        cancel(tx, "n1")
        refresh_value(tx, crm.firm, "new", crm.clock())
    assert value_card(crm, "new") is None
    add_order(crm, "n2", "new", today, "90.00")
    refresh(crm, "new")
    assert value_card(crm, "new") is not None


def test_a_late_row_changes_the_customer_and_nobody_else(crm: Crm) -> None:
    ids = open_shop(crm, CUSTOMERS)
    score(crm)
    before = snapshots(crm, ids)
    add_order(crm, "late", ids[5], crm.firm.today(crm.clock()) - timedelta(days=90), "150.00")
    refresh(crm, ids[5])
    after = snapshots(crm, ids)
    changed = [customer_id for customer_id in ids if after[customer_id] != before[customer_id]]
    assert changed == [ids[5]]


def test_nothing_is_valued_before_a_scoring_or_by_the_figures_of_another_version(
    crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = open_shop(crm, CUSTOMERS)
    refresh(crm, ids[0])
    assert value_card(crm, ids[0]) is None
    score(crm)
    before = snapshots(crm, ids)
    monkeypatch.setattr("crmcore.usecases.value_refresh.MODEL_VERSION", "another/1")
    refresh(crm, ids[0])
    assert snapshots(crm, ids) == before


def test_a_row_in_a_foreign_currency_is_counted_and_leaves_the_value_as_it_is(crm: Crm) -> None:
    ids = open_shop(crm, CUSTOMERS)
    score(crm)
    before = value_card(crm, ids[0])
    add_order(crm, "yen", ids[0], crm.firm.today(crm.clock()), "900.00", currency="JPY")
    refresh(crm, ids[0])
    assert value_card(crm, ids[0]) == before
    with crm.store.read() as tx:
        assert tx.incidents.counts_since(crm.clock()) == {"value_not_refreshed": 1}


def test_a_decision_is_written_only_when_the_tier_or_its_reason_changes(crm: Crm) -> None:
    ids = open_shop(crm, CUSTOMERS)
    score(crm)
    quiet = next(c for c in ids if card(crm, c).tier == "core")
    first = card(crm, quiet).decision_id
    for number in range(5):
        add_order(crm, f"small-{number}", quiet, crm.firm.today(crm.clock()), "0.00")
        refresh(crm, quiet)
    assert card(crm, quiet).decision_id == first
    assert decisions_of(crm, quiet) == 1
    add_order(crm, "big", quiet, crm.firm.today(crm.clock()), "9000.00")
    refresh(crm, quiet)
    assert card(crm, quiet).tier == "MVC"
    assert card(crm, quiet).decision_id != first
    assert decisions_of(crm, quiet) == 2
    score(crm)
    assert decisions_of(crm, quiet) == 2


def test_every_tier_follows_from_its_snapshot_and_its_run_and_every_decision_replays(crm: Crm) -> None:
    """Invariant 7, also between decisions."""
    ids = open_shop(crm, CUSTOMERS)
    score(crm)
    for number, customer_id in enumerate(ids[:40]):
        day = crm.firm.today(crm.clock()) - timedelta(days=number)
        add_order(crm, f"more-{number}", customer_id, day, f"{40 * number}.00")
        refresh(crm, customer_id)
    for customer_id in ids:
        with crm.store.read() as tx:
            found = tx.value.current(customer_id)
            assert found is not None
            run, snapshot = found
            assert snapshot.decision_id is not None
            decision = tx.decisions.get(snapshot.decision_id)
        assert decision is not None
        assert decision.outcome == snapshot.tier
        assert decision.reasons == tuple(reason["code"] for reason in snapshot.reasons)
        assert tier_again(run, snapshot) == snapshot.tier
    assert replay_decisions(crm.store).differences == ()


def test_a_scoring_keeps_what_was_refreshed_while_it_worked(
    crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Orders of the day after the scored one, and rows that came after the books were read."""
    ids = open_shop(crm, CUSTOMERS)
    score(crm)
    add_customers(crm, ["new", "gone"])
    today = crm.firm.today(crm.clock())
    add_order(crm, "gone-1", "gone", today, "70.00")
    add_order(crm, "today", ids[2], today, "60.00")
    refresh(crm, "gone", ids[2])
    fitted = firm_batch.fit_firm

    def fit_while_orders_come_in(*books: Any) -> Any:
        add_order(crm, "late", ids[1], today - timedelta(days=40), "50.00")
        add_order(crm, "new-1", "new", today, "50.00")
        with crm.store.write() as tx:
            cancel(tx, "gone-1")
            refresh_values(tx, crm.firm, [ids[1], "gone", "new"], crm.clock())
        return fitted(*books)

    monkeypatch.setattr(firm_batch, "fit_firm", fit_while_orders_come_in)
    run = score(crm).run
    assert value_card(crm, "gone") is None
    with crm.store.read() as tx:
        assert_as_in_a_batch(tx, crm, [ids[1], ids[2], "new"], crm.clock())
        standing = tx.value.standing()
    assert {s.run_id for s in standing.values()} == {run.run_id}
    assert sorted(c for c, s in standing.items() if s.revision) == sorted([ids[1], ids[2], "new"])


def test_two_orders_of_one_customer_at_the_same_moment_both_count(crm_on_both: Crm) -> None:
    crm = crm_on_both
    ids = open_shop(crm, CUSTOMERS)
    score(crm)
    today = crm.firm.today(crm.clock())

    def buy(number: int) -> Callable[[], None]:
        def once() -> None:
            with crm.store.write() as tx:
                row = order_row(crm, f"at-once-{number}", ids[0], today, Decimal(25))
                tx.value._connection.execute(insert(schema.orders).values(row))
                refresh_value(tx, crm.firm, ids[0], crm.clock())

        return once

    assert at_once(*[buy(number) for number in range(6)]) == [None] * 6
    with crm.store.read() as tx:
        assert_as_in_a_batch(tx, crm, [ids[0]], crm.clock())
        assert tx.value.standing([ids[0]])[ids[0]].revision == 6


def test_a_refresh_takes_one_read_and_two_writes_and_asks_for_nobody_elses_rows(crm: Crm) -> None:
    """Its time may not grow with the number of customers, nor with the nights that were scored."""
    ids = open_shop(crm, CUSTOMERS)
    score(crm)
    refresh(crm, ids[0])
    with listening(crm) as asked:
        refresh(crm, ids[0])
    assert [statement.split()[0] for statement, _ in asked] == ["BEGIN", "SELECT", *["INSERT"] * 2]
    with raw_connection(crm.store) as connection:
        statement, parameters = asked[1]
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
        tables = [step.detail for step in plan if not step.detail.startswith("SCAN anon_")]
        assert not [step for step in tables if "SCAN" in step or "TEMP B-TREE" in step]


def test_an_order_is_valued_by_a_new_scoring_as_soon_as_that_is_published(crm: Crm) -> None:
    """Parameters are kept between transactions, but not which of them are in force."""
    ids = open_shop(crm, CUSTOMERS)
    first = score(crm).run
    refresh(crm, ids[0])
    for number in range(40):
        add_order(crm, f"more-{number}", ids[number], crm.firm.today(crm.clock()), "900.00")
    second = score(crm, as_of=crm.firm.today(crm.clock())).run
    assert second.parameters["spend"] != first.parameters["spend"]
    refresh(crm, ids[0])
    with crm.store.read() as tx:
        found = tx.value.current(ids[0])
        assert found is not None
        assert found[0].run_id == second.run_id
        assert_as_in_a_batch(tx, crm, [ids[0]], crm.clock())


def test_nothing_is_published_while_a_customer_is_refreshed(postgres_store: Store) -> None:
    crm = a_crm(postgres_store, Clock())
    ids = open_shop(crm, CUSTOMERS)
    score(crm)

    def publish() -> None:
        with postgres_store.write() as tx:
            tx.value._connection.exec_driver_sql("SET LOCAL lock_timeout = '100ms'")
            tx.value.lock_all()

    with postgres_store.write() as tx:
        tx.value.lock([ids[0]])
        with pytest.raises(StoreUnavailable, match="lock"):
            publish()
    with postgres_store.write() as tx:
        tx.value.lock(ids[:3])
        with pytest.raises(StoreUnavailable, match="lock"):
            publish()
    publish()


@contextmanager
def listening(crm: Crm) -> Iterator[list[tuple[str, Any]]]:
    """Every statement with its parameters, as the database gets them."""
    asked: list[tuple[str, Any]] = []

    def listen(_c: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        asked.append((statement, parameters))

    event.listen(crm.store._engine, "before_cursor_execute", listen)
    yield asked
    event.remove(crm.store._engine, "before_cursor_execute", listen)


@contextmanager
def undone(crm: Crm) -> Iterator[Transaction]:
    """A write transaction that leaves nothing behind."""

    class Undo(Exception):
        pass

    with suppress(Undo), crm.store.write() as tx:
        yield tx
        raise Undo


def store_event(
    tx: Transaction, crm: Crm, number: int, happened: Event, customer_id: str, now: datetime
) -> None:
    at = now - timedelta(days=happened.ago)
    connection = tx.value._connection
    amount = {"amount_minor": happened.amount_minor, "currency": crm.firm.currency}
    orders = schema.orders
    mine = [order.order_id for order in tx.orders.of_customer(customer_id)]
    match happened.kind:
        case "order":
            row = order_row(crm, f"e{number}", customer_id, at.date(), Decimal(0))
            row |= {**amount, "ordered_at": at, "margin_minor": happened.margin_minor}
            connection.execute(insert(orders).values(row))
        case "cost":
            row = {"cost_id": f"e{number}", "customer_id": customer_id, "incurred_at": at, "kind": "contact"}
            connection.execute(insert(schema.service_costs).values(row | amount))
        case "return":
            for order_id in mine[:1]:
                row = {"return_id": f"e{number}", "order_id": order_id, "customer_id": customer_id}
                row |= {"requested_at": at, "status": "requested"}
                connection.execute(insert(schema.returns).values(row | amount))
        case "cancel":
            for order_id in mine[happened.amount_minor % max(len(mine), 1) :][:1]:
                cancel(tx, order_id)
        case "refuse":
            refused = update(schema.returns).where(schema.returns.c.customer_id == customer_id)
            connection.execute(refused.values(status="refused"))


def cancel(tx: Transaction, order_id: str) -> None:
    orders = schema.orders
    tx.value._connection.execute(
        update(orders).where(orders.c.order_id == order_id).values(status="cancelled")
    )


def assert_as_in_a_batch(tx: Transaction, crm: Crm, customers: Sequence[str], now: datetime) -> None:
    """The current snapshots have the figures of a batch of the whole firm by the run in force."""
    run = tx.value.run_in_force()
    assert run is not None
    rules = Rules.of(run)
    today = crm.firm.today(now)
    books = books_of(tx, crm.firm, run.currency, rules.model.terms.margin, today)
    current = {c: tx.value.current(c) for c in customers}
    previous = {c: found[1].previous_tier for c, found in current.items() if found}
    valued = value_by_rules(rules, books, today, {c: t for c, t in previous.items() if t is not None})
    everybody = {c: i for i, c in enumerate(books.summary.customer_id)}
    assert len(everybody) > CUSTOMERS / 2
    for customer_id in customers:
        found = current[customer_id]
        if customer_id not in everybody:
            assert found is None
            continue
        assert found is not None
        assert figures(found[1]) == of_batch(valued, everybody[customer_id])
        assert found[1].observed_until == today


def figures(snapshot: ValueSnapshot) -> dict[str, Any]:
    """All that a batch says of a customer; floats as their exact digits."""
    by_its_making = {"customer_id", "run_id", "revision", "scored_at", "decision_id", "previous_tier"}
    names = {f.name for f in fields(ValueSnapshot)} - by_its_making
    return {name: exact(getattr(snapshot, name)) for name in names}


def assert_close(refreshed: dict[str, Any], of_engine: dict[str, Any]) -> None:
    """Money, counts and tiers alike; what an engine computes in floats to 1e-9."""
    for name, figure in of_engine.items():
        if isinstance(figure, str) and name in FLOATS:
            assert float.fromhex(refreshed[name]) == pytest.approx(float.fromhex(figure), rel=1e-9, abs=1e-9)
        elif name == "reasons":
            assert [r["code"] for r in refreshed[name]] == [r["code"] for r in figure]
        else:
            assert refreshed[name] == figure


def of_batch(valued: Valued, i: int) -> dict[str, Any]:
    return figures(_snapshot(valued, i, valued.ranked[i], "", 0, datetime.max.replace(tzinfo=UTC)))


FLOATS = {f.name for f in fields(ValueSnapshot) if "float" in str(f.type)}


def exact(figure: Any) -> Any:
    return figure.hex() if isinstance(figure, float) else figure


def tier_again(run: ValueRun, snapshot: ValueSnapshot) -> str:
    known = snapshot.potential_minor is not None
    standing = Standing(
        from_minor(snapshot.clv_minor, run.currency),
        from_minor(snapshot.potential_minor or 0, run.currency) if known else None,
        snapshot.p_below_zero,
        snapshot.previous_tier,
    )
    borders = read_borders(run.parameters["borders"])
    return assign_tier(standing, borders, TierPolicy(**run.parameters["policy"])).tier


def refresh(crm: Crm, *customers: str) -> None:
    with crm.store.write() as tx:
        refresh_values(tx, crm.firm, customers, crm.clock())


def snapshots(crm: Crm, ids: Sequence[str]) -> dict[str, ValueSnapshot]:
    with crm.store.read() as tx:
        found = {customer_id: tx.value.current(customer_id) for customer_id in ids}
    return {customer_id: pair[1] for customer_id, pair in found.items() if pair}


def card(crm: Crm, customer_id: str) -> Any:
    found = value_card(crm, customer_id)
    assert found is not None
    return found


def decisions_of(crm: Crm, customer_id: str) -> int:
    with crm.store.read() as tx:
        return len(tx.decisions.of_customer(customer_id, "tier"))
