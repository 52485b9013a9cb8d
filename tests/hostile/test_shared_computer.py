"""Two people, one computer: after the first has signed out, a real browser holds nothing of him."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import pytest
from argon2 import PasswordHasher
from playwright.sync_api import BrowserContext, Page, expect

from crmcore.crm import Crm
from crmcore.usecases import staff as staff_use_cases
from crmcore.usecases.staff import add_staff
from tests.browser import browser, context, page, serving
from tests.builders import a_customer
from tests.demo.test_demo_shop import Shop, sign_in
from tests.staff.office import PASSWORD
from tests.web.gateway.chat import FakeBrain, signed_by_firm, some_settings
from tests.widget.conftest import Chat
from web.app import create_app
from web.live import Live

__all__ = ["browser", "context", "page"]

SECRET, DRAFT = "elderberry seventeen", "unsent gooseberry"
EVERYTHING_KEPT = """async () => {
  const kept = [JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage }), document.cookie];
  for (const { name } of await indexedDB.databases()) kept.push(name);
  for (const name of await caches.keys()) {
    for (const request of await (await caches.open(name)).keys()) kept.push(request.url);
  }
  kept.push(JSON.stringify(history.state), name, document.documentElement.innerText);
  return kept.join("\\n");
}"""


@pytest.fixture
def shop(crm: Crm, tmp_path: Path) -> Iterator[Shop]:
    a_customer(crm, "Astrid Best", tier="MVC")
    a_customer(crm, "Hugo Plain", tier="core")
    brain = FakeBrain()
    app = create_app(crm, brain, Live(crm), some_settings(tmp_path), demo=True)
    with serving(app) as url:
        yield Shop(url, f"{url}/demo", crm, brain)


def kept_by(context: BrowserContext) -> str:
    """Everything that any frame of any page shows or keeps, and every cookie."""
    kept = [json.dumps(context.cookies())]
    for each in context.pages:
        for frame in each.frames:
            if frame.url.startswith("http"):
                kept.append(frame.evaluate(EVERYTHING_KEPT))
    return "\n".join(kept)


def tokens_used_on(page: Page) -> set[str]:
    found: set[str] = set()
    page.on("request", lambda request: found.add(request.headers.get("authorization", "")))
    return found


def signs_out_of_the_shop(page: Page) -> None:
    page.evaluate("Rapport.close()")
    page.locator("summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_text("Sign in", exact=True).wait_for()


def chats_as_astrid(page: Page, shop: Shop) -> Chat:
    chat = Chat(page, shop)  # type: ignore[arg-type]
    chat.visit()
    sign_in(page, "Astrid Best")
    chat.open().say(SECRET)
    expect(chat.log.get_by_text(f"You said: {SECRET}")).to_be_visible()
    chat.text.fill(DRAFT)
    return chat


def test_nothing_of_the_first_customer_is_left_for_the_second(
    page: Page, context: BrowserContext, shop: Shop
) -> None:
    tokens = tokens_used_on(page)
    chat = chats_as_astrid(page, shop)
    assert SECRET in kept_by(context), "the search looks in the wrong place"
    his = {token.removeprefix("Bearer ") for token in tokens if token}
    signs_out_of_the_shop(page)
    chat.open()
    expect(chat.bubbles).to_have_count(1)
    kept = kept_by(context)
    assert [word for word in (SECRET, DRAFT, *his) if word in kept] == []
    sign_in_as_hugo(page, chat)
    assert SECRET not in kept_by(context)
    assert DRAFT not in kept_by(context)


def sign_in_as_hugo(page: Page, chat: Chat) -> None:
    page.evaluate("Rapport.close()")
    sign_in(page, "Hugo Plain")
    chat.open()
    expect(chat.bubbles).to_have_count(1)


def test_the_back_button_brings_nothing_back(page: Page, context: BrowserContext, shop: Shop) -> None:
    chat = chats_as_astrid(page, shop)
    signs_out_of_the_shop(page)
    for _ in range(2):
        page.go_back(wait_until="load")
        page.evaluate("Rapport.open()")
        expect(chat.bubbles.first).to_be_visible()
        expect(chat.log).not_to_contain_text(SECRET)
        assert DRAFT not in kept_by(context)


def test_a_tab_that_was_left_open_is_cleared(page: Page, context: BrowserContext, shop: Shop) -> None:
    chats_as_astrid(page, shop)
    other = Chat(context.new_page(), shop)  # type: ignore[arg-type]
    other.visit().open()
    expect(other.log.get_by_text(f"You said: {SECRET}")).to_be_visible()
    page.bring_to_front()
    signs_out_of_the_shop(page)
    expect(other.log).not_to_contain_text(SECRET)
    expect(other.text).to_have_value("")
    assert SECRET not in kept_by(context)


def test_the_tokens_of_who_signed_out_open_neither_history_nor_stream(page: Page, shop: Shop) -> None:
    tokens = tokens_used_on(page)
    chats_as_astrid(page, shop)
    with page.expect_response("**/chat/sign-out") as told:
        signs_out_of_the_shop(page)
    assert told.value.status in (204, 401)
    for token in filter(None, tokens):
        for path in ("/chat/messages", "/chat/stream"):
            answer = httpx.get(shop.url + path, headers={"Authorization": token}, trust_env=False)
            assert answer.status_code == 401


# --- the staff's pages --------------------------------------------------------------------------------------


@pytest.fixture
def workspace(crm: Crm, tmp_path: Path) -> Iterator[str]:
    with patch.object(staff_use_cases, "_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)):
        add_staff(crm, "Ana Berg", "ana@example.com", "account_manager", PASSWORD, staff_id="staff_ana")
        customer = a_customer(crm, "Quillon Vantongeren", tier="MVC")
        app = create_app(crm, FakeBrain(), Live(crm), some_settings(tmp_path))
        with serving(app) as url:
            _waits_for_a_person(url, crm, customer)
            yield url


def _waits_for_a_person(url: str, crm: Crm, customer: str) -> None:
    token = signed_by_firm(customer, crm.clock().timestamp())
    http = httpx.Client(base_url=url, trust_env=False, timeout=20)
    begun: dict[str, Any] = http.post("/chat/session", json={"signed_in_token": token}).json()
    headers = {"Authorization": f"Bearer {begun['token']}"}
    http.post("/chat/messages", json={"client_id": "c1", "text": SECRET}, headers=headers).raise_for_status()
    http.post("/chat/person", json={"client_id": "c2"}, headers=headers).raise_for_status()


def test_after_signing_out_the_back_button_shows_no_customer(
    page: Page, context: BrowserContext, workspace: str
) -> None:
    page.goto(f"{workspace}/workspace")
    page.get_by_label("E-mail").fill("ana@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.locator(".row", has_text="Quillon Vantongeren").first.click()
    expect(page.locator("#thread")).to_contain_text(SECRET)
    cookies = {cookie["name"]: cookie["value"] for cookie in context.cookies()}
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Password")).to_be_visible()
    for _ in range(2):
        page.go_back()
        page.wait_for_timeout(300)
        shown = page.locator("body").inner_text()
        assert SECRET not in shown
        assert "Quillon" not in shown
    assert SECRET not in kept_by(context)
    assert "Quillon" not in kept_by(context)
    answer = httpx.get(f"{workspace}/workspace", cookies=cookies, follow_redirects=False, trust_env=False)
    assert answer.status_code in (302, 303, 307, 401)
