"""Scoring the firm, and reading one customer's value.

Scoring is the one use case of two transactions: the books are read in the first, and the snapshots are
written in the second, so that no customer's message waits for a fit.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from crmcore.crm import Crm
from crmcore.ids import new_id
from crmcore.money import from_minor
from crmcore.tiers import Borders, Tier, TierPolicy, store_borders
from crmcore.usecases.events import tell_of_tiers
from crmcore.usecases.value_records import Valued, record_values
from crmcore.usecases.value_refresh import books_of, value_again
from crmcore.value.benchmarks import Benchmarks
from crmcore.value.card import ValueCard, card_of
from crmcore.value.engine import MODEL_VERSION, Scoring, score_firm
from crmcore.value.fitting import Diagnostic
from crmcore.value.model import ValueModel, ValueTerms
from crmcore.value.ranking import rank
from crmcore.value.snapshots import StandingTier, ValueRun


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
    """Value every customer who has bought until the end of ``as_of`` (the last whole day, unless given).

    Who was refreshed while this worked, or with rows of a later day, is valued by the new run until today
    instead, so that no order that counted before is forgotten.
    """
    now = crm.clock()
    firm = crm.firm
    observed_until = as_of or firm.today(now) - timedelta(days=1)
    with crm.store.read() as tx:
        books = books_of(tx, firm, firm.currency, firm.value.margin, observed_until)
        before = tx.value.standing()

    terms = ValueTerms(firm.value.margin, firm.value.discount_rate, firm.value.horizon_days)
    scoring = score_firm(books.summary, books.ledger, terms, books.comes_back, books.log)
    run = ValueRun(
        run_id=new_id("run"),
        model_version=MODEL_VERSION,
        observed_until=observed_until,
        scored_at=now,
        horizon_days=firm.value.horizon_days,
        currency=firm.currency,
        parameters=_fitted(scoring),
        diagnostics=tuple(dict(vars(d)) for d in scoring.fit.diagnostics),
        published=scoring.values is not None,
    )
    if scoring.values is None or scoring.fit.model is None or scoring.benchmarks is None:
        with crm.store.write() as tx:
            tx.value.add_run(run)
        return ScoreReport(run, len(books.summary), {}, None, scoring.fit.diagnostics)

    policy = TierPolicy(firm.tiers.mvc_share, firm.tiers.mgc_share, firm.tiers.bz_probability)
    previous = {customer_id: standing.tier for customer_id, standing in before.items()}
    borders, ranked = rank(
        books, scoring.values, scoring.benchmarks.peers, terms.horizon_days, policy, previous, firm.currency
    )
    run = replace(run, parameters=_parameters(scoring.fit.model, scoring.benchmarks, policy, borders))
    valued = Valued(run, observed_until, books, scoring.values, ranked, borders, policy)
    with crm.store.write() as tx:
        tx.value.add_run(run)
        late = _refreshed_meanwhile(before, tx.value.standing(), observed_until)
        others = {customer_id: 0 for customer_id in books.summary.customer_id if customer_id not in late}
        snapshots = record_values(tx, valued, before, others, now)
        tx.value.lock_all()
        standing = tx.value.standing()
        late = _refreshed_meanwhile(before, standing, observed_until)
        tx.value.publish(run.run_id)
        again = value_again(tx, firm, run, sorted(late), standing, now)
        if standing:  # The first scoring of all gives everybody a tier, which changes nobody's.
            fresh: dict[str, Tier | None] = {s.customer_id: s.tier for s in snapshots}
            lost = dict.fromkeys(standing.keys() - fresh.keys())
            on_time = {c: tier for c, tier in (fresh | lost).items() if c not in late}
            tell_of_tiers(tx, standing, on_time, now)
    current = [*(s for s in snapshots if s.customer_id not in late), *again]
    tiers = Counter(s.tier for s in current)
    total = from_minor(sum(s.clv_minor for s in current), firm.currency)
    return ScoreReport(run, len(current), tiers, total, scoring.fit.diagnostics)


def _refreshed_meanwhile(
    before: Mapping[str, StandingTier], after: Mapping[str, StandingTier], observed_until: date
) -> set[str]:
    """Whose value changed, appeared or went since ``before``, or knows more days than the new run."""
    changed = {
        customer_id
        for customer_id, standing in after.items()
        if standing != before.get(customer_id) or standing.observed_until > observed_until
    }
    return changed | (before.keys() - after.keys())


def _parameters(
    model: ValueModel, benchmarks: Benchmarks, policy: TierPolicy, borders: Borders
) -> dict[str, Any]:
    """All that values one more customer just as this run did."""
    return {
        **model.to_parameters(),
        "benchmarks": benchmarks.to_json(),
        "policy": dict(vars(policy)),
        "borders": store_borders(borders),
    }


def _fitted(scoring: Scoring) -> dict[str, Any]:
    """What the fits found, with standard errors, log-likelihood and diagnostics, by model."""
    found = {}
    for name, fit in (("purchases", scoring.fit.purchases), ("spend", scoring.fit.spend)):
        if fit is not None:
            found[name] = json.loads(fit.to_json())
    return found
