"""What a customer writes is kept once, in order, before it is acknowledged."""

from concurrent.futures import ThreadPoolExecutor

from crmcore.conversations import Reply
from tests.builders import client_id
from tests.web.gateway.chat import Gateway, Visitor


def test_a_conversation_begins_with_a_greeting_that_says_it_is_an_assistant(chat: Gateway) -> None:
    begun = Visitor(chat).begin(language="en-GB")
    assert begun["resumed"] is False
    assert begun["owner"] == {"kind": "bot", "name": chat.crm.firm.voice.assistant}
    assert begun["last_seq"] == 1
    visitor = Visitor(chat, begun["token"])
    (greeting,) = visitor.messages()
    assert greeting["sender"] == "bot"
    assert "digital assistant" in greeting["text"]
    assert chat.crm.firm.voice.assistant in greeting["text"]


def test_a_message_is_answered_over_the_stream(chat: Gateway) -> None:
    visitor = chat.visitor()
    answer = visitor.send("Where is my order?")
    assert answer.status_code == 201
    assert answer.json() == {"seq": 2, "duplicate": False}
    (reply,) = visitor.hears("bot")
    assert reply["text"] == "You said: Where is my order?"
    assert reply["name"] == chat.crm.firm.voice.assistant


def test_the_brain_is_told_message_epoch_and_request(chat: Gateway) -> None:
    visitor = chat.visitor()
    answer = visitor.send("hello")
    visitor.hears("bot")
    (asked,) = chat.brain.asked
    assert asked.sender == f"{visitor.conversation_id}.0"
    assert asked.metadata["epoch"] == 0
    assert isinstance(asked.metadata["message_id"], int)
    assert asked.metadata["request_id"] == answer.headers["X-Request-ID"]


def test_the_same_client_id_ten_times_at_once_is_one_message_and_one_answer(chat: Gateway) -> None:
    visitor, same = chat.visitor(), client_id()
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: visitor.send("only once", same), range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201]
    assert {answer.json()["seq"] for answer in answers} == {2}
    visitor.hears("bot")
    visitor.send("and then this")
    visitor.until(lambda shown: any(m["text"] == "You said: and then this" for m in shown))
    assert [message["sender"] for message in visitor.messages()] == [
        "bot",
        "customer",
        "bot",
        "customer",
        "bot",
    ]
    assert len(chat.brain.asked) == 2


def test_a_burst_over_two_connections_is_answered_one_by_one_in_its_order(chat: Gateway) -> None:
    one = chat.visitor()
    other = Visitor(chat, one.token)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda n: (one, other)[n % 2].send(f"number {n}"), range(20)))
    one.hears("bot", 20)
    everything = one.messages()
    assert [message["seq"] for message in everything] == list(range(1, 42))
    written = [message["text"] for message in everything if message["sender"] == "customer"]
    assert len(set(written)) == 20
    replies = [message["text"] for message in everything if message["sender"] == "bot"][1:]
    assert replies == [f"You said: {text}" for text in written]
    assert [asked.text for asked in chat.brain.asked] == written


def test_two_conversations_do_not_wait_for_one_another(chat: Gateway) -> None:
    slow, quick = chat.visitor(), chat.visitor()
    chat.brain.held = True
    slow.send("first")
    quick.send("second")
    chat.brain.held = False
    slow.hears("bot")
    quick.hears("bot")
    assert {asked.sender for asked in chat.brain.asked} == {
        f"{slow.conversation_id}.0",
        f"{quick.conversation_id}.0",
    }


def test_a_button_sends_its_payload_to_the_brain_and_its_title_to_the_log(chat: Gateway) -> None:
    chat.brain.says = lambda asked: [Reply("Is that right?", (("Yes", '/affirm{"x": 1}'), ("No", "/deny")))]
    visitor = chat.visitor()
    visitor.send("I want a guitar")
    (question,) = visitor.hears("bot")
    assert [button["title"] for button in question["buttons"]] == ["Yes", "No"]
    assert "affirm" not in str(visitor.messages())
    assert visitor.press(question["buttons"][0]["id"]).status_code == 201
    visitor.hears("bot", 2)
    assert chat.brain.asked[1].payload == '/affirm{"x": 1}'
    assert [m["text"] for m in visitor.messages() if m["sender"] == "customer"] == ["I want a guitar", "Yes"]


def test_a_button_of_another_conversation_is_unknown(chat: Gateway) -> None:
    chat.brain.says = lambda asked: [Reply("Well?", (("Yes", "/affirm"),))]
    mine, his = chat.visitor(), chat.visitor()
    his.send("hello")
    (question,) = his.hears("bot")
    answer = mine.press(question["buttons"][0]["id"])
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "unknown_button"
    assert len(mine.messages()) == 1
