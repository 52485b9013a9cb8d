"""One customer's value as staff and other topics read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from crmcore.money import from_minor
from crmcore.tiers import Tier, explain, read_reason
from crmcore.value.snapshots import ValueRun, ValueSnapshot


@dataclass(frozen=True)
class ValueCard:
    """Value as of a day; money in ``currency``.

    ``clv`` is over ``horizon_days``, after ``cost_to_serve``. ``strategic_value`` is clv + potential_value;
    ``share_of_customer`` is clv over strategic_value, None where clv <= 0. ``p_alive`` of a one-time buyer
    (frequency 0) is 1 by construction and says nothing. ``stale`` means older than the firm allows: promise
    nothing by tier. ``why`` is for staff, one sentence a reason.
    """

    customer_id: str
    tier: Tier
    why: tuple[str, ...]
    reasons: tuple[Mapping[str, Any], ...]
    clv: Decimal
    cost_to_serve: Decimal
    potential_value: Decimal | None
    strategic_value: Decimal | None
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
    clv = from_minor(snapshot.clv_minor, run.currency)
    potential = (
        None if snapshot.potential_minor is None else from_minor(snapshot.potential_minor, run.currency)
    )
    strategic = None if potential is None else clv + potential
    return ValueCard(
        customer_id=snapshot.customer_id,
        tier=snapshot.tier,
        why=tuple(explain(read_reason(reason), run.currency) for reason in snapshot.reasons),
        reasons=snapshot.reasons,
        clv=clv,
        cost_to_serve=from_minor(snapshot.cost_to_serve_minor, run.currency),
        potential_value=potential,
        strategic_value=strategic,
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
