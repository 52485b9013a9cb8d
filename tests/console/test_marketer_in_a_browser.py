"""The marketer's page in a real browser: filters, evidence, and numbers that move by themselves."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser import serving
from tests.builders import a_conversation, a_message
from tests.console.market import SAID
from tests.staff.office import PASSWORD, Office
from tests.workspace.shop import a_need


def _sign_in(page: Page, url: str) -> None:
    page.goto(f"{url}/sign-in")
    page.get_by_label("E-mail").fill("mara@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="What customers need")).to_be_visible()


def test_filters_apply_as_they_are_chosen_and_stand_in_the_address(page: Page, office: Office) -> None:
    with serving(office.app) as url:
        _sign_in(page, url)
        expect(page.locator(".figures dd").first).to_have_text(str(len(SAID)))
        page.locator("[name=tier]").select_option("MVC")
        mvc = [line for line in SAID if line[1] == "MVC"]
        expect(page.locator(".figures dd").first).to_have_text(str(len(mvc)))
        expect(page).to_have_url(re.compile(r"/console\?tier=MVC$"))
        page.get_by_label("In the words").fill("cello")
        expect(page.locator(".figures dd").first).to_have_text("1")
        page.reload()
        expect(page.get_by_label("In the words")).to_have_value("cello")
        expect(page.locator(".figures dd").first).to_have_text("1")
        page.get_by_role("link", name="Clear").click()
        expect(page.locator(".figures dd").first).to_have_text(str(len(SAID)))


def test_what_is_chosen_before_the_page_listens_applies(page: Page, office: Office) -> None:
    scripts: list[Route] = []
    with serving(office.app) as url:
        page.route("**/console.js", lambda route: scripts.append(route))
        _sign_in(page, url)
        page.locator("[name=tier]").select_option("MVC")
        expect(page.locator(".figures dd").first).to_have_text(str(len(SAID)))
        [held] = scripts
        held.continue_()
        mvc = [line for line in SAID if line[1] == "MVC"]
        expect(page.locator(".figures dd").first).to_have_text(str(len(mvc)))


def test_words_in_the_address_that_are_no_filter_stay_there(page: Page, office: Office) -> None:
    with serving(office.app) as url:
        _sign_in(page, url)
        with page.expect_request("**/console/stream"):  # Then the script has run.
            page.goto(f"{url}/console?by=number&from=letter")
        assert page.url.endswith("/console?by=number&from=letter")


def test_from_a_bar_to_its_words_in_one_click(page: Page, office: Office) -> None:
    with serving(office.app) as url:
        _sign_in(page, url)
        page.locator(".chart__wide a").first.click()
        expect(page).to_have_url(re.compile(r"/console/verbatims\?category="))
        expect(page.locator("blockquote").first).to_be_visible()


def test_a_need_that_is_stated_appears_without_a_reload(page: Page, office: Office) -> None:
    with serving(office.app) as url:
        _sign_in(page, url)
        page.evaluate("window.stillHere = true")
        conversation = a_conversation(office.crm)
        a_need(office.crm, "drums", "quiet drums for a flat", conversation_id=conversation.conversation_id)
        a_message(office.crm, conversation, "quiet drums for a flat")
        expect(page.locator(".figures dd").first).to_have_text(str(len(SAID) + 1))
        expect(page.locator("#live")).to_contain_text("quiet drums for a flat")
        assert page.evaluate("window.stillHere") is True


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (900, 700), (390, 844), (320, 640)])
def test_no_width_makes_the_console_scroll_sideways(
    page: Page, office: Office, width: int, height: int
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    with serving(office.app) as url:
        _sign_in(page, url)
        for path in ("/console", "/console/verbatims"):
            page.goto(url + path)
            wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert page.evaluate(wider) == 0
