"""Scoring a firm through the store."""

import math
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import update

from crmcore.crm import Crm
from crmcore.store import schema
from crmcore.store.database import raw_connection
from crmcore.tiers import replay
from crmcore.usecases.observation import DayBeforeAllOrders
from crmcore.usecases.value import customers_of_tier, value_card
from crmcore.usecases.value_score import score
from crmcore.value.books import ForeignCurrency
from tests.builders import Clock
from tests.value.shop import add_customers, add_order, add_service_costs, open_shop


def test_a_scoring_publishes_a_value_and_a_tier_for_every_buyer(crm_on_both: Crm) -> None:
    crm = crm_on_both
    ids = open_shop(crm)
    report = score(crm)
    assert report.run.published
    assert report.customers == len(ids) == sum(report.tiers.values())
    cards = [value_card(crm, customer_id) for customer_id in ids]
    assert all(card is not None and card.why for card in cards)
    assert sum(card.clv for card in cards if card) == report.total_value
    best = customers_of_tier(crm, "MVC")
    assert len(best) == report.tiers["MVC"] == 60
    values = {card.customer_id: card.clv for card in cards if card}
    assert max(values, key=lambda c: values[c]) == best[0]


def test_every_tier_is_recorded_and_replays_to_the_same_tier(crm: Crm) -> None:
    """Invariant 7: reason, inputs and model version stand in the decision; its replay agrees."""
    ids = open_shop(crm)
    score(crm)
    for customer_id in ids:
        card = value_card(crm, customer_id)
        assert card is not None
        assert card.decision_id is not None
        with crm.store.read() as tx:
            decision = tx.decisions.get(card.decision_id)
        assert decision is not None
        again = replay(decision.inputs)
        assert again.tier == decision.outcome == card.tier
        assert tuple(r.code for r in again.reasons) == decision.reasons
        assert decision.model_version == card.model_version


def test_a_fit_that_fails_its_checks_leaves_the_earlier_values(crm: Crm) -> None:
    ids = open_shop(crm)
    score(crm)
    before = value_card(crm, ids[0])
    first_day = crm.firm.today(crm.clock()) - timedelta(days=730)
    report = score(crm, as_of=first_day)
    assert not report.run.published
    assert "too_few_repeat_buyers" in [d.code for d in report.diagnostics]
    assert value_card(crm, ids[0]) == before


def test_a_firm_without_orders_is_told_so(crm: Crm) -> None:
    report = score(crm)
    assert not report.run.published
    assert [d.code for d in report.diagnostics] == ["too_few_repeat_buyers"]


def test_a_day_before_the_first_order_is_refused_and_leaves_no_run(crm: Crm) -> None:
    """Else an empty run would be named as the newest, and the values as older than it."""
    open_shop(crm, 60)
    run = score(crm).run
    with pytest.raises(DayBeforeAllOrders, match="nobody had ordered until"):
        score(crm, as_of=crm.firm.today(crm.clock()) - timedelta(days=800))
    with crm.store.read() as tx:
        newest = tx.value.newest_run()
    assert newest is not None
    assert newest.run_id == run.run_id


def test_an_unknown_customer_has_no_card(crm: Crm) -> None:
    assert value_card(crm, "nobody") is None


def test_a_value_goes_stale_when_it_is_older_than_the_firm_allows(crm: Crm, clock: Clock) -> None:
    ids = open_shop(crm)
    score(crm)
    fresh = value_card(crm, ids[0])
    assert fresh is not None
    assert not fresh.stale
    clock.advance(days=crm.firm.value.stale_after_days)
    old = value_card(crm, ids[0])
    assert old is not None
    assert old.stale
    assert old.as_of == fresh.as_of


def test_a_second_scoring_of_the_same_day_changes_no_value(crm: Crm) -> None:
    ids = open_shop(crm)
    score(crm)
    first = [value_card(crm, c) for c in ids]
    score(crm)
    second = [value_card(crm, c) for c in ids]
    assert [(c.clv, c.tier) for c in first if c] == [(c.clv, c.tier) for c in second if c]


def test_a_day_is_the_firms_and_not_the_servers(crm: Crm) -> None:
    """Dublin is an hour ahead of UTC in July: 23:30 UTC on the 1st is already the 2nd."""
    open_shop(crm)
    add_customers(crm, ["late"])
    late = datetime(2025, 7, 1, 23, 30, tzinfo=UTC)
    add_order(crm, "late-1", "late", late.date(), "10.00", ordered_at=late)
    assert score(crm, as_of=date(2025, 7, 1)).run.published
    assert value_card(crm, "late") is None
    assert score(crm, as_of=date(2025, 7, 2)).run.published
    card = value_card(crm, "late")
    assert card is not None
    assert card.days_since_last_purchase == 0


def test_a_customer_who_takes_more_service_than_he_brings_is_below_zero(crm: Crm) -> None:
    open_shop(crm)
    add_customers(crm, ["caller"])
    today = crm.firm.today(crm.clock())
    for number in range(4):
        add_order(crm, f"caller-{number}", "caller", today - timedelta(days=20 + 60 * number), "3.00")
    add_service_costs(crm, "caller", [today - timedelta(days=3 + 4 * n) for n in range(40)])
    score(crm)
    card = value_card(crm, "caller")
    assert card is not None
    assert card.tier == "BZ"
    assert -card.cost_to_serve < card.clv < 0
    assert card.share_of_customer is None
    assert card.why[0].startswith("The chance of not repaying the cost to serve")


def test_a_few_enormous_spenders_do_not_keep_a_firm_from_its_values(crm: Crm) -> None:
    """Spend without a mean over customers: each is valued by his own, and the firm is told."""
    ids = open_shop(crm, 300)
    factors = np.exp(np.random.default_rng(3).normal(0, 2.5, len(ids)))
    with raw_connection(crm.store) as connection:
        for customer_id, factor in zip(ids, factors, strict=True):
            connection.execute(
                update(schema.orders)
                .where(schema.orders.c.customer_id == customer_id)
                .values(amount_minor=schema.orders.c.amount_minor * math.ceil(10 * factor))
            )
        connection.commit()
    report = score(crm)
    told = next(d for d in report.diagnostics if d.code == "spend_mean_infinite")
    assert report.run.published
    assert not told.blocking
    assert "his own mean" in told.message
    cards = [card for c in ids if (card := value_card(crm, c))]
    assert len(cards) == 300
    assert all(card.clv_high is not None and card.clv_high < 10**12 for card in cards)


def test_cancelled_orders_bring_no_value(crm: Crm) -> None:
    open_shop(crm)
    add_customers(crm, ["undecided"])
    day = crm.firm.today(crm.clock()) - timedelta(days=50)
    add_order(crm, "u-1", "undecided", day, "900.00", status="cancelled")
    score(crm)
    assert value_card(crm, "undecided") is None


def test_another_currency_is_refused_by_name(crm: Crm) -> None:
    ids = open_shop(crm)
    day = crm.firm.today(crm.clock()) - timedelta(days=50)
    add_order(crm, "yen-1", ids[0], day, "900.00", currency="JPY")
    with pytest.raises(ForeignCurrency, match=r"yen-1 .* JPY"):
        score(crm)
