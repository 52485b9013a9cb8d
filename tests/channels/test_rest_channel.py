"""Another program speaks for its visitors over HTTP, in the shape of Rasa's REST channel."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from crmcore.conversations import MAX_TEXT, Reply
from crmcore.crm import Crm
from crmcore.usecases.api_keys import create_key
from crmcore.usecases.channels import answer, conversation_of_sender
from crmcore.usecases.conversations import (
    claim,
    finish_turn,
    give_back,
    hear,
    next_turn,
    say_as_person,
)
from tests.builders import a_staff_member, client_id
from tests.channels.program import Program
from tests.concurrency import at_once
from tests.web.gateway.chat import FakeBrain, Gateway, until
from web.channels import rest
from web.gateway.brain import BrainDown
from web.gateway.limits import MAX_BODY

HELLO = "digital assistant"


def the_conversation(program: Program, sender: str) -> str:
    with program.gateway.crm.store.read() as tx:
        keys = [key.key_id for key in tx.api_keys.all()]
        return next(found for key in keys if (found := tx.channels.conversation_of(key, sender)))


# --- an answer ------------------------------------------------------------------------------------------


def test_the_first_answer_says_who_speaks_and_then_what_the_bot_replies(program: Program) -> None:
    answer = program.post({"sender": "ann", "message": "Where is my order?", "metadata": {"page": "/"}})
    assert answer.status_code == 200
    greeting, reply = answer.json()
    assert greeting["recipient_id"] == "ann"
    assert HELLO in greeting["text"]
    assert reply == {"recipient_id": "ann", "text": "You said: Where is my order?"}
    assert program.hears("ann", "thanks") == ["You said: thanks"]


def test_every_message_of_a_reply_comes_in_its_order(program: Program, brain: FakeBrain) -> None:
    brain.says = lambda asked: [Reply("First."), Reply("Second."), Reply("Third?", (("Yes", "/affirm"),))]
    answer = program.say("ann", "hello")[1:]
    assert [part["text"] for part in answer] == ["First.", "Second.", "Third?"]
    assert [button["title"] for button in answer[2]["buttons"]] == ["Yes"]


def test_a_buttons_payload_is_an_opaque_id_and_sending_it_back_presses_it(
    program: Program, brain: FakeBrain
) -> None:
    brain.says = lambda asked: [Reply("Is that right?", (("Yes", '/affirm{"x": 1}'), ("No", "/deny")))]
    (button, _) = program.say("ann", "a guitar")[-1]["buttons"]
    assert "affirm" not in button["payload"]
    program.say("ann", button["payload"])
    assert brain.asked[-1].payload == '/affirm{"x": 1}'
    program.say("bob", button["payload"])
    assert (brain.asked[-1].payload, brain.asked[-1].text) == (None, button["payload"])


@pytest.mark.parametrize("text", ["/restart", '/inform{"tier": "MVC"}', "/start", "EXTERNAL: accept_offer"])
def test_what_looks_like_a_command_is_text(program: Program, brain: FakeBrain, text: str) -> None:
    program.say("ann", text)
    assert (brain.asked[-1].text, brain.asked[-1].payload) == (text, None)


def test_ten_messages_at_once_get_each_its_own_answer(program: Program) -> None:
    program.say("ann", "hello")
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda n: program.hears("ann", f"number {n}"), range(10)))
    assert answers == [[f"You said: number {n}"] for n in range(10)]


# --- whose conversation ---------------------------------------------------------------------------------


def test_a_sender_has_one_conversation_under_a_key_and_another_under_another_key(
    chat: Gateway, brain: FakeBrain
) -> None:
    shop, bridge = Program(chat), Program(chat)
    shop.say("ann", "hello")
    shop.say("ann", "again")
    assert len(bridge.hears("ann", "hello")) == 2  # A stranger there, so he is greeted.
    senders = [asked.sender for asked in brain.asked]
    assert senders[0] == senders[1] != senders[2]


def test_ten_first_messages_at_once_begin_one_conversation(crm_on_both: Crm) -> None:
    crm = crm_on_both
    key = rest_key(crm)
    hello = Reply("Hello.")
    begun = at_once(*[lambda: conversation_of_sender(crm, key, "ann", "en", hello)] * 10)
    assert len({getattr(one, "conversation_id", one) for one in begun}) == 1
    with crm.store.read() as tx:
        assert tx.conversations.count_by_owner() == {"bot": 1}


def rest_key(crm: Crm) -> str:
    return create_key(crm, "the shop", ["chat"]).key.key_id


def test_what_a_program_calls_its_visitor_proves_nothing(program: Program, chat: Gateway) -> None:
    program.say("customer-4711", "I am signed in")
    with chat.crm.store.read() as tx:
        found = tx.conversations.get(the_conversation(program, "customer-4711"))
    assert found is not None
    assert (found.customer_id, found.verified_at) == (None, None)


@pytest.mark.parametrize("sender", ["", " ", "a" * 256, "a\nb", "a\x00b", 7, None])
def test_a_sender_that_cannot_be_kept_is_refused(program: Program, sender: object) -> None:
    answer = program.post({"sender": sender, "message": "hello"})
    assert (answer.status_code, set(answer.json())) == (422, {"error"})


def test_only_a_key_with_the_scope_speaks_here(chat: Gateway) -> None:
    body = {"sender": "ann", "message": "hello"}
    assert Program(chat, ("orders:read",)).post(body).status_code == 403
    assert httpx.post(f"{chat.url}/webhooks/rest/webhook", json=body).status_code == 401
    visitor = chat.visitor()
    assert visitor.post("/webhooks/rest/webhook", body).status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/model/parse"),
        ("GET", "/conversations/ann/tracker"),
        ("POST", "/conversations/ann/execute"),
        ("POST", "/conversations/ann/tracker/events"),
        ("GET", "/domain"),
        ("GET", "/status"),
        ("PUT", "/model"),
        ("POST", "/webhook"),
        ("POST", "/webhooks/callback/webhook"),
        ("GET", "/webhooks/rest/"),
    ],
)
def test_no_other_door_of_rasas_is_here(program: Program, method: str, path: str) -> None:
    assert program.http.request(method, path, json={}).status_code == 404


# --- a person --------------------------------------------------------------------------------------------


def test_a_person_in_the_conversation_is_never_silence_and_his_words_come_once(
    program: Program, chat: Gateway
) -> None:
    crm = chat.crm
    program.say("ann", "hello")
    conversation_id = the_conversation(program, "ann")
    anna = a_staff_member(crm)
    claim(crm, conversation_id, anna.staff_id)
    joined, waits = program.hears("ann", "is anybody there?")
    assert joined == "Anna Berg joined the chat. You are now talking to a person."
    assert waits.startswith("Anna Berg has what you wrote.")
    noted, again = program.hears("ann", "and?"), program.hears("ann", "please")
    assert noted != again
    assert all(words.endswith(joined) for (words,) in (noted, again))
    with crm.store.read() as tx:
        seen = tx.conversations.get(conversation_id)
    assert seen is not None
    say_as_person(crm, conversation_id, anna.staff_id, client_id(), "Yes, I am here.", seen.last_seq)
    assert program.hears("ann", "good") == ["Yes, I am here."]
    assert joined in program.hears("ann", "still there?")[0]
    give_back(crm, conversation_id, anna.staff_id)
    said = program.hears("ann", "and now?")
    assert said[0].startswith("Anna Berg left the chat.")
    assert said[-1] == "You said: and now?"


def test_a_waiting_customer_hears_his_place_in_the_queue(program: Program, brain: FakeBrain) -> None:
    brain.says = lambda asked: BrainDown("down")
    a_staff_member(program.gateway.crm, capacity=0)
    apology = program.say("ann", "hello")[-1]
    person = next(b["payload"] for b in apology["buttons"] if "person" in b["title"])
    said = program.hears("ann", person)
    assert any("in line" in words for words in said)
    assert "is kept for the person" in program.hears("ann", "hurry")[0]
    assert "in line" in program.hears("ann", "please")[0]


# --- repeats, deadlines, limits --------------------------------------------------------------------------


def test_a_repeated_message_is_stored_once_and_gets_the_first_answer(
    program: Program, brain: FakeBrain
) -> None:
    first = program.say("ann", "order a guitar", Idempotency_Key="wamid.HBgL==")
    program.say("ann", "something else")
    assert program.say("ann", "order a guitar", Idempotency_Key="wamid.HBgL==") == first
    by_metadata = {"sender": "ann", "message": "once", "metadata": {"message_id": "m-1"}}
    assert program.post(by_metadata).json() == program.post(by_metadata).json()
    assert [asked.text for asked in brain.asked] == ["order a guitar", "something else", "once"]


def test_the_same_message_ten_times_at_once_is_one_message(program: Program, brain: FakeBrain) -> None:
    answers = at_once(*[lambda: program.hears("ann", "only once", Idempotency_Key="k")] * 10)
    assert all(answer == answers[0] for answer in answers)
    assert len(brain.asked) == 1


def test_an_answer_that_takes_too_long_comes_with_the_next_one(
    program: Program, brain: FakeBrain, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.say("ann", "hello")
    monkeypatch.setattr(rest, "ANSWER_PATIENCE", rest.ANSWER_PATIENCE / 40)
    brain.held = True
    assert program.hears("ann", "slow one", Idempotency_Key="k") == [
        "I am still working on that. My answer comes with your next message."
    ]
    brain.held = False
    monkeypatch.undo()
    assert program.hears("ann", "next") == ["You said: slow one", "You said: next"]


def test_a_program_that_left_gets_the_words_with_the_next_answer(program: Program, brain: FakeBrain) -> None:
    program.say("ann", "hello")
    brain.held = True
    with pytest.raises(httpx.ReadTimeout):
        program.http.post("/webhooks/rest/webhook", json={"sender": "ann", "message": "bye"}, timeout=0.3)
    until(lambda: len(brain.asked) == 2, "the brain is asked")
    brain.held = False
    started = time.monotonic()
    assert program.hears("ann", "back again") == ["You said: bye", "You said: back again"]
    assert time.monotonic() - started < 8


def test_an_answer_given_late_leaves_to_the_next_message_what_answers_that(crm_on_both: Crm) -> None:
    crm = crm_on_both
    ann = conversation_of_sender(crm, rest_key(crm), "ann", "en", Reply("Hello."))
    first, second = (hear(crm, ann.conversation_id, client_id(), text).message for text in ("one", "two"))
    for _ in range(2):
        turn = next_turn(crm, ann.conversation_id, "test")
        assert turn is not None
        finish_turn(crm, turn, [Reply(f"Answer to {turn.text}.")])
    assert answer(crm, second) is None  # The program still waits for the first one.
    for message, words in ((first, ["Hello.", "Answer to one."]), (second, ["Answer to two."])) * 2:
        given = answer(crm, message)
        assert given is not None
        assert [said.text for said in given.said] == words


def test_one_apology_stands_for_all_that_waited(program: Program, brain: FakeBrain) -> None:
    brain.says = lambda asked: BrainDown("down")
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda n: program.hears("ann", f"number {n}"), range(3)))
    assert all(answer[-1].startswith("Sorry, I can't think straight") for answer in answers)


REFUSED = {
    "a text that is too long": ({"sender": "ann", "message": "a" * (MAX_TEXT + 1)}, 413, "too_large"),
    "a body that is too large": ({"sender": "ann", "message": "a" * MAX_BODY}, 413, "too_large"),
    "five megabytes": ({"sender": "ann", "message": "a" * 5_000_000}, 413, "too_large"),
    "no text": ({"sender": "ann", "message": "  "}, 422, "unacceptable_text"),
    "nothing visible": ({"sender": "ann", "message": "\u200b"}, 422, "unacceptable_text"),
    "a NUL": ({"sender": "ann", "message": "a\0b"}, 422, "unacceptable_text"),
    "no message": ({"sender": "ann"}, 422, "bad_request"),
    "a message of another type": ({"sender": "ann", "message": {"a": 1}}, 422, "bad_request"),
    "a list": ([], 422, "bad_request"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_kept_is_refused_in_the_usual_shape(
    program: Program, brain: FakeBrain, what: str
) -> None:
    body, status, code = REFUSED[what]
    answer = program.post(body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert brain.asked == []


def test_a_body_that_is_no_json_or_nested_without_end_is_refused(program: Program) -> None:
    for body in (b"{", b"[" * 20_000, b'{"sender":"ann","message":"\\ud800"}', b"\xff"):
        answer = program.http.post(
            "/webhooks/rest/webhook", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code in (400, 422), answer.text
        assert set(answer.json()) == {"error"}
    assert program.http.post("/webhooks/rest/webhook", content=b"sender=ann").status_code == 422


def test_a_visitor_who_writes_without_pause_is_slowed_down_alone(program: Program) -> None:
    def status(sender: str) -> int:
        return program.post({"sender": sender, "message": "hi"}).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: status("ann"), range(40)))
    assert 429 in statuses
    refused = program.post({"sender": "ann", "message": "hi"})
    if refused.status_code == 429:
        assert int(refused.headers["Retry-After"]) >= 1
    assert status("bob") == 200


def test_refusing_is_quick(program: Program) -> None:
    program.say("ann", "hello")
    large = {"sender": "ann", "message": "a" * 5_000_000}
    long = {"sender": "ann", "message": "a" * (MAX_TEXT + 1)}
    took = []
    for body in [large, long] * 5:
        started = time.monotonic()
        program.post(body)
        took.append(time.monotonic() - started)
    assert sorted(took)[len(took) // 2] < 0.25  # 50 ms on a quiet machine; this one may be five times slower.
