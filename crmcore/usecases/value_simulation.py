"""What would happen: if a need were met, a customer left, or margins fell. Nothing is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from crmcore.crm import Crm
from crmcore.errors import CrmError
from crmcore.money import from_minor
from crmcore.needs.values import UnknownNeed
from crmcore.store.transaction import Transaction
from crmcore.tiers import TIERS, Tier
from crmcore.usecases.observation import end_of
from crmcore.usecases.value_history import NoValueYet
from crmcore.usecases.value_records import Valued
from crmcore.usecases.value_refresh import books_of, value_by_rules
from crmcore.usecases.value_rules import Rules
from crmcore.value.books import least_budget, read_books
from crmcore.value.engine import MODEL_VERSION
from crmcore.value.snapshots import BookRows, MoneyRow


class NothingToSimulate(CrmError):
    """No run is in force whose parameters this version reads, or the question names nothing."""


@dataclass(frozen=True)
class Outcome:
    """Customers, their actual and potential value, and how many have each tier; money in currency."""

    customers: int
    clv: Decimal
    potential: Decimal
    tiers: Mapping[str, int]


@dataclass(frozen=True)
class Simulation:
    """``question`` in words; borders of the tiers stay where they are."""

    question: str
    before: Outcome
    after: Outcome
    currency: str
    changed_tier: int


def if_need_is_met(crm: Crm, customer_id: str, need_id: str) -> Simulation:
    """He orders today for the least budget of an open need, and the need is open no more.

    Raises UnknownNeed, NoValueYet, :class:`NothingToSimulate`.
    """
    now = crm.clock()
    today = crm.firm.today(now)
    with crm.store.read() as tx:
        rules = _in_force(tx)
        if not any(need.need_id == need_id for need in tx.needs.of_customer(customer_id, "open")):
            raise UnknownNeed(need_id)
        end = end_of(crm.firm, today)
        only = [customer_id]
        rows = tx.value.rows_before(end, only)
        previous = {c: s.tier for c, s in tx.value.standing(only).items()}
    run = rules.run
    price = sum(least_budget(budget, run.currency) for budget in rows.budgets if budget.need_id == need_id)
    if price == 0:
        raise NothingToSimulate(f"need {need_id} names no budget in {run.currency}, so it buys nothing")
    order = MoneyRow(f"if:{need_id}", customer_id, now, price, run.currency)

    def valued(rows: BookRows) -> Valued:
        books = read_books(
            *rows,
            observed_until=today,
            zone=crm.firm.zone,
            currency=run.currency,
            margin=rules.model.terms.margin,
        )
        return value_by_rules(rules, books, today, previous)

    before = valued(rows)
    still_open = [budget for budget in rows.budgets if budget.need_id != need_id]
    after = valued(rows._replace(orders=[*rows.orders, order], budgets=still_open))
    amount = from_minor(price, run.currency)
    return _compare(
        f"if need {need_id} of {customer_id} were met by an order of {amount} today", before, after
    )


def if_customer_leaves(crm: Crm, customer_id: str) -> Simulation:
    """The firm without what he is expected to bring. Raises NoValueYet, :class:`NothingToSimulate`."""
    with crm.store.read() as tx:
        run = _in_force(tx).run
        found = tx.value.current(customer_id)
        totals = tx.value.totals()
    if found is None:
        raise NoValueYet(customer_id, "now")
    snapshot = found[1]
    before = _outcome(totals, run.currency)
    after = Outcome(
        before.customers - 1,
        before.clv - from_minor(snapshot.clv_minor, run.currency),
        before.potential - from_minor(snapshot.potential_minor or 0, run.currency),
        {**before.tiers, snapshot.tier: before.tiers[snapshot.tier] - 1},
    )
    return Simulation(f"if {customer_id} left", before, after, run.currency, 0)


def if_margins_change(crm: Crm, points: Decimal, customer_id: str | None = None) -> Simulation:
    """Every order, recorded or to come, leaves so many percentage points more (fewer when negative).

    Of the whole firm as of its last scoring, or of one customer as of his value. Raises NoValueYet,
    :class:`NothingToSimulate`.
    """
    shift = float(points) / 100
    with crm.store.read() as tx:
        rules = _in_force(tx)
        run, model = rules.run, rules.model
        only, until = None, run.observed_until
        if customer_id is not None:
            found = tx.value.current(customer_id)
            if found is None:
                raise NoValueYet(customer_id, "now")
            only, until = [customer_id], found[1].observed_until
        books = books_of(tx, crm.firm, run.currency, model.terms.margin, until, only)
        previous = {c: s.tier for c, s in tx.value.standing(only).items()}
    margin = model.terms.margin + shift
    if not 0 <= margin <= 1:
        raise NothingToSimulate(f"the usual margin would be {margin:.0%}; it stays between 0 and 100 %")
    ledger = replace(
        books.ledger,
        margin=books.ledger.margin + shift * books.summary.spent,
        returned_margin=books.ledger.returned_margin + shift * books.summary.returned,
    )
    other = replace(rules, model=replace(model, terms=replace(model.terms, margin=margin)))
    before = value_by_rules(rules, books, until, previous)
    after = value_by_rules(other, replace(books, ledger=ledger), until, previous)
    who = customer_id or "everybody"
    return _compare(f"if margins changed by {points} points for {who}", before, after)


def _in_force(tx: Transaction) -> Rules:
    run = tx.value.run_in_force()
    if run is None or run.model_version != MODEL_VERSION:
        raise NothingToSimulate("no scoring of this version is published; run `rapport score` first")
    return Rules.of(run)


def _compare(question: str, before: Valued, after: Valued) -> Simulation:
    tiers = [[row.decided.tier for row in valued.ranked] for valued in (before, after)]
    changed = sum(one != other for one, other in zip(*tiers, strict=True))
    return Simulation(question, _of(before), _of(after), before.run.currency, changed)


def _of(valued: Valued) -> Outcome:
    money = [row.money for row in valued.ranked]
    currency = valued.run.currency
    return Outcome(
        len(money),
        from_minor(sum(m.clv_minor for m in money), currency),
        from_minor(sum(m.potential_minor or 0 for m in money), currency),
        _all_tiers(Counter(row.decided.tier for row in valued.ranked)),
    )


def _outcome(totals: Mapping[Tier, tuple[int, int, int]], currency: str) -> Outcome:
    return Outcome(
        sum(n for n, _, _ in totals.values()),
        from_minor(sum(clv for _, clv, _ in totals.values()), currency),
        from_minor(sum(potential for _, _, potential in totals.values()), currency),
        _all_tiers({tier: n for tier, (n, _, _) in totals.items()}),
    )


def _all_tiers(counts: Mapping[Tier, int]) -> dict[str, int]:
    return {tier: counts.get(tier, 0) for tier in TIERS}
