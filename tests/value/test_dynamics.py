"""Value over time: history, what moved it, simulations, tier migration; and who a customer is."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete
from typer.testing import CliRunner

from cli import value as value_commands
from crmcore.crm import Crm
from crmcore.money import from_minor
from crmcore.store import schema
from crmcore.store.database import raw_connection
from crmcore.usecases.observation import DayInTheFuture
from crmcore.usecases.value import value_card
from crmcore.usecases.value_history import (
    DaysOutOfOrder,
    NothingScored,
    NoValueYet,
    tier_migration,
    value_change,
    value_history,
)
from crmcore.usecases.value_profile import UnknownAnswer, customer_profile, state_trait
from crmcore.usecases.value_refresh import refresh_values
from crmcore.usecases.value_score import score
from crmcore.usecases.value_simulation import (
    NothingToSimulate,
    if_customer_leaves,
    if_margins_change,
    if_need_is_met,
)
from tests.builders import Clock
from tests.value.shop import a_need, add_customers, add_order, add_service_costs, open_shop


def refresh(crm: Crm, *customers: str) -> None:
    with crm.store.write() as tx:
        refresh_values(tx, crm.firm, customers, crm.clock())


def test_what_moved_a_value_adds_up_and_names_each_cause(crm: Crm, clock: Clock) -> None:
    ids = open_shop(crm, 300)
    score(crm)
    first_day = crm.firm.today(crm.clock())
    clock.advance(days=20)
    today = crm.firm.today(crm.clock())
    who = ids[4]
    add_order(crm, "late", who, first_day - timedelta(days=100), "60.00")
    add_order(crm, "new", who, today - timedelta(days=2), "90.00")
    add_service_costs(crm, who, [today - timedelta(days=n) for n in range(3)])
    refresh(crm, who)
    score(crm)
    change = value_change(crm, who, first_day, today)
    assert change.after - change.before == sum((m.amount for m in change.moved), Decimal(0))
    by_cause = {moved.cause: moved.amount for moved in change.moved}
    assert by_cause["late_rows"] > 0
    assert by_cause["time_passing"] < 0
    assert by_cause["orders_and_returns"] > 0
    assert by_cause["service_costs"] < 0
    assert "another_model_version" not in by_cause
    assert len(value_history(crm, who)) == 3


def test_nothing_moved_where_nothing_happened(crm: Crm) -> None:
    ids = open_shop(crm, 300)
    score(crm)
    today = crm.firm.today(crm.clock())
    change = value_change(crm, ids[0], today, today)
    assert change.moved == ()
    assert change.before == change.after


def test_a_value_of_another_model_is_not_taken_apart(crm: Crm, clock: Clock, monkeypatch: Any) -> None:
    ids = open_shop(crm, 300)
    score(crm)
    first_day = crm.firm.today(crm.clock())
    clock.advance(days=2)
    add_order(crm, "new", ids[0], first_day + timedelta(days=1), "90.00")
    refresh(crm, ids[0])
    monkeypatch.setattr("crmcore.usecases.value_history.MODEL_VERSION", "another/1")
    change = value_change(crm, ids[0], first_day, crm.firm.today(crm.clock()))
    assert [moved.cause for moved in change.moved] == ["another_model_version"]


def test_a_customer_without_a_value_at_that_time_is_named(crm: Crm) -> None:
    open_shop(crm, 300)
    score(crm)
    today = crm.firm.today(crm.clock())
    with pytest.raises(NoValueYet, match="'nobody' has no value"):
        value_change(crm, "nobody", today, today)


def test_the_migration_of_tiers_counts_everybody_once(crm_on_both: Crm, clock: Clock) -> None:
    crm = crm_on_both
    ids = open_shop(crm, 300)
    score(crm)
    first_day = crm.firm.today(crm.clock())
    before = {c: card.tier for c in ids if (card := value_card(crm, c))}
    clock.advance(days=3)
    today = crm.firm.today(crm.clock())
    add_customers(crm, ["new"])
    riser = next(c for c, tier in before.items() if tier == "core")
    add_order(crm, "n1", "new", today, "50.00")
    add_order(crm, "r1", riser, today, "9000.00")
    refresh(crm, "new", riser)
    found = tier_migration(crm, first_day, today)
    assert sum(found.counts.values()) == 301
    assert found.counts["core", "MVC"] == 1
    assert sum(n for (a, _), n in found.counts.items() if a == "none") == 1
    assert tier_migration(crm, today, today).counts.keys() <= {(t, t) for t in ("MVC", "MGC", "BZ", "core")}


def test_nothing_moves_from_a_later_day_to_an_earlier_one(crm: Crm) -> None:
    open_shop(crm, 150)
    score(crm)
    today = crm.firm.today(crm.clock())
    with pytest.raises(DaysOutOfOrder, match="name the earlier day first"):
        tier_migration(crm, today, today - timedelta(days=1))
    with pytest.raises(DayInTheFuture):
        tier_migration(crm, today, date.max)
    with pytest.raises(DaysOutOfOrder):
        value_change(crm, "anybody", today, today - timedelta(days=1))


def test_who_was_never_valued_has_no_history_and_is_told_so(crm: Crm) -> None:
    ids = open_shop(crm, 150)
    score(crm)
    today = crm.firm.today(crm.clock())
    with pytest.raises(NoValueYet, match="'nobody' has no value at all"):
        value_history(crm, "nobody")
    yesterday = today - timedelta(days=1)  # The last whole day, which the scoring of today is of.
    with pytest.raises(NoValueYet, match=f"he was first valued as of {yesterday}"):
        value_change(crm, ids[0], today - timedelta(days=2), today)


def test_a_firm_that_has_just_brought_its_orders_can_look_back(crm_on_both: Crm) -> None:
    crm = crm_on_both
    ids = open_shop(crm, 300)
    today = crm.firm.today(crm.clock())
    half_a_year_ago, yesterday = today - timedelta(days=182), today - timedelta(days=1)
    with pytest.raises(NothingScored, match="score as of both days"):
        tier_migration(crm, half_a_year_ago, yesterday)
    earlier = score(crm, as_of=half_a_year_ago)
    score(crm, as_of=yesterday)
    moves = tier_migration(crm, half_a_year_ago, yesterday).counts
    assert sum(moves.values()) == 300
    assert sum(n for (before, _), n in moves.items() if before != "none") == earlier.customers
    assert any(before not in ("none", after) for before, after in moves)
    who = next(c for c in ids if len(value_history(crm, c)) == 2)
    then, now = (snapshot for _, snapshot in value_history(crm, who))
    change = value_change(crm, who, half_a_year_ago, yesterday)
    assert (change.before, change.after) == tuple(
        from_minor(snapshot.clv_minor, crm.firm.currency) for snapshot in (then, now)
    )
    assert change.after - change.before == sum((m.amount for m in change.moved), Decimal(0))


def test_to_look_back_last_changes_nothing_of_what_was_found_before(crm: Crm) -> None:
    ids = open_shop(crm, 300)
    today = crm.firm.today(crm.clock())
    half_a_year_ago, yesterday = today - timedelta(days=182), today - timedelta(days=1)
    for day in (half_a_year_ago, yesterday):
        score(crm, as_of=day)
    moves = tier_migration(crm, half_a_year_ago, yesterday).counts
    found = [value_change(crm, c, yesterday, yesterday).after for c in ids]
    score(crm, as_of=half_a_year_ago)
    assert [value_change(crm, c, yesterday, yesterday).after for c in ids] == found
    assert tier_migration(crm, half_a_year_ago, yesterday).counts == moves


def test_a_need_that_were_met_turns_potential_into_value(crm: Crm) -> None:
    ids = open_shop(crm, 300)
    a_need(crm, ids[0], "need_1", 40_000)
    score(crm)
    before = value_card(crm, ids[0])
    found = if_need_is_met(crm, ids[0], "need_1")
    assert found.after.clv > found.before.clv
    assert found.after.potential < found.before.potential
    assert value_card(crm, ids[0]) == before
    assert before is not None
    assert before.potential_parts[0].source == "stated_needs"
    assert before.potential_parts[0].provenance == "declared"


def test_a_need_without_a_budget_buys_nothing(crm: Crm) -> None:
    ids = open_shop(crm, 300)
    a_need(crm, ids[0], "need_1", 0)
    with pytest.raises(NothingToSimulate, match="rapport score"):
        if_need_is_met(crm, ids[0], "need_1")
    score(crm)
    with pytest.raises(NothingToSimulate, match="names no budget"):
        if_need_is_met(crm, ids[0], "need_1")


def test_a_customer_who_left_takes_exactly_his_value_with_him(crm_on_both: Crm) -> None:
    crm = crm_on_both
    ids = open_shop(crm, 300)
    report = score(crm)
    card = value_card(crm, ids[0])
    assert card is not None
    found = if_customer_leaves(crm, ids[0])
    assert found.before.clv == report.total_value
    assert found.before.clv - found.after.clv == card.clv
    assert found.before.tiers[card.tier] - found.after.tiers[card.tier] == 1


def test_margins_that_fall_two_points_cost_the_firm_two_points_of_what_is_bought(crm: Crm) -> None:
    open_shop(crm, 300)
    score(crm)
    found = if_margins_change(crm, Decimal(-2))
    same = if_margins_change(crm, Decimal(0))
    assert same.before == same.after
    assert found.after.clv < found.before.clv
    costs = (found.before.clv - found.after.clv) / found.before.clv
    assert 0.04 < costs < 0.12  # Two of 32 points, more where service takes a part.
    with pytest.raises(NothingToSimulate, match="stays between 0 and 100"):
        if_margins_change(crm, Decimal(-90))


def test_a_simulation_of_margins_begins_at_the_values_that_everybody_sees(crm: Crm, clock: Clock) -> None:
    ids = open_shop(crm, 300)
    report = score(crm)
    clock.advance(days=40)
    assert if_margins_change(crm, Decimal(-2)).before == if_customer_leaves(crm, ids[0]).before
    add_order(crm, "new", ids[0], crm.firm.today(crm.clock()), "90.00")
    refresh(crm, ids[0])
    card = value_card(crm, ids[0])
    assert card is not None
    assert if_margins_change(crm, Decimal(-2), ids[0]).before.clv == card.clv != report.total_value
    with pytest.raises(NoValueYet, match="'nobody' has no value now"):
        if_margins_change(crm, Decimal(-2), "nobody")


def test_who_spreads_his_purchases_is_not_lost_by_his_silence(crm: Crm) -> None:
    ids = open_shop(crm, 300)
    score(crm)
    cards = [card for c in ids if (card := value_card(crm, c))]
    silent = min((c for c in cards if c.frequency > 3), key=lambda c: c.p_alive).customer_id
    before = customer_profile(crm, silent)
    assert before.buyer.kind is None
    assert before.lifecycle.kind == "acquire"
    state_trait(crm, silent, "switching", "easy")
    state_trait(crm, silent, "share_with_us", "0.3")
    after = customer_profile(crm, silent)
    assert after.buyer.kind == "always_a_share"
    assert after.card.p_alive > 0.99
    assert after.card.clv > before.card.clv
    score(crm)
    again = customer_profile(crm, silent)
    assert again.card.p_alive > 0.99


def test_answers_that_are_none_are_refused_with_those_that_are(crm: Crm) -> None:
    with pytest.raises(UnknownAnswer, match="use easy, hard"):
        state_trait(crm, "c", "switching", "maybe")
    with pytest.raises(UnknownAnswer, match="number from 0 to 1"):
        state_trait(crm, "c", "share_with_us", "half")
    with pytest.raises(UnknownAnswer, match="no trait"):
        state_trait(crm, "c", "shoe_size", "43")
    with pytest.raises(NoValueYet):
        state_trait(crm, "nobody", "time", "past")


def test_every_method_says_who_he_is_and_why(crm: Crm) -> None:
    ids = open_shop(crm, 300)
    score(crm)
    state_trait(crm, ids[1], "time", "future")
    state_trait(crm, ids[1], "dimension", "functional")
    groups = set()
    for customer_id in ids:
        profile = customer_profile(crm, customer_id)
        assert profile.loyalty is not None
        assert profile.relationship is not None
        groups.add(profile.loyalty.kind)
        for finding in (
            profile.loyalty,
            profile.buyer,
            profile.lifecycle,
            profile.nine_type,
            profile.keeping,
        ):
            assert finding.why.endswith(".")
        if profile.is_developed:
            assert profile.keeping.kind != "cheaper_channel"
    assert groups == {"stranger", "butterfly", "true_friend", "barnacle"} or len(groups) >= 3
    assert customer_profile(crm, ids[1]).nine_type.kind == "trend_setter"
    assert "25% of winning one" in customer_profile(crm, ids[1]).assumption.words("EUR")


def test_without_recorded_costs_the_cost_to_serve_is_called_unknown(crm: Crm) -> None:
    ids = open_shop(crm, 300)
    score(crm)
    cost = customer_profile(crm, ids[0]).cost
    assert cost is not None
    assert cost.provenance == "estimated"
    with raw_connection(crm.store) as connection:
        connection.execute(delete(schema.service_costs))
        connection.commit()
    score(crm)
    cost = customer_profile(crm, ids[0]).cost
    assert cost is not None
    assert cost.provenance == "unknown"
    said = CliRunner().invoke(value_commands.app, ["explain", ids[0]], obj=lambda: crm).output
    assert "cost to serve: unknown. The firm has recorded no cost of service" in said


def value(crm: Crm, *arguments: str) -> tuple[int, Any]:
    result = CliRunner().invoke(value_commands.app, [*arguments, "--json"], obj=lambda: crm)
    return result.exit_code, json.loads(result.output) if result.exit_code == 0 else result.output


def test_who_is_developed_is_never_told_the_cheaper_channel(crm: Crm) -> None:
    """Neither by his loyalty group nor by what keeping him costs, whatever he brings."""
    ids = open_shop(crm, 150)
    for number, customer_id in enumerate(ids[:40]):
        a_need(crm, customer_id, f"need_{number}", 40_000)
    score(crm)
    developed = [i for i in ids[:40] if customer_profile(crm, i).is_developed]
    loyalty = [customer_profile(crm, i).loyalty for i in developed]
    assert "barnacle" in {found.kind for found in loyalty if found}
    for customer_id in developed:
        said = CliRunner().invoke(value_commands.app, ["explain", customer_id], obj=lambda: crm).output
        assert "loyalty group" in said
        assert "cheaper channel" not in said


def test_the_commands_answer_programs(crm: Crm, clock: Clock) -> None:
    ids = open_shop(crm, 300)
    a_need(crm, ids[0], "need_1", 40_000)
    score(crm)
    day = crm.firm.today(crm.clock())
    clock.advance(days=1)
    add_order(crm, "new", ids[0], day + timedelta(days=1), "90.00")
    refresh(crm, ids[0])
    today = crm.firm.today(crm.clock()).isoformat()

    status, found = value(crm, "explain", ids[0], "--since", day.isoformat())
    assert status == 0
    assert found["card"]["tier"] in ("MVC", "MGC", "core", "BZ")
    assert found["lifecycle"]["why"]
    assert found["assumption"]["share"] == "0.25"
    parts = sum(Decimal(moved["amount"]) for moved in found["change"]["moved"])
    assert parts == Decimal(found["change"]["after"]) - Decimal(found["change"]["before"])

    status, found = value(crm, "history", ids[0])
    assert status == 0
    assert [point["revision"] for point in found["values"]] == [0, 1]

    status, found = value(crm, "migration", "--from", day.isoformat(), "--to", today)
    assert status == 0
    assert sum(move["customers"] for move in found["moves"]) == 300

    for question in (["--need-met", "need_1"], ["--leaves"], ["--margin", "-2"]):
        status, found = value(crm, "simulate", "--customer", ids[0], *question)
        assert status == 0
        assert found["before"] != found["after"]


def test_an_end_without_a_beginning_is_refused_and_not_passed_over(crm: Crm) -> None:
    ids = open_shop(crm, 60)
    result = CliRunner().invoke(
        value_commands.app, ["explain", ids[0], "--until", "2026-01-01"], obj=lambda: crm
    )
    assert result.exit_code == 2
    assert "--until needs --since" in result.output


def test_the_commands_answer_people(crm: Crm) -> None:
    ids = open_shop(crm, 300)
    score(crm)
    day = crm.firm.today(crm.clock()).isoformat()
    answer = CliRunner().invoke(value_commands.app, ["answer", ids[0], "time", "past"], obj=lambda: crm)
    assert answer.exit_code == 0
    asked = (
        (["explain", ids[0], "--since", day], "Keeping a customer is assumed to cost 25% of winning one"),
        (["explain", ids[0]], "purchases expected in 365 days, worth less than nothing with"),
        (["history", ids[0]], "Observed"),
        (["migration", "--from", day, "--to", day], "MVC"),
        (["simulate", "--margin", "-2"], "If margins changed by -2.0 points"),
    )
    for arguments, expected in asked:
        result = CliRunner().invoke(value_commands.app, arguments, obj=lambda: crm)
        assert result.exit_code == 0, result.output
        assert expected in result.output
