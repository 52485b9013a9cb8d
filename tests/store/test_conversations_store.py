"""The contract of conversations, messages, drafts and incidents, on each database."""

from dataclasses import replace
from datetime import timedelta

import pytest

from crmcore import conversations as transfers
from crmcore.conversations import Button, Conversation
from crmcore.crm import Crm
from crmcore.store.conversations import AnotherCustomer
from crmcore.store.messages import NewMessage
from crmcore.usecases import conversations as talk
from tests.builders import OPEN_HOURS, a_conversation, a_customer, a_message, a_staff_member, client_id
from tests.concurrency import at_once


def a_new_message(conversation: Conversation, seq: int) -> NewMessage:
    return NewMessage(conversation.conversation_id, seq, client_id(), "customer", "hello", 0, OPEN_HOURS)


def test_a_conversation_comes_back_as_it_was_stored(crm_on_both: Crm) -> None:
    conversation = a_conversation(crm_on_both)
    with crm_on_both.store.read() as tx:
        assert tx.conversations.get(conversation.conversation_id) == conversation


def test_of_two_changes_of_owner_from_the_same_epoch_one_is_written(crm_on_both: Crm) -> None:
    before = a_conversation(crm_on_both)

    def close() -> bool:
        with crm_on_both.store.write() as tx:
            return tx.conversations.change_owner(before, transfers.close(before, OPEN_HOURS))

    assert sorted(map(bool, at_once(close, close, close, close))) == [False, False, False, True]


def test_sequence_numbers_have_no_gap_under_many_writers(crm_on_both: Crm) -> None:
    conversation = a_conversation(crm_on_both)

    def write_some() -> None:
        for _ in range(5):
            a_message(crm_on_both, conversation)

    assert at_once(*[write_some] * 8) == [None] * 8
    log = talk.messages_after(crm_on_both, conversation.conversation_id, 0)
    assert [message.seq for message in log] == list(range(1, 41))
    assert sorted(message.id for message in log) == [message.id for message in log]


def test_a_turn_is_taken_by_one_of_many(crm_on_both: Crm) -> None:
    conversation = a_conversation(crm_on_both)
    a_message(crm_on_both, conversation)
    until = OPEN_HOURS + timedelta(seconds=30)

    def take(holder: str) -> bool:
        with crm_on_both.store.write() as tx:
            return tx.conversations.take_turn(conversation.conversation_id, holder, OPEN_HOURS, until)

    taken = at_once(*[lambda name=str(n): take(name) for n in range(6)])
    assert sorted(map(bool, taken)) == [False] * 5 + [True]


def test_a_lease_that_ran_out_is_free_again_and_a_live_one_is_not(crm_on_both: Crm) -> None:
    conversation = a_conversation(crm_on_both)
    a_message(crm_on_both, conversation)
    until = OPEN_HOURS + timedelta(seconds=30)
    with crm_on_both.store.write() as tx:
        assert tx.conversations.take_turn(conversation.conversation_id, "one", OPEN_HOURS, until)
        assert not tx.conversations.take_turn(conversation.conversation_id, "two", OPEN_HOURS, until)
        assert tx.conversations.unfinished(OPEN_HOURS, 10) == []
        assert tx.conversations.unfinished(until, 10) == [conversation.conversation_id]
        assert tx.conversations.take_turn(conversation.conversation_id, "two", until, until)


def test_a_message_comes_back_as_it_was_stored_with_its_buttons(crm_on_both: Crm) -> None:
    conversation = a_conversation(crm_on_both)
    new = replace(
        a_new_message(conversation, 1), text="¿Qué? 你好 🎻\n  second line", buttons=(Button("b1", "Yes"),)
    )
    with crm_on_both.store.write() as tx:
        stored = tx.messages.add(new)
    with crm_on_both.store.read() as tx:
        assert tx.messages.get(stored.id) == stored
        assert tx.messages.by_client_id(conversation.conversation_id, new.client_id) == stored
    assert (stored.text, stored.buttons) == (new.text, new.buttons)


def test_the_log_is_read_from_any_place_and_from_its_end(crm_on_both: Crm) -> None:
    conversation = a_conversation(crm_on_both)
    for _ in range(5):
        a_message(crm_on_both, conversation)
    with crm_on_both.store.read() as tx:
        assert [m.seq for m in tx.messages.after(conversation.conversation_id, 1, 2)] == [2, 3]
        assert [m.seq for m in tx.messages.latest(conversation.conversation_id, 2)] == [4, 5]


def test_a_button_is_found_only_in_the_conversation_that_offered_it(crm_on_both: Crm) -> None:
    here, elsewhere = a_conversation(crm_on_both), a_conversation(crm_on_both)
    with crm_on_both.store.write() as tx:
        tx.messages.offer_buttons(here.conversation_id, 1, [(Button("btn_1", "Yes"), "/affirm")])
        tx.messages.offer_buttons(here.conversation_id, 1, [])
    with crm_on_both.store.read() as tx:
        assert tx.messages.offered_button(here.conversation_id, "btn_1") == ("Yes", "/affirm")
        assert tx.messages.offered_button(elsewhere.conversation_id, "btn_1") is None


def test_a_conversation_is_never_linked_to_a_second_customer(crm_on_both: Crm) -> None:
    conversation = a_conversation(crm_on_both)
    first, second = a_customer(crm_on_both), a_customer(crm_on_both)
    with crm_on_both.store.write() as tx:
        tx.conversations.link_customer(conversation.conversation_id, first, OPEN_HOURS)
    with pytest.raises(AnotherCustomer), crm_on_both.store.write() as tx:
        tx.conversations.link_customer(conversation.conversation_id, second, OPEN_HOURS)
    with crm_on_both.store.read() as tx:
        assert [c.conversation_id for c in tx.conversations.of_customer(first)] == [
            conversation.conversation_id
        ]
        assert tx.conversations.of_customer(second) == []


def test_a_draft_replaces_the_one_before_and_is_its_writers_alone(crm_on_both: Crm) -> None:
    conversation = a_conversation(crm_on_both)
    anna, tom = a_staff_member(crm_on_both), a_staff_member(crm_on_both, "Tom Reed")
    with crm_on_both.store.write() as tx:
        for words in ("Dear", "Dear Ken"):
            tx.drafts.save(conversation.conversation_id, anna.staff_id, words, OPEN_HOURS)
    with crm_on_both.store.write() as tx:
        assert tx.drafts.get(conversation.conversation_id, anna.staff_id) == "Dear Ken"
        assert tx.drafts.get(conversation.conversation_id, tom.staff_id) == ""
        tx.drafts.save(conversation.conversation_id, anna.staff_id, "", OPEN_HOURS)
        assert tx.drafts.get(conversation.conversation_id, anna.staff_id) == ""


def test_incidents_are_counted_by_kind_from_a_moment_on(crm_on_both: Crm) -> None:
    with crm_on_both.store.write() as tx:
        tx.incidents.add("brain_down", OPEN_HOURS - timedelta(hours=1))
        tx.incidents.add("brain_down", OPEN_HOURS, "cnv_1", "x" * 1000)
        tx.incidents.add("brain_slow", OPEN_HOURS)
        assert tx.incidents.counts_since(OPEN_HOURS) == {"brain_down": 1, "brain_slow": 1}
