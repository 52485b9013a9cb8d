"""One customer's value right after something of his was stored.

A refresh is a scoring of this customer alone: the same functions, the parameters, borders and firm-wide
figures of the run in force, his own rows until the end of today. So it gives, to the bit, what a batch with
these parameters would give him, in time that does not depend on how many customers there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from crmcore.firm import Firm
from crmcore.store.transaction import Transaction
from crmcore.tiers import Tier
from crmcore.usecases.events import tell_of_tiers
from crmcore.usecases.observation import end_of
from crmcore.usecases.value_records import Valued, record_values
from crmcore.usecases.value_rules import Rules, published_rules
from crmcore.value.books import Books, ForeignCurrency, read_books
from crmcore.value.clv import value_customers
from crmcore.value.engine import MODEL_VERSION
from crmcore.value.ranking import rank
from crmcore.value.snapshots import BookRows, StandingTier, ValueRun, ValueSnapshot


def refresh_value(tx: Transaction, firm: Firm, customer_id: str, now: datetime) -> None:
    """Value one customer again, in the transaction that stored his order, return, status or cost."""
    refresh_values(tx, firm, [customer_id], now)


def refresh_values(tx: Transaction, firm: Firm, customers: Sequence[str], now: datetime) -> bool:
    """Value these customers again by the run in force, observed until the end of the firm's today.

    Returns whether it was done.

    Name all customers of a transaction in one call: they are locked in one order, so that two imports never
    wait for each other. Nothing changes while no run is published, or when the run in force was made by
    another version of the model: the next scoring values everybody then. Who has no purchase left has no
    value left. Terms (margin, discount, horizon) are those of the run, too.

    A row in a foreign currency is counted as the incident ``value_not_refreshed`` and the values stay as they
    are: storing an order must not fail because it cannot be valued.
    """
    tx.value.lock(customers)
    in_force = tx.value.in_force(customers)
    if in_force is None or in_force.model_version != MODEL_VERSION:
        return False
    rules = published_rules(tx, in_force.run_id)
    try:
        value_again(tx, firm, rules, customers, in_force.standing, in_force.rows, now)
    except ForeignCurrency as error:
        tx.incidents.add("value_not_refreshed", now, detail=str(error))
        return False
    return True


def value_again(
    tx: Transaction,
    firm: Firm,
    rules: Rules,
    customers: Sequence[str],
    standing: Mapping[str, StandingTier],
    rows: BookRows,
    now: datetime,
) -> list[ValueSnapshot]:
    """New current values of these customers by the rules of a run.

    ``standing`` has the tiers and decisions that hysteresis and records go on from, ``rows`` all of their
    books.
    Raises :class:`ForeignCurrency` before anything is written.
    """
    run = rules.run
    observed_until = max(firm.today(now), run.observed_until)
    books = _books(rows, firm, run.currency, rules.model.terms.margin, observed_until)
    previous = {customer_id: found.tier for customer_id, found in standing.items()}
    valued = value_by_rules(rules, books, observed_until, previous)
    revisions = _next_revisions(tx, run, books.summary.customer_id, standing)
    snapshots = record_values(tx, valued, standing, revisions, now)
    tx.value.make_current(snapshots)
    gone = sorted(set(customers) - set(books.summary.customer_id))
    tx.value.drop(gone)
    tiers: dict[str, Tier | None] = {snapshot.customer_id: snapshot.tier for snapshot in snapshots}
    tell_of_tiers(tx, previous, tiers | dict.fromkeys(gone), now)
    return snapshots


def _next_revisions(
    tx: Transaction, run: ValueRun, customers: Sequence[str], standing: Mapping[str, StandingTier]
) -> dict[str, int]:
    """Who has a value of this run stands at its last revision; of the others the snapshots are asked."""
    last = {c: standing[c].revision for c in customers if c in standing and standing[c].run_id == run.run_id}
    others = [customer_id for customer_id in customers if customer_id not in last]
    last |= tx.value.last_revisions(run.run_id, others)
    return {customer_id: last.get(customer_id, 0) + 1 for customer_id in customers}


def value_by_rules(rules: Rules, books: Books, observed_until: date, previous: Mapping[str, Tier]) -> Valued:
    """Everybody in the books, by the parameters and borders of a run."""
    run, model, policy = rules.run, rules.model, rules.policy
    values = value_customers(books.summary, books.ledger, model, books.comes_back, books.log)
    borders, ranked = rank(
        books, values, rules.peers, model.terms.horizon_days, policy, previous, run.currency, rules.borders
    )
    return Valued(run, observed_until, books.summary, values, ranked, borders, policy)


def books_of(
    tx: Transaction,
    firm: Firm,
    currency: str,
    margin: float,
    observed_until: date,
    customers: Sequence[str] | None = None,
) -> Books:
    """The books of the whole firm, or of the named customers, until the end of a day of the firm."""
    rows = tx.value.rows_before(end_of(firm, observed_until), customers)
    return _books(rows, firm, currency, margin, observed_until)


def _books(rows: BookRows, firm: Firm, currency: str, margin: float, observed_until: date) -> Books:
    return read_books(
        *rows.before(end_of(firm, observed_until)),
        observed_until=observed_until,
        zone=firm.zone,
        currency=currency,
        margin=margin,
    )
