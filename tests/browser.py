"""One headless Chromium for every browser test, and a plain server thread for apps under test.

Import the fixtures where they are wanted: ``from tests.browser import browser, page``.
"""

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

# No sandbox: CI runs as root in a container. The rest keeps Chromium from talking to anyone.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]
MISSING = (
    "Browser tests need Chromium: install it (apt-get install chromium, or `playwright install chromium`) "
    "or set CHROMIUM to its path."
)


def find_chromium() -> str | None:
    """The path in ``CHROMIUM``, else the first Chromium or Chrome on the path, else Playwright's own."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named if os.access(named, os.X_OK) else None
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return found
    with sync_playwright() as playwright:
        bundled = playwright.chromium.executable_path
    return bundled if os.path.exists(bundled) else None


def launch(playwright: Any) -> Browser:
    return playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS, headless=True)


class _Shared:
    """One Chromium, however many conftest files import the fixtures.

    Pytest makes a fixture of its own for each of them, and Playwright runs once in a thread.
    """

    def __init__(self) -> None:
        self._users = 0
        self._open = ExitStack()

    def __enter__(self) -> Browser:
        if not self._users:
            self._browser = launch(self._open.enter_context(sync_playwright()))
            self._open.callback(self._browser.close)
        self._users += 1
        return self._browser

    def __exit__(self, *_: object) -> None:
        self._users -= 1
        if not self._users:
            self._open.close()


_shared = _Shared()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium for the whole run. Without one: a failure in CI (``CI`` is set), else a named skip."""
    if find_chromium() is None:
        if os.environ.get("CI"):
            pytest.fail(MISSING, pytrace=False)
        pytest.skip(MISSING)
    with _shared as running:
        yield running


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser profile of its own: no cookies, no storage, English, a desktop window."""
    fresh = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    fresh.set_default_timeout(10_000)
    yield fresh
    fresh.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page that fails the test when a script on it threw."""
    fresh = context.new_page()
    thrown: list[str] = []
    fresh.on("pageerror", lambda error: thrown.append(str(error)))
    yield fresh
    assert thrown == [], f"scripts on the page threw: {thrown}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(app: Any, port: int | None = None) -> Iterator[str]:
    """Run an ASGI app in a thread on 127.0.0.1; yields its address. Open streams are cut at the end."""
    port = port or free_port()
    config = uvicorn.Config(app, "127.0.0.1", port, log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 15
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError(f"the app under test did not start on port {port}")
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
