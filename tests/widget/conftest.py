"""The widget in a real browser, in front of a fake gateway."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import BrowserContext, FrameLocator, Locator, Page, expect

from tests.browser import browser, context, free_port, page, serving
from tests.widget.fake_gateway import GREETING, FakeGateway

__all__ = ["browser", "context", "page"]


# Where the shop is another site, Chromium denies the frame its storage; on the same site it has it.
EVERY_STORAGE = pytest.mark.parametrize(
    "gateway",
    [pytest.param("localhost", id="third-party"), pytest.param("127.0.0.1", id="same-site")],
    indirect=True,
)


@pytest.fixture
def gateway(request: pytest.FixtureRequest) -> Iterator[FakeGateway]:
    port = free_port()
    fake = FakeGateway(port, getattr(request, "param", "localhost"))
    with serving(fake.app, port):
        yield fake
        fake.cut()


@dataclass
class Chat:
    """What a visitor of the shop sees and does."""

    page: Page
    gateway: FakeGateway

    @property
    def launcher(self) -> Locator:
        return self.page.locator("button[aria-expanded]")

    @property
    def frame(self) -> FrameLocator:
        return self.page.frame_locator("iframe[src]")

    @property
    def text(self) -> Locator:
        return self.frame.get_by_role("textbox")

    @property
    def log(self) -> Locator:
        return self.frame.get_by_role("log")

    @property
    def bubbles(self) -> Locator:
        return self.log.locator(".text")

    def visit(self, customer: str = "") -> Chat:
        """Load the shop's page and wait until the launcher is there."""
        self.page.goto(self.gateway.shop + (f"?customer={customer}" if customer else ""))
        expect(self.launcher).to_be_visible()
        return self

    def open(self) -> Chat:
        self.launcher.click()
        expect(self.text).to_be_visible()
        expect(self.bubbles.first).to_be_visible()
        return self

    def say(self, words: str) -> Chat:
        self.text.fill(words)
        self.text.press("Enter")
        return self

    def sees(self, *words: str) -> None:
        """Exactly these bubbles, in this order, after the greeting."""
        expect(self.bubbles).to_have_text([GREETING, *words])


@pytest.fixture
def chat(page: Page, gateway: FakeGateway) -> Chat:
    return Chat(page, gateway)


@pytest.fixture
def another_tab(context: BrowserContext, gateway: FakeGateway) -> Callable[[], Chat]:
    return lambda: Chat(context.new_page(), gateway)
