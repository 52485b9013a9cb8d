"""An unmodified chat widget of somebody else's talks with the assistant and with a person, in a browser."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from crmcore.conversations import Reply
from crmcore.crm import Crm
from crmcore.usecases.conversations import claim, give_back, say_as_person
from crmcore.usecases.visits import see
from tests.browser import browser, context, free_port, page, serving
from tests.builders import a_customer, a_staff_member, client_id
from tests.channels.webchat import PATIENCE_MS, Shop, Tab, rasa_webchat
from tests.web.gateway.chat import Asked, FakeBrain, Gateway, gateway, signed_by_firm, until

__all__ = ["browser", "context", "page"]


def answers(asked: Asked) -> list[Reply]:
    if asked.text == "which one?":
        return [Reply("This one?", (("Yes please", "/affirm"), ("No thanks", "/deny")))]
    return [Reply(f"Answer to: {asked.text}")]


@pytest.fixture(scope="module")
def script() -> str:
    return rasa_webchat()


@pytest.fixture
def shop(script: str, crm: Crm, tmp_path: Path) -> Iterator[tuple[Shop, Gateway, str]]:
    """A shop on one port, the gateway on another; the shop's origin is listed."""
    port, site = free_port(), Shop(script)
    listed = crm.firm.model_copy(update={"origins": (f"http://127.0.0.1:{port}",)})
    with (
        serving(site.app, port) as address,
        gateway(replace(crm, firm=listed), tmp_path, FakeBrain(answers)) as chat,
    ):
        site.socket_url = chat.url
        yield site, chat, address


def the_conversation(chat: Gateway) -> str:
    """The one conversation that the brain was asked in."""
    (conversation_id,) = {asked.sender.split(".")[0] for asked in chat.brain.asked}
    return conversation_id


def anna_says(chat: Gateway, conversation_id: str, staff_id: str, text: str) -> None:
    last_seq = see(chat.crm, conversation_id, 0, 0).conversation.last_seq
    say_as_person(chat.crm, conversation_id, staff_id, client_id(), text, last_seq)
    chat.app.state.live.wake(conversation_id)


def test_text_buttons_reload_and_a_second_tab(
    context: BrowserContext, shop: tuple[Shop, Gateway, str]
) -> None:
    _, chat, address = shop
    tab = Tab(context, address).open()
    tab.sees("digital assistant")
    tab.say("/restart")
    tab.sees("digital assistant", "Answer to: /restart")
    tab.say("which one?")
    tab.sees("This one?")
    tab.press("Yes please")
    tab.sees("Yes please", "Answer to: Yes please")
    assert [asked.payload for asked in chat.brain.asked] == [None, None, "/affirm"]

    tab.reload()
    tab.sees("digital assistant", "This one?", "Answer to: Yes please")
    tab.say("after the reload")
    tab.sees("Answer to: Yes please", "after the reload", "Answer to: after the reload")

    second = Tab(context, address)
    expect(second.page.locator(".rw-new-message")).to_be_enabled(timeout=PATIENCE_MS)
    second.sees("digital assistant", "Answer to: after the reload")
    second.say("from the second tab")
    second.sees("Answer to: from the second tab")
    tab.sees("You wrote: from the second tab", "Answer to: from the second tab")
    the_conversation(chat)  # There is one only.
    assert all("fonts.g" in url for url in [*tab.asked_outside, *second.asked_outside])


def test_a_persons_words_are_pushed_and_wait_for_who_is_away(
    context: BrowserContext, shop: tuple[Shop, Gateway, str]
) -> None:
    _, chat, address = shop
    anna = a_staff_member(chat.crm)
    tab = Tab(context, address).open().say("is anybody there?")
    tab.sees("Answer to: is anybody there?")
    here = the_conversation(chat)
    claim(chat.crm, here, anna.staff_id)
    anna_says(chat, here, anna.staff_id, "Anna here.")
    tab.sees("Anna Berg joined the chat.", "Anna here.")

    tab.page.goto("about:blank")
    until(lambda: len(chat.app.state.socket) == 0, "the visitor is away")
    anna_says(chat, here, anna.staff_id, "While you were away.")
    give_back(chat.crm, here, anna.staff_id)
    tab.page.goto(address)
    tab.sees("Answer to: is anybody there?", "Anna here.", "While you were away.", "Anna Berg left the chat.")
    tab.say("thanks").sees("Answer to: thanks")


def test_the_session_is_that_of_the_token_and_never_of_the_claim(
    context: BrowserContext, shop: tuple[Shop, Gateway, str]
) -> None:
    site, chat, address = shop
    ken, mia = a_customer(chat.crm, "Ken Ito"), a_customer(chat.crm, "Mia Holm")

    def signed_in(customer_id: str) -> None:
        site.token = lambda: signed_by_firm(customer_id, chat.crm.clock().timestamp())

    signed_in(ken)
    tab = Tab(context, address).open().say("my order")
    tab.sees("Answer to: my order")
    here = the_conversation(chat)
    assert see(chat.crm, here, 0, 0).conversation.customer_id == ken
    tab.reload().say("again")
    tab.sees("Answer to: my order", "Answer to: again")
    the_conversation(chat)

    kept = tab.page.evaluate("localStorage.getItem('chat_session')")
    other = context.browser
    assert other is not None
    for sign_in in (lambda: signed_in(mia), lambda: setattr(site, "token", lambda: "")):
        sign_in()
        profile = other.new_context()
        thief = Tab(profile, address)
        session = f"{{session_id: {kept}.session_id}}"
        thief.page.evaluate(f"localStorage.setItem('chat_session', JSON.stringify({session}))")
        thief.page.reload()
        thief.open().say("what did he order?")
        thief.sees("Answer to: what did he order?")
        thief.does_not_see("my order")
        tab.does_not_see("what did he order?")
        profile.close()


def test_a_restart_of_the_server_loses_and_doubles_nothing(
    context: BrowserContext, script: str, crm: Crm, tmp_path: Path
) -> None:
    port, back_at, site = free_port(), free_port(), Shop(script)
    crm = replace(crm, firm=crm.firm.model_copy(update={"origins": (f"http://127.0.0.1:{port}",)}))
    anna = a_staff_member(crm)
    with serving(site.app, port) as address:
        with gateway(crm, tmp_path, FakeBrain(answers), port=back_at) as chat:
            site.socket_url = chat.url
            tab = Tab(context, address).open().say("before")
            tab.sees("Answer to: before")
            here = the_conversation(chat)
            claim(crm, here, anna.staff_id)
            tab.sees("Anna Berg joined the chat.")
        last_seq = see(crm, here, 0, 0).conversation.last_seq
        say_as_person(crm, here, anna.staff_id, client_id(), "Written while it was down.", last_seq)
        with gateway(crm, tmp_path, FakeBrain(answers), port=back_at):
            tab.sees("Answer to: before", "Anna Berg joined", "Written while it was down.")
            give_back(crm, here, anna.staff_id)
            tab.say("afterwards")
            tab.sees("Anna Berg left the chat.", "Answer to: afterwards")
