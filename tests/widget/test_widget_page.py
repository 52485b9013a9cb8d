"""What is drawn, how it is reached, and what it costs the page."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.widget.conftest import Chat

WIDGET = Path(__file__).parents[2] / "web/widget"
LIMIT = 30_000  # Bytes, uncompressed: loader, frame, scripts and styles together.
MARKUP = [
    "<img src=x onerror=\"document.title='hacked'\">",
    "<script>document.title='hacked'</script>",
    "</p><h1>Big</h1>",
    "javascript:alert(1) https://a.example/\"onmouseover=\"document.title='hacked'",
    '/inform{"tier": "MVC"}',
]


def test_the_whole_widget_is_smaller_than_thirty_kilobytes(chat: Chat) -> None:
    sizes: dict[str, int] = {}
    chat.page.on("response", lambda r: sizes.update({r.url.split("/", 3)[3]: len(r.body())} if r.ok else {}))
    chat.visit().open()
    ours = {name: size for name, size in sizes.items() if name.startswith("widget")}
    assert {name.split("?")[0] for name in ours} == {
        "widget.js", "widget", "widget/widget.js", "widget/talk.js", "widget/stream.js",
        "widget/tokens.css", "widget/widget.css",
    }  # fmt: skip
    assert sum(ours.values()) < LIMIT, ours


def test_nothing_breaks_the_strictest_policies_of_shop_and_frame(chat: Chat) -> None:
    said: list[str] = []
    chat.page.on("console", lambda message: said.append(message.text))
    chat.visit().open().say("Hello")
    chat.sees("Hello", "You said: Hello")
    assert [line for line in said if "Content Security Policy" in line or "Error" in line] == []


def test_markup_from_anybody_is_shown_as_text(chat: Chat) -> None:
    chat.visit().open()
    chat.gateway.echo = False
    for words in MARKUP:
        with chat.page.expect_response("**/chat/messages"):
            chat.say(words)
    for words in MARKUP:
        chat.gateway.soon(chat.gateway.last.add, "account_manager", words, name=words)
    chat.sees(*MARKUP, *MARKUP)
    assert chat.log.locator("img, script, h1").count() == 0
    assert [a.get_attribute("href") for a in chat.log.locator("a").all()] == ["https://a.example/"] * 2
    assert "hacked" not in chat.page.title()


def test_web_addresses_become_links_that_give_nothing_away(chat: Chat) -> None:
    chat.visit().open()
    chat.gateway.soon(chat.gateway.last.add, "bot", "See https://example.com/a?b=1 (or http://x.example).")
    links = chat.log.locator("a")
    expect(links).to_have_text(["https://example.com/a?b=1", "http://x.example"])
    assert links.first.get_attribute("rel") == "noopener noreferrer nofollow"


def test_a_choice_is_sent_by_its_opaque_id_and_closes_when_it_is_superseded(chat: Chat) -> None:
    chat.visit().open()
    chat.gateway.echo = False
    choices = [{"id": "btn_1", "title": "Yes, that is right"}, {"id": "btn_2", "title": "No"}]
    chat.gateway.soon(chat.gateway.last.add, "bot", "Did I get that right?", buttons=choices)
    chat.frame.get_by_role("button", name="Yes, that is right").click()
    chat.sees("Did I get that right?", "Yes, that is right")
    body = chat.gateway.posts[-1][1]
    assert (body["button_id"], "text" in body) == ("btn_1", False)
    expect(chat.frame.get_by_role("button", name="No", exact=True)).to_be_disabled()


def test_a_choice_that_the_server_no_longer_takes_says_so(chat: Chat) -> None:
    chat.visit().open()
    choices = [{"id": "btn_1", "title": "Yes"}]
    chat.gateway.soon(chat.gateway.last.add, "bot", "Still?", buttons=choices)
    chat.gateway.failures["/chat/messages"] = [422]
    chat.frame.get_by_role("button", name="Yes").click()
    expect(chat.frame.get_by_role("alert")).to_have_text("That choice is no longer open.")
    expect(chat.text).to_have_value("")


def test_one_press_asks_for_a_person_and_the_header_says_who_answers(chat: Chat) -> None:
    chat.visit().open()
    expect(chat.frame.get_by_role("heading", name="Coda")).to_be_visible()
    expect(chat.frame.get_by_text("Digital assistant", exact=True)).to_be_visible()
    chat.frame.get_by_role("button", name="Talk to a person").click()
    expect(chat.log.get_by_text("You are next.")).to_be_visible()
    expect(chat.frame.get_by_role("button", name="You are in the queue")).to_be_disabled()
    chat.gateway.soon(chat.gateway.last.own, "account_manager", "Anna")
    expect(chat.frame.get_by_role("heading", name="Anna")).to_be_visible()
    expect(chat.frame.get_by_text("Person", exact=True)).to_be_visible()
    chat.gateway.soon(chat.gateway.last.own, "bot", "Coda")
    expect(chat.frame.get_by_role("button", name="Talk to a person")).to_be_enabled()
    assert sum(path == "/chat/person" for path, _ in chat.gateway.posts) == 1


def test_typing_shows_until_the_words_come(chat: Chat) -> None:
    chat.visit().open()
    chat.gateway.soon(chat.gateway.last.push, 'event: typing\ndata: {"who": "person", "name": "Anna"}\n\n')
    expect(chat.frame.get_by_text("Anna is typing")).to_be_visible()
    chat.gateway.soon(chat.gateway.last.add, "account_manager", "Here I am", name="Anna")
    expect(chat.frame.get_by_text("Anna is typing")).to_be_hidden()


def test_the_launcher_counts_what_came_while_the_panel_was_closed(chat: Chat) -> None:
    chat.visit().open()
    chat.page.evaluate("Rapport.close()")
    # The frame hears of it by a message; what came before that message would count as read.
    chat.log.evaluate("() => new Promise((done) => setTimeout(done, 50))")
    for words in ("One", "Two"):
        chat.gateway.soon(chat.gateway.last.add, "bot", words)
    expect(chat.launcher).to_have_accessible_name("Open chat, 2 unread")
    chat.visit()
    expect(chat.launcher).to_have_accessible_name("Open chat, 2 unread")
    chat.open()
    expect(chat.launcher).to_have_accessible_name("Open chat")


def test_a_reader_who_scrolled_up_is_not_pulled_down(chat: Chat) -> None:
    chat.visit().open()
    for number in range(30):
        chat.gateway.soon(chat.gateway.last.add, "bot", f"Line {number}")
    expect(chat.log.get_by_text("Line 29")).to_be_in_viewport()
    scroll = chat.frame.locator("#scroll")
    scroll.evaluate("element => element.scrollTop = 0")
    chat.gateway.soon(chat.gateway.last.add, "bot", "Late news")
    chat.frame.get_by_role("button", name="New messages").wait_for()
    assert scroll.evaluate("element => element.scrollTop") == 0
    chat.frame.get_by_role("button", name="New messages").click()
    expect(chat.log.get_by_text("Late news")).to_be_in_viewport()
    expect(chat.frame.get_by_role("button", name="New messages")).to_be_hidden()


def test_everything_can_be_done_with_the_keyboard(chat: Chat) -> None:
    keyboard = chat.visit().page.keyboard
    keyboard.press("Tab")
    keyboard.press("Tab")
    expect(chat.launcher).to_be_focused()
    keyboard.press("Enter")
    expect(chat.text).to_be_focused()
    keyboard.type("First line")
    keyboard.press("Shift+Enter")
    keyboard.type("second line")
    keyboard.press("Enter")
    chat.sees("First line\nsecond line", "You said: First line\nsecond line")
    reached = []
    for _ in range(6):
        keyboard.press("Shift+Tab")
        reached.append(chat.frame.locator(":focus").first.get_attribute("id", timeout=1000) or "menu button")
        if reached[-1] == "menu button":
            break
    assert reached == ["scroll", "close", "menu button"]
    keyboard.press("Enter")
    expect(chat.frame.get_by_role("button", name="End chat and clear this device")).to_be_visible()
    keyboard.press("Escape")
    expect(chat.frame.get_by_role("button", name="End chat and clear this device")).to_be_hidden()
    expect(chat.launcher).to_have_attribute("aria-expanded", "true")
    keyboard.press("Escape")
    expect(chat.launcher).to_be_focused()
    expect(chat.launcher).to_have_attribute("aria-expanded", "false")


def test_a_screen_reader_is_told_what_everything_is(chat: Chat) -> None:
    chat.visit().open()
    expect(chat.log).to_have_accessible_name("Conversation")
    assert chat.log.get_attribute("aria-live") in (None, "polite")
    expect(chat.page.locator("iframe")).to_have_attribute("title", "Chat with Alder & Bell")
    expect(chat.text).to_have_accessible_name("Write a message")
    for button in chat.frame.get_by_role("button").all():
        assert button.evaluate("b => b.ariaLabel || b.textContent.trim()")


@pytest.mark.parametrize(("width", "height"), [(390, 844), (320, 568), (1280, 800)])
def test_nothing_is_cut_off_at_phone_and_desktop_width(chat: Chat, width: int, height: int) -> None:
    chat.page.set_viewport_size({"width": width, "height": height})
    chat.visit().open().say("W" * 400 + " https://example.com/" + "a" * 300)
    expect(chat.bubbles).to_have_count(3)
    box = chat.page.locator("iframe").bounding_box()
    for _ in range(100):  # The panel follows the window's new size a moment later.
        if box and (box["height"] == height or width >= 480):
            break
        chat.page.wait_for_timeout(50)
        box = chat.page.locator("iframe").bounding_box()
    assert box
    assert box["width"] == width if width < 480 else box["width"] == pytest.approx(398, abs=2)
    assert box["height"] == height if width < 480 else box["height"] > 600
    overflow = "() => ['html', '#scroll'].some((e) => document.querySelector(e).scrollWidth > innerWidth)"
    frame = next(frame for frame in chat.page.frames if "/widget" in frame.url)
    assert frame.evaluate(overflow) is False
    expect(chat.frame.get_by_role("button", name="Send")).to_be_in_viewport()
    expect(chat.frame.get_by_role("button", name="Talk to a person")).to_be_in_viewport()


def test_the_loader_uses_the_colours_of_the_design_tokens() -> None:
    tokens = (WIDGET.parent / "static/tokens.css").read_text() + (
        WIDGET.parent / "static/base.css"
    ).read_text()
    loader = (WIDGET / "static/widget-loader.js").read_text()
    known = set(re.findall(r"#[0-9a-f]{3,6}\b", tokens))
    assert set(re.findall(r"#[0-9a-f]{3,6}\b", loader)) <= known


def test_only_files_of_the_widget_are_served_and_a_known_one_is_not_sent_again(chat: Chat) -> None:
    request = chat.page.request
    first = request.get(f"{chat.gateway.url}/widget/widget.css")
    again = request.get(
        f"{chat.gateway.url}/widget/widget.css", headers={"If-None-Match": first.headers["etag"]}
    )
    assert (first.status, again.status) == (200, 304)
    assert request.get(f"{chat.gateway.url}/widget/routes.py").status == 404


def scheme_of(page: Page) -> str:
    return str(
        page.frame_locator("iframe").locator("body").evaluate("b => getComputedStyle(b).backgroundColor")
    )


def test_the_frame_follows_the_theme_of_the_device(chat: Chat) -> None:
    chat.page.emulate_media(color_scheme="dark")
    chat.visit().open()
    assert scheme_of(chat.page) == "rgb(22, 29, 26)"
    chat.page.emulate_media(color_scheme="light")
    assert scheme_of(chat.page) == "rgb(255, 255, 255)"
