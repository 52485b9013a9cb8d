"""The rules of choosing, over chosen and over random inputs."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.offers import (
    OfferInputs,
    PastOffer,
    choose_offer,
    from_json,
    is_stale,
    replay_offer,
    score_of,
    to_json,
)
from tests.builders import a_firm
from tests.offers.builders import NOW, a_wish, inputs

TIERS = ("MVC", "MGC", "core", "BZ", None)
OFFERS = tuple(o.id for o in a_firm().offers)


def test_the_offer_answers_a_stated_need_and_says_so() -> None:
    choice = choose_offer(inputs())
    assert (choice.offer, choice.need_id, choice.because) == ("vinyl-start", "need_turntable", "a turntable")
    assert choice.reasons[0] == "vinyl-start: best score 35.00"
    assert len(choice.reasons) == 1 + len(OFFERS)


def test_a_better_offer_of_his_tier_wins() -> None:
    assert choose_offer(inputs(tier="MVC")).offer == "reference-listening"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"verified": False}, "the visitor is not verified"),
        ({"mood": "upset"}, "the customer is upset"),
        ({"open_case": "complaint"}, "complaint is under way"),
        ({"open_case": "cancelling"}, "cancelling is under way"),
        ({"open_complaint": True}, "a complaint is open"),
        ({"complaint_resolved_at": NOW - timedelta(days=6)}, "a complaint was resolved less than 7 days ago"),
        ({"needs": ()}, "no need is open"),
        ({"consents": ("contact",)}, "no offer fits"),
    ],
)
def test_there_is_no_offer(change: dict[str, object], reason: str) -> None:
    choice = choose_offer(inputs(**change))
    assert (choice.offer, choice.reasons[0]) == (None, reason)


def test_a_week_after_a_complaint_offers_begin_again() -> None:
    assert choose_offer(inputs(complaint_resolved_at=NOW - timedelta(days=7))).offer == "vinyl-start"


def test_stale_value_gives_nothing_that_depends_on_a_tier() -> None:
    old = inputs(tier="MVC", value_as_of=date(2026, 2, 8))
    assert is_stale(old)
    assert choose_offer(old).offer == "free-post"
    assert choose_offer(inputs(tier="MVC", value_as_of=date(2026, 2, 9))).offer == "reference-listening"
    assert choose_offer(inputs(tier=None, value_as_of=None)).offer == "free-post"


def test_what_he_declined_is_not_offered_again_until_its_time_is_over() -> None:
    def declined(days: int) -> PastOffer:
        then = NOW - timedelta(days=days)
        return PastOffer("vinyl-start", "declined", then, then)

    assert choose_offer(inputs(history=(declined(179),))).offer == "free-post"
    assert choose_offer(inputs(history=(declined(180),))).offer == "vinyl-start"


def test_an_offer_has_its_dates() -> None:
    catalogue = tuple(
        o.model_copy(update={"starts": date(2026, 3, 12)}) if o.id == "vinyl-start" else o
        for o in a_firm().offers
    )
    assert choose_offer(inputs(catalogue=catalogue)).offer == "free-post"
    assert choose_offer(inputs(catalogue=catalogue, today=date(2026, 3, 12))).offer == "vinyl-start"


def test_an_offer_is_silent_while_one_that_excludes_it_stands() -> None:
    shown = PastOffer("reference-listening", "accepted", NOW - timedelta(days=20), NOW)
    assert "vinyl-start: excluded by reference-listening" in choose_offer(inputs(history=(shown,))).reasons


def test_worth_counts_by_how_sure_the_need_is_and_half_for_an_offer_for_everything() -> None:
    vinyl, post = a_firm().offer("vinyl-start"), a_firm().offer("free-post")
    assert vinyl is not None
    assert post is not None
    assert score_of(vinyl, a_wish(confidence=0.5)) == Decimal("17.50")
    assert score_of(post, a_wish()) == Decimal("2.48")


moments = st.integers(0, 400).map(lambda days: NOW - timedelta(days=days))
past = st.builds(
    PastOffer,
    offer=st.sampled_from(OFFERS),
    status=st.sampled_from(("shown", "accepted", "declined")),
    shown_at=moments,
    answered_at=st.none() | moments,
)
wishes = st.builds(
    a_wish,
    category=st.sampled_from([n.id for n in a_firm().needs] + ["other"]),
    confidence=st.floats(0, 1, allow_nan=False),
)
situations = st.builds(
    inputs,
    verified=st.booleans(),
    mood=st.sampled_from(("neutral", "neutral", "neutral", "upset")),
    open_case=st.sampled_from((None, None, None, "complaint", "cancelling")),
    open_complaint=st.sampled_from((False, False, False, True)),
    complaint_resolved_at=st.none() | moments,
    tier=st.sampled_from(TIERS),
    value_as_of=st.none() | moments.map(lambda m: m.date()),
    consents=st.sets(st.sampled_from(("offers", "contact", "profiling", "research"))).map(tuple),
    needs=st.lists(wishes, max_size=4).map(tuple),
    history=st.lists(past, max_size=4).map(tuple),
)


@given(situations)
def test_no_rule_is_ever_broken(given_inputs: OfferInputs) -> None:
    choice = choose_offer(given_inputs)
    assert choice.reasons
    if choice.offer is None:
        return
    offer = a_firm().offer(choice.offer)
    assert offer is not None
    assert given_inputs.verified
    assert (given_inputs.mood, given_inputs.open_case, given_inputs.open_complaint) == (
        "neutral",
        None,
        False,
    )
    assert offer.consent in given_inputs.consents
    need = next(n for n in given_inputs.needs if n.need_id == choice.need_id)
    assert not offer.needs or need.category in offer.needs
    assert choice.because == need.because
    if len(offer.tiers) < 4:
        assert given_inputs.tier in offer.tiers
        assert given_inputs.value_as_of is not None
        assert (given_inputs.today - given_inputs.value_as_of).days <= given_inputs.stale_after_days
    earlier = [p for p in given_inputs.history if p.offer == offer.id]
    assert all(p.status != "accepted" for p in earlier)
    recent = [p for p in given_inputs.history if p.shown_at > NOW - timedelta(days=14)]
    assert len(recent) < 2


@given(situations)
def test_a_kept_decision_comes_out_the_same(given_inputs: OfferInputs) -> None:
    stored = to_json(given_inputs)
    assert from_json(stored).history == given_inputs.history
    assert replay_offer(stored) == choose_offer(given_inputs).outcome


@given(situations, st.text(max_size=200))
def test_nothing_that_a_customer_types_changes_the_choice(given_inputs: OfferInputs, text: str) -> None:
    said = tuple(replace(n, because=text) for n in given_inputs.needs)
    assert choose_offer(replace(given_inputs, needs=said)).outcome == choose_offer(given_inputs).outcome


@given(situations, st.sampled_from(TIERS))
def test_another_tier_changes_only_which_offers_pass(given_inputs: OfferInputs, tier: str | None) -> None:
    """Silence is the same for every tier: anger, cases, consent and caps do not ask for value."""
    other = choose_offer(replace(given_inputs, tier=tier))
    mine = choose_offer(given_inputs)
    silences = ("not verified", "upset", "under way", "complaint", "no need", "the cap of 2")

    def silent(reasons: tuple[str, ...]) -> list[str]:
        return [r for r in reasons if ":" not in r and any(s in r for s in silences)]

    assert silent(mine.reasons) == silent(other.reasons)
