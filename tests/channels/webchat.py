"""npm's ``rasa-webchat`` 1.0.1, unmodified, on the page of a firm that uses it instead of our own widget.

The package is fetched once from the npm registry into a cache outside of the repository and checked against
the digest that the registry published. Its web font is never loaded: the browser refuses every host but ours.
"""

import base64
import hashlib
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tests.builders import ROOT

PACKAGE = "rasa-webchat@1.0.1"
SHA512 = "Ld1zVJvTAaTrs6A5p8t70agNNrKYRyXlvqXZRgBoDvKKUXbA0jhJKECi5bdPGlaR6jsmqWtVylHS+YqIqo0x8w=="
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "rapport-tests"
PATIENCE_MS = 20_000

PAGE = '<!doctype html><html lang="en"><title>A shop</title><link rel="icon" href="data:,"><h1>A shop</h1>'


def the_snippet() -> str:
    """What docs/channels.md tells a firm to put on its pages."""
    (snippet,) = re.findall(r"```html\n(.*?)```", (ROOT / "docs/channels.md").read_text("utf-8"), re.DOTALL)
    return snippet


def rasa_webchat() -> str:
    """The widget's script. Without npm or its registry: a failure in CI, else a skip that says so."""
    archive = CACHE / "rasa-webchat-1.0.1.tgz"
    if not archive.exists():
        problem = _fetch()
        if problem and os.environ.get("CI"):
            pytest.fail(problem, pytrace=False)
        if problem:
            pytest.skip(problem)
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    assert digest == SHA512, f"{archive} is not what npm published; delete it"
    with tarfile.open(archive) as package:
        script = package.extractfile("package/lib/index.js")
        assert script is not None
        return script.read().decode()


def _fetch() -> str:
    """Fetch the package; returns why that was not possible, or ""."""
    npm = shutil.which("npm")
    if npm is None:
        return f"npm is missing, so {PACKAGE} cannot be fetched"
    CACHE.mkdir(parents=True, exist_ok=True)
    command = [npm, "pack", PACKAGE, "--pack-destination", str(CACHE), "--silent"]
    fetched = subprocess.run(command, capture_output=True, text=True, timeout=180, cwd=CACHE)
    return "" if fetched.returncode == 0 else f"npm cannot fetch {PACKAGE}: {fetched.stderr.strip()[-300:]}"


class Shop:
    """A firm's own site: one page with the widget. ``token`` is asked for each page, as its server would."""

    def __init__(self, script: str) -> None:
        self.script = script
        self.socket_url = ""
        self.token: Callable[[], str] = lambda: ""
        routes = [Route("/", self._page), Route("/rasa-webchat.js", self._script)]
        self.app = Starlette(routes=routes)

    async def _page(self, _request: Request) -> Response:
        token = self.token()
        snippet = the_snippet().replace("https://chat.example.com", self.socket_url)
        snippet = snippet.replace("TOKEN", token) if token else snippet.replace("?token=TOKEN", "")
        return HTMLResponse(PAGE + snippet)

    async def _script(self, _request: Request) -> Response:
        return Response(self.script, media_type="text/javascript")


class Tab:
    """One tab with the shop's page: what its visitor sees and does."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.page: Page = context.new_page()
        self.asked_outside: list[str] = []
        self.page.route("**/*", self._only_us)
        self.page.goto(address)

    def _only_us(self, route: Any) -> None:
        if "://127.0.0.1:" in route.request.url or route.request.url.startswith("data:"):
            route.continue_()
        else:
            self.asked_outside.append(route.request.url)
            route.abort()

    def open(self) -> "Tab":
        self.page.locator(".rw-launcher").click(timeout=PATIENCE_MS)
        expect(self.page.locator(".rw-new-message")).to_be_enabled(timeout=PATIENCE_MS)
        return self

    def say(self, words: str) -> "Tab":
        self.page.locator(".rw-new-message").fill(words)
        self.page.locator(".rw-new-message").press("Enter")
        return self

    def press(self, title: str) -> "Tab":
        self.page.locator(".rw-reply", has_text=title).last.click(timeout=PATIENCE_MS)
        return self

    def sees(self, *words: str) -> None:
        """Each of these once, in this order, among the bubbles."""
        for text in words:
            expect(self.bubble(text)).to_have_count(1, timeout=PATIENCE_MS)
        shown = [text.strip() for text in self.bubbles.all_inner_texts()]
        places = [next(n for n, text in enumerate(shown) if words_ in text) for words_ in words]
        assert places == sorted(places), shown

    def does_not_see(self, words: str) -> None:
        expect(self.bubble(words)).to_have_count(0)

    def bubble(self, words: str) -> Locator:
        return self.bubbles.filter(has_text=words)

    @property
    def bubbles(self) -> Locator:
        return self.page.locator(".rw-message:visible")

    def reload(self) -> "Tab":
        self.page.reload()
        expect(self.page.locator(".rw-new-message")).to_be_enabled(timeout=PATIENCE_MS)
        return self
