"""What happens to a need from the first words to the marketer's board."""

from dataclasses import replace
from decimal import Decimal

import pytest

from crmcore.conversations import Conversation, StaleTurn, Turn
from crmcore.crm import Crm
from crmcore.needs.board import BoardFilter
from crmcore.needs.changes import merged
from crmcore.needs.values import NO_CATEGORY, Budget, NeedIsClosed, ReadNeed, UnknownNeed
from crmcore.store.database import Store
from crmcore.usecases import conversations as talk
from crmcore.usecases.needs import (
    confirm_need,
    correct_need,
    needs_board,
    needs_of,
    question_for,
    state_need,
    withdraw_need,
)
from tests.builders import Clock, a_conversation, a_crm, a_customer, a_turn, answered
from tests.needs.builders import fake_tools


@pytest.fixture
def crm(store: Store, clock: Clock) -> Crm:
    return a_crm(store, clock, fake_tools())


def next_turn(crm: Crm, conversation: Conversation, done: Turn, text: str) -> Turn:
    talk.finish_turn(crm, done, [talk.Reply("and?")])
    return a_turn(crm, conversation, text)


def test_a_stated_need_is_kept_as_understood_with_the_customers_words(crm: Crm) -> None:
    customer = a_customer(crm)
    conversation = a_conversation(crm, customer)
    text = "I'm looking for an automatic turntable under 300 euro"
    understood = state_need(crm, a_turn(crm, conversation, text), text)
    (kept,) = needs_of(crm, customer)
    assert (kept.status, kept.provenance, kept.read.verbatim) == ("understood", "declared", text)
    assert kept.category == "turntable"
    assert kept.read.budget is not None
    assert (str(kept.read.budget.max), kept.read.budget.currency) == ("300", "EUR")
    assert understood.parts["summary"] == "turntable, automatic, under 300 euro"


def test_the_same_turn_run_again_keeps_one_need(crm: Crm) -> None:
    conversation = a_conversation(crm, a_customer(crm))
    turn = a_turn(crm, conversation, "I need a trumpet")
    first = state_need(crm, turn, "I need a trumpet")
    assert state_need(crm, turn, "I need a trumpet").need_id == first.need_id


def test_a_confirmed_need_is_open_and_certain(crm: Crm) -> None:
    conversation = a_conversation(crm, a_customer(crm))
    turn = a_turn(crm, conversation, "I need a trumpet")
    need = state_need(crm, turn, "I need a trumpet")
    confirmed = confirm_need(crm, next_turn(crm, conversation, turn, "yes"), need.need_id).need
    assert (confirmed.status, confirmed.read.confidence) == ("open", 1.0)
    assert confirmed.confirmed_at == crm.clock()


def test_a_correction_replaces_what_it_names_and_keeps_the_rest(crm: Crm) -> None:
    conversation = a_conversation(crm, a_customer(crm))
    text = "two trumpets by friday, about 200 euro"
    turn = a_turn(crm, conversation, text)
    need = state_need(crm, turn, text)
    turn = next_turn(crm, conversation, turn, "no, up to 350 euro")
    corrected = correct_need(crm, turn, need.need_id, "no, up to 350 euro").need.read
    again = correct_need(crm, turn, need.need_id, "no, up to 350 euro").need.read
    assert corrected.budget is not None
    assert (corrected.quantity, str(corrected.budget.max), corrected.budget.target) == (2, "350", None)
    assert corrected.timing is not None
    assert again == corrected


@pytest.mark.parametrize(("number", "budget", "pieces"), [(150, Decimal(150), None), (3, None, 3)])
def test_a_bare_number_to_a_need_without_a_budget_is_money_when_nobody_orders_so_many(
    number: int, budget: Decimal | None, pieces: int | None
) -> None:
    """\"A guitar for my son" and then "maybe 150"."""
    before = ReadNeed("a guitar", "guitar", 0.9, product="guitar")
    after = merged(before, ReadNeed(f"maybe {number}", NO_CATEGORY, 0.1, quantity=number))
    assert (after.budget and after.budget.target, after.quantity) == (budget, pieces)


def test_a_bare_number_corrects_the_budget_and_counts_nothing() -> None:
    """\"About 300 euros" and then "no, 400"."""
    before = ReadNeed("a guitar", "guitar", 0.9, budget=Budget("about 300 euros", target=Decimal(300)))
    after = merged(before, ReadNeed("no, 400", NO_CATEGORY, 0.1, quantity=400))
    assert (after.quantity, after.budget) == (None, Budget("400", target=Decimal(400)))
    up_to = replace(before, budget=Budget("up to 300", max=Decimal(300)))
    assert merged(up_to, ReadNeed("no, 400", NO_CATEGORY, 0.1, quantity=400)).budget == Budget(
        "400", max=Decimal(400)
    )
    several = replace(before, quantity=2)
    assert merged(several, ReadNeed("no, 3", NO_CATEGORY, 0.1, quantity=3)).quantity == 3


def test_a_withdrawn_need_takes_no_correction(crm: Crm) -> None:
    conversation = a_conversation(crm, a_customer(crm))
    turn = a_turn(crm, conversation, "I need a trumpet")
    need = state_need(crm, turn, "I need a trumpet")
    turn = next_turn(crm, conversation, turn, "forget it")
    assert withdraw_need(crm, turn, need.need_id).status == "withdrawn"
    with pytest.raises(NeedIsClosed):
        correct_need(crm, turn, need.need_id, "make it two")


def test_probes_are_at_most_two_and_none_whose_answer_is_known(crm: Crm) -> None:
    conversation = a_conversation(crm, a_customer(crm))
    text = "I want an automatic turntable"
    turn = a_turn(crm, conversation, text)
    need = state_need(crm, turn, text)
    asked = question_for(crm, turn, need.need_id)
    assert asked is not None
    assert asked.about == "budget"
    assert question_for(crm, turn, need.need_id) == asked  # The turn run again.
    turn = next_turn(crm, conversation, turn, "400")
    answered_need = correct_need(crm, turn, need.need_id, "400").need.read
    assert answered_need.budget is not None
    assert str(answered_need.budget.max or answered_need.budget.target) == "400"
    assert answered_need.category == "turntable"
    assert question_for(crm, turn, need.need_id) is None


def test_a_turn_that_lost_the_conversation_writes_no_need(crm: Crm) -> None:
    customer = a_customer(crm)
    conversation = a_conversation(crm, customer)
    turn = a_turn(crm, conversation, "I need a trumpet")
    talk.sign_out(crm, conversation.conversation_id)
    with pytest.raises(StaleTurn):
        state_need(crm, turn, "I need a trumpet")
    assert needs_of(crm, customer) == []


def test_another_customers_need_cannot_be_touched(crm: Crm) -> None:
    theirs = a_conversation(crm, a_customer(crm))
    need = state_need(crm, a_turn(crm, theirs, "I need a trumpet"), "I need a trumpet")
    mine = a_conversation(crm, a_customer(crm))
    turn = a_turn(crm, mine, "yes")
    for touch in (confirm_need, withdraw_need, question_for):
        with pytest.raises(UnknownNeed):
            touch(crm, turn, need.need_id)


def test_a_visitors_need_becomes_the_customers_when_he_is_known(crm: Crm) -> None:
    conversation = a_conversation(crm)
    state_need(crm, a_turn(crm, conversation, "I need a trumpet"), "I need a trumpet")
    customer = a_customer(crm)
    with crm.store.write() as tx:
        tx.needs.attach(conversation.conversation_id, customer)
    assert [n.category for n in needs_of(crm, customer)] == ["strings-and-wind"]


def test_a_newer_need_contradicts_an_older_one_with_another_attribute(crm: Crm) -> None:
    customer = a_customer(crm)
    conversation = a_conversation(crm, customer)
    turn = a_turn(crm, conversation, "I want an automatic turntable")
    old = state_need(crm, turn, "I want an automatic turntable")
    turn = next_turn(crm, conversation, turn, "yes")
    confirm_need(crm, turn, old.need_id)
    turn = next_turn(crm, conversation, turn, "I want a manual turntable")
    new = state_need(crm, turn, "I want a manual turntable")
    turn = next_turn(crm, conversation, turn, "yes")
    confirm_need(crm, turn, new.need_id)
    assert {n.need_id: n.status for n in needs_of(crm, customer)} == {
        old.need_id: "contradicted",
        new.need_id: "open",
    }


def test_the_board_counts_by_category_and_tier_and_shows_verbatims(crm: Crm) -> None:
    texts = {
        "MVC": ["I need a trumpet", "a trumpet please"],
        "core": ["I need a trumpet"],
        None: ["I need a turntable"],
    }
    for tier, said in texts.items():
        for text in said:
            conversation = a_conversation(crm, a_customer(crm, tier=tier))  # type: ignore[arg-type]
            state_need(crm, a_turn(crm, conversation, text), text)
    board = needs_board(crm, BoardFilter())
    assert board.total == 4
    assert {(c.category, c.tier): c.count for c in board.cells} == {
        ("strings-and-wind", "MVC"): 2,
        ("strings-and-wind", "core"): 1,
        ("turntable", "unknown"): 1,
    }
    assert needs_board(crm, BoardFilter(tier="MVC", text="PLEASE")).rows[0].verbatim == "a trumpet please"
    assert needs_board(crm, BoardFilter(text="%")).total == 0
    short = needs_board(crm, BoardFilter(verbatims_per_cell=1))
    assert (len(short.rows), short.total) == (3, 4)
    assert needs_board(crm, BoardFilter(until=crm.clock())).total == 0
    assert needs_board(crm, BoardFilter(status="met")).rows == ()


def test_silence_is_kept_apart_from_needs(crm: Crm) -> None:
    conversation = a_conversation(crm)
    answered(crm, conversation)
    understood = state_need(crm, a_turn(crm, conversation, "hmm"), "hmm")
    assert understood.need.category == "other"
