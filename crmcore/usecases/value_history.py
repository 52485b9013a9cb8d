"""Value over time: a customer's history, what moved it, and who changed his tier."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from crmcore.crm import Crm
from crmcore.errors import CrmError
from crmcore.firm import Firm
from crmcore.money import from_minor
from crmcore.store.transaction import Transaction
from crmcore.tiers import Tier
from crmcore.usecases.observation import end_of, last_observed_day
from crmcore.value.books import Books, read_books
from crmcore.value.change import Cause, Moved, ValueChange
from crmcore.value.clv import value_customers
from crmcore.value.engine import MODEL_VERSION
from crmcore.value.model import ValueModel
from crmcore.value.ranking import clv_in_minor
from crmcore.value.snapshots import ValueRun, ValueSnapshot


class NoValueYet(CrmError):
    """The customer had no value at that time; ``first`` is the earliest day that a value of his is as of."""

    def __init__(self, customer_id: str, when: str, first: date | None = None) -> None:
        mend = "he needs an order, and the firm a scoring (rapport score)"
        if first is not None:
            mend = f"he was first valued as of {first}, so choose that day or a later one"
        super().__init__(f"customer {customer_id!r} has no value {when}; {mend}")


class NothingScored(CrmError):
    """No scoring is of either day, so nobody had a tier that he could have changed."""


class DaysOutOfOrder(CrmError):
    """Nothing moves from a later day to an earlier one."""


@dataclass(frozen=True)
class TierMigration:
    """How many customers went from which tier (rows) to which, "none" for who had no value then."""

    since: date
    until: date
    counts: Mapping[tuple[str, str], int]


def value_history(crm: Crm, customer_id: str) -> list[tuple[ValueRun, ValueSnapshot]]:
    """Every value that the customer ever had, the oldest first; raises :class:`NoValueYet` for none."""
    with crm.store.read() as tx:
        history = tx.value.history(customer_id)
    if not history:
        raise NoValueYet(customer_id, "at all")
    return history


def value_change(crm: Crm, customer_id: str, since: date, until: date) -> ValueChange:
    """What moved his value from the end of ``since`` to the end of ``until`` (days of the firm).

    Each is the value that was in force then; where none was, the one that was found of that day afterwards
    (``rapport score --as-of``), so that a firm that has just brought its orders can look back.
    The parts are counted one after the other: late rows, time, orders, costs, parameters. Another order of
    counting would give other parts of the same sum. Raises :class:`NoValueYet`, :class:`DaysOutOfOrder`,
    DayInTheFuture.
    """
    _check_days(crm, since, until)
    with crm.store.read() as tx:
        history = tx.value.history(customer_id)
        before = _at(history, crm.firm, since)
        after = _at(history, crm.firm, until)
        if before is None or after is None:
            first = min((snapshot.observed_until for _, snapshot in history), default=None)
            raise NoValueYet(customer_id, f"at the end of {since if before is None else until}", first)
        moved = _moved(tx, crm.firm, customer_id, before, after)
    currency = after[0].currency

    def difference(name: str) -> int:
        return (getattr(after[1], name) or 0) - (getattr(before[1], name) or 0)

    return ValueChange(
        since=since,
        until=until,
        before=from_minor(before[1].clv_minor, currency),
        after=from_minor(after[1].clv_minor, currency),
        moved=tuple(Moved(cause, from_minor(minor, currency)) for cause, minor in moved),
        declared_potential=from_minor(difference("declared_potential_minor"), currency),
        estimated_potential=from_minor(difference("estimated_potential_minor"), currency),
        tier_before=before[1].tier,
        tier_after=after[1].tier,
        currency=currency,
    )


def tier_migration(crm: Crm, since: date, until: date) -> TierMigration:
    """Who had which tier at the end of two days: by the scoring in force then; where there was none at all,
    by one that was made of that day afterwards.

    Raises :class:`DaysOutOfOrder`, :class:`NothingScored`, DayInTheFuture.
    """
    _check_days(crm, since, until)
    with crm.store.read() as tx:
        before, after = (_tiers_at(tx, crm.firm, day) for day in (since, until))
    if not before and not after:
        raise NothingScored(
            f"nobody was valued as of {until} or before; score as of both days (rapport score --as-of)"
        )
    moves = Counter((before.get(c, "none"), after.get(c, "none")) for c in before.keys() | after.keys())
    return TierMigration(since, until, dict(moves))


def _check_days(crm: Crm, since: date, until: date) -> None:
    if since > until:
        raise DaysOutOfOrder(f"{since} is after {until}; name the earlier day first")
    last_observed_day(crm.firm, crm.clock(), until)


def _at(
    history: list[tuple[ValueRun, ValueSnapshot]], firm: Firm, day: date
) -> tuple[ValueRun, ValueSnapshot] | None:
    """What was in force at the end of the day; where nothing was, the newest that was found of it later."""
    moment = end_of(firm, day)
    in_force = next((pair for pair in reversed(history) if pair[1].scored_at < moment), None)
    if in_force is not None:
        return in_force
    found_later = [pair for pair in reversed(history) if pair[1].observed_until <= day]
    return max(found_later, key=lambda pair: pair[1].observed_until, default=None)


def _tiers_at(tx: Transaction, firm: Firm, day: date) -> dict[str, Tier]:
    return tx.value.tiers_at(end_of(firm, day)) or tx.scorings.tiers_known_of(day)


def _moved(
    tx: Transaction,
    firm: Firm,
    customer_id: str,
    before: tuple[ValueRun, ValueSnapshot],
    after: tuple[ValueRun, ValueSnapshot],
) -> list[tuple[Cause, int]]:
    (first_run, first), (last_run, last) = before, after
    if {first_run.model_version, last_run.model_version} != {MODEL_VERSION}:
        return [("another_model_version", last.clv_minor - first.clv_minor)]
    then, now = end_of(firm, first.observed_until), end_of(firm, last.observed_until)
    rows = tx.value.rows_before(now, [customer_id])

    def clv(orders_until: datetime, costs_until: datetime, seen_until: date, run: ValueRun) -> int:
        model = ValueModel.from_parameters(run.parameters)
        books = read_books(
            [row for row in rows.orders if row.at < orders_until],
            [row for row in rows.returns if row.at < orders_until],
            [row for row in rows.costs if row.at < costs_until],
            [],
            rows.answers,
            observed_until=seen_until,
            zone=firm.zone,
            currency=run.currency,
            margin=model.terms.margin,
        )
        return _clv(books, model, run.currency)

    steps: list[tuple[Cause, int]] = [
        ("late_rows", clv(then, then, first.observed_until, first_run)),
        ("time_passing", clv(then, then, last.observed_until, first_run)),
        ("orders_and_returns", clv(now, then, last.observed_until, first_run)),
        ("service_costs", clv(now, now, last.observed_until, first_run)),
        ("parameters_and_terms", clv(now, now, last.observed_until, last_run)),
        ("changed_afterwards", last.clv_minor),
    ]
    moved, reached = [], first.clv_minor
    for cause, value in steps:
        if value != reached:
            moved.append((cause, value - reached))
        reached = value
    return moved


def _clv(books: Books, model: ValueModel, currency: str) -> int:
    values = value_customers(books.summary, books.ledger, model, books.comes_back, books.log)
    return sum(clv_in_minor(values, currency))


def as_plain(snapshot: ValueSnapshot, run: ValueRun) -> dict[str, Any]:
    """A point of the history as JSON; money as text in currency."""

    def money(minor: int | None) -> str | None:
        return None if minor is None else str(from_minor(minor, run.currency))

    return {
        "scored_at": snapshot.scored_at.isoformat(),
        "observed_until": snapshot.observed_until.isoformat(),
        "run_id": run.run_id,
        "revision": snapshot.revision,
        "tier": snapshot.tier,
        "reasons": [dict(reason) for reason in snapshot.reasons],
        "clv": money(snapshot.clv_minor),
        "clv_low": money(snapshot.clv_low_minor),
        "clv_high": money(snapshot.clv_high_minor),
        "history_value": money(snapshot.history_minor),
        "potential_value": money(snapshot.potential_minor),
        "cost_to_serve": money(snapshot.cost_to_serve_minor),
        "p_alive": snapshot.p_alive,
        "expected_purchases": snapshot.expected_purchases,
        "model_version": run.model_version,
    }
