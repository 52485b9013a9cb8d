"""What the documentation of the chat promises is what the code does."""

import re

from tests.builders import ROOT
from web.gateway import streams
from web.gateway.brain import BrainError
from web.gateway.health import router as health
from web.gateway.limits import BODY_SECONDS, MAX_BODY, Limits
from web.gateway.routes import PAGE, router
from web.live import HEARTBEAT_SECONDS

PAGE_OF_DOCS = (ROOT / "docs" / "chat-http.md").read_text(encoding="utf-8")


def test_every_route_is_documented_and_no_other() -> None:
    real = {
        f"{method} {route.path}"
        for route in (*router.routes, *health.routes)
        for method in getattr(route, "methods", set())
    }
    documented = set(re.findall(r"^\| `((?:GET|POST) [^?`]+)", PAGE_OF_DOCS, re.MULTILINE))
    assert documented == real


def test_every_kind_of_failure_is_documented() -> None:
    for error in BrainError.__subclasses__():
        assert f"`{error.kind}`" in PAGE_OF_DOCS


def test_the_documented_numbers_are_those_of_the_code() -> None:
    limits = Limits()
    for promise in (
        f"{MAX_BODY // 1024} kB",
        f"{BODY_SECONDS:.0f} s to arrive",
        f"at most {PAGE}",
        f"every {HEARTBEAT_SECONDS:.0f} seconds",
        f"nothing is read for {streams.SEND_SECONDS:.0f} seconds",
        f"{limits.streams_of_conversation} a conversation, {limits.streams_of_address} an address",
        f"{limits.streams:,} in all",
    ):
        assert promise in PAGE_OF_DOCS, promise
