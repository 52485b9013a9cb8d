"""The bot's turns: one at a time, answered once, dropped when they lost their right, recovered."""

from dataclasses import replace
from functools import partial

import pytest

from crmcore.conversations import BRAIN_SESSION_TURNS, TURN_LEASE, LeasedTurn, Reply, StaleTurn, Turn
from crmcore.crm import Crm
from crmcore.usecases import conversations as talk
from crmcore.usecases.escalation import request_from_turn
from crmcore.usecases.turns import EmptyAnswer
from tests.builders import Clock, a_conversation, a_message, a_staff_member, a_turn, answered
from tests.concurrency import at_once


def texts(crm: Crm, conversation_id: str) -> list[tuple[str, str]]:
    log = talk.messages_after(crm, conversation_id, 0)
    return [(m.sender, m.text) for m in log if m.kind == "text"]


def test_a_turn_carries_what_the_brain_must_be_asked(crm: Crm) -> None:
    conversation = a_conversation(crm)
    turn = a_turn(crm, conversation, "where is my order")
    assert (turn.text, turn.payload, turn.language) == ("where is my order", None, "en")
    assert turn.brain_sender == f"{conversation.conversation_id}.0"
    assert (turn.brain_notice, turn.bot_turns, turn.attempt) == (None, 0, 1)


def test_messages_are_answered_in_their_order_and_one_at_a_time(crm: Crm) -> None:
    conversation = a_conversation(crm)
    for words in ("first", "second"):
        a_message(crm, conversation, words)
    turn = talk.next_turn(crm, conversation.conversation_id, "test")
    assert turn is not None
    assert turn.text == "first"
    assert talk.next_turn(crm, conversation.conversation_id, "test") is None, "two turns at the same time"
    talk.finish_turn(crm, turn, [Reply("one")])
    following = talk.next_turn(crm, conversation.conversation_id, "test")
    assert following is not None
    assert following.text == "second"


def test_of_many_processes_one_gets_the_turn(crm_on_both: Crm) -> None:
    conversation = a_conversation(crm_on_both)
    a_message(crm_on_both, conversation)
    calls = [lambda n=n: talk.next_turn(crm_on_both, conversation.conversation_id, f"p{n}") for n in range(6)]
    taken = at_once(*calls)
    assert sum(isinstance(turn, LeasedTurn) for turn in taken) == 1
    assert sum(turn is None for turn in taken) == 5


def test_a_reply_and_a_claim_at_the_same_moment_leave_one_of_two_clean_stories(crm_on_both: Crm) -> None:
    anna = a_staff_member(crm_on_both)
    for _ in range(10):
        conversation = a_conversation(crm_on_both)
        turn = a_turn(crm_on_both, conversation)
        said, claimed = at_once(
            partial(talk.finish_turn, crm_on_both, turn, [Reply("words of the bot")]),
            partial(talk.claim, crm_on_both, conversation.conversation_id, anna.staff_id),
        )
        assert not isinstance(claimed, Exception)
        log = talk.messages_after(crm_on_both, conversation.conversation_id, 0)
        spoke = [m.seq for m in log if m.sender == "bot"]
        joined = next(m.seq for m in log if m.kind == "mark:joined")
        assert spoke == ([] if isinstance(said, StaleTurn) else [joined - 1]), (
            "the bot talked over the person"
        )


def test_a_reply_that_comes_after_a_person_joined_is_dropped(crm: Crm) -> None:
    conversation = a_conversation(crm)
    turn = a_turn(crm, conversation)
    talk.claim(crm, conversation.conversation_id, a_staff_member(crm).staff_id)
    with pytest.raises(StaleTurn, match="epoch"):
        talk.finish_turn(crm, turn, [Reply("too late")])
    assert texts(crm, conversation.conversation_id) == [("customer", "hello")]


def test_a_reply_that_comes_after_the_person_gave_back_is_still_dropped(crm: Crm) -> None:
    """The bot owns the conversation again, but not under the epoch in which this turn began."""
    conversation = a_conversation(crm)
    turn = a_turn(crm, conversation)
    anna = a_staff_member(crm)
    talk.claim(crm, conversation.conversation_id, anna.staff_id)
    talk.give_back(crm, conversation.conversation_id, anna.staff_id)
    with pytest.raises(StaleTurn):
        talk.finish_turn(crm, turn, [Reply("too late")])


def test_an_actions_write_is_refused_as_its_reply_would_be(crm: Crm) -> None:
    conversation = a_conversation(crm)
    turn = a_turn(crm, conversation)
    talk.claim(crm, conversation.conversation_id, a_staff_member(crm).staff_id)
    with pytest.raises(StaleTurn):
        request_from_turn(crm, turn, "request")
    with pytest.raises(StaleTurn):
        talk.note_not_understood(crm, turn)


def test_an_action_cannot_write_for_a_message_of_another_conversation(crm: Crm) -> None:
    mine, other = a_turn(crm, a_conversation(crm)), a_turn(crm, a_conversation(crm))
    forged = Turn(mine.conversation_id, other.message_id, mine.epoch)
    with pytest.raises(StaleTurn, match="not a customer's message of this conversation"):
        talk.note_not_understood(crm, forged)


def test_a_turn_ends_once(crm: Crm) -> None:
    conversation = a_conversation(crm)
    turn = a_turn(crm, conversation)
    talk.finish_turn(crm, turn, [Reply("one")])
    with pytest.raises(StaleTurn, match="done"):
        talk.finish_turn(crm, turn, [Reply("two")])
    with pytest.raises(StaleTurn, match="done"):
        talk.fail_turn(crm, turn, "brain_slow", Reply("three"))
    assert texts(crm, conversation.conversation_id) == [("customer", "hello"), ("bot", "one")]


def test_a_turn_without_words_is_a_failure_and_not_an_answer(crm: Crm) -> None:
    conversation = a_conversation(crm)
    turn = a_turn(crm, conversation)
    for nothing in ([], [Reply(" ")]):
        with pytest.raises(EmptyAnswer, match="fail_turn"):
            talk.finish_turn(crm, turn, nothing)
    assert talk.fail_turn(crm, turn, "empty_turn", Reply("Sorry, that did not work.")) != []


def test_a_failed_turn_says_one_apology_counts_it_and_empties_the_brains_memory(crm: Crm) -> None:
    conversation = a_conversation(crm)
    talk.fail_turn(crm, a_turn(crm, conversation), "brain_down", Reply("Sorry.", (("A person", "/person"),)))
    assert texts(crm, conversation.conversation_id) == [("customer", "hello"), ("bot", "Sorry.")]
    assert talk.counters(crm).incidents == {"brain_down": 1}
    following = a_turn(crm, conversation, "again")
    assert following.brain_sender == f"{conversation.conversation_id}.1"
    assert following.brain_notice == "interrupted"


def test_a_failure_is_counted_even_when_its_apology_is_dropped(crm: Crm) -> None:
    conversation = a_conversation(crm)
    turn = a_turn(crm, conversation)
    talk.claim(crm, conversation.conversation_id, a_staff_member(crm).staff_id)
    with pytest.raises(StaleTurn):
        talk.fail_turn(crm, turn, "brain_slow", Reply("Sorry."))
    assert talk.counters(crm).incidents == {"brain_slow": 1}


def test_a_message_whose_process_died_is_answered_by_the_next_one_in_a_fresh_session(
    crm: Crm, clock: Clock
) -> None:
    conversation = a_conversation(crm)
    dead = a_turn(crm, conversation)
    assert talk.unfinished(crm) == [], "the lease of a living process was ignored"
    clock.advance(seconds=TURN_LEASE.total_seconds())
    assert talk.unfinished(crm) == [conversation.conversation_id]
    turn = talk.next_turn(crm, conversation.conversation_id, "another process")
    assert turn is not None
    assert (turn.message_id, turn.attempt, turn.brain_notice) == (dead.message_id, 2, "interrupted")
    assert turn.brain_sender != dead.brain_sender
    talk.finish_turn(crm, turn, [Reply("answered")])
    with pytest.raises(StaleTurn):
        talk.finish_turn(crm, dead, [Reply("from the grave")])
    assert texts(crm, conversation.conversation_id)[1:] == [("bot", "answered")]


def test_a_process_that_only_hung_may_answer_first_and_frees_the_way_for_the_other(
    crm: Crm, clock: Clock
) -> None:
    conversation = a_conversation(crm)
    hung = a_turn(crm, conversation)
    clock.advance(seconds=TURN_LEASE.total_seconds())
    second = talk.next_turn(crm, conversation.conversation_id, "another process")
    assert second is not None
    talk.finish_turn(crm, hung, [Reply("late, but first")])
    with pytest.raises(StaleTurn):
        talk.finish_turn(crm, second, [Reply("second")])
    a_message(crm, conversation, "next")
    assert talk.next_turn(crm, conversation.conversation_id, "any") is not None, "the lease was left behind"


def test_a_turn_given_up_in_good_order_is_taken_at_once_as_after_a_crash(crm: Crm) -> None:
    conversation = a_conversation(crm)
    turn = a_turn(crm, conversation)
    talk.abandon_turn(crm, turn)
    again = talk.next_turn(crm, conversation.conversation_id, "another process")
    assert again is not None
    assert (again.message_id, again.attempt) == (turn.message_id, 2)


def test_the_bot_starts_nothing_in_a_conversation_that_is_not_its_own(crm: Crm) -> None:
    conversation = a_conversation(crm)
    a_message(crm, conversation)
    talk.claim(crm, conversation.conversation_id, a_staff_member(crm).staff_id)
    assert talk.next_turn(crm, conversation.conversation_id, "test") is None


def test_the_brains_memory_is_bounded_by_turns(crm: Crm) -> None:
    conversation = a_conversation(crm)
    for _ in range(BRAIN_SESSION_TURNS - 1):
        answered(crm, conversation)
    turn = a_turn(crm, conversation)
    assert talk.session_is_full(turn)
    assert not talk.session_is_full(replace(turn, bot_turns=turn.bot_turns - 1))
    talk.finish_turn(crm, turn, [Reply("hello")], new_session=True)
    following = a_turn(crm, conversation)
    assert (following.brain_sender, following.bot_turns) == (f"{conversation.conversation_id}.1", 0)
    assert following.brain_notice is None


def test_misunderstandings_in_a_row_are_counted_until_one_is_understood(crm: Crm) -> None:
    conversation = a_conversation(crm)
    for expected in (1, 2):
        turn = a_turn(crm, conversation)
        assert talk.note_not_understood(crm, turn) == expected
        talk.finish_turn(crm, turn, [Reply("Sorry?")])
    turn = a_turn(crm, conversation)
    talk.note_understood(crm, turn)
    assert talk.note_not_understood(crm, turn) == 1
