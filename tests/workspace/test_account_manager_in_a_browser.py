"""The account manager's loop in a real browser: take over, answer, lose nothing, give back."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from crmcore.usecases import conversations as talk
from crmcore.usecases.escalation import request_person
from tests.browser import free_port, serving
from tests.builders import a_conversation, client_id
from tests.staff.office import PASSWORD, Office
from tests.workspace.shop import Morning, says


def _sign_in(page: Page, url: str, name: str = "ana") -> None:
    page.goto(f"{url}/sign-in")
    page.get_by_label("E-mail").fill(f"{name}@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".row").first).to_be_visible()


def _texts(office: Office, conversation_id: str) -> list[str]:
    return [m.text for m in talk.messages_after(office.crm, conversation_id, 0) if m.kind == "text"]


def test_from_signing_in_to_giving_back_without_a_mouse(page: Page, office: Office, morning: Morning) -> None:
    wanted = morning.complaining.conversation_id
    with serving(office.app) as url:
        _sign_in(page, url)
        expect(page).to_have_title(re.compile(r"^\(3\) "))
        page.keyboard.press("j")
        expect(page.get_by_role("heading", level=1)).to_have_text("Inês Marchetti")
        expect(page.locator("#card")).to_contain_text("Most valuable")
        page.keyboard.press("r")
        expect(page.get_by_label("Your reply")).to_be_focused()
        page.keyboard.type("Hello Inês")
        page.keyboard.press("Enter")
        expect(page.locator(".say--account_manager")).to_contain_text("Hello Inês")
        expect(page.get_by_label("Your reply")).to_have_value("")

        talk.receive(office.crm, wanted, client_id(), "hello, at last")
        expect(page.locator(".say--customer").last).to_contain_text("hello, at last")
        expect(page).to_have_title(re.compile(r"^\(3\) "))

        page.keyboard.press("Escape")
        page.get_by_role("button", name="Give back").press("Enter")
        expect(page.locator(".mark").last).to_contain_text("gave the conversation back")
        expect(page.get_by_role("button", name="Take over")).to_be_visible()
    assert _texts(office, wanted).count("Hello Inês") == 1
    assert talk.conversation(office.crm, wanted).owner_kind == "bot"


def test_a_half_written_reply_survives_a_reload_a_restart_and_another_device(
    page: Page, office: Office, morning: Morning
) -> None:
    wanted = morning.leaving.conversation_id
    port = free_port()
    with serving(office.app, port) as url:
        _sign_in(page, url)
        page.goto(f"{url}/workspace?c={wanted}")
        page.get_by_role("button", name="Take over").click()
        page.get_by_label("Your reply").fill("Dear Tomás, about")
        page.reload()
        expect(page.get_by_label("Your reply")).to_have_value("Dear Tomás, about")
        expect(page.locator("#draft-state")).not_to_be_empty()
    # The server is gone, and the person goes on typing.
    page.get_by_label("Your reply").fill("Dear Tomás, about the club")
    expect(page.locator("#draft-state")).to_have_text("Draft kept on this device")
    with serving(office.app, port) as url:
        expect(page.locator("#draft-state")).to_have_text("Draft saved", timeout=15_000)
        expect(page.get_by_label("Your reply")).to_have_value("Dear Tomás, about the club")
        page.get_by_label("Your reply").press("Enter")
        expect(page.locator(".say--account_manager")).to_contain_text("Dear Tomás, about the club")
        page.get_by_label("Your reply").fill("And one more")
        expect(page.locator("#draft-state")).to_have_text("Draft saved")
        page.evaluate("localStorage.clear()")
        page.goto(f"{url}/workspace?c={wanted}")
        expect(page.get_by_label("Your reply")).to_have_value("And one more")
    assert _texts(office, wanted).count("Dear Tomás, about the club") == 1


def test_an_answer_lost_on_its_way_doubles_nothing(page: Page, office: Office, morning: Morning) -> None:
    """The message reaches the server, its answer does not reach the browser, and the person sends again."""
    wanted = morning.leaving.conversation_id

    def lose_answer(route: object) -> None:
        route.fetch()  # type: ignore[attr-defined]
        route.abort()  # type: ignore[attr-defined]

    with serving(office.app) as url:
        _sign_in(page, url)
        page.goto(f"{url}/workspace?c={wanted}")
        page.get_by_role("button", name="Take over").click()
        page.route("**/messages", lose_answer, times=1)
        page.get_by_label("Your reply").fill("Good morning")
        page.get_by_label("Your reply").press("Enter")
        expect(page.locator(".say--account_manager")).to_contain_text("Good morning")
        page.get_by_label("Your reply").press("Enter")
        expect(page.get_by_label("Your reply")).to_have_value("")
    assert _texts(office, wanted).count("Good morning") == 1


def test_a_stale_reply_stays_in_the_field_and_the_missed_words_appear(
    page: Page, office: Office, morning: Morning
) -> None:
    wanted = morning.leaving.conversation_id
    with serving(office.app) as url:
        _sign_in(page, url)
        page.goto(f"{url}/workspace?c={wanted}")
        page.get_by_role("button", name="Take over").click()
        expect(page.get_by_label("Your reply")).to_be_focused()
        page.route("**/stream*", lambda route: route.abort())
        page.evaluate("dispatchEvent(new Event('offline'))")  # Cuts the live lines; the reply still goes out.
        expect(page.locator("#line-state")).to_have_text("Reconnecting")
        talk.receive(office.crm, wanted, client_id(), "sorry, I meant the magazine")
        page.get_by_label("Your reply").fill("The club is cancelled.")
        page.get_by_label("Your reply").press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("The customer wrote while you were writing")
        expect(page.locator(".say--missed")).to_contain_text("sorry, I meant the magazine")
        expect(page.get_by_label("Your reply")).to_have_value("The club is cancelled.")
    assert "The club is cancelled." not in _texts(office, wanted)


def test_a_lost_race_names_the_winner(page: Page, office: Office, morning: Morning) -> None:
    wanted = morning.leaving.conversation_id
    ben = office.browser_of("Ben")
    with serving(office.app) as url:
        _sign_in(page, url)
        page.goto(f"{url}/workspace?c={wanted}")
        expect(page.get_by_role("button", name="Take over")).to_be_visible()
        page.route("**/stream*", lambda route: route.abort())
        page.evaluate("dispatchEvent(new Event('offline'))")
        ben.post(f"/workspace/api/conversations/{wanted}/claim")
        page.get_by_role("button", name="Take over").click()
        expect(page.locator("#line-state")).to_contain_text("Ben was quicker")


def test_what_a_customer_writes_is_never_markup(page: Page, office: Office, morning: Morning) -> None:
    wanted = morning.chatting.conversation_id
    talk.receive(office.crm, wanted, client_id(), "<img src=x onerror=alert(1)><b>bold</b>")
    with serving(office.app) as url:
        _sign_in(page, url)
        page.goto(f"{url}/workspace?c={wanted}")
        expect(page.locator(".say--customer").last).to_contain_text("<b>bold</b>")
        assert page.locator("#thread img").count() == 0


def test_signing_out_leaves_no_draft_on_the_device_and_ends_the_live_lines(
    page: Page, office: Office, morning: Morning
) -> None:
    wanted = morning.leaving.conversation_id
    with serving(office.app) as url:
        _sign_in(page, url)
        page.goto(f"{url}/workspace?c={wanted}")
        page.get_by_role("button", name="Take over").click()
        page.get_by_label("Your reply").fill("private words")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        assert page.evaluate("JSON.stringify(localStorage)") == "{}"
        _sign_in(page, url)
        page.goto(f"{url}/workspace?c={wanted}")
        expect(page.get_by_label("Your reply")).to_have_value("private words")


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 768), (390, 844), (320, 640)])
def test_no_width_makes_the_page_scroll_sideways(
    page: Page, office: Office, morning: Morning, width: int, height: int
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    with serving(office.app) as url:
        _sign_in(page, url)
        for conversation in (morning.complaining, morning.stranger):
            page.goto(f"{url}/workspace?c={conversation.conversation_id}")
            page.get_by_role("button", name="Take over").click()
            expect(page.get_by_label("Your reply")).to_be_visible()
            wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert page.evaluate(wider) == 0


@pytest.mark.usefixtures("morning")
def test_nobody_presses_the_duty_switch_before_somebody_listens(page: Page, office: Office) -> None:
    scripts: list[Route] = []
    with serving(office.app) as url:
        _sign_in(page, url)
        page.route("**/workspace.js", lambda route: scripts.append(route))
        page.goto(f"{url}/workspace", wait_until="commit")
        expect(page.get_by_role("switch")).to_be_disabled()
        [held] = scripts
        held.continue_()
        expect(page.get_by_role("switch")).to_be_enabled()


def test_a_customer_of_ones_own_appears_at_once_and_is_met_with_two_presses(
    page: Page, office: Office, morning: Morning
) -> None:
    ines = talk.conversation(office.crm, morning.complaining.conversation_id).customer_id
    with serving(office.app) as url:
        _sign_in(page, url)
        page.get_by_role("switch").click()
        expect(page.get_by_role("switch")).to_have_attribute("aria-checked", "true")
        again = a_conversation(office.crm, ines)
        says(office.crm, again, "is Ana there?")
        request_person(office.crm, again.conversation_id)
        page.locator(".row", has_text="is Ana there?").click()
        expect(page.locator("#take")).to_contain_text("was handed to you")
        page.get_by_role("button", name="Take over").click()
        expect(page.get_by_label("Your reply")).to_be_focused()
        expect(page.locator(".mark").last).to_contain_text("Ana joined")
