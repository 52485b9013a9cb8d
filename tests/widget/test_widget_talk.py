"""Nothing that a customer writes is lost, doubled or disordered, whatever the network does."""

from playwright.sync_api import expect

from tests.widget.conftest import EVERY_STORAGE, Chat
from tests.widget.fake_gateway import event


def test_a_message_goes_out_once_and_the_answer_comes_in(chat: Chat) -> None:
    chat.visit().open().say("Do you repair accordions?")
    chat.sees("Do you repair accordions?", "You said: Do you repair accordions?")
    expect(chat.log.get_by_text("Sent", exact=True)).to_be_visible()
    assert chat.gateway.texts() == ["Do you repair accordions?"]


@EVERY_STORAGE
def test_history_and_the_half_typed_message_survive_a_reload(chat: Chat) -> None:
    chat.visit().open().say("First")
    chat.sees("First", "You said: First")
    chat.text.fill("I am in the middle of a")
    chat.visit().open()
    expect(chat.text).to_have_value("I am in the middle of a")
    chat.sees("First", "You said: First")
    assert len(chat.gateway.conversations) == 1


def test_what_is_written_without_a_connection_goes_out_once_when_it_is_back(chat: Chat) -> None:
    chat.visit().open()
    chat.page.context.set_offline(True)
    chat.say("one").say("two").say("three")
    expect(chat.frame.get_by_text("No connection.")).to_be_visible()
    expect(chat.frame.get_by_text("Waiting for the connection")).to_have_count(3)
    chat.gateway.echo = False
    chat.page.context.set_offline(False)
    chat.sees("one", "two", "three")
    expect(chat.frame.get_by_text("No connection.")).to_be_hidden()
    assert chat.gateway.texts() == ["one", "two", "three"]


@EVERY_STORAGE
def test_what_waits_for_a_dead_server_survives_a_reload(chat: Chat) -> None:
    chat.visit().open()
    chat.gateway.echo = False
    chat.gateway.down = True
    chat.gateway.cut()
    chat.say("Are you there?")
    expect(chat.frame.get_by_text("Waiting for the connection")).to_be_visible()
    chat.visit()
    chat.launcher.click()
    expect(chat.frame.get_by_text("Are you there?")).to_be_visible()
    chat.gateway.down = False
    chat.sees("Are you there?")
    assert chat.gateway.texts() == ["Are you there?"]


def test_a_lost_acknowledgement_does_not_double_the_message(chat: Chat) -> None:
    chat.visit().open()
    chat.gateway.lose_answers = 1
    chat.say("Only once, please")
    chat.sees("Only once, please", "You said: Only once, please")
    chat.say("Next")
    chat.sees("Only once, please", "You said: Only once, please", "Next", "You said: Next")
    assert chat.gateway.texts() == ["Only once, please", "Next"]


def test_a_failing_server_shows_not_sent_and_one_press_tries_again(chat: Chat) -> None:
    chat.visit().open()
    chat.gateway.failures["/chat/messages"] = [500]
    chat.say("Please arrive")
    chat.frame.get_by_role("button", name="Try again").click()
    chat.sees("Please arrive", "You said: Please arrive")
    assert chat.gateway.texts() == ["Please arrive"]


def test_twenty_quick_messages_arrive_in_order(chat: Chat) -> None:
    chat.visit().open()
    chat.gateway.echo = False
    words = [f"message {number}" for number in range(20)]
    for word in words:
        chat.say(word)
    chat.sees(*words)
    assert chat.gateway.texts() == words


def test_a_broken_stream_resumes_without_a_gap_or_a_repeat(chat: Chat) -> None:
    chat.visit().open()
    for number in range(3):
        chat.gateway.soon(chat.gateway.cut)
        chat.gateway.soon(chat.gateway.last.add, "bot", f"Part {number}")
    chat.sees("Part 0", "Part 1", "Part 2")


def test_a_message_that_the_stream_repeats_is_shown_once(chat: Chat) -> None:
    chat.visit().open()
    chat.gateway.soon(chat.gateway.last.add, "bot", "Once")
    repeated = chat.gateway.last.messages[1]
    chat.gateway.soon(chat.gateway.last.push, event("message", repeated, repeated["seq"]))
    chat.gateway.soon(chat.gateway.last.add, "bot", "Then this")
    chat.sees("Once", "Then this")


def test_an_expired_session_is_replaced_and_the_words_are_kept(chat: Chat) -> None:
    chat.visit().open()
    chat.gateway.last.token = "rotated"
    chat.gateway.echo = False
    chat.text.fill("half a sent")
    chat.gateway.cut()
    chat.text.press_sequentially("ence")
    expect(chat.text).to_have_value("half a sentence")
    chat.text.press("Enter")
    chat.sees("half a sentence")
    assert len(chat.gateway.conversations) == 2


@EVERY_STORAGE
def test_two_tabs_of_one_visitor_share_the_conversation(chat: Chat, another_tab) -> None:
    chat.visit().open().say("From the first tab")
    chat.sees("From the first tab", "You said: From the first tab")
    other = another_tab().visit().open()
    other.say("From the second")
    expected = [
        "From the first tab",
        "You said: From the first tab",
        "From the second",
        "You said: From the second",
    ]
    other.sees(*expected)
    chat.sees(*expected)
    assert chat.gateway.texts() == ["From the first tab", "From the second"]


def test_too_long_a_message_is_kept_and_explained_before_it_is_sent(chat: Chat) -> None:
    chat.visit().open().say("x" * 2001)
    expect(chat.frame.get_by_role("alert")).to_have_text(
        "A message can have 2000 characters; yours has 2001. Please shorten it."
    )
    expect(chat.text).to_have_value("x" * 2001)
    assert chat.gateway.texts() == []


def test_a_refused_message_comes_back_to_the_composer_with_one_sentence(chat: Chat) -> None:
    for status in (413, 422):
        chat.gateway.failures["/chat/messages"] = [status]
        chat.visit().open().say("Something odd")
        expect(chat.frame.get_by_role("alert")).to_have_text(
            "This message could not be taken. Please change it and try again."
        )
        expect(chat.text).to_have_value("Something odd")
        expect(chat.bubbles).to_have_count(1)


def test_writing_too_fast_waits_as_long_as_the_server_asks_and_then_goes_on(chat: Chat) -> None:
    chat.visit().open()
    chat.gateway.failures["/chat/messages"] = [429]
    chat.say("Too quick")
    expect(chat.frame.get_by_role("alert")).to_contain_text("Your message goes out in 1 s.")
    chat.sees("Too quick", "You said: Too quick")
    expect(chat.frame.get_by_role("alert")).to_be_empty()
