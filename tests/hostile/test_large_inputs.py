"""What is too large is refused before it is read to the end, by every endpoint that takes a body."""

import socket
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from bench.refusals import PIECE, endpoints
from crmcore.crm import Crm
from tests.builders import client_id
from tests.concurrency import in_a_loop_of_its_own
from tests.web.gateway.chat import FakeBrain, Gateway, gateway, some_settings
from web.app import create_app
from web.gateway.limits import MAX_API_BODY, MAX_BODY, Limits
from web.live import Live


@pytest.fixture
def app(crm: Crm, tmp_path: Path) -> FastAPI:
    return create_app(crm, FakeBrain(), Live(crm), some_settings(tmp_path), demo=True)


@pytest.fixture
def chat(crm: Crm, tmp_path: Path) -> Iterator[Gateway]:
    with gateway(crm, tmp_path, limits=Limits.times(1000)) as running:
        yield running


def _most(path: str) -> int:
    return MAX_API_BODY if path.startswith("/api/") else MAX_BODY


def sent(app: FastAPI, method: str, path: str, length: int | None) -> tuple[int, int]:
    """The status, and how many bytes the app took of a body without an end."""
    headers = [(b"host", b"x"), (b"content-type", b"application/json")]
    headers += [(b"content-length", str(length).encode())] if length is not None else []
    scope: dict[str, Any] = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": path,
        "raw_path": path.encode(), "scheme": "http", "query_string": b"", "root_path": "", "state": {},
        "headers": headers, "client": ("127.0.0.1", 1), "server": ("x", 80),
    }  # fmt: skip
    taken, statuses = 0, []

    async def receive() -> dict[str, Any]:
        nonlocal taken
        taken += PIECE
        assert taken < 3 * MAX_API_BODY, f"{method} {path} reads on and on"
        return {"type": "http.request", "body": b"x" * PIECE, "more_body": True}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    in_a_loop_of_its_own(app(scope, receive, send))
    return statuses[0], taken


def test_every_endpoint_refuses_a_large_body_without_reading_it(app: FastAPI) -> None:
    found = endpoints(app)
    assert {"/chat/messages", "/sign-in", "/api/v1/orders", "/webhooks/rest/webhook", "/socket.io/"} <= {
        path for _, path in found
    }
    for method, path in found:
        assert sent(app, method, path, 5_000_000) == (413, 0), f"{method} {path}"


def test_every_endpoint_stops_reading_at_its_limit(app: FastAPI) -> None:
    for method, path in endpoints(app):
        status, taken = sent(app, method, path, None)
        assert status == 413, f"{method} {path}"
        assert taken <= _most(path) + PIECE, f"{method} {path}"


def test_a_length_that_is_no_number_is_refused(app: FastAPI) -> None:
    for length in ("-1", "1e9", "0x10", " 5", "٣"):
        headers = [(b"content-length", length.encode())]
        scope: dict[str, Any] = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST",
            "path": "/chat/session", "raw_path": b"/chat/session", "scheme": "http", "query_string": b"",
            "root_path": "", "state": {}, "headers": headers, "client": ("127.0.0.1", 1), "server": ("x", 80),
        }  # fmt: skip
        statuses: list[int] = []

        async def receive() -> dict[str, Any]:
            raise AssertionError("it was read")

        async def send(message: Any, statuses: list[int] = statuses) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        in_a_loop_of_its_own(app(scope, receive, send))
        assert statuses == [413]


def test_many_large_bodies_at_once_take_no_memory(app: FastAPI) -> None:
    tracemalloc.start()
    for _ in range(50):
        sent(app, "POST", "/chat/messages", None)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000


def test_a_client_that_sends_everything_is_answered_or_cut_and_the_next_one_is_served(chat: Gateway) -> None:
    host, port = chat.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as client:
        head = "POST /chat/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        client.sendall(f"{head}Content-Length: 5000000\r\n\r\n".encode())
        answer = b""
        try:
            client.sendall(b"x" * 5_000_000)
            while piece := client.recv(65536):
                answer += piece
        except OSError:
            pass  # Cut while it still wrote: that is what the answer's "Connection: close" says.
    assert not answer or answer.startswith(b"HTTP/1.1 413")
    visitor = chat.visitor()
    assert visitor.send("hello").status_code == 201


@pytest.mark.parametrize("times", [2_001, 4_001, 30_000])
def test_a_text_that_is_too_long_is_refused_before_the_brain_hears_it(chat: Gateway, times: int) -> None:
    visitor = chat.visitor()
    answer = visitor.post("/chat/messages", {"client_id": client_id(), "text": "x" * times})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert len(visitor.messages()) == 1
    assert chat.brain.asked == []
