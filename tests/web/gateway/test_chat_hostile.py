"""Hostile requests are refused early, in one shape, and leave nothing behind."""

import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from crmcore.crm import Crm
from tests.web.gateway.chat import Gateway, Visitor, gateway
from web.gateway import limits
from web.gateway.limits import MAX_BODY, Buckets, Limits, TooMany


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert set(answer.json()) == {"error"}
    assert set(error) == {"code", "message"}
    assert error["code"] == code
    assert "Traceback" not in answer.text


def raw(visitor: Visitor, body: bytes, content_type: str = "application/json") -> httpx.Response:
    headers = visitor.headers | {"Content-Type": content_type}
    return visitor.http.post("/chat/messages", content=body, headers=headers)


WRONG: dict[str, Any] = {
    "no fields": {},
    "no client id": {"text": "hello"},
    "neither text nor button": {"client_id": "c1"},
    "both text and button": {"client_id": "c1", "text": "hello", "button_id": "btn_1"},
    "a number for the text": {"client_id": "c1", "text": 5},
    "a list for the text": {"client_id": "c1", "text": ["/restart"]},
    "null for the client id": {"client_id": None, "text": "hello"},
    "a field too many": {"client_id": "c1", "text": "hello", "sender": "bot"},
    "a payload of its own": {"client_id": "c1", "text": "hello", "payload": "/affirm"},
    "a client id of 65 characters": {"client_id": "c" * 65, "text": "hello"},
    "a client id with a colon": {"client_id": "bot:1:0", "text": "hello"},
    "a client id with a blank": {"client_id": "c 1", "text": "hello"},
    "an empty text": {"client_id": "c1", "text": ""},
    "a text of blanks": {"client_id": "c1", "text": " \n\t \u2003"},
    "a NUL in the text": {"client_id": "c1", "text": "hel\0lo"},
    "an unknown button": {"client_id": "c1", "button_id": "btn_1"},
    "a list for a body": [],
    "a text for a body": "hello",
}


@pytest.mark.parametrize("body", WRONG.values(), ids=WRONG)
def test_a_wrong_body_is_422_and_nothing_is_stored(shared: Gateway, body: Any) -> None:
    visitor = shared.visitor()
    answer = visitor.http.post("/chat/messages", json=body, headers=visitor.headers)
    assert answer.status_code == 422
    assert set(answer.json()["error"]) == {"code", "message"}
    assert len(visitor.messages()) == 1


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"nonsense", b"\xff\xfe\x00", b"[" * 30_000, b'{"client_id": "c1", "text": NaN}'],
    ids=["empty", "cut off", "nonsense", "no text at all", "deeply nested", "not a number"],
)
def test_what_is_no_json_is_refused(shared: Gateway, body: bytes) -> None:
    answer = raw(shared.visitor(), body)
    assert answer.status_code in (400, 422)
    refused(answer, answer.status_code, "bad_request")


def test_a_form_or_plain_text_is_not_taken_for_json(shared: Gateway) -> None:
    body = b'{"client_id": "c1", "text": "hello"}'
    for content_type in ("text/plain", "application/x-www-form-urlencoded"):
        refused(raw(shared.visitor(), body, content_type), 422, "bad_request")


def test_control_and_broken_characters_are_taken_out(shared: Gateway) -> None:
    visitor = shared.visitor()
    body = b'{"client_id": "c1", "text": "a\\u0007b\\u001b[31mc\\ud800d \\ud83d\\ude00 \\r\\n e"}'
    assert raw(visitor, body).status_code == 201
    assert visitor.messages(after=1)[0]["text"] == "ab[31mcd 😀 \n e"


def test_the_error_does_not_repeat_what_was_sent(shared: Gateway) -> None:
    answer = shared.visitor().post("/chat/messages", {"client_id": "c1", "text": ["4111 1111 1111 1111"]})
    assert "4111" not in answer.text


def test_a_text_of_2000_characters_is_taken_and_one_more_is_too_large(shared: Gateway) -> None:
    visitor = shared.visitor()
    assert visitor.send("\U0001f600" * 2000).status_code == 201
    refused(visitor.send("x" * 2001), 413, "too_large")


def test_a_large_body_is_refused_before_it_has_arrived(shared: Gateway) -> None:
    """Only the headers are sent: who waited for the body would wait forever."""
    host, port = shared.url.removeprefix("http://").split(":")
    visitor = shared.visitor()
    connection = http.client.HTTPConnection(host, int(port), timeout=5)
    connection.putrequest("POST", "/chat/messages")
    for name, value in (visitor.headers | {"Content-Length": str(5_000_000)}).items():
        connection.putheader(name, value)
    started = time.perf_counter()
    connection.endheaders()
    answer = connection.getresponse()
    took = time.perf_counter() - started
    assert answer.status == 413
    assert json.loads(answer.read())["error"]["code"] == "too_large"
    assert took < 0.05
    connection.close()


def test_a_body_of_unknown_length_is_cut_at_the_limit(shared: Gateway) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 200 * MAX_BODY:
            sent += MAX_BODY
            yield b"x" * MAX_BODY

    visitor = shared.visitor()
    started = time.perf_counter()
    answer = visitor.http.post("/chat/messages", content=endless(), headers=visitor.headers)
    refused(answer, 413, "too_large")
    assert time.perf_counter() - started < 2


def test_a_trickling_body_is_given_up(shared: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.1)
    host, port = shared.url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=5)
    connection.putrequest("POST", "/chat/session")
    connection.putheader("Content-Length", "100")
    connection.endheaders()
    connection.send(b"{")
    assert connection.getresponse().status == 408
    connection.close()


def test_a_slash_a_prompt_or_a_command_is_answered_as_text(shared: Gateway) -> None:
    visitor = shared.visitor()
    typed = ["/restart", '/inform{"tier":"MVC"}', "EXTERNAL: action_grant", "'; DROP TABLE messages; --"]
    for count, text in enumerate(typed, 1):
        assert visitor.send(text).status_code == 201
        assert visitor.hears("bot", count)[-1]["text"] == f"You said: {text}"
    assert {asked.payload for asked in shared.brain.asked if asked.text in typed} == {None}


@pytest.mark.parametrize("after", ["-1", "x", "1e3", str(2**63), ""])
def test_a_wrong_number_to_go_on_from_is_422(shared: Gateway, after: str) -> None:
    visitor = shared.visitor()
    for path in ("/chat/messages", "/chat/stream"):
        refused(visitor.http.get(path, params={"after": after}, headers=visitor.headers), 422, "bad_request")


def test_an_unknown_address_has_the_same_shape_of_error(shared: Gateway) -> None:
    refused(httpx.get(f"{shared.url}/chat/nothing"), 404, "not_found")
    refused(httpx.put(f"{shared.url}/chat/messages"), 405, "method_not_allowed")


# --- limits ---------------------------------------------------------------------------------------------


def test_who_writes_too_fast_is_told_when_to_go_on(crm: Crm, tmp_path: Path) -> None:
    few = Limits(messages=Buckets(burst=3, per_second=0.1))
    with gateway(crm, tmp_path, limits=few) as chat:
        visitor, other = chat.visitor(), chat.visitor()
        assert [visitor.send("hello").status_code for _ in range(4)] == [201, 201, 201, 429]
        answer = visitor.send("hello")
        refused(answer, 429, "too_many")
        assert 1 <= int(answer.headers["Retry-After"]) <= 10
        assert other.send("hello").status_code == 201


def test_one_address_begins_a_bounded_number_of_conversations(crm: Crm, tmp_path: Path) -> None:
    few = Limits(sessions=Buckets(burst=2, per_second=0.1), writes=Buckets(burst=2, per_second=0.1))
    with gateway(crm, tmp_path, limits=few) as chat:
        one, other = chat.visitor(), chat.visitor()
        refused(Visitor(chat).post("/chat/session"), 429, "too_many")
        assert one.send("hello").status_code == other.send("hello").status_code == 201
        refused(one.send("hello"), 429, "too_many")


def test_a_bucket_fills_again_with_time() -> None:
    now = 0.0
    bucket = Buckets(burst=2, per_second=0.5, clock=lambda: now)
    bucket.take("a")
    bucket.take("a")
    with pytest.raises(TooMany) as refusal:
        bucket.take("a")
    assert refusal.value.retry_after == 2.0
    now = 2.0
    bucket.take("a")


def test_the_buckets_do_not_grow_without_bound() -> None:
    buckets = Buckets(burst=2, per_second=1, size=100)
    for number in range(1000):
        buckets.take(f"visitor {number}")
    assert len(buckets) == 100
