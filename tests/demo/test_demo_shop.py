"""The demonstration shop with the real gateway behind its chat; only the brain is a fake."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import text

from crmcore.conversations import Reply
from crmcore.crm import Crm
from crmcore.letters import Letter
from crmcore.store.database import raw_connection
from crmcore.usecases import conversations as talk
from crmcore.usecases.takeover import claim, give_back, say_as_person
from crmcore.usecases.visits import see
from tests.browser import browser, context, page, serving
from tests.builders import a_customer, a_staff_member, client_id
from tests.web.gateway.chat import WIDGET_SECRET, FakeBrain, some_settings
from tests.widget.conftest import Chat
from web.app import create_app
from web.live import Live

__all__ = ["browser", "context", "page"]


@dataclass
class Shop:
    url: str
    shop: str
    crm: Crm
    brain: FakeBrain

    @property
    def conversation_id(self) -> str:
        """Of the newest conversation."""
        newest = text("SELECT conversation_id FROM conversations ORDER BY rowid DESC LIMIT 1")
        with raw_connection(self.crm.store) as connection:
            return str(connection.execute(newest).scalar_one())


@pytest.fixture
def shop(crm: Crm, tmp_path: Path) -> Iterator[Shop]:
    a_customer(crm, "Astrid Best", tier="MVC")
    a_customer(crm, "Hugo Plain", tier="core")
    brain = FakeBrain()
    app = create_app(crm, brain, Live(crm), some_settings(tmp_path), demo=True)
    with serving(app) as url:
        yield Shop(url, f"{url}/demo", crm, brain)


@pytest.fixture
def chat(page: Page, shop: Shop) -> Chat:
    return Chat(page, shop)


def sign_in(page: Page, name: str) -> None:
    page.locator("summary").click()
    page.get_by_role("button", name=name).click()
    page.locator("summary", has_text=name).wait_for()


def test_a_visitor_chats_and_his_words_survive_a_reload_in_mid_sentence(chat: Chat) -> None:
    chat.visit().open().say("Do you sell accordions?")
    expect(chat.bubbles.nth(2)).to_have_text("You said: Do you sell accordions?")
    chat.text.fill("And how much")
    chat.visit().open()
    expect(chat.text).to_have_value("And how much")
    chat.text.press("Enter")
    expect(chat.bubbles.nth(4)).to_have_text("You said: And how much")
    expect(chat.bubbles).to_have_count(5)


def test_a_choice_of_the_assistant_is_pressed(chat: Chat, shop: Shop) -> None:
    shop.brain.says = lambda asked: [Reply(f"Heard {asked.payload or asked.text}", (("Yes", "/affirm"),))]
    chat.visit().open().say("Right?")
    chat.frame.get_by_role("button", name="Yes").click()
    expect(chat.bubbles.last).to_have_text("Heard /affirm")


def test_a_person_takes_over_by_name_and_gives_back(chat: Chat, shop: Shop) -> None:
    anna = a_staff_member(shop.crm, "Anna Byrne")
    chat.visit().open()
    chat.frame.get_by_role("button", name="Talk to a person").click()
    expect(chat.frame.locator("body")).not_to_have_attribute("data-owner", "bot")
    conversation_id = shop.conversation_id
    claim(shop.crm, conversation_id, anna.staff_id)
    last = see(shop.crm, conversation_id, 0, 200).messages[-1].seq
    say_as_person(shop.crm, conversation_id, anna.staff_id, client_id(), "Hello, Anna here.", last)
    expect(chat.log.get_by_text("Hello, Anna here.")).to_be_visible()
    expect(chat.frame.get_by_role("heading")).to_have_text("Anna Byrne")
    expect(chat.frame.get_by_text("Person", exact=True)).to_be_visible()
    chat.say("Thank you, Anna")
    expect(chat.log.get_by_text("Thank you, Anna")).to_be_visible()
    last = see(shop.crm, conversation_id, 0, 200).messages[-1].seq
    say_as_person(shop.crm, conversation_id, anna.staff_id, client_id(), "You are welcome.", last)
    give_back(shop.crm, conversation_id, anna.staff_id)
    expect(chat.frame.get_by_text("Digital assistant", exact=True)).to_be_visible()
    chat.say("And now?")
    expect(chat.log.get_by_text("You said: And now?")).to_be_visible()


def test_a_customer_signs_in_and_the_next_one_sees_nothing_of_him(chat: Chat, shop: Shop) -> None:
    chat.visit()
    sign_in(chat.page, "Astrid Best")
    chat.open().say("Words of Astrid")
    expect(chat.log.get_by_text("You said: Words of Astrid")).to_be_visible()
    assert talk.conversation(shop.crm, shop.conversation_id).verified_at is not None
    chat.visit().open()
    expect(chat.log.get_by_text("You said: Words of Astrid")).to_be_visible()
    chat.page.evaluate("Rapport.close()")
    sign_in(chat.page, "Hugo Plain")
    chat.open()
    expect(chat.bubbles).to_have_count(1)
    chat.page.evaluate("Rapport.close()")
    chat.page.locator("summary").click()
    chat.page.get_by_role("button", name="Sign out").click()
    chat.page.get_by_text("Sign in", exact=True).wait_for()
    chat.open()
    expect(chat.bubbles).to_have_count(1)
    assert talk.conversation(shop.crm, shop.conversation_id).customer_id is None


def test_ending_the_chat_makes_its_token_worthless(chat: Chat, shop: Shop) -> None:
    tokens: list[str] = []
    chat.page.on(
        "request", lambda r: tokens.append(r.headers.get("authorization", "")) if "stream" in r.url else None
    )
    chat.visit().open().say("Hello")
    expect(chat.log.get_by_text("You said: Hello")).to_be_visible()
    chat.frame.get_by_role("button", name="Menu").click()
    with chat.page.expect_response("**/chat/sign-out") as answer:
        chat.frame.get_by_role("button", name="End chat").click()
    assert answer.value.status == 204
    late = httpx.get(f"{shop.url}/chat/messages", headers={"Authorization": tokens[0]}, trust_env=False)
    assert late.status_code == 401


def test_only_the_offered_customers_can_be_signed_in_as(shop: Shop) -> None:
    stranger = a_customer(shop.crm, "Not Offered")
    with httpx.Client(base_url=shop.url, trust_env=False, follow_redirects=True) as http:
        assert "data-token" not in http.post("/demo/sign-in", data={"customer_id": stranger}).text
        http.cookies.set("demonstration_customer", stranger)
        assert "data-token" not in http.get("/demo").text


def test_the_outbox_shows_the_letters_and_escapes_them(shop: Shop) -> None:
    letter = Letter("verification_code", "a@example.org", "Your code", "The code is 123 456 <b>now</b>")
    with shop.crm.store.write() as tx:
        tx.outbox.add(letter, shop.crm.clock())
    shown = httpx.get(f"{shop.url}/demo/outbox", trust_env=False).text
    assert "The code is 123 456 &lt;b&gt;now&lt;/b&gt;" in shown


def test_another_firm_has_no_demonstration_pages(crm: Crm, tmp_path: Path) -> None:
    settings = replace(some_settings(tmp_path), widget_secret=WIDGET_SECRET)
    with serving(create_app(crm, FakeBrain(), Live(crm), settings)) as url:
        assert httpx.get(f"{url}/demo", trust_env=False).status_code == 404
