"""A shared computer shows nothing of the person who was there before."""

import json

from playwright.sync_api import Frame, Page, expect

from tests.widget.conftest import EVERY_STORAGE, Chat
from tests.widget.fake_gateway import sign_in_token

pytestmark = EVERY_STORAGE


def widget_frame(page: Page) -> Frame:
    return next(frame for frame in page.frames if "/widget" in frame.url)


def kept_on_device(page: Page) -> str:
    """Everything that frame and shop keep on this device, in one text."""
    look = "() => { try { return JSON.stringify(localStorage) } catch { return '' } }"
    return str(widget_frame(page).evaluate(look)) + str(page.evaluate(look))


def test_a_signed_in_customer_keeps_his_conversation_over_pages(chat: Chat) -> None:
    chat.visit(customer="C-1001").open().say("Where is my order?")
    chat.sees("Where is my order?", "You said: Where is my order?")
    chat.visit(customer="C-1001").open()
    chat.sees("Where is my order?", "You said: Where is my order?")
    assert [c.customer for c in chat.gateway.conversations] == ["C-1001"]


def test_ending_the_chat_tells_the_server_and_wipes_the_device(chat: Chat) -> None:
    chat.visit(customer="C-1001").open().say("My card ends in 1234")
    chat.sees("My card ends in 1234", "You said: My card ends in 1234")
    chat.text.fill("a secret draft")
    chat.frame.get_by_role("button", name="Menu").click()
    chat.frame.get_by_role("button", name="Sign out of this chat").click()
    expect(chat.launcher).to_be_focused()
    expect(chat.frame.locator("iframe")).to_be_hidden()
    assert ("/chat/sign-out", {}) in chat.gateway.posts
    kept = kept_on_device(chat.page)
    assert "C-1001" not in kept
    assert "secret" not in kept
    chat.visit().open()
    chat.sees()
    expect(chat.text).to_have_value("")


def test_an_anonymous_visitor_who_ends_the_chat_leaves_nothing_for_the_next_one(chat: Chat) -> None:
    chat.visit().open().say("I am at the library")
    chat.sees("I am at the library", "You said: I am at the library")
    chat.text.fill("a secret draft")
    chat.frame.get_by_role("button", name="Menu").click()
    chat.frame.get_by_role("button", name="End chat and clear this device").click()
    expect(chat.launcher).to_be_focused()
    assert "secret" not in kept_on_device(chat.page)
    chat.visit().open()
    chat.sees()
    expect(chat.text).to_have_value("")


def test_a_session_that_cannot_be_renewed_says_so_and_shows_nothing(chat: Chat) -> None:
    """Signed out elsewhere: this page's sign-in token is used up, so only the shop can sign him in again."""
    chat.visit(customer="A").open().say("Words of A")
    chat.sees("Words of A", "You said: Words of A")
    chat.page.evaluate("addEventListener('rapport:expired', () => { window.told = true })")
    chat.gateway.last.token = "ended elsewhere"
    chat.gateway.soon(chat.gateway.cut)
    expect(chat.frame.get_by_role("alert")).to_have_text("Your sign-in has ended. Reload the page to go on.")
    expect(chat.bubbles).to_have_count(0)
    chat.page.wait_for_function("window.told")
    chat.page.evaluate("(token) => Rapport.signIn(token)", sign_in_token("A"))
    chat.sees()
    expect(chat.frame.get_by_role("alert")).to_be_empty()


def test_a_page_without_sign_in_shows_and_keeps_nothing_of_the_former_customer(chat: Chat) -> None:
    chat.visit(customer="C-1001").open().say("I live at 3 Elm Street")
    chat.sees("I live at 3 Elm Street", "You said: I live at 3 Elm Street")
    chat.text.fill("my number is 0851234567")
    chat.visit()
    assert "C-1001" not in kept_on_device(chat.page)
    assert "0851234567" not in kept_on_device(chat.page)
    chat.open()
    chat.sees()
    assert [c.customer for c in chat.gateway.conversations] == ["C-1001", ""]


def test_the_next_customer_sees_nothing_of_the_one_before(chat: Chat) -> None:
    chat.visit(customer="A").open().say("Words of A")
    chat.sees("Words of A", "You said: Words of A")
    chat.visit(customer="B").open()
    chat.sees()
    expect(chat.text).to_have_value("")
    assert [c.customer for c in chat.gateway.conversations] == ["A", "B"]


def test_unsent_words_of_one_customer_are_never_sent_as_the_next_one(chat: Chat) -> None:
    chat.visit(customer="A").open()
    chat.gateway.down = True
    chat.say("Unsent words of A")
    expect(chat.frame.get_by_text("Unsent words of A")).to_be_visible()
    chat.page.goto("about:blank")
    chat.gateway.down = False
    chat.visit(customer="B").open()
    chat.say("Words of B")
    chat.sees("Words of B", "You said: Words of B")
    assert chat.gateway.texts() == ["Words of B"]


def test_the_shop_signs_in_and_out_by_script_without_a_reload(chat: Chat) -> None:
    chat.visit().open().say("Said before signing in")
    chat.sees("Said before signing in", "You said: Said before signing in")
    chat.page.evaluate("(token) => Rapport.signIn(token)", sign_in_token("C-7"))
    chat.frame.get_by_role("button", name="Menu").click()
    expect(chat.frame.get_by_role("button", name="Sign out of this chat")).to_be_visible()
    chat.page.keyboard.press("Escape")
    chat.sees("Said before signing in", "You said: Said before signing in")
    assert chat.gateway.last.customer == "C-7"
    chat.page.evaluate("Rapport.signOut()")
    chat.sees()
    assert len(chat.gateway.conversations) == 2
    assert chat.gateway.last.customer == ""


def test_signing_out_in_one_tab_clears_the_other(chat: Chat, another_tab) -> None:
    chat.visit(customer="A").open().say("Words of A")
    other = another_tab().visit(customer="A").open()
    other.sees("Words of A", "You said: Words of A")
    chat.page.evaluate("Rapport.signOut()")
    chat.sees()
    expect(other.log).not_to_contain_text("Words of A")


def test_the_frame_believes_no_page_of_another_origin(chat: Chat) -> None:
    """A frame of a stranger inside the shop can neither read the state nor give orders."""
    chat.visit(customer="A").open().say("Words of A")
    chat.sees("Words of A", "You said: Words of A")
    chat.page.evaluate("document.body.append(document.createElement('iframe'))")
    stranger = next(frame for frame in chat.page.frames if frame.url in ("about:blank", ""))
    stranger.evaluate(
        """() => {
            window.stolen = [];
            window.onmessage = (event) => window.stolen.push(event.data);
            const widget = parent.document.body.querySelector("div").shadowRoot.querySelector("iframe");
            widget.contentWindow.postMessage({ rapport: "sign-out" }, "*");
        }"""
    )
    chat.say("Still A")
    chat.sees("Words of A", "You said: Words of A", "Still A", "You said: Still A")
    assert ("/chat/sign-out", {}) not in chat.gateway.posts
    assert stranger.evaluate("window.stolen.length") == 0


def test_the_shop_believes_no_message_that_is_not_from_the_frame(chat: Chat) -> None:
    chat.visit()
    forged = {"rapport": "state", "unread": 7, "label": "forged", "title": "forged"}
    chat.page.evaluate(f"postMessage({json.dumps(forged)}, '*')")
    chat.page.wait_for_function("true")
    expect(chat.launcher).to_have_accessible_name("Open chat")
