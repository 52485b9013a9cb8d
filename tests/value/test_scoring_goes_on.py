"""A scoring that was killed goes on where it was, and is published whole or not at all."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from crmcore.crm import Crm
from crmcore.store import schema
from crmcore.store.database import Store, raw_connection
from crmcore.store.engines.any import EngineUnavailable
from crmcore.usecases import value_score
from crmcore.usecases.decisions import replay_decisions
from crmcore.usecases.value import value_card
from crmcore.usecases.value_refresh import refresh_value
from crmcore.usecases.value_score import score
from tests.builders import Clock, a_crm
from tests.value.shop import add_order, open_shop

CUSTOMERS = 160
PART = 40


class Killed(BaseException):
    """What ends a process."""


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(value_score, "PART", PART)


def test_the_next_scoring_goes_on_with_what_is_missing_and_publishes_it_together(crm_on_both: Crm) -> None:
    crm = crm_on_both
    ids = open_shop(crm, CUSTOMERS)
    killed_after(crm, parts=2)
    begun, written = unfinished(crm)
    assert 0 < written < len(ids)
    assert all(value_card(crm, customer_id) is None for customer_id in ids)
    told: list[tuple[int, int]] = []
    report = score(crm, progress=lambda done, of: told.append((done, of)))
    assert report.run.run_id == begun
    assert report.customers == len(ids)
    assert told[0] == (written, len(ids))
    assert told[-1] == (len(ids), len(ids))
    assert all(value_card(crm, customer_id) is not None for customer_id in ids)
    assert counted(crm, schema.value_snapshots) == counted(crm, schema.decisions) == len(ids)


def test_its_values_are_those_of_a_scoring_that_nobody_killed(crm: Crm) -> None:
    ids = open_shop(crm, CUSTOMERS)
    killed_after(crm, parts=2)
    score(crm)
    in_two = [value_card(crm, customer_id) for customer_id in ids]
    score(crm)
    in_one = [value_card(crm, customer_id) for customer_id in ids]
    assert [(c.clv, c.tier) for c in in_two if c] == [(c.clv, c.tier) for c in in_one if c]


def test_while_it_is_unfinished_the_earlier_values_stay(crm: Crm, clock: Clock) -> None:
    ids = open_shop(crm, CUSTOMERS)
    first = score(crm)
    before = value_card(crm, ids[0])
    clock.advance(days=1)
    killed_after(crm, parts=2)
    assert value_card(crm, ids[0]) == before
    with crm.store.read() as tx:
        newest = tx.value.newest_run()
        assert newest is not None
        assert newest.run_id == first.run.run_id
        assert [run.run_id for run, _ in tx.value.history(ids[0])] == [first.run.run_id]


def test_nobody_reads_the_decisions_of_a_scoring_that_was_killed(crm_on_both: Crm, clock: Clock) -> None:
    """They gave nobody a tier; those of the scoring in force stay readable, and all are once it is whole."""
    crm = crm_on_both
    ids = open_shop(crm, CUSTOMERS)
    killed_after(crm, parts=2)
    with raw_connection(crm.store) as connection:
        written = connection.execute(select(schema.decisions.c.decision_id)).scalars().all()
    assert written
    with crm.store.read() as tx:
        assert all(tx.decisions.get(decision_id) is None for decision_id in written)
        assert not any(tx.decisions.of_customer(customer_id) for customer_id in ids)
        assert tx.decisions.page("", 500) == []
    assert replay_decisions(crm.store).checked == {}
    score(crm)
    with crm.store.read() as tx:
        assert len(tx.decisions.page("", 500)) == len(ids)
        assert tx.decisions.get(written[0]) is not None
    clock.advance(days=1)
    killed_after(crm, parts=2)
    assert replay_decisions(crm.store).checked == {"tier": len(ids)}


def test_the_scoring_of_a_later_day_starts_anew_and_leaves_nothing_of_it(crm: Crm, clock: Clock) -> None:
    ids = open_shop(crm, CUSTOMERS)
    killed_after(crm, parts=2)
    begun, _ = unfinished(crm)
    clock.advance(days=1)
    report = score(crm)
    assert report.run.run_id != begun
    assert counted(crm, schema.value_runs) == 1
    assert counted(crm, schema.value_snapshots) == counted(crm, schema.decisions) == len(ids)


def test_an_order_that_comes_between_the_two_halves_counts(crm: Crm) -> None:
    ids = open_shop(crm, CUSTOMERS)
    score(crm)
    killed_after(crm, parts=2)
    today = crm.firm.today(crm.clock())
    add_order(crm, "between", ids[0], today, "4000.00")
    with crm.store.write() as tx:
        refresh_value(tx, crm.firm, ids[0], crm.clock())
    score(crm)
    card = value_card(crm, ids[0])
    assert card is not None
    assert card.days_since_last_purchase == 0
    assert card.tier == "MVC"


def test_the_firms_own_postgresql_publishes_the_same_values(postgres_store: Store, clock: Clock) -> None:
    crm = a_crm(postgres_store, clock)
    ids = open_shop(crm, CUSTOMERS)
    score(crm)
    usual = [value_card(crm, customer_id) for customer_id in ids]
    score(crm, engine="postgres")
    chosen = [value_card(crm, customer_id) for customer_id in ids]
    assert [(c.clv, c.clv_low, c.tier) for c in usual if c] == [
        (c.clv, c.clv_low, c.tier) for c in chosen if c
    ]


def test_an_engine_that_cannot_work_here_says_why(crm: Crm) -> None:
    with pytest.raises(EngineUnavailable, match="this one is SQLite"):
        score(crm, engine="postgres")


def killed_after(crm: Crm, parts: int) -> None:
    def kill(done: int, _of: int) -> None:
        if done >= (parts - 1) * PART:
            raise Killed

    with pytest.raises(Killed):
        score(crm, progress=kill)


def unfinished(crm: Crm) -> tuple[str, int]:
    """The run that was ended, and how many customers it had written."""
    with raw_connection(crm.store) as connection:
        run = (
            connection.execute(select(schema.value_runs).where(~schema.value_runs.c.finished))
            .mappings()
            .one()
        )
    return run["run_id"], counted(crm, schema.value_snapshots)


def counted(crm: Crm, table: object) -> int:
    with raw_connection(crm.store) as connection:
        found: int = connection.execute(select(func.count()).select_from(table)).scalar_one()  # type: ignore[arg-type]
        return found
