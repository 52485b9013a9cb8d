"""From values to tiers: the gap to the best peers, the borders of the tiers, and who is where."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import ibis
import numpy as np
import pyarrow as pa
from ibis.expr.types import BooleanValue, FloatingValue, IntegerValue, Table

from crmcore.money import from_minor, to_minor
from crmcore.tiers import Borders, TierPolicy
from crmcore.value.peers import Peers
from crmcore.value.relational.values import whole_minor


def best_table(peers: Peers) -> pa.Table:
    """What the best of each group of peers bring, one row a group; null where a group is too small to say."""
    rows = [(i, j, best) for i, row in enumerate(peers.best) for j, best in enumerate(row)]
    return pa.table(
        {
            "of_time": pa.array([i for i, _, _ in rows], pa.int64()),
            "of_size": pa.array([j for _, j, _ in rows], pa.int64()),
            "best": pa.array([None if np.isnan(best) else best for _, _, best in rows], pa.float64()),
        }
    )


def with_peer_gap(values: Table, best: Table, peers: Peers, units: float) -> Table:
    """Adds ``peer_gap_minor``: how much more the best of a customer's group bring; null where unknown.

    best : :func:`best_table` of ``peers``.
    """
    t = values.mutate(
        of_time=_group(values.age, peers.known_days),
        of_size=_group(values.purchase_size, peers.purchase_size),
    )
    t = t.left_join(best, ["of_time", "of_size"])
    gap = whole_minor(ibis.greatest(t.best - t.clv, 0.0) * units)
    gap_minor = ibis.ifelse(t.best.isnull(), ibis.null("int64"), gap)
    return t.select(*values.columns, peer_gap_minor=gap_minor)


@dataclass(frozen=True)
class MinorBorders:
    """:class:`~crmcore.tiers.Borders` in minor units."""

    mvc: int | None
    mgc: int | None

    @classmethod
    def of(cls, borders: Borders, currency: str) -> MinorBorders:
        mvc, mgc = (None if b is None else to_minor(b, currency) for b in (borders.mvc, borders.mgc))
        return cls(mvc, mgc)

    def in_currency(self, currency: str) -> Borders:
        mvc, mgc = (None if b is None else from_minor(b, currency) for b in (self.mvc, self.mgc))
        return Borders(mvc, mgc)


def mvc_border(values: Table, policy: TierPolicy) -> Table:
    """One row, ``border``: the least value that enters MVC, minor units; null when nobody can."""
    eligible = values.mutate(eligible=~_is_below_zero(values, policy))
    return _border(eligible, eligible.clv_minor, policy.mvc_share)


def mgc_border(values: Table, mvc: int | None, policy: TierPolicy) -> Table:
    """One row, ``border``: the least potential that enters MGC, minor units; null when nobody can."""
    others = values.filter(~_is_below_zero(values, policy) & ~_is_mvc(values, mvc, policy))
    others = others.mutate(eligible=others.potential_minor.notnull())
    return _border(others, others.potential_minor, policy.mgc_share)


def with_tier(values: Table, borders: MinorBorders, policy: TierPolicy) -> Table:
    """Adds ``tier``, as :func:`~crmcore.tiers.assign_tier` decides."""
    is_mgc = _reaches(values.potential_minor, borders.mgc, values.previous == "MGC", policy)
    return values.mutate(
        tier=ibis.cases(
            (_is_below_zero(values, policy), "BZ"),
            (_is_mvc(values, borders.mvc, policy), "MVC"),
            (is_mgc, "MGC"),
            else_="core",
        )
    )


def _border(customers: Table, amount: IntegerValue, share: float) -> Table:
    """The least positive amount that no more than the share of all these customers reach."""
    customers = customers.mutate(amount=amount)
    places = customers.agg(places=(customers.count().cast("float64") * share).floor())
    steps = (
        customers.filter(customers.eligible & (customers.amount > 0))
        .group_by("amount")
        .agg(holders=lambda t: t.count())
    )
    steps = steps.mutate(
        reached=steps.holders.sum().over(ibis.cumulative_window(order_by=steps.amount.desc())).cast("float64")
    )
    inside = steps.cross_join(places).filter(lambda t: t.reached <= t.places)
    return inside.agg(border=inside.amount.min())


def _is_below_zero(t: Table, policy: TierPolicy) -> BooleanValue:
    limit = ibis.ifelse(_has(t, "BZ"), policy.bz_probability * (1 - policy.hysteresis), policy.bz_probability)
    return t.p_below_zero > limit


def _is_mvc(t: Table, border: int | None, policy: TierPolicy) -> BooleanValue:
    return _reaches(t.clv_minor, border, _has(t, "MVC"), policy)


def _reaches(
    amount: IntegerValue, border: int | None, has_it: BooleanValue, policy: TierPolicy
) -> BooleanValue:
    """In whole numbers: the border less the hysteresis is a decimal fraction."""
    if border is None:
        return ibis.literal(False)
    kept = border * (1 - Decimal(str(policy.hysteresis)))
    # The least whole amount that is not under it.
    least_kept = int(kept.to_integral_value(rounding="ROUND_CEILING"))
    return (amount >= ibis.ifelse(has_it, least_kept, border)).fill_null(False)


def _has(t: Table, tier: str) -> BooleanValue:
    return (t.previous == tier).fill_null(False)


def _group(figure: FloatingValue, borders: tuple[float, ...]) -> IntegerValue:
    """How many of the borders it reaches."""
    reached: IntegerValue = sum((ibis.ifelse(figure >= b, 1, 0) for b in borders), ibis.literal(0))
    return reached.cast("int64")
