"""The people of a browser story, each in a browser profile of his own, in words of what they do."""

import re

from playwright.sync_api import Browser, Locator, Page, expect


class Shopper:
    """A customer on the demonstration shop's page, with the chat open."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.page: Page = browser.new_context(viewport={"width": 1280, "height": 860}).new_page()
        self.page.set_default_timeout(20_000)
        self.page.goto(f"{url}/demo")

    def signs_in_as_the_best_customer(self) -> str:
        """His name."""
        self.page.locator("summary").click()
        first = self.page.locator("form[action='/demo/sign-in'] button").first
        name = first.locator("span:last-child").inner_text().splitlines()[0]
        first.click()
        expect(self.page.locator("summary")).to_contain_text(name)
        return name

    def opens_the_chat(self) -> None:
        self.page.get_by_role("button", name="Ask us anything").click()
        expect(self._field).to_be_visible()

    def reloads(self) -> None:
        self.page.reload()
        self.opens_the_chat()

    def half_writes(self, text: str) -> None:
        self._field.press_sequentially(text)

    def expects_half_written(self, text: str) -> None:
        expect(self._field).to_have_value(text)

    def writes(self, text: str) -> None:
        self._field.fill(text)
        self._field.press("Enter")

    def goes_on(self, text: str) -> None:
        """Finish what stands in the field, and send it."""
        self._field.press("End")
        self._field.press_sequentially(text)
        self._field.press("Enter")

    def presses(self, title: str) -> None:
        self.chat.locator(".choices button:enabled", has_text=title).last.click()

    def skips_questions_until(self, title: str) -> None:
        """Questions about a need may be skipped; the read-back comes after at most two of them."""
        for _ in range(3):
            choice = self.chat.locator(".choices button:enabled").last
            choice.wait_for()
            if self.chat.locator(".choices button:enabled", has_text=title).count():
                return
            before = self.chat.locator(".message").count()
            choice.click()
            expect(self.chat.locator(".message")).not_to_have_count(before)
            self.page.wait_for_function("() => true")
            expect(self.chat.locator(".choices button:enabled").last).to_be_visible()

    def asks_for_a_person(self) -> None:
        self.chat.locator("#person").click()

    def hears(self, words: str | re.Pattern[str], within_ms: int = 20_000) -> None:
        expect(self.chat.locator("#log")).to_contain_text(words, timeout=within_ms)

    def is_answered_by(self, name: str | re.Pattern[str]) -> None:
        expect(self.chat.locator("#name")).to_have_text(name)

    def said(self) -> list[str]:
        """His own messages, as he sees them."""
        return self.chat.locator("#log .message.own .text").all_inner_texts()

    @property
    def chat(self) -> Locator:
        return self.page.frame_locator("iframe").locator("body")

    @property
    def _field(self) -> Locator:
        return self.chat.locator("#text")


class Colleague:
    """A member of staff, signed in."""

    def __init__(self, browser: Browser, url: str, email: str, password: str, start: str) -> None:
        self.url = url
        self.page: Page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        self.page.set_default_timeout(20_000)
        self.page.goto(f"{url}{start}")
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page).to_have_url(re.compile(re.escape(start)))

    def goes_on_duty(self) -> None:
        duty = self.page.get_by_role("switch")
        expect(duty).to_be_enabled()  # From then on a press is heard.
        if duty.get_attribute("aria-checked") == "false":
            duty.click()
        expect(duty).to_have_attribute("aria-checked", "true")

    def takes_over(self, name: str) -> None:
        self.page.locator(".row", has_text=name).first.click()
        self.page.get_by_role("button", name="Take over").click()
        expect(self._reply).to_be_visible()

    def half_writes(self, text: str) -> None:
        self._reply.press_sequentially(text)

    def reloads(self) -> None:
        self.page.reload()

    def expects_half_written(self, text: str) -> None:
        expect(self._reply).to_have_value(text)

    def goes_on(self, text: str) -> None:
        self._reply.press("End")
        self._reply.press_sequentially(text)
        self._reply.press("Enter")

    def hears(self, words: str) -> None:
        expect(self.page.locator("#thread")).to_contain_text(words)

    def sees_on_the_card(self, words: str) -> None:
        expect(self.page.locator("#card")).to_contain_text(words)

    def gives_back(self) -> None:
        self.page.get_by_role("button", name="Give back").click()

    def sees(self, words: str) -> None:
        expect(self.page.locator("main")).to_contain_text(words)

    @property
    def _reply(self) -> Locator:
        return self.page.get_by_label("Your reply")
