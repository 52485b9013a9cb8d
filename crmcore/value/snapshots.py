"""What a scoring leaves behind: one run of the firm, one snapshot a customer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from crmcore.tiers import Tier


@dataclass(frozen=True)
class ValueRun:
    """``published`` is False for a fit that failed its checks; the snapshots of the run before then stay.

    ``finished`` is False while snapshots are still being written: nobody sees them, and the next scoring of
    the same day goes on with them.
    """

    run_id: str
    model_version: str
    observed_until: date
    scored_at: datetime
    horizon_days: int
    currency: str
    parameters: Mapping[str, Any]
    diagnostics: tuple[Mapping[str, Any], ...]
    published: bool
    finished: bool = True


@dataclass(frozen=True)
class ValueSnapshot:
    """One customer, by the parameters and borders of one run. Days, counts and probabilities as in the
    vocabulary; money in minor units.

    clv_low_minor, clv_high_minor, clv_deviation_minor : 95 % interval and standard deviation of clv.
    history_minor : what he has brought so far. potential_minor : declared and estimated together, None while
    both are unknown. peer_gap_minor : how much more the best comparable customers bring, None while unknown.
    What came after the first version is None in snapshots from before.

    ``revision`` is 0 for the figures of the run itself; each refresh after it counts one up and has an
    ``observed_until`` of its own. ``previous_tier`` is what hysteresis looked at, so that the snapshot and
    its run lead to the tier again. ``reasons`` : code, what the customer has, and the border it was compared
    with.
    """

    customer_id: str
    run_id: str
    revision: int
    observed_until: date
    scored_at: datetime
    previous_tier: Tier | None
    frequency: int
    recency: float
    T: float
    monetary_value: float | None
    p_alive: float
    expected_purchases: float
    expected_spend: float | None
    contribution_share: float | None
    clv_minor: int
    clv_low_minor: int | None
    clv_high_minor: int | None
    clv_deviation_minor: int | None
    history_minor: int | None
    cost_to_serve_minor: int
    p_below_zero: float
    potential_minor: int | None
    declared_potential_minor: int | None
    estimated_potential_minor: int | None
    peer_gap_minor: int | None
    tier: Tier
    reasons: tuple[Mapping[str, Any], ...]
    decision_id: str | None


class CurrentFigures(NamedTuple):
    """What reports on all customers read of a published snapshot; see :class:`ValueSnapshot`."""

    tier: Tier
    revision: int
    expected_purchases: float
    clv_minor: int
    clv_low_minor: int | None
    clv_high_minor: int | None
    clv_deviation_minor: int | None
    cost_to_serve_minor: int
    potential_minor: int | None


@dataclass(frozen=True)
class StandingTier:
    """The tier that a customer has now, the decision that gave it, and the snapshot that says so."""

    tier: Tier
    decision_id: str | None
    reason_codes: tuple[str, ...]
    model_version: str
    run_id: str
    revision: int
    observed_until: date


@dataclass(frozen=True)
class InForce:
    """The run that values everybody until the next, and of some customers the tiers that they have now and
    all rows of their books."""

    run_id: str
    model_version: str
    standing: Mapping[str, StandingTier]
    rows: BookRows


class MoneyRow(NamedTuple):
    """An order, a return or a service cost as scoring reads it.

    ``margin_minor`` is None where the firm's usual margin applies.
    """

    row_id: str
    customer_id: str
    at: datetime
    amount_minor: int
    currency: str
    margin_minor: int | None = None


@dataclass(frozen=True)
class NeedBudget:
    """The budget of a confirmed need that is still open; ``provenance`` says who named it."""

    need_id: str
    customer_id: str
    provenance: str
    budget: Mapping[str, Any]


class BookRows(NamedTuple):
    """What the books of some customers are read from: see :func:`~crmcore.value.books.read_books`."""

    orders: list[MoneyRow]
    returns: list[MoneyRow]
    costs: list[MoneyRow]
    budgets: list[NeedBudget]
    answers: dict[str, dict[str, str]]

    def before(self, moment: datetime) -> BookRows:
        """Without orders, returns and costs from ``moment`` on."""
        orders, returns, costs = (
            [row for row in rows if row.at < moment] for rows in (self.orders, self.returns, self.costs)
        )
        return self._replace(orders=orders, returns=returns, costs=costs)
