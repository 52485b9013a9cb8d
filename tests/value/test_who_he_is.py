"""The methods that say who a customer is, by table."""

from __future__ import annotations

from decimal import Decimal
from itertools import product

import numpy as np
import pytest

from crmcore.tiers import Tier
from crmcore.value.buyer_type import MEANING_OF_LOST, buyer_type, comes_back
from crmcore.value.cost_to_serve import cost_basis, fit_costs
from crmcore.value.keeping import RetentionAssumption, keeping
from crmcore.value.lifecycle import LifecycleFacts, Stage, lifecycle
from crmcore.value.loyalty import STRATEGY, STRATEGY_OF_FEW, LoyaltyBorders, loyalty_borders, loyalty_group
from crmcore.value.nine_types import nine_type
from crmcore.value.peers import Peers, find_peers, purchase_size
from crmcore.value.relationship import PRACTICE, relationship_level
from crmcore.value.summary import PurchaseSummary

QUARTER = RetentionAssumption(Decimal(40), Decimal("0.25"))


@pytest.mark.parametrize(
    ("clv", "purchases", "group"),
    [
        (50, 1.0, "stranger"),
        (51, 1.0, "butterfly"),
        (51, 1.1, "true_friend"),
        (50, 1.1, "barnacle"),
        (-9, 9.0, "barnacle"),
    ],
)
def test_loyalty_groups(clv: float, purchases: float, group: str) -> None:
    found = loyalty_group(clv, purchases, LoyaltyBorders(50, 1.0), "EUR")
    assert found.kind == group
    assert found.kind in STRATEGY


def test_nobody_below_zero_is_profitable_even_in_a_poor_firm() -> None:
    borders = loyalty_borders(np.array([-50.0, -20.0, -10.0]), np.array([1.0, 2.0, 3.0]))
    assert loyalty_group(-5, 9, borders, "EUR").kind == "barnacle"


@pytest.mark.parametrize(
    ("answers", "contract", "kind"),
    [
        ({}, False, None),
        ({}, True, "intermediate"),
        ({"switching": "hard", "commitment": "long"}, False, "lost_for_good"),
        ({"switching": "hard"}, True, "lost_for_good"),
        ({"switching": "hard", "commitment": "long", "share_with_us": "0.2"}, False, "intermediate"),
        ({"switching": "easy", "commitment": "short"}, False, "always_a_share"),
        ({"switching": "easy"}, False, "always_a_share"),
        ({"share_with_us": "0.3"}, False, "always_a_share"),
        ({"share_with_us": "0.9"}, False, "intermediate"),
        ({"switching": "easy"}, True, "always_a_share"),
        ({"switching": "hard", "share_with_us": "0.3"}, False, "intermediate"),
    ],
)
def test_buyer_types(answers: dict[str, str], contract: bool, kind: str | None) -> None:
    found = buyer_type(answers, contract)
    assert found.kind == kind
    assert (found.provenance == "unknown") == (kind is None)
    assert kind is None or kind in MEANING_OF_LOST


_ASKED = ("switching", "commitment", "share_with_us")
ALL_ANSWERS = [
    {trait: answer for trait, answer in zip(_ASKED, said, strict=True) if answer}
    for said in product((None, "easy", "hard"), (None, "short", "long"), (None, "0.3", "0.9"))
]


@pytest.mark.parametrize("contract", [False, True])
@pytest.mark.parametrize("answers", ALL_ANSWERS, ids=str)
def test_the_type_that_is_shown_is_the_one_that_he_is_valued_by(
    answers: dict[str, str], contract: bool
) -> None:
    assert (buyer_type(answers, contract).kind == "always_a_share") == comes_back(answers)


def test_a_contract_is_never_called_an_answer() -> None:
    alone = buyer_type({}, has_contract=True)
    assert (alone.kind, alone.provenance) == ("intermediate", "estimated")
    assert "nobody has asked him yet" in alone.why
    hard = buyer_type({"switching": "hard"}, has_contract=True)
    assert (hard.kind, hard.provenance) == ("lost_for_good", "estimated")
    assert hard.why == (
        "A contract of his runs, which is taken for a long commitment; by his answers, switching is hard for "
        "him."
    )
    said = buyer_type({"switching": "hard", "commitment": "long"}, has_contract=True)
    assert (said.kind, said.provenance) == ("lost_for_good", "declared")


def test_only_who_is_always_a_share_is_valued_without_leaving() -> None:
    assert comes_back({"switching": "easy"})
    assert not comes_back({"switching": "hard", "commitment": "long"})
    assert not comes_back({})


@pytest.mark.parametrize(
    ("facts", "previous", "stage", "went_back"),
    [
        (LifecycleFacts(0, 0.0, False), None, "select", False),
        (LifecycleFacts(1, 1.0, True), "select", "acquire", False),
        (LifecycleFacts(4, 0.8, False), "acquire", "retain", False),
        (LifecycleFacts(4, 0.8, True), "retain", "expand", False),
        (LifecycleFacts(4, 0.8, False), "expand", "retain", True),
        (LifecycleFacts(4, 0.29, True), "expand", "acquire", True),
        (LifecycleFacts(4, 0.9, True, terminated=True), "expand", "acquire", True),
    ],
)
def test_the_lifecycle_goes_on_and_back(
    facts: LifecycleFacts, previous: Stage | None, stage: Stage, went_back: bool
) -> None:
    found = lifecycle(facts, previous)
    assert (found.kind, found.went_back) == (stage, went_back)


def test_the_nine_types_are_nine() -> None:
    times, dimensions = ("past", "present", "future"), ("functional", "economic", "psychological")
    kinds = {nine_type({"time": t, "dimension": d}).kind for t in times for d in dimensions}
    assert len(kinds) == 9
    assert nine_type({"time": "past"}).kind is nine_type({}).kind is None


@pytest.mark.parametrize(
    ("tier", "share", "contract", "level"),
    [
        ("core", 0.2, False, "basic"),
        ("BZ", 0.4, False, "reactive"),
        ("MGC", 0.2, False, "accountable"),
        ("MVC", 0.4, False, "proactive"),
        ("MGC", 0.4, True, "proactive"),
        ("MVC", 0.4, True, "partnership"),
    ],
)
def test_relationship_levels(tier: Tier, share: float, contract: bool, level: str) -> None:
    found = relationship_level(tier, share, 0.3, contract)
    assert found.kind == level
    assert found.kind in PRACTICE


@pytest.mark.parametrize(
    ("clv", "potential", "kept"),
    [
        (11, None, "profitable"),
        (9, None, "cheaper_channel"),
        (-20, 100, "for_his_potential"),
        (-20, 25, "cheaper_channel"),
        (-20, 0, "cheaper_channel"),
    ],
)
def test_whom_to_keep(clv: int, potential: int | None, kept: str) -> None:
    could = None if potential is None else Decimal(potential)
    assert keeping(Decimal(clv), could, True, "core", QUARTER, "EUR").kind == kept


@pytest.mark.parametrize("tier", ["MVC", "MGC"])
def test_the_few_are_never_told_the_cheaper_channel(tier: Tier) -> None:
    found = keeping(Decimal("3.37"), None, True, tier, QUARTER, "EUR")
    assert found.kind == "for_his_tier"
    assert found.why == (
        f"He brings €3.37, and keeping him costs €10.00; as {tier} he is one of the few all the same."
    )
    assert STRATEGY.keys() == STRATEGY_OF_FEW.keys()
    assert "cheaper" in " ".join(STRATEGY.values())
    assert "cheaper" not in " ".join(STRATEGY_OF_FEW.values())


def test_what_keeping_costs_is_an_assumption_that_is_shown() -> None:
    said = "Keeping a customer is assumed to cost 25% of winning one (€40.00): €10.00."
    assert QUARTER.words("EUR") == said
    unknown = RetentionAssumption(None, Decimal("0.25"))
    assert unknown.retention_cost is None
    assert "is not set" in unknown.words("EUR")
    assert keeping(Decimal(9), None, False, "core", unknown, "EUR").why == "He brings €9.00."
    assert "and keeping him costs £10.00" in keeping(Decimal(9), None, False, "core", QUARTER, "GBP").why


def test_a_firm_that_records_no_cost_does_not_serve_for_nothing() -> None:
    nothing = cost_basis(fit_costs(np.zeros(3), np.zeros(3), np.full(3, 100.0)))
    assert (nothing.kind, nothing.provenance) == (None, "unknown")
    assert "recorded no cost" in nothing.why
    costs = np.array([0.0, 4.2, 8.4])
    some = cost_basis(fit_costs(costs, costs**2, np.full(3, 100.0)))
    assert (some.kind, some.provenance) == ("recorded_costs", "estimated")
    assert some.why.endswith("days of the firm's usual ones.")


def a_firm(n: int) -> PurchaseSummary:
    rng = np.random.default_rng(5)
    x = rng.poisson(3, n)
    T = np.floor(rng.uniform(100, 900, n))
    return PurchaseSummary.of(x, np.where(x > 0, T / 2, 0), T, np.full(n, 50.0))


def test_the_best_of_his_kind_are_a_tenth_and_a_small_group_is_unknown() -> None:
    summary = a_firm(3_000)
    clv = np.random.default_rng(1).gamma(1.0, 100.0, 3_000)
    peers = find_peers(summary.T, purchase_size(summary), clv)
    gap = peers.gap(summary, clv)
    assert np.isfinite(gap).all()
    assert (gap == 0).mean() == pytest.approx(0.1, abs=0.01)
    few = a_firm(40)
    assert np.isnan(find_peers(few.T, purchase_size(few), clv[:40]).gap(few, clv[:40])).all()


def test_peers_come_back_from_their_json_to_the_bit() -> None:
    few = a_firm(400)
    peers = find_peers(few.T, purchase_size(few), np.linspace(-10, 500, 400))
    again = Peers.from_json(peers.to_json())
    assert again.known_days == peers.known_days
    assert again.purchase_size == peers.purchase_size
    assert np.array_equal(np.array(again.best), np.array(peers.best), equal_nan=True)
