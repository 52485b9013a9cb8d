"""Asking for a person: from a turn, by the button, by value; in hours and out of them."""

from dataclasses import replace

import pytest

from crmcore.conversations import Reply, mark_values
from crmcore.crm import Crm
from crmcore.escalation import Handover, replay_escalation
from crmcore.store.database import Store
from crmcore.usecases import conversations as talk
from crmcore.usecases.decisions import replay_decisions
from crmcore.usecases.escalation import (
    keep_callback,
    open_callbacks,
    promise_callback,
    request_from_turn,
    request_person,
    waiting,
)
from crmcore.usecases.jobs import run_due_jobs
from tests.builders import (
    NIGHT,
    OPEN_HOURS,
    Clock,
    a_conversation,
    a_crm,
    a_customer,
    a_firm,
    a_message,
    a_staff_member,
    a_turn,
    answered,
    at_the_desk,
    client_id,
)
from tests.concurrency import at_once


def story(crm: Crm, conversation_id: str) -> list[str]:
    """Who spoke, and which marks the customer saw, in order."""
    log = talk.messages_after(crm, conversation_id, 0)
    return [m.kind if m.sender == "system" else m.sender for m in log]


def test_a_turn_that_asks_for_a_person_still_says_its_words_and_then_hands_over(crm_on_both: Crm) -> None:
    crm = crm_on_both
    a_staff_member(crm)
    conversation = a_conversation(crm)
    turn = a_turn(crm, conversation, "a person please")
    handover = request_from_turn(crm, turn, "request", "wants a person")
    assert handover == Handover("queue", position=1, wait_minutes=1, seq=1)
    assert talk.conversation(crm, conversation.conversation_id).owner_kind == "bot", (
        "handed over before the words"
    )
    talk.finish_turn(crm, turn, [Reply("I am getting somebody.")])
    assert talk.conversation(crm, conversation.conversation_id).owner_kind == "queue"
    assert story(crm, conversation.conversation_id) == ["customer", "bot", "mark:queued"]
    (entry,) = waiting(crm)
    assert (entry.customer.summary, entry.customer.cause) == ("wants a person", "request")


def test_asking_twice_in_one_turn_is_one_request_with_one_decision(crm: Crm) -> None:
    turn = a_turn(crm, a_conversation(crm))
    first = request_from_turn(crm, turn, "request")
    assert request_from_turn(crm, turn, "request") == first
    with crm.store.read() as tx:
        assert len(tx.escalations.of_conversation(turn.conversation_id)) == 1
        assert len(tx.decisions.page("", 10, None)) == 1


def test_a_failed_turn_still_hands_over_what_was_asked_for(crm: Crm) -> None:
    turn = a_turn(crm, a_conversation(crm))
    request_from_turn(crm, turn, "request")
    talk.fail_turn(crm, turn, "brain_slow", Reply("Sorry."))
    assert story(crm, turn.conversation_id) == ["customer", "bot", "mark:queued"]


def test_the_first_words_of_a_conversation_may_be_a_request_for_a_person(crm: Crm) -> None:
    """The customer gets a line, the workspace a row."""
    conversation = a_conversation(crm)
    assert request_person(crm, conversation.conversation_id).kind == "queue"
    (mark,) = talk.messages_after(crm, conversation.conversation_id, 0)
    assert (mark.kind, mark_values(mark)) == ("mark:queued", {"position": 1, "wait_minutes": None})
    assert [e.customer.conversation_id for e in waiting(crm)] == [conversation.conversation_id]


def test_asking_again_while_waiting_only_repeats_the_place(crm_on_both: Crm, clock: Clock) -> None:
    crm = crm_on_both
    request_person(crm, a_conversation(crm).conversation_id)
    clock.advance(seconds=1)
    conversation = a_conversation(crm)
    calls = [lambda: request_person(crm, conversation.conversation_id)] * 5
    answers = at_once(*calls)
    assert answers == [answers[0]] * 5
    assert isinstance(answers[0], Handover)
    assert answers[0].position == 2
    assert story(crm, conversation.conversation_id) == ["mark:queued"]
    with crm.store.read() as tx:
        assert len(tx.escalations.of_conversation(conversation.conversation_id)) == 1


def test_asking_while_a_person_is_there_names_him(crm: Crm) -> None:
    conversation, anna = a_conversation(crm), a_staff_member(crm, "Anna Berg")
    talk.claim(crm, conversation.conversation_id, anna.staff_id)
    handover = request_person(crm, conversation.conversation_id)
    assert (handover.kind, handover.name) == ("account_manager", "Anna Berg")


def test_the_button_works_in_the_middle_of_a_turn_and_in_a_closed_conversation(crm: Crm) -> None:
    busy = a_conversation(crm)
    a_turn(crm, busy)
    assert request_person(crm, busy.conversation_id).kind == "queue"
    closed = a_conversation(crm)
    talk.sign_out(crm, closed.conversation_id)
    assert request_person(crm, closed.conversation_id).kind == "queue"


def test_a_customer_gets_his_own_account_manager_when_she_is_there(crm: Crm) -> None:
    anna = a_staff_member(crm, "Anna Berg", capacity=1)
    ken, ida = (a_customer(crm, name, manager=anna) for name in ("Ken Ito", "Ida Moe"))
    first, second = a_conversation(crm, ken), a_conversation(crm, ida)
    handover = request_person(crm, first.conversation_id)
    assert (handover.kind, handover.name) == ("account_manager", "Anna Berg")
    assert story(crm, first.conversation_id) == ["mark:assigned"]
    assert request_person(crm, second.conversation_id).kind == "queue", "she got more than she can hold"


@pytest.mark.parametrize(("on_duty", "present"), [(False, True), (True, False)])
def test_nobody_is_given_to_an_account_manager_who_is_not_there(
    crm: Crm, on_duty: bool, present: bool
) -> None:
    anna = a_staff_member(crm, on_duty=on_duty, present=present)
    conversation = a_conversation(crm, a_customer(crm, manager=anna))
    assert request_person(crm, conversation.conversation_id).kind == "queue"


def test_her_first_word_joins_the_conversation_that_was_assigned_to_her(crm: Crm) -> None:
    anna = a_staff_member(crm)
    conversation = a_conversation(crm, a_customer(crm, manager=anna))
    seen = request_person(crm, conversation.conversation_id).seq
    talk.say_as_person(crm, conversation.conversation_id, anna.staff_id, client_id(), "Hello.", seen)
    assert story(crm, conversation.conversation_id) == ["mark:assigned", "mark:joined", "account_manager"]


def test_an_assigned_conversation_that_she_never_opens_goes_to_the_queue(crm: Crm, clock: Clock) -> None:
    anna = a_staff_member(crm)
    conversation = a_conversation(crm, a_customer(crm, manager=anna))
    request_person(crm, conversation.conversation_id)
    clock.advance(minutes=crm.firm.routing.return_after_minutes)
    run_due_jobs(crm, "worker")
    assert story(crm, conversation.conversation_id) == ["mark:assigned", "mark:requeued"]
    (entry,) = waiting(crm)
    assert entry.waited_minutes == crm.firm.routing.return_after_minutes, "his waiting began anew"


@pytest.mark.parametrize(("tier", "kind"), [("MVC", "queue"), ("core", "none"), ("BZ", "none")])
def test_a_complaint_of_a_most_valuable_customer_gets_a_person_unasked(
    crm: Crm, tier: str, kind: str
) -> None:
    conversation = a_conversation(crm, a_customer(crm, tier=tier))  # type: ignore[arg-type]
    with crm.store.write() as tx:
        tx.conversations.set_open_case(conversation.conversation_id, "complaint")
    turn = a_turn(crm, conversation, "this is a disgrace")
    assert request_from_turn(crm, turn, "value").kind == kind


def test_a_value_past_its_limit_decides_nothing(crm: Crm, clock: Clock) -> None:
    customer_id = a_customer(crm, tier="MVC")
    clock.advance(days=crm.firm.value.stale_after_days + 7)  # Again a Wednesday.
    conversation = a_conversation(crm, customer_id)
    with crm.store.write() as tx:
        tx.conversations.set_open_case(conversation.conversation_id, "complaint")
    turn = a_turn(crm, conversation)
    assert request_from_turn(crm, turn, "value").kind == "none"
    assert request_from_turn(crm, turn, "request").kind != "none"


def test_every_decision_is_on_record_with_its_inputs_and_replays(crm: Crm) -> None:
    anna = a_staff_member(crm)
    conversation = a_conversation(crm, a_customer(crm, manager=anna, tier="MVC"))
    request_person(crm, conversation.conversation_id)
    talk.claim(crm, a_conversation(crm).conversation_id, anna.staff_id)
    with crm.store.read() as tx:
        decisions = tx.decisions.page("", 10, None)
    assert sorted(d.outcome for d in decisions) == [f"account_manager:{anna.staff_id}"] * 2
    assert all(d.reasons and d.model_version for d in decisions)
    assert [replay_escalation(d.inputs) for d in decisions] == [d.outcome for d in decisions]
    assert replay_decisions(crm.store).differences == ()


def test_the_expected_wait_counts_who_is_on_duty_and_what_they_hold(crm: Crm, clock: Clock) -> None:
    anna = a_staff_member(crm, capacity=2)
    talk.claim(crm, a_conversation(crm).conversation_id, anna.staff_id)
    places = []
    for _ in range(3):
        clock.advance(seconds=1)
        places.append(request_person(crm, a_conversation(crm).conversation_id))
    assert [p.wait_minutes for p in places] == [1, 6, 12]
    assert [p.position for p in places] == [1, 2, 3]


# --- outside opening hours ----------------------------------------------------------------------


@pytest.fixture
def at_night(clock: Clock) -> Clock:
    clock.now = NIGHT
    return clock


def test_at_night_a_call_back_is_promised_and_the_assistant_stays(crm: Crm, at_night: Clock) -> None:
    conversation = a_conversation(crm)
    handover = request_person(crm, conversation.conversation_id)
    opens = crm.firm.hours.next_opening(NIGHT)
    assert (handover.kind, handover.opens_at) == ("callback", opens)
    assert talk.conversation(crm, conversation.conversation_id).owner_kind == "bot"
    (mark,) = talk.messages_after(crm, conversation.conversation_id, 0)
    assert opens is not None
    assert mark_values(mark) == {"opens_at": opens.isoformat()}
    (callback,) = open_callbacks(crm)
    assert callback.promised_by > opens


def test_at_night_somebody_who_is_on_duty_all_the_same_may_take_it(crm: Crm, at_night: Clock) -> None:
    conversation = a_conversation(crm)
    request_person(crm, conversation.conversation_id)
    a_staff_member(crm)
    assert request_person(crm, conversation.conversation_id).kind == "queue"
    assert talk.conversation(crm, conversation.conversation_id).owner_kind == "queue"


def test_at_night_a_customer_waits_as_long_as_somebody_is_on_duty(crm: Crm, at_night: Clock) -> None:
    conversation, anna = a_conversation(crm), a_staff_member(crm)
    assert request_person(crm, conversation.conversation_id).kind == "queue"
    for _ in range(3):
        run_due_jobs(crm, "worker")
        assert story(crm, conversation.conversation_id) == ["mark:queued"]
        at_night.advance(minutes=2)
        at_the_desk(crm, anna)
    at_night.advance(minutes=2)  # Her workspace is not heard of any more.
    run_due_jobs(crm, "worker")
    assert story(crm, conversation.conversation_id) == ["mark:queued", "mark:callback", "mark:bot"]


def test_who_waits_from_the_night_into_the_morning_keeps_his_place(crm: Crm, at_night: Clock) -> None:
    conversation = a_conversation(crm)
    a_staff_member(crm)
    request_person(crm, conversation.conversation_id)
    run_due_jobs(crm, "worker")
    at_night.advance(hours=12)  # Open, and she has gone home.
    run_due_jobs(crm, "worker")
    assert story(crm, conversation.conversation_id) == ["mark:queued"]
    at_night.advance(hours=12)
    run_due_jobs(crm, "worker")
    assert story(crm, conversation.conversation_id) == ["mark:queued", "mark:callback", "mark:bot"]


def test_at_night_a_second_request_makes_no_second_promise(crm: Crm, at_night: Clock) -> None:
    conversation = a_conversation(crm)
    first = request_person(crm, conversation.conversation_id)
    assert request_person(crm, conversation.conversation_id) == first
    turn = a_turn(crm, conversation, "a person!")
    assert request_from_turn(crm, turn, "request").kind == "callback"
    talk.finish_turn(crm, turn, [Reply("We open at nine.")])
    assert len(open_callbacks(crm)) == 1
    assert story(crm, conversation.conversation_id) == ["mark:callback", "customer", "bot"]


def test_the_customer_says_where_and_when_and_the_promise_is_completed(crm: Crm, at_night: Clock) -> None:
    conversation = a_conversation(crm)
    turn = a_turn(crm, conversation, "a person")
    request_from_turn(crm, turn, "request")
    for _ in range(2):  # A turn that is run again changes nothing twice.
        callback = promise_callback(crm, turn, "+353 1 555 0100", "tomorrow after lunch")
    assert open_callbacks(crm) == [callback]
    assert (callback.contact, callback.preferred_at) == ("+353 1 555 0100", "tomorrow after lunch")


def test_a_promise_that_nobody_keeps_is_overdue_and_counted(crm: Crm, at_night: Clock) -> None:
    request_person(crm, a_conversation(crm).conversation_id)
    (callback,) = open_callbacks(crm)
    at_night.now = callback.promised_by
    run_due_jobs(crm, "worker")
    assert open_callbacks(crm)[0].status == "overdue"
    assert talk.counters(crm).overdue_callbacks == 1
    assert talk.counters(crm).incidents["callback_overdue"] == 1


def test_a_promise_is_kept_once_and_ends_the_escalation(crm: Crm, at_night: Clock) -> None:
    conversation, anna = a_conversation(crm), a_staff_member(crm, on_duty=False)
    request_person(crm, conversation.conversation_id)
    (callback,) = open_callbacks(crm)
    assert keep_callback(crm, callback.callback_id, anna.staff_id)
    assert not keep_callback(crm, callback.callback_id, anna.staff_id)
    assert not keep_callback(crm, "cb_none", anna.staff_id)
    with crm.store.read() as tx:
        assert tx.escalations.open_of(conversation.conversation_id) is None
    assert request_person(crm, conversation.conversation_id).kind == "callback", "asking works only once"


def test_answering_in_the_chat_keeps_a_promise_that_named_no_other_place(crm: Crm, at_night: Clock) -> None:
    conversation, anna = a_conversation(crm), a_staff_member(crm, on_duty=False)
    request_person(crm, conversation.conversation_id)
    at_night.advance(hours=12)
    seen = talk.claim(crm, conversation.conversation_id, anna.staff_id).last_seq
    talk.say_as_person(crm, conversation.conversation_id, anna.staff_id, "c-1", "Good morning.", seen)
    assert open_callbacks(crm) == []


def test_whoever_still_waits_when_the_firm_closes_is_promised_a_call_back(crm: Crm, clock: Clock) -> None:
    clock.now = OPEN_HOURS.replace(hour=17, minute=50)
    conversation, other = a_conversation(crm), a_conversation(crm)
    a_turn(crm, conversation, "an early question")  # Its turn is overtaken by the button.
    request_person(crm, conversation.conversation_id)
    a_message(crm, conversation, "are you there?")
    request_person(crm, other.conversation_id)
    anna = a_staff_member(crm)
    talk.claim(crm, other.conversation_id, anna.staff_id)
    clock.advance(minutes=9)
    run_due_jobs(crm, "worker")
    assert len(waiting(crm)) == 1
    clock.advance(minutes=1)
    run_due_jobs(crm, "worker")
    assert waiting(crm) == []
    assert story(crm, conversation.conversation_id)[-2:] == ["mark:callback", "mark:bot"]
    assert [c.conversation_id for c in open_callbacks(crm)] == [conversation.conversation_id]
    asked = []
    while (turn := talk.next_turn(crm, conversation.conversation_id, "test")) is not None:
        asked.append(turn.text)
        talk.finish_turn(crm, turn, [Reply("An answer.")])
    assert asked == ["an early question", "are you there?"]
    assert talk.conversation(crm, other.conversation_id).owner_id == anna.staff_id


def test_a_short_break_costs_nobody_his_place_in_the_queue(sqlite_store: Store, clock: Clock) -> None:
    week = a_firm().opening_hours.model_copy(update={"wednesday": ("09:00-12:00", "13:00-18:00")})
    firm = a_firm().model_copy(update={"opening_hours": week})
    firm.__dict__.pop("hours", None)
    crm = replace(a_crm(sqlite_store, clock), firm=firm)
    assert not crm.firm.is_open(OPEN_HOURS.replace(hour=12, minute=30))
    request_person(crm, a_conversation(crm).conversation_id)
    clock.now = OPEN_HOURS.replace(hour=12, minute=30)
    run_due_jobs(crm, "worker")
    assert len(waiting(crm)) == 1
    clock.now = OPEN_HOURS.replace(hour=18)
    run_due_jobs(crm, "worker")
    assert waiting(crm) == []


def test_in_the_morning_the_same_customer_may_queue(crm: Crm, at_night: Clock) -> None:
    conversation = a_conversation(crm)
    request_person(crm, conversation.conversation_id)
    at_night.advance(hours=12)
    assert request_person(crm, conversation.conversation_id).kind == "queue"


def test_a_conversation_that_went_back_to_the_bot_can_be_handed_over_again(crm: Crm) -> None:
    conversation, anna = a_conversation(crm), a_staff_member(crm)
    for _ in range(3):
        at_the_desk(crm, anna)
        answered(crm, conversation)
        a_message(crm, conversation, "person")
        assert request_person(crm, conversation.conversation_id).kind == "queue"
        seen = talk.claim(crm, conversation.conversation_id, anna.staff_id).last_seq
        talk.say_as_person(crm, conversation.conversation_id, anna.staff_id, client_id(), "Hello.", seen)
        talk.give_back(crm, conversation.conversation_id, anna.staff_id)
