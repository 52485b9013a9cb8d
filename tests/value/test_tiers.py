from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.tiers import (
    Borders,
    Reason,
    Standing,
    Tier,
    TierPolicy,
    assign_tier,
    assign_tiers,
    explain,
    read_reason,
    record_inputs,
    replay,
    store_reason,
)

POLICY = TierPolicy(mvc_share=0.2, mgc_share=0.25, bz_probability=0.8, hysteresis=0.1)
BORDERS = Borders(mvc=Decimal(500), mgc=Decimal(100))


def standing(
    clv: object = 50, potential: object = None, below: float = 0.1, previous: Tier | None = None
) -> Standing:
    return Standing(
        Decimal(str(clv)), None if potential is None else Decimal(str(potential)), below, previous
    )


@pytest.mark.parametrize(
    ("who", "tier", "reason"),
    [
        (standing(clv=500), "MVC", "value_in_top_share"),
        (standing(clv=499), "core", "no_rule_applies"),
        (standing(clv=450, previous="MVC"), "MVC", "value_near_top_share"),
        (standing(clv=449, previous="MVC"), "core", "no_rule_applies"),
        (standing(clv=-3, below=0.81), "BZ", "below_zero_likely"),
        (standing(clv=-3, below=0.80), "core", "no_rule_applies"),
        (standing(below=0.73, previous="BZ"), "BZ", "below_zero_likely"),
        (standing(below=0.71, previous="BZ"), "core", "no_rule_applies"),
        (standing(potential=100), "MGC", "potential_in_top_share"),
        (standing(potential=99), "core", "no_rule_applies"),
        (standing(potential=90, previous="MGC"), "MGC", "potential_near_top_share"),
        (standing(potential=89, previous="MGC"), "core", "no_rule_applies"),
        (standing(potential=None), "core", "no_rule_applies"),
        (standing(clv=600, potential=900), "MVC", "value_in_top_share"),
        (standing(clv=600, below=0.9), "BZ", "below_zero_likely"),
    ],
)
def test_tiers_by_table(who: Standing, tier: Tier, reason: str) -> None:
    decided = assign_tier(who, BORDERS, POLICY)
    assert decided.tier == tier
    assert [r.code for r in decided.reasons] == [reason]


def test_the_top_share_is_of_all_customers_and_growable_of_the_others() -> None:
    everybody = [standing(clv=c, potential=1000 - c) for c in range(1, 101)]
    borders, decided = assign_tiers(everybody, POLICY)
    tiers = [d.tier for d in decided]
    assert (tiers.count("MVC"), tiers.count("MGC")) == (20, 20)
    assert borders == Borders(mvc=Decimal(81), mgc=Decimal(980))


def test_equal_values_across_the_border_let_nobody_in_beyond_the_share() -> None:
    """Half the firm is worth the same: a border on that value would make half the firm most valuable."""
    few = [standing(clv=900), standing(clv=800)]
    many = [standing(clv=50)] * 10
    borders, decided = assign_tiers([*few, *many, *[standing(clv=10)] * 8], POLICY)
    assert borders.mvc == Decimal(800)
    assert [d.tier for d in decided].count("MVC") == 2
    assert assign_tiers(many, POLICY)[0].mvc is None


def test_nobody_is_most_valuable_without_positive_value() -> None:
    borders, decided = assign_tiers([standing(clv=-c, potential=0) for c in range(50)], POLICY)
    assert borders == Borders(None, None)
    assert {d.tier for d in decided} == {"core"}


def test_an_empty_firm_has_no_tiers() -> None:
    assert assign_tiers([], POLICY) == (Borders(None, None), ())


standings = st.builds(
    Standing,
    clv=st.decimals(-1000, 5000, places=2),
    potential_value=st.none() | st.decimals(0, 5000, places=2),
    p_below_zero=st.floats(0, 1),
    previous=st.sampled_from([None, "MVC", "MGC", "BZ", "core"]),
)


@given(st.lists(standings, max_size=60))
def test_every_decision_has_a_reason_and_replays_from_its_record(firm: list[Standing]) -> None:
    borders, decided = assign_tiers(firm, POLICY)
    for who, decision in zip(firm, decided, strict=True):
        assert decision.reasons
        assert replay(record_inputs(who, borders, POLICY)) == decision
        for reason in decision.reasons:
            assert read_reason(store_reason(reason)) == reason
            assert explain(reason, "EUR").endswith(".")


@given(st.lists(standings, min_size=1, max_size=60))
def test_a_second_night_with_the_same_values_changes_no_tier(firm: list[Standing]) -> None:
    """Tiers settle: what the first night decided, the second confirms, and so does every later one."""
    tiers: list[Tier] = []
    for _ in range(3):
        tiers = [d.tier for d in assign_tiers(firm, POLICY)[1]]
        firm = [
            Standing(s.clv, s.potential_value, s.p_below_zero, t) for s, t in zip(firm, tiers, strict=True)
        ]
    assert [d.tier for d in assign_tiers(firm, POLICY)[1]] == tiers


def test_more_value_never_leaves_the_top() -> None:
    lower, higher = (assign_tier(standing(clv=c), BORDERS, POLICY).tier for c in (500, 5000))
    assert lower == higher == "MVC"


def test_the_reason_is_readable_for_staff() -> None:
    reason = Reason("value_in_top_share", Decimal("812.40"), Decimal("500"))
    assert explain(reason, "EUR") == "Value 812 EUR is in the top share, which begins at 500 EUR."
    small = Reason("potential_in_top_share", Decimal("2.09"), Decimal("0.19"))
    assert explain(small, "EUR") == "Potential 2.09 EUR is in the top share, which begins at 0.19 EUR."
    nobody = Reason("no_rule_applies", Decimal(0), None)
    assert explain(nobody, "EUR") == "No value in the firm makes a top share, and no other rule applies."
