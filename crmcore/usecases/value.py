"""Scoring the firm, and reading one customer's value.

Scoring is the one use case of two transactions: the books are read in the first, and the snapshots are
written in the second, so that no customer's message waits for a fit.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from crmcore.crm import Crm
from crmcore.decisions import Decision
from crmcore.ids import new_id
from crmcore.money import from_minor
from crmcore.tiers import Borders, Tier, TierPolicy, record_inputs, store_reason
from crmcore.value.books import Books, read_books
from crmcore.value.card import ValueCard, card_of
from crmcore.value.clv import CustomerValues, ValueTerms
from crmcore.value.engine import MODEL_VERSION, Scoring, score_firm
from crmcore.value.fitting import Diagnostic
from crmcore.value.ranking import Ranked, rank
from crmcore.value.snapshots import ValueRun, ValueSnapshot


@dataclass(frozen=True)
class ScoreReport:
    """What a scoring did. Without ``run.published`` the earlier values stay; ``diagnostics`` say why."""

    run: ValueRun
    customers: int
    tiers: Mapping[Tier, int]
    total_value: Decimal | None
    diagnostics: tuple[Diagnostic, ...]


def value_card(crm: Crm, customer_id: str) -> ValueCard | None:
    """The published value of a customer; None while he has none."""
    with crm.store.read() as tx:
        found = tx.value.current(customer_id)
    if found is None:
        return None
    today = crm.firm.today(crm.clock())
    return card_of(*found, today=today, stale_after_days=crm.firm.value.stale_after_days)


def customers_of_tier(crm: Crm, tier: Tier) -> list[str]:
    """The customers who have this tier now, by value, the best first."""
    with crm.store.read() as tx:
        return tx.value.customers_of_tier(tier)


def score(crm: Crm, as_of: date | None = None) -> ScoreReport:
    """Value every customer who has bought until the end of ``as_of`` (the last whole day, unless given)."""
    now = crm.clock()
    firm = crm.firm
    observed_until = as_of or firm.today(now) - timedelta(days=1)
    end = datetime.combine(observed_until + timedelta(days=1), time(), firm.zone)
    with crm.store.read() as tx:
        rows = tx.value.orders_before(end), tx.value.returns_before(end), tx.value.service_costs_before(end)
        budgets = tx.value.open_need_budgets()
        previous = tx.value.current_tiers()

    books = read_books(
        *rows,
        budgets,
        observed_until=observed_until,
        zone=firm.zone,
        currency=firm.currency,
        margin=firm.value.margin,
    )
    terms = ValueTerms(firm.value.margin, firm.value.discount_rate, firm.value.horizon_days)
    scoring = score_firm(books.summary, books.ledger, terms)
    run = ValueRun(
        run_id=new_id("run"),
        model_version=MODEL_VERSION,
        observed_until=observed_until,
        scored_at=now,
        horizon_days=firm.value.horizon_days,
        currency=firm.currency,
        parameters=_parameters(scoring),
        diagnostics=tuple(dict(vars(d)) for d in scoring.diagnostics),
        published=scoring.values is not None,
    )
    if scoring.values is None:
        with crm.store.write() as tx:
            tx.value.add_run(run)
        return ScoreReport(run, len(books.summary), {}, None, scoring.diagnostics)

    policy = TierPolicy(firm.tiers.mvc_share, firm.tiers.mgc_share, firm.tiers.bz_probability)
    borders, ranked = rank(books, scoring.values, terms, policy, previous, firm.currency)
    decisions = [
        _decision(run, customer_id, row, borders, policy)
        for customer_id, row in zip(books.summary.customer_id, ranked, strict=True)
    ]
    snapshots = [
        _snapshot(run, i, books, scoring.values, row, decision)
        for i, (row, decision) in enumerate(zip(ranked, decisions, strict=True))
    ]
    with crm.store.write() as tx:
        tx.value.add_run(run)
        tx.decisions.add_all(decisions)
        tx.value.publish(snapshots)
    tiers = Counter(s.tier for s in snapshots)
    total = from_minor(sum(s.clv_minor for s in snapshots), firm.currency)
    return ScoreReport(run, len(snapshots), tiers, total, scoring.diagnostics)


def _decision(run: ValueRun, customer_id: str, row: Ranked, borders: Borders, policy: TierPolicy) -> Decision:
    return Decision(
        decision_id=new_id("dec"),
        kind="tier",
        customer_id=customer_id,
        conversation_id=None,
        outcome=row.decided.tier,
        reasons=tuple(reason.code for reason in row.decided.reasons),
        inputs={**record_inputs(row.standing, borders, policy), "run_id": run.run_id},
        model_version=run.model_version,
        firm_version=None,
        decided_at=run.scored_at,
    )


def _snapshot(
    run: ValueRun, i: int, books: Books, values: CustomerValues, row: Ranked, decision: Decision
) -> ValueSnapshot:
    summary = books.summary
    spend = float(summary.monetary_value[i])
    return ValueSnapshot(
        customer_id=summary.customer_id[i],
        run_id=run.run_id,
        frequency=int(summary.frequency[i]),
        recency=float(summary.recency[i]),
        T=float(summary.T[i]),
        monetary_value=None if math.isnan(spend) else spend,
        p_alive=float(values.p_alive[i]),
        expected_purchases=float(values.expected_purchases[i]),
        clv_minor=row.clv_minor,
        cost_to_serve_minor=row.cost_to_serve_minor,
        p_below_zero=row.standing.p_below_zero,
        potential_minor=row.potential_minor,
        tier=row.decided.tier,
        reasons=tuple(store_reason(reason) for reason in row.decided.reasons),
        decision_id=decision.decision_id,
    )


def _parameters(scoring: Scoring) -> dict[str, Any]:
    """Parameters, standard errors (None where the likelihood is flat) and log-likelihoods, by model."""
    found = {}
    for name, fit in (("purchases", scoring.purchases), ("spend", scoring.spend)):
        if fit is not None:
            found[name] = {
                **json.loads(fit.params.to_json()),
                "standard_errors": [e if math.isfinite(e) else None for e in fit.standard_errors],
                "log_likelihood": fit.log_likelihood,
            }
    if scoring.values is not None:
        found["costs"] = dict(vars(scoring.values.costs))
    return found
