"""A bot turn that fails, is slow, is overtaken or interrupted: one honest sentence, and a choice."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crmcore.conversations import BRAIN_SESSION_TURNS, Reply
from crmcore.crm import Crm
from crmcore.errors import StoreUnavailable
from crmcore.usecases.conversations import claim, give_back, next_turn, receive, say_as_person, unfinished
from tests.builders import NIGHT, Clock, a_conversation, a_staff_member, client_id
from tests.web.gateway.chat import FakeBrain, Gateway, Visitor, gateway, until
from web.gateway import turns
from web.gateway.brain import BrainBroken, BrainDown, BrainError, BrainSlow, EmptyTurn

FAILURES = [BrainDown("down"), BrainSlow("slow"), BrainBroken("broken"), EmptyTurn("empty")]


def failing(error: BrainError) -> FakeBrain:
    return FakeBrain(says=lambda asked: error)


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: error.kind)
def test_a_failed_turn_is_one_apology_with_a_choice_and_is_counted(
    crm: Crm, tmp_path: Path, error: BrainError
) -> None:
    with gateway(crm, tmp_path, failing(error)) as chat:
        visitor = chat.visitor()
        visitor.send("hello")
        (apology,) = visitor.hears("bot")
        assert apology["text"].startswith("Sorry")
        assert [button["title"] for button in apology["buttons"]] == ["Try again", "Talk to a person"]
        visitor.send("are you there?")
        assert len(visitor.hears("bot", 2)) == 2
        assert len(chat.brain.asked) == 2
        until(lambda: not chat.app.state.turns.is_answering(visitor.conversation_id), "the turn has ended")
        assert visitor.http.get("/health").json()["incidents_last_hour"] == {error.kind: 2}


def test_after_a_failure_the_brain_gets_a_fresh_session_and_is_told(crm: Crm, tmp_path: Path) -> None:
    with gateway(crm, tmp_path, failing(BrainSlow("slow"))) as chat:
        visitor = chat.visitor()
        visitor.send("hello")
        visitor.hears("bot")
        visitor.send("again")
        visitor.hears("bot", 2)
        first, second = chat.brain.asked
        assert (first.sender, second.sender) == (
            f"{visitor.conversation_id}.0",
            f"{visitor.conversation_id}.1",
        )
        assert "notice" not in first.metadata
        assert second.metadata["notice"] == "interrupted"


def test_try_again_asks_the_very_same_message_again(chat: Gateway) -> None:
    chat.brain.says = lambda asked: BrainDown("down")
    visitor = chat.visitor()
    visitor.send("Where is my order?")
    (apology,) = visitor.hears("bot")
    chat.brain.says = lambda asked: [Reply("It left on Monday.")]
    visitor.press(apology["buttons"][0]["id"])
    replies = visitor.hears("bot", 2)
    assert replies[1]["text"] == "It left on Monday."
    first, second = chat.brain.asked
    assert (second.text, second.payload) == ("Where is my order?", None)
    assert second.metadata["message_id"] == first.metadata["message_id"]
    assert [message["state"] for message in visitor.messages()] == ["done"] * 5


def test_try_again_pressed_twice_answers_again_and_loops_nowhere(chat: Gateway) -> None:
    chat.brain.says = lambda asked: BrainDown("down")
    visitor = chat.visitor()
    visitor.send("hello")
    (apology,) = visitor.hears("bot")
    for count in (2, 3):
        visitor.press(apology["buttons"][0]["id"])
        visitor.hears("bot", count)
    assert len(chat.brain.asked) == 3


def test_try_again_pressed_while_the_bot_fails_once_more_is_not_taken_for_apologised(chat: Gateway) -> None:
    chat.brain.says = lambda asked: BrainDown("down")
    visitor = chat.visitor()
    visitor.send("one")
    (apology,) = visitor.hears("bot")
    chat.brain.held = True
    visitor.send("two")
    until(lambda: len(chat.brain.asked) == 2, "the brain is asked")
    visitor.press(apology["buttons"][0]["id"])
    chat.brain.held = False
    assert len(visitor.hears("bot", 3)) == 3
    assert [asked.text for asked in chat.brain.asked] == ["one", "two", "one"]


def test_try_again_does_not_ask_the_bot_what_a_person_has_answered(chat: Gateway) -> None:
    member = a_staff_member(chat.crm)
    chat.brain.says = lambda asked: BrainDown("down")
    visitor = chat.visitor()
    visitor.send("hello")
    (apology,) = visitor.hears("bot")
    claim(chat.crm, visitor.conversation_id, member.staff_id)
    told = visitor.send("my address is …").json()["seq"]
    say_as_person(chat.crm, visitor.conversation_id, member.staff_id, client_id(), "Thank you.", told)
    give_back(chat.crm, visitor.conversation_id, member.staff_id)
    chat.brain.says = lambda asked: [Reply("Welcome back.")]
    visitor.press(apology["buttons"][0]["id"])
    visitor.hears("bot", 2)
    assert [asked.text for asked in chat.brain.asked] == ["hello", "hello"]


def test_talk_to_a_person_works_while_the_brain_is_down(chat: Gateway) -> None:
    a_staff_member(chat.crm)
    chat.brain.says = lambda asked: BrainDown("down")
    visitor = chat.visitor()
    visitor.send("hello")
    (apology,) = visitor.hears("bot")
    visitor.press(apology["buttons"][1]["id"])
    (mark,) = visitor.hears("system")
    assert mark["kind"] == "mark:queued"
    assert "next in line" in mark["text"]
    assert visitor.begin()["owner"]["kind"] == "queue"
    assert len(chat.brain.asked) == 1


def test_the_person_button_is_stored_under_its_client_id_and_works_once(chat: Gateway) -> None:
    a_staff_member(chat.crm)
    visitor, same = chat.visitor(), client_id()
    for _ in range(2):
        assert visitor.post("/chat/person", {"client_id": same}).status_code == 200
    visitor.hears("system")
    said = visitor.messages(after=1)
    assert [(m["sender"], m["kind"]) for m in said] == [
        ("customer", "text"),
        ("bot", "text"),
        ("system", "mark:queued"),
    ]
    assert said[0]["client_id"] == same


def test_the_person_button_does_not_wait_for_a_hanging_brain(chat: Gateway) -> None:
    a_staff_member(chat.crm)
    chat.brain.held = True
    visitor = chat.visitor()
    visitor.send("hello")
    until(lambda: chat.brain.asked, "the brain is asked")
    visitor.post("/chat/person", {"client_id": client_id()})
    (mark,) = visitor.hears("system")
    assert mark["kind"] == "mark:queued"
    chat.brain.held = False
    until(lambda: not chat.app.state.turns.is_answering(visitor.conversation_id), "the turn has ended")
    assert [m["sender"] for m in visitor.messages()] == ["bot", "customer", "customer", "system"]


def test_outside_opening_hours_the_person_button_promises_a_call_back(chat: Gateway, clock: Clock) -> None:
    clock.now = NIGHT
    visitor = chat.visitor()
    visitor.post("/chat/person", {"client_id": client_id()})
    (promise,) = visitor.hears("bot")
    assert "Thursday, 12 March at 09:00" in promise["text"]
    assert visitor.begin()["owner"]["kind"] == "bot"


def test_a_slow_reply_is_dropped_when_a_person_has_taken_over(
    chat: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    member = a_staff_member(chat.crm)
    chat.brain.held = True
    visitor = chat.visitor()
    visitor.send("hello")
    until(lambda: chat.brain.asked, "the brain is asked")
    claim(chat.crm, visitor.conversation_id, member.staff_id)
    chat.brain.held = False
    until(lambda: not chat.app.state.turns.is_answering(visitor.conversation_id), "the turn has ended")
    assert [m["sender"] for m in visitor.messages()] == ["bot", "customer", "system"]
    assert visitor.begin()["owner"] == {"kind": "account_manager", "name": member.name}
    assert not [record for record in caplog.records if record.exc_info], "that is no error"


def test_what_nobody_answered_is_answered_by_the_bot_once_it_is_given_back(
    chat: Gateway,
) -> None:
    member = a_staff_member(chat.crm)
    chat.brain.held = True
    visitor = chat.visitor()
    visitor.send("hello")
    until(lambda: chat.brain.asked, "the brain is asked")
    claim(chat.crm, visitor.conversation_id, member.staff_id)
    chat.brain.held = False
    give_back(chat.crm, visitor.conversation_id, member.staff_id)
    (reply,) = visitor.hears("bot")
    assert reply["text"] == "You said: hello"
    assert chat.brain.asked[-1].metadata["notice"] == "given_back"
    assert chat.brain.asked[-1].metadata["epoch"] == 2


def test_a_request_for_a_person_that_was_dealt_with_is_not_made_again(chat: Gateway) -> None:
    """He asks for a person while the bot hangs; the person comes, says nothing, and gives back."""
    member = a_staff_member(chat.crm)
    chat.brain.held = True
    visitor = chat.visitor()
    visitor.send("hello")
    until(lambda: chat.brain.asked, "the brain is asked")
    visitor.post("/chat/person", {"client_id": client_id()})
    claim(chat.crm, visitor.conversation_id, member.staff_id)
    chat.brain.held = False
    give_back(chat.crm, visitor.conversation_id, member.staff_id)
    visitor.until(lambda shown: any("I am here again" in m["text"] for m in shown))
    assert visitor.begin()["owner"]["kind"] == "bot"


def test_the_brains_session_is_renewed_so_that_its_cost_does_not_grow(chat: Gateway) -> None:
    visitor = chat.visitor()
    for number in range(BRAIN_SESSION_TURNS + 1):
        receive(chat.crm, visitor.conversation_id, client_id(), f"number {number}")
    visitor.hears("bot", BRAIN_SESSION_TURNS + 1)
    sessions = [asked.sender.rsplit(".", 1)[1] for asked in chat.brain.asked]
    assert sessions == ["0"] * BRAIN_SESSION_TURNS + ["1"]


def test_the_brains_session_is_kept_while_a_form_is_open(chat: Gateway) -> None:
    chat.brain.in_form = True
    visitor = chat.visitor()
    for number in range(BRAIN_SESSION_TURNS + 2):
        receive(chat.crm, visitor.conversation_id, client_id(), f"number {number}")
    visitor.hears("bot", BRAIN_SESSION_TURNS + 2)
    assert {asked.sender for asked in chat.brain.asked} == {f"{visitor.conversation_id}.0"}


def crashed_in_a_turn(crm: Crm, clock: Clock) -> str:
    """A conversation whose turn was begun by a process that is gone, its lease run out."""
    conversation_id = a_conversation(crm).conversation_id
    receive(crm, conversation_id, client_id(), "Where is my order?")
    assert next_turn(crm, conversation_id, "a process that died") is not None
    clock.advance(minutes=1)
    return conversation_id


def texts(crm: Crm, conversation_id: str) -> list[str]:
    with crm.store.read() as tx:
        return [message.text for message in tx.messages.after(conversation_id, 0, 100)]


def test_a_turn_that_the_brain_never_saw_is_run_again_after_a_crash(
    crm: Crm, clock: Clock, tmp_path: Path
) -> None:
    conversation_id = crashed_in_a_turn(crm, clock)
    with gateway(crm, tmp_path):
        until(lambda: len(texts(crm, conversation_id)) == 2, "the message is answered")
    assert texts(crm, conversation_id) == ["Where is my order?", "You said: Where is my order?"]


def test_a_turn_that_the_brain_had_taken_in_is_not_run_twice_but_said_to_be_interrupted(
    crm: Crm, clock: Clock, tmp_path: Path
) -> None:
    conversation_id = crashed_in_a_turn(crm, clock)
    brain = FakeBrain(has_consumed=lambda sender, message_id: sender == f"{conversation_id}.0")
    with gateway(crm, tmp_path, brain):
        until(lambda: len(texts(crm, conversation_id)) == 2, "the message is answered")
    assert "interrupted" in texts(crm, conversation_id)[1]
    assert brain.asked == []


def test_a_message_that_ended_the_process_twice_is_not_tried_a_third_time(
    crm: Crm, clock: Clock, tmp_path: Path
) -> None:
    conversation_id = crashed_in_a_turn(crm, clock)
    assert next_turn(crm, conversation_id, "another process that died") is not None
    clock.advance(minutes=1)
    with gateway(crm, tmp_path) as chat:
        until(lambda: len(texts(crm, conversation_id)) == 2, "the message is answered")
        assert chat.brain.asked == []
    assert "interrupted" in texts(crm, conversation_id)[1]


def test_a_turn_cut_by_a_stop_is_run_by_the_next_process_at_once(
    crm: Crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "LAST_WORDS_SECONDS", 0.1)
    with gateway(crm, tmp_path) as chat:
        chat.brain.held = True
        visitor = chat.visitor()
        visitor.send("hello")
        until(lambda: chat.brain.asked, "the brain is asked")
    assert len(texts(crm, visitor.conversation_id)) == 2
    assert unfinished(crm) == [visitor.conversation_id]
    with gateway(crm, tmp_path):
        until(lambda: len(texts(crm, visitor.conversation_id)) == 3, "the message is answered")
    assert texts(crm, visitor.conversation_id)[2] == "You said: hello"


def test_a_turn_under_way_may_end_when_the_process_stops(crm: Crm, tmp_path: Path) -> None:
    with gateway(crm, tmp_path) as chat:
        chat.brain.held = True
        visitor = chat.visitor()
        visitor.send("hello")
        until(lambda: chat.brain.asked, "the brain is asked")
        threading.Timer(0.5, lambda: setattr(chat.brain, "held", False)).start()
    assert texts(crm, visitor.conversation_id)[2:] == ["You said: hello"]


def test_what_waits_while_the_brain_is_down_gets_one_apology_and_is_asked_again_together(
    chat: Gateway,
) -> None:
    chat.brain.says = lambda asked: BrainDown("down")
    chat.brain.held = True
    visitor = chat.visitor()
    for text in ("one", "two", "three"):
        visitor.send(text)
    chat.brain.held = False
    (apology,) = visitor.hears("bot")
    until(lambda: not chat.app.state.turns.is_answering(visitor.conversation_id), "the turns have ended")
    assert len(visitor.messages()) == 5
    chat.brain.says = lambda asked: [Reply(f"You said: {asked.text}")]
    visitor.press(apology["buttons"][0]["id"])
    replies = visitor.hears("bot", 4)
    assert [reply["text"] for reply in replies[1:]] == ["You said: one", "You said: two", "You said: three"]


def test_a_conversation_of_another_process_is_answered_within_seconds(crm: Crm, tmp_path: Path) -> None:
    """Nobody wakes the runner: it looks by itself."""
    with gateway(crm, tmp_path) as chat:
        conversation_id = a_conversation(crm).conversation_id
        receive(crm, conversation_id, client_id(), "hello")
        until(lambda: len(texts(crm, conversation_id)) == 2, "the message is answered")
        assert len(chat.brain.asked) == 1


def test_what_an_earlier_process_left_waits_for_the_brain_to_start(crm: Crm, tmp_path: Path) -> None:
    """An apology is no answer, and the brain starts more slowly than the gateway."""
    conversation_id = a_conversation(crm).conversation_id
    receive(crm, conversation_id, client_id(), "hello")
    brain = FakeBrain(is_ready=False)
    with gateway(crm, tmp_path, brain):
        until(lambda: brain.looks >= 3, "the brain was looked for")
        assert brain.asked == []
        brain.is_ready = True
        until(lambda: len(texts(crm, conversation_id)) == 2, "the message is answered")
    assert texts(crm, conversation_id) == ["hello", "You said: hello"]


def test_a_visitor_cannot_make_the_gateways_own_payloads(chat: Gateway) -> None:
    visitor = chat.visitor()
    visitor.send("gateway:person")
    (reply,) = visitor.hears("bot")
    assert reply["text"] == "You said: gateway:person"
    assert Visitor(chat, visitor.token).begin()["owner"]["kind"] == "bot"


def test_an_answer_waits_for_a_database_that_went_away_and_is_said_once(
    chat: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "STORE_AGAIN_SECONDS", 0.05)
    away = iter([True, True, False])
    finish = turns.finish_turn

    def finish_when_it_is_back(*turn: Any) -> Any:
        if next(away):
            raise StoreUnavailable("the database is not available: test")
        return finish(*turn)

    monkeypatch.setattr(turns, "finish_turn", finish_when_it_is_back)
    visitor = chat.visitor()
    visitor.send("hello")
    (reply,) = visitor.hears("bot")
    assert reply["text"] == "You said: hello"
    assert len(chat.brain.asked) == 1


def test_an_answer_that_was_stored_although_the_connection_broke_is_not_said_again(
    chat: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "STORE_AGAIN_SECONDS", 0.05)
    finish = turns.finish_turn
    attempts = []

    def stored_but_not_told(*turn: Any) -> Any:
        attempts.append(turn)
        said = finish(*turn)
        if len(attempts) == 1:
            raise StoreUnavailable("the database is not available: the connection broke at the commit")
        return said

    monkeypatch.setattr(turns, "finish_turn", stored_but_not_told)
    visitor = chat.visitor()
    visitor.send("hello")
    visitor.hears("bot")
    until(lambda: not chat.app.state.turns.is_answering(visitor.conversation_id), "the turn has ended")
    assert len(attempts) == 2
    assert [message["text"] for message in visitor.messages(after=1)] == ["hello", "You said: hello"]


def test_a_turn_that_was_taken_although_the_connection_broke_does_not_wait_for_its_lease(
    crm: Crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.gateway.holder.BEAT_EVERY", timedelta(seconds=0.1))
    monkeypatch.setattr(turns, "RECOVERY_SECONDS", 0.1)
    take = turns.next_turn
    taken = []

    def taken_but_not_told(*arguments: Any) -> Any:
        turn = take(*arguments)
        taken.append(turn)
        if len(taken) == 1:
            raise StoreUnavailable("the database is not available: the connection broke at the commit")
        return turn

    monkeypatch.setattr(turns, "next_turn", taken_but_not_told)
    with gateway(crm, tmp_path) as chat:
        visitor = chat.visitor()
        visitor.send("hello")
        (reply,) = visitor.hears("bot")
    assert reply["text"] == "You said: hello"
