"""What an engine delivers of some customers, as the records that a scoring writes."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from crmcore.errors import CrmError
from crmcore.money import from_minor
from crmcore.tiers import Borders, Standing, TierPolicy, assign_tier
from crmcore.usecases.value_records import Valued
from crmcore.value.clv import CustomerValues
from crmcore.value.outlook import Lognormal, interval
from crmcore.value.ranking import Money, Ranked, in_minor
from crmcore.value.snapshots import ValueRun
from crmcore.value.summary import PurchaseSummary

FloatArray = NDArray[np.float64]

# Beside these a row of the engine has whose it is, his tier, and what the interval is found from.
_OF_SUMMARY = ("frequency", "recency", "age", "monetary_value")
_OF_VALUES = (
    "p_alive", "expected_purchases", "expected_spend", "contribution", "cost_to_serve", "clv", "p_below_zero",
    "deviation", "contribution_share",
)  # fmt: skip
_OF_MONEY = (
    "clv_minor", "clv_deviation_minor", "history_minor", "cost_to_serve_minor", "potential_minor",
    "declared_potential_minor", "estimated_potential_minor", "peer_gap_minor",
)  # fmt: skip
_OF_INTERVAL = (
    "p_buys", "p_costs", "gain_log_mean", "gain_log_variance", "cost_log_mean", "cost_log_variance",
)  # fmt: skip
# What an engine keeps for :func:`valued_rows`; the gap to the peers and the tier come after.
KEPT = (
    "customer_id", "purchase_size", "previous", *_OF_SUMMARY, *_OF_VALUES, *_OF_INTERVAL,
    *(name for name in _OF_MONEY if name != "peer_gap_minor"),
)  # fmt: skip


class EnginesDisagree(CrmError):
    """A tier that the engine gives and the policy does not: nothing of it may be published."""


def valued_rows(
    rows: pa.RecordBatch, run: ValueRun, observed_until: date, borders: Borders, policy: TierPolicy
) -> Valued:
    """rows : of ``ValuedBatch.ranked``, with the columns ``KEPT``.

    The interval is found here, by numpy, from the moments in them. Raises EnginesDisagree.
    """
    of = {name: _column(rows, name) for name in (*_OF_VALUES, *_OF_INTERVAL)}
    low, high = interval(
        of["p_alive"],
        of["p_buys"],
        of["p_costs"],
        np.where(of["contribution"] < 0, -1.0, 1.0),
        Lognormal(of["gain_log_mean"], of["gain_log_variance"]),
        Lognormal(of["cost_log_mean"], of["cost_log_variance"]),
    )
    values = CustomerValues(low=low, high=high, **{name: of[name] for name in _OF_VALUES})
    nothing = np.zeros(len(rows))
    frequency, recency, age, spend = (_column(rows, name) for name in _OF_SUMMARY)
    customers = rows["customer_id"].to_pylist()
    summary = PurchaseSummary(customers, frequency, recency, age, spend, spent=nothing, returned=nothing)
    money = [
        Money(clv_low_minor=least or 0, clv_high_minor=most or 0, **amounts)
        for least, most, amounts in zip(
            in_minor(low, run.currency),
            in_minor(high, run.currency),
            rows.select(list(_OF_MONEY)).to_pylist(),
            strict=True,
        )
    ]
    ranked = []
    for amounts, below, previous, tier in zip(
        money,
        of["p_below_zero"].tolist(),
        rows["previous"].to_pylist(),
        rows["tier"].to_pylist(),
        strict=True,
    ):
        potential = amounts.potential_minor
        standing = Standing(
            clv=from_minor(amounts.clv_minor, run.currency),
            potential_value=None if potential is None else from_minor(potential, run.currency),
            p_below_zero=below,
            previous=previous,
        )
        decided = assign_tier(standing, borders, policy)
        if decided.tier != tier:
            raise EnginesDisagree(
                f"the engine calls {standing} {tier}, and the policy {decided.tier}; report this as a fault"
            )
        ranked.append(Ranked(amounts, standing, decided))
    return Valued(run, observed_until, summary, values, ranked, borders, policy)


def _column(rows: pa.RecordBatch, name: str) -> FloatArray:
    """As numbers with nan where nothing is known."""
    found: FloatArray = rows[name].to_numpy(zero_copy_only=False).astype(np.float64, copy=False)
    return found
