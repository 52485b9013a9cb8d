"""What a valuation puts on record: snapshots, and a decision where a tier or its reasons changed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from crmcore.decisions import Decision
from crmcore.ids import new_id
from crmcore.store.transaction import Transaction
from crmcore.tiers import Borders, TierPolicy, record_inputs, store_reason
from crmcore.value.clv import CustomerValues
from crmcore.value.ranking import Ranked
from crmcore.value.snapshots import StandingTier, ValueRun, ValueSnapshot
from crmcore.value.summary import PurchaseSummary


@dataclass(frozen=True)
class Valued:
    """Customers valued by the parameters of ``run``, in the order of ``summary``."""

    run: ValueRun
    observed_until: date
    summary: PurchaseSummary
    values: CustomerValues
    ranked: Sequence[Ranked]
    borders: Borders
    policy: TierPolicy


def record_values(
    tx: Transaction,
    valued: Valued,
    standing: Mapping[str, StandingTier],
    revisions: Mapping[str, int],
    now: datetime,
) -> list[ValueSnapshot]:
    """Write a snapshot of everybody who is in ``revisions``, with that number.

    A tier whose reasons stay what they were keeps the decision that gave it: so decisions grow with what
    changes, not with the nights. The snapshot holds the new figures, and with its run leads to the tier.
    """
    decisions: list[Decision] = []
    snapshots: list[ValueSnapshot] = []
    for i, (customer_id, row) in enumerate(zip(valued.summary.customer_id, valued.ranked, strict=True)):
        if customer_id not in revisions:
            continue
        decision_id = _kept_decision(standing.get(customer_id), row, valued.run)
        if decision_id is None:
            decisions.append(_decision(valued, customer_id, row, now))
            decision_id = decisions[-1].decision_id
        snapshots.append(_snapshot(valued, i, row, decision_id, revisions[customer_id], now))
    tx.decisions.add_all(decisions)
    tx.value.add_snapshots(snapshots)
    return snapshots


def _kept_decision(standing: StandingTier | None, row: Ranked, run: ValueRun) -> str | None:
    codes = tuple(reason.code for reason in row.decided.reasons)
    if standing is None or standing.model_version != run.model_version:
        return None
    same = standing.tier == row.decided.tier and standing.reason_codes == codes
    return standing.decision_id if same else None


def _decision(valued: Valued, customer_id: str, row: Ranked, now: datetime) -> Decision:
    run = valued.run
    return Decision(
        decision_id=new_id("dec"),
        kind="tier",
        customer_id=customer_id,
        conversation_id=None,
        outcome=row.decided.tier,
        reasons=tuple(reason.code for reason in row.decided.reasons),
        inputs={
            **record_inputs(row.standing, valued.borders, valued.policy),
            "run_id": run.run_id,
            "observed_until": valued.observed_until.isoformat(),
        },
        model_version=run.model_version,
        firm_version=None,
        decided_at=now,
    )


def _snapshot(
    valued: Valued, i: int, row: Ranked, decision_id: str, revision: int, now: datetime
) -> ValueSnapshot:
    summary, values = valued.summary, valued.values
    spend = float(summary.monetary_value[i])
    return ValueSnapshot(
        customer_id=summary.customer_id[i],
        run_id=valued.run.run_id,
        revision=revision,
        observed_until=valued.observed_until,
        scored_at=now,
        previous_tier=row.standing.previous,
        frequency=int(summary.frequency[i]),
        recency=float(summary.recency[i]),
        T=float(summary.T[i]),
        monetary_value=None if math.isnan(spend) else spend,
        p_alive=float(values.p_alive[i]),
        expected_purchases=float(values.expected_purchases[i]),
        expected_spend=float(values.expected_spend[i]),
        contribution_share=float(values.contribution_share[i]),
        **vars(row.money),
        p_below_zero=row.standing.p_below_zero,
        tier=row.decided.tier,
        reasons=tuple(store_reason(reason) for reason in row.decided.reasons),
        decision_id=decision_id,
    )
