"""The account manager's side: claim, speak, give back, close, drafts, silence."""

import pytest

from crmcore.conversations import (
    AlreadyClaimed,
    Conversation,
    Message,
    NotTheOwner,
    Reply,
    StaleReply,
    mark_values,
)
from crmcore.crm import Crm
from crmcore.staff import StaffMember, UnknownStaff
from crmcore.store.database import Store
from crmcore.usecases import conversations as talk
from crmcore.usecases.escalation import request_person
from crmcore.usecases.jobs import run_due_jobs
from tests.builders import (
    Clock,
    a_conversation,
    a_crm,
    a_message,
    a_staff_member,
    a_turn,
    answered,
    client_id,
)
from tests.concurrency import at_once


def marks(crm: Crm, conversation: Conversation) -> list[str]:
    return [m.kind for m in talk.messages_after(crm, conversation.conversation_id, 0) if m.sender == "system"]


def say(crm: Crm, conversation: Conversation, member: StaffMember, text: str = "Good morning.") -> Message:
    seen = talk.conversation(crm, conversation.conversation_id).last_seq
    return talk.say_as_person(crm, conversation.conversation_id, member.staff_id, client_id(), text, seen)


def test_of_two_who_claim_at_once_one_wins_and_the_other_is_told_who(crm_on_both: Crm) -> None:
    anna, tom = a_staff_member(crm_on_both, "Anna Berg"), a_staff_member(crm_on_both, "Tom Reed")
    for _ in range(10):
        conversation = a_conversation(crm_on_both)
        request_person(crm_on_both, conversation.conversation_id)
        results = at_once(
            *[
                lambda m=m, c=conversation: talk.claim(crm_on_both, c.conversation_id, m.staff_id)
                for m in (anna, tom)
            ]
        )
        won = [r for r in results if isinstance(r, Conversation)]
        lost = [r for r in results if isinstance(r, AlreadyClaimed)]
        assert (len(won), len(lost)) == (1, 1)
        assert lost[0].winner_id == won[0].owner_id
        assert lost[0].winner in ("Anna Berg", "Tom Reed")
        assert marks(crm_on_both, conversation).count("mark:joined") == 1


def test_claiming_what_one_has_changes_nothing(crm: Crm) -> None:
    conversation, anna = a_conversation(crm), a_staff_member(crm)
    first = talk.claim(crm, conversation.conversation_id, anna.staff_id)
    assert talk.claim(crm, conversation.conversation_id, anna.staff_id) == first
    assert marks(crm, conversation) == ["mark:joined"]


def test_the_customer_sees_by_name_who_joined_and_who_left(crm: Crm) -> None:
    conversation, anna = a_conversation(crm), a_staff_member(crm, "Anna Berg")
    talk.claim(crm, conversation.conversation_id, anna.staff_id)
    said = say(crm, conversation, anna)
    talk.give_back(crm, conversation.conversation_id, anna.staff_id)
    log = talk.messages_after(crm, conversation.conversation_id, 0)
    assert [(m.kind, mark_values(m).get("name")) for m in log if m.sender == "system"] == [
        ("mark:joined", "Anna Berg"),
        ("mark:left", "Anna Berg"),
    ]
    assert (said.sender, said.sender_name, said.sender_id) == ("account_manager", "Anna Berg", anna.staff_id)


def test_only_the_owner_speaks_gives_back_closes_and_drafts(crm: Crm) -> None:
    conversation, anna, tom = a_conversation(crm), a_staff_member(crm), a_staff_member(crm, "Tom Reed")
    talk.claim(crm, conversation.conversation_id, anna.staff_id)
    cid = conversation.conversation_id
    for act in (
        lambda: say(crm, conversation, tom),
        lambda: talk.give_back(crm, cid, tom.staff_id),
        lambda: talk.close(crm, cid, tom.staff_id),
        lambda: talk.save_draft(crm, cid, tom.staff_id, "words"),
    ):
        with pytest.raises(NotTheOwner):
            act()


def test_somebody_who_does_not_work_here_claims_nothing(crm: Crm) -> None:
    with pytest.raises(UnknownStaff):
        talk.claim(crm, a_conversation(crm).conversation_id, "stf_none")


def test_a_reply_written_before_the_customers_last_words_is_refused_with_them(crm: Crm) -> None:
    conversation, anna = a_conversation(crm), a_staff_member(crm)
    seen = talk.claim(crm, conversation.conversation_id, anna.staff_id).last_seq
    a_message(crm, conversation, "wait, the other order")
    with pytest.raises(StaleReply) as refused:
        talk.say_as_person(
            crm, conversation.conversation_id, anna.staff_id, "c-1", "Your order is here.", seen
        )
    assert [m.text for m in refused.value.missed] == ["wait, the other order"]
    assert talk.say_as_person(crm, conversation.conversation_id, anna.staff_id, "c-1", "I see.", seen + 1).seq


def test_a_repeated_reply_is_said_once(crm: Crm) -> None:
    conversation, anna = a_conversation(crm), a_staff_member(crm)
    seen = talk.claim(crm, conversation.conversation_id, anna.staff_id).last_seq
    cid = conversation.conversation_id
    first, second = (talk.say_as_person(crm, cid, anna.staff_id, "c-1", "Hello.", seen) for _ in range(2))
    assert first == second


def test_a_person_takes_over_from_the_bot_in_the_middle_of_its_turn(crm: Crm) -> None:
    conversation, anna = a_conversation(crm), a_staff_member(crm)
    a_turn(crm, conversation, "I have a question")
    after = talk.claim(crm, conversation.conversation_id, anna.staff_id)
    assert after.owner_id == anna.staff_id
    assert talk.messages_after(crm, conversation.conversation_id, 0)[0].state == "dropped"
    assert talk.unfinished(crm) == []


def test_three_round_trips_in_one_conversation(crm: Crm) -> None:
    conversation, anna = a_conversation(crm), a_staff_member(crm)
    cid = conversation.conversation_id
    for trip in range(3):
        answered(crm, conversation, "hello", f"bot {trip}")
        assert request_person(crm, cid).kind == "queue"
        talk.claim(crm, cid, anna.staff_id)
        say(crm, conversation, anna, f"person {trip}")
        back = talk.give_back(crm, cid, anna.staff_id)
        assert (back.owner_kind, back.brain_notice) == ("bot", "given_back")
    answered(crm, conversation, "hello", "bot 3")
    assert marks(crm, conversation) == ["mark:queued", "mark:joined", "mark:left"] * 3
    spoken = [m.text for m in talk.messages_after(crm, cid, 0) if m.sender in ("bot", "account_manager")]
    assert spoken == ["bot 0", "person 0", "bot 1", "person 1", "bot 2", "person 2", "bot 3"]


def test_what_the_person_left_unanswered_is_the_bots_to_answer(crm: Crm) -> None:
    conversation, anna = a_conversation(crm), a_staff_member(crm)
    cid = conversation.conversation_id
    a_message(crm, conversation, "asked the bot")  # Dropped by the claim, and never answered.
    talk.claim(crm, cid, anna.staff_id)
    a_message(crm, conversation, "asked the person")
    talk.give_back(crm, cid, anna.staff_id)
    asked = []
    while (turn := talk.next_turn(crm, cid, "test")) is not None:
        asked.append(turn.text)
        talk.finish_turn(crm, turn, [Reply("An answer.")])
    assert asked == ["asked the bot", "asked the person"]
    assert talk.counters(crm).lost == 0


def test_what_the_person_did_answer_is_not_asked_again(crm: Crm) -> None:
    conversation, anna = a_conversation(crm), a_staff_member(crm)
    a_message(crm, conversation)
    talk.claim(crm, conversation.conversation_id, anna.staff_id)
    say(crm, conversation, anna)
    talk.give_back(crm, conversation.conversation_id, anna.staff_id)
    assert talk.next_turn(crm, conversation.conversation_id, "test") is None


def test_a_draft_survives_a_restart_and_is_spent_when_it_is_sent(crm: Crm, clock: Clock) -> None:
    conversation, anna = a_conversation(crm), a_staff_member(crm)
    cid = conversation.conversation_id
    talk.claim(crm, cid, anna.staff_id)
    talk.save_draft(crm, cid, anna.staff_id, "Dear Ken, I have")
    restarted = Store(crm.store.url)
    assert talk.draft(a_crm(restarted, clock), cid, anna.staff_id) == "Dear Ken, I have"
    restarted.dispose()
    say(crm, conversation, anna)
    assert talk.draft(crm, cid, anna.staff_id) == ""


def test_an_account_manager_who_stays_silent_loses_the_conversation_to_the_queue(
    crm: Crm, clock: Clock
) -> None:
    conversation, anna = a_conversation(crm), a_staff_member(crm, "Anna Berg")
    cid = conversation.conversation_id
    talk.claim(crm, cid, anna.staff_id)
    say(crm, conversation, anna)
    a_message(crm, conversation, "are you there?")
    clock.advance(minutes=crm.firm.routing.return_after_minutes - 1)
    run_due_jobs(crm, "worker")
    assert talk.conversation(crm, cid).owner_id == anna.staff_id
    clock.advance(minutes=2)
    run_due_jobs(crm, "worker")
    assert talk.conversation(crm, cid).owner_kind == "queue"
    last = talk.messages_after(crm, cid, 0)[-1]
    assert (last.kind, mark_values(last)["name"]) == ("mark:requeued", "Anna Berg")
    assert talk.counters(crm).queue_length == 1
    assert talk.claim(crm, cid, a_staff_member(crm, "Tom Reed").staff_id).owner_kind == "account_manager"


def test_an_account_manager_who_answered_keeps_it_while_the_customer_thinks(crm: Crm, clock: Clock) -> None:
    conversation, anna = a_conversation(crm), a_staff_member(crm)
    talk.claim(crm, conversation.conversation_id, anna.staff_id)
    a_message(crm, conversation)
    say(crm, conversation, anna, "Which order do you mean?")
    clock.advance(hours=2)
    run_due_jobs(crm, "worker")
    assert talk.conversation(crm, conversation.conversation_id).owner_id == anna.staff_id
    a_message(crm, conversation, "the second one")
    clock.advance(minutes=crm.firm.routing.return_after_minutes)
    run_due_jobs(crm, "worker")
    assert talk.conversation(crm, conversation.conversation_id).owner_kind == "queue"
