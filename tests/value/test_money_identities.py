"""What must be true of money to the cent, whatever the orders."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.crm import Crm
from crmcore.money import from_minor
from crmcore.tiers import Borders, Standing, TierPolicy, assign_tier
from crmcore.usecases.value import customers_of_tier, value_card
from crmcore.usecases.value_score import score
from crmcore.value.books import read_books
from crmcore.value.history import p_below_zero_on_history
from crmcore.value.snapshots import MoneyRow
from tests.value.shop import add_service_costs, open_shop

ZONE = ZoneInfo("Europe/Dublin")
UNTIL = date(2026, 3, 1)

rows = st.lists(
    st.tuples(
        st.sampled_from(["order", "order", "return", "cost"]),
        st.sampled_from(["ana", "ben", "cy"]),
        st.integers(0, 700),
        st.integers(0, 100_000),
        st.integers(-2_000, 30_000),
    ),
    max_size=40,
)


@settings(deadline=None)
@given(rows)
def test_below_zero_on_a_horizon_of_history_are_exactly_those_who_never_repaid(
    log: list[tuple[str, str, int, int, int]],
) -> None:
    """Raw: with no policy's hysteresis, at any threshold."""
    books = {"order": [], "return": [], "cost": []}  # type: dict[str, list[MoneyRow]]
    realised: dict[str, int] = {}
    for number, (kind, customer_id, ago, amount, margin) in enumerate(log):
        at = datetime(2026, 3, 1, 12, tzinfo=ZONE) - timedelta(days=ago)
        books[kind].append(MoneyRow(f"r{number}", customer_id, at, amount, "EUR", margin))
        brought = {"order": margin, "return": -margin, "cost": -amount}[kind]
        realised[customer_id] = realised.get(customer_id, 0) + brought
    buyers = {row.customer_id for row in books["order"]}
    found = read_books(
        books["order"],
        books["return"],
        books["cost"],
        [],
        {},
        observed_until=UNTIL,
        zone=ZONE,
        currency="EUR",
        margin=0.3,
    )
    below = set()
    for customer_id, history in zip(
        found.summary.customer_id, found.ledger.history_value.tolist(), strict=True
    ):
        history_minor = round(history * 100)
        assert history_minor == realised[customer_id]
        p_below = p_below_zero_on_history(history_minor)
        standing = Standing(from_minor(history_minor, "EUR"), None, p_below)
        if assign_tier(standing, Borders(None, None), TierPolicy()).tier == "BZ":
            below.add(customer_id)
    assert below == {customer_id for customer_id in buyers if realised[customer_id] < 0}


def test_sums_of_values_are_values_of_sums_to_the_cent(crm: Crm) -> None:
    ids = open_shop(crm, 400)
    add_service_costs(crm, ids[7], [crm.firm.today(crm.clock()) - timedelta(days=n) for n in range(1, 60)])
    report = score(crm)
    with crm.store.read() as tx:
        found = [pair for pair in map(tx.value.current, ids) if pair is not None]
    snapshots = [snapshot for _, snapshot in found]
    assert sum(from_minor(s.clv_minor, "EUR") for s in snapshots) == report.total_value
    contribution = sum(s.clv_minor + s.cost_to_serve_minor for s in snapshots)
    costs = sum(s.cost_to_serve_minor for s in snapshots)
    assert contribution - costs == sum(s.clv_minor for s in snapshots)
    by_tier = sum(
        (card.clv for t in ("MVC", "MGC", "BZ", "core") for c in customers_of_tier(crm, t) if (card :=
        value_card(crm, c))), Decimal(0),
    )  # fmt: skip
    assert by_tier == report.total_value
    for snapshot in snapshots:
        assert snapshot.clv_low_minor is not None
        assert snapshot.clv_high_minor is not None
        assert snapshot.clv_low_minor <= snapshot.clv_high_minor
        parts = (snapshot.declared_potential_minor or 0) + (snapshot.estimated_potential_minor or 0)
        assert snapshot.potential_minor in (parts, None if parts == 0 else parts)


def test_the_three_parts_of_value_and_the_share_of_the_customer_add_up(crm: Crm) -> None:
    ids = open_shop(crm, 400)
    score(crm)
    provenances = set()
    for customer_id in ids:
        card = value_card(crm, customer_id)
        assert card is not None
        assert card.history_value is not None
        provenances.add(card.strategic_provenance)
        if card.potential_value is None:
            assert card.strategic_value is card.share_of_customer is None
            assert card.strategic_provenance == "unknown"
            continue
        assert card.strategic_value == card.clv + card.potential_value
        assert card.potential_value == sum((part.amount for part in card.potential_parts), Decimal(0))
        if card.clv > 0:
            assert card.share_of_customer == pytest.approx(float(card.clv / card.strategic_value))
        shown = {part.source for part in card.potential_parts}
        assert shown != {"best_comparable_customers", "rise_and_noted_needs"}
    assert "estimated" in provenances
