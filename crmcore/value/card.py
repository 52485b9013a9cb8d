"""One customer's value as staff and other topics read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal

from crmcore.money import from_minor
from crmcore.tiers import Tier, explain, read_reason
from crmcore.value.finding import Provenance
from crmcore.value.snapshots import ValueRun, ValueSnapshot

Source = Literal["stated_needs", "rise_and_noted_needs", "best_comparable_customers"]


@dataclass(frozen=True)
class PotentialPart:
    """One part of what a customer could bring beyond his actual value, and where we know it from.

    stated_needs : budgets of needs that he confirmed himself (declared). rise_and_noted_needs : a rise of his
    spend that goes on, and needs that somebody else noted (estimated). best_comparable_customers : how much
    more the best of his kind bring; named only where he has shown nothing himself (estimated).
    """

    source: Source
    provenance: Provenance
    amount: Decimal


@dataclass(frozen=True)
class ValueCard:
    """Value as of a day; money in ``currency``.

    ``clv`` is over ``horizon_days``, after ``cost_to_serve``; in 19 cases of 20 what comes lies between
    ``clv_low`` and ``clv_high`` (None in values from before there were intervals). ``history_value`` is what
    he has brought so far: history, current value (clv) and potential are the three parts of his whole value.
    ``potential_value`` is the sum of ``potential_parts``, None while nothing speaks of it.
    ``strategic_value`` is clv + potential_value; ``share_of_customer`` is clv over strategic_value, None
    where clv <= 0; ``strategic_provenance`` says how both are known. ``p_alive`` of a one-time buyer
    (frequency 0) is 1 in the closed form, by construction; only a forecast that foresees less than a third of
    its purchases makes it lower. It says little of him: rank no newcomer by it. ``stale`` means older than
    the firm allows: promise nothing by tier. ``why`` is for staff, one sentence a reason.
    """

    customer_id: str
    tier: Tier
    why: tuple[str, ...]
    reasons: tuple[Mapping[str, Any], ...]
    clv: Decimal
    clv_low: Decimal | None
    clv_high: Decimal | None
    history_value: Decimal | None
    cost_to_serve: Decimal
    potential_value: Decimal | None
    potential_parts: tuple[PotentialPart, ...]
    strategic_value: Decimal | None
    strategic_provenance: Provenance
    share_of_customer: float | None
    p_alive: float
    p_below_zero: float
    frequency: int
    expected_purchases: float
    days_since_last_purchase: float
    currency: str
    horizon_days: int
    as_of: date
    stale: bool
    model_version: str
    decision_id: str | None


def card_of(run: ValueRun, snapshot: ValueSnapshot, *, today: date, stale_after_days: int) -> ValueCard:
    """The card of a stored snapshot, seen on ``today`` (the firm's day)."""

    def money(minor: int | None) -> Decimal | None:
        return None if minor is None else from_minor(minor, run.currency)

    clv = from_minor(snapshot.clv_minor, run.currency)
    parts = potential_parts(snapshot, run.currency)
    potential = sum((part.amount for part in parts), Decimal(0)) if parts else money(snapshot.potential_minor)
    strategic = None if potential is None else clv + potential
    return ValueCard(
        customer_id=snapshot.customer_id,
        tier=snapshot.tier,
        why=tuple(explain(read_reason(reason), run.currency) for reason in snapshot.reasons),
        reasons=snapshot.reasons,
        clv=clv,
        clv_low=money(snapshot.clv_low_minor),
        clv_high=money(snapshot.clv_high_minor),
        history_value=money(snapshot.history_minor),
        cost_to_serve=from_minor(snapshot.cost_to_serve_minor, run.currency),
        potential_value=potential,
        potential_parts=parts,
        strategic_value=strategic,
        strategic_provenance=_provenance(parts, strategic),
        share_of_customer=float(clv / strategic) if strategic is not None and clv > 0 else None,
        p_alive=snapshot.p_alive,
        p_below_zero=snapshot.p_below_zero,
        frequency=snapshot.frequency,
        expected_purchases=snapshot.expected_purchases,
        days_since_last_purchase=snapshot.T - snapshot.recency,
        currency=run.currency,
        horizon_days=run.horizon_days,
        as_of=snapshot.observed_until,
        stale=snapshot.observed_until < today - timedelta(days=stale_after_days),
        model_version=run.model_version,
        decision_id=snapshot.decision_id,
    )


def potential_parts(snapshot: ValueSnapshot, currency: str) -> tuple[PotentialPart, ...]:
    """What he has shown himself; only where that is nothing, what the best comparable customers bring."""
    found = []
    if snapshot.declared_potential_minor:
        amount = from_minor(snapshot.declared_potential_minor, currency)
        found.append(PotentialPart("stated_needs", "declared", amount))
    if snapshot.estimated_potential_minor:
        amount = from_minor(snapshot.estimated_potential_minor, currency)
        found.append(PotentialPart("rise_and_noted_needs", "estimated", amount))
    if not found and snapshot.peer_gap_minor is not None:
        amount = from_minor(snapshot.peer_gap_minor, currency)
        found.append(PotentialPart("best_comparable_customers", "estimated", amount))
    return tuple(found)


def _provenance(parts: Sequence[PotentialPart], strategic: Decimal | None) -> Provenance:
    """An estimate anywhere makes the sum an estimate."""
    if strategic is None:
        return "unknown"
    return "declared" if parts and all(part.provenance == "declared" for part in parts) else "estimated"
