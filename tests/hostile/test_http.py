"""Raw requests that no browser sends: each is refused, and nothing of it is taken for somebody's message."""

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn

from crmcore.crm import Crm
from serve import protocol
from serve.protocol import MAX_HEAD, BoundedProtocol
from tests.web.gateway.chat import FakeBrain, Gateway, Visitor, some_settings
from web.app import create_app
from web.gateway.limits import Limits
from web.live import Live


@pytest.fixture
def chat(crm: Crm, tmp_path: Path) -> Iterator[Gateway]:
    """The gateway behind the server that the product runs."""
    brain = FakeBrain()
    app = create_app(crm, brain, Live(crm), some_settings(tmp_path), limits=Limits.times(1000))
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1, http=BoundedProtocol)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield Gateway(f"http://127.0.0.1:{listening.getsockname()[1]}", crm, brain, app)
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()


@contextmanager
def connected(chat: Gateway, patience: float = 10.0) -> Iterator[socket.socket]:
    host, port = chat.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=patience) as client:
        yield client


def heard(client: socket.socket) -> bytes:
    """Everything until the server closes."""
    answer = b""
    try:
        while piece := client.recv(65_536):
            answer += piece
    except ConnectionError:
        pass
    return answer


def raw(chat: Gateway, request: bytes) -> bytes:
    with connected(chat) as client:
        client.sendall(request)
        return heard(client)


def post(visitor: Visitor, *headers: str, body: bytes = b"") -> bytes:
    """A message's request line and headers, with these and the body after them."""
    lines = [
        "POST /chat/messages HTTP/1.1",
        "Host: shop.example",
        "Content-Type: application/json",
        f"Authorization: Bearer {visitor.token}",
        *headers,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


SMUGGLED = b"POST /chat/person HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
CONFUSING = {
    "a length and chunks": (["Content-Length: 5", "Transfer-Encoding: chunked"], b"0\r\n\r\n" + SMUGGLED),
    "two lengths": (["Content-Length: 5", "Content-Length: 30"], b"{" * 30),
    "an unknown coding": (["Transfer-Encoding: xchunked", "Content-Length: 5"], b"0\r\n\r\n" + SMUGGLED),
    "a blank before the colon": (["Transfer-Encoding : chunked"], b"0\r\n\r\n" + SMUGGLED),
    "a folded header": (["X-Folded: a\r\n b", "Content-Length: 0"], b""),
    "a bare carriage return": (["X-Request-ID: a\rSet-Cookie: b", "Content-Length: 0"], b""),
    "a chunk without an end": (["Transfer-Encoding: chunked"], b"FFFFFFFFFFFFFFFFF\r\nx"),
}


@pytest.mark.parametrize(("headers", "body"), CONFUSING.values(), ids=CONFUSING)
def test_a_request_that_can_be_read_in_two_ways_is_refused_and_nothing_hides_in_it(
    chat: Gateway, headers: list[str], body: bytes
) -> None:
    visitor = chat.visitor()
    answer = raw(chat, post(visitor, *headers, body=body))
    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"Set-Cookie" not in answer
    assert len(visitor.messages()) == 1
    assert visitor.http.get("/chat/messages", headers=visitor.headers).json()["owner"]["kind"] == "bot"


@pytest.mark.parametrize(
    "path",
    [
        "/static/..%2f..%2fpyproject.toml", "/static/%2e%2e/%2e%2e/pyproject.toml", "/static/../app.py",
        "/static/..%5c..%5cpyproject.toml", "/static//etc/passwd", "/static/tokens.css%00.js", "/widget/..;/",
        "/demo/..%2fchat", "//evil.example/x", "/static/" + "a" * 20_000,
    ],
)  # fmt: skip
def test_no_path_leads_out_of_the_files_that_are_for_everybody(chat: Gateway, path: str) -> None:
    answer = raw(chat, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 404")
    assert b"root:" not in answer
    assert b"import " not in answer


@pytest.mark.parametrize("method", ["TRACE", "PUT", "PATCH", "DELETE", "PROPFIND", "OPTIONS"])
def test_a_method_that_is_not_offered_does_nothing(chat: Gateway, method: str) -> None:
    request = f"{method} /chat/messages HTTP/1.1\r\nHost: x\r\nCookie: a=secret\r\nConnection: close\r\n\r\n"
    answer = raw(chat, request.encode())
    assert answer.startswith(b"HTTP/1.1 405")
    assert b"secret" not in answer


def test_a_header_overrides_neither_method_nor_address_nor_caller(chat: Gateway) -> None:
    visitor, other = chat.visitor(), chat.visitor()
    tricks = {
        "X-HTTP-Method-Override": "DELETE", "X-Original-URL": "/operator", "X-Rewrite-URL": "/operator",
        "X-Forwarded-Host": "evil.example", "X-Forwarded-For": "127.0.0.1", "X-User": "admin",
        "X-Rapport-Secret": "a" * 64, "Forwarded": "for=127.0.0.1;host=evil.example",
    }  # fmt: skip
    answer = visitor.http.get("/chat/messages", headers=visitor.headers | tricks)
    assert answer.status_code == 200
    assert "evil.example" not in answer.text + str(answer.headers)
    assert len(other.messages()) == 1


def test_a_foreign_host_is_repeated_nowhere(chat: Gateway) -> None:
    for path in ("/", "/sign-in", "/sign-in/", "/widget/..;/", "/health/", "/nothing"):
        answer = raw(chat, f"GET {path} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".encode())
        assert b"evil.example" not in answer


NOT_QUITE_JSON = {
    "a number of 30,000 digits": b'{"client_id": ' + b"1" * 30_000 + b"}",
    "not a number": b'{"client_id": "c1", "text": NaN}',
    "beyond every number": b'{"client_id": "c1", "text": 1e999}',
    "deeply nested": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "half a pair for an id": b'{"client_id": "\\ud800", "text": "x"}',
    "a prototype": b'{"client_id": "c1", "text": "x", "__proto__": {"sender": "bot"}}',
}


@pytest.mark.parametrize("body", NOT_QUITE_JSON.values(), ids=NOT_QUITE_JSON)
def test_json_that_breaks_parsers_is_refused(chat: Gateway, body: bytes) -> None:
    visitor = chat.visitor()
    answer = raw(chat, post(visitor, f"Content-Length: {len(body)}", "Connection: close", body=body))
    assert answer[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 422")
    assert len(visitor.messages()) == 1


def test_a_key_that_comes_twice_counts_once(chat: Gateway) -> None:
    visitor = chat.visitor()
    body = b'{"client_id": "c1", "text": "first", "text": "last"}'
    raw(chat, post(visitor, f"Content-Length: {len(body)}", "Connection: close", body=body))
    assert [m["text"] for m in visitor.messages() if m["sender"] == "customer"] == ["last"]


# --- heads that never end -----------------------------------------------------------------------------------


def test_a_head_that_is_too_large_is_refused(chat: Gateway) -> None:
    for head in (b"X-A: " + b"a" * MAX_HEAD, b"X-A: a\r\n" * (MAX_HEAD // 3), b"X-A: " + b"a" * 5_000_000):
        with connected(chat) as client:
            try:
                client.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n\r\n")
            except ConnectionError:
                continue  # Cut in the middle, which is as good.
            answer = heard(client)
        assert not answer or answer.startswith(b"HTTP/1.1 400")
    assert chat.visitor().send("hello").status_code == 201


def test_a_connection_that_sends_no_head_is_closed(chat: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    for begun in (b"", b"GET /health HTTP/1.1\r\nHost: x\r\n"):
        with connected(chat) as client:
            client.sendall(begun)
            assert heard(client) == b""


def test_a_connection_that_asks_again_and_again_stays_open(
    chat: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deadline is for a head, neither for the answer nor for the pause between two requests."""
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 1.0)
    client = http.client.HTTPConnection(chat.url.removeprefix("http://"), timeout=10)
    for _ in range(3):
        client.request("GET", "/widget.js")
        kept = client.sock
        assert client.getresponse().read()
        assert client.sock is kept
        time.sleep(0.5)
    client.close()
    visitor = chat.visitor()
    with visitor.listen() as events:
        time.sleep(1.3)
        visitor.send("hello")
        assert any(name == "message" for name, _ in (next(events) for _ in range(4)))
