"""Tokens of an attacker: whatever is wrong with one, it opens nothing, and says nothing of why."""

import base64
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from crmcore.crm import Crm
from crmcore.usecases.api_keys import create_key, revoke_key
from crmcore.usecases.conversations import conversation
from tests.builders import Clock, a_customer
from tests.concurrency import at_once
from tests.web.gateway.chat import WIDGET_SECRET, Gateway, Visitor, gateway, signed_by_firm
from web.gateway.limits import Limits

RACERS = 64


@pytest.fixture
def chat(crm: Crm, tmp_path: Path) -> Iterator[Gateway]:
    with gateway(crm, tmp_path, limits=Limits.times(1000)) as running:
        yield running


@pytest.fixture
def chat_on_both(crm_on_both: Crm, tmp_path: Path) -> Iterator[Gateway]:
    with gateway(crm_on_both, tmp_path, limits=Limits.times(1000)) as running:
        yield running


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    head, body, signature = token.split(".")
    unpacked = [json.loads(base64.urlsafe_b64decode(part + "==")) for part in (head, body)]
    return unpacked[0], unpacked[1], signature


def with_head(token: str, **head: Any) -> str:
    """The same body and signature under another head."""
    old, body, signature = parts(token)
    return f"{b64(json.dumps(old | head).encode())}.{b64(json.dumps(body).encode())}.{signature}"


def with_body(token: str, **body: Any) -> str:
    head, old, signature = parts(token)
    return f"{b64(json.dumps(head).encode())}.{b64(json.dumps(old | body).encode())}.{signature}"


ATTACKS: dict[str, Callable[[str], str]] = {
    "alg in capitals and none": lambda t: with_head(t, alg="NoNe").rsplit(".", 1)[0] + ".",
    "alg missing": lambda t: with_head(t, alg=None),
    "another HMAC": lambda t: jwt.encode(parts(t)[1], b"s" * 64, "HS512"),
    "an asymmetric algorithm": lambda t: with_head(t, alg="RS256"),
    "a key of his own in the head": lambda t: jwt.encode(
        parts(t)[1], b"x" * 32, "HS256", headers={"jwk": {"kty": "oct", "k": b64(b"x" * 32)}, "x5c": ["eA"]}
    ),
    "an empty key by file": lambda t: jwt.encode(
        parts(t)[1], b"\0" * 32, "HS256", headers={"kid": "../../../../dev/null"}
    ),
    "a key by address": lambda t: with_head(t, jku="http://127.0.0.1:1/jwks", x5u="http://127.0.0.1:1/x"),
    "a key id with SQL": lambda t: with_head(t, kid="x' UNION SELECT 'key"),
    "a critical head": lambda t: with_head(t, crit=["b64"], b64=False),
    "another conversation": lambda t: with_body(t, conversation="cnv_00000000000000000000"),
    "a later generation": lambda t: with_body(t, generation=999),
    "a longer life": lambda t: with_body(t, exp=4_102_444_800),
    "claimed to be signed in": lambda t: with_body(t, signed_in=True),
    "cut in the middle": lambda t: t[: len(t) // 2],
    "without its last character": lambda t: t[:-1],
    "one part more": lambda t: t + ".x",
    "twice": lambda t: f"{t}{t}",
    "a huge one": lambda t: f"{t}{'A' * 20_000}",
    "a nested head": lambda t: b64(b'{"alg":' + b"[" * 9_000 + b"]" * 9_000 + b"}") + ".e30.x",
    "not base64": lambda t: "%%%.%%%.%%%",
    "only dots": lambda t: "..",
    "no JSON": lambda t: f"{b64(b'nonsense')}.{b64(b'nonsense')}.x",
    "a list for claims": lambda t: f"{t.split('.')[0]}.{b64(b'[]')}.{t.split('.')[2]}",
}


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("forge", ATTACKS.values(), ids=ATTACKS)
def test_a_token_that_was_tampered_with_opens_nothing(chat: Gateway, forge: Callable[[str], str]) -> None:
    visitor = chat.visitor()
    forged = forge(visitor.token)
    for method, path in (("GET", "/chat/messages"), ("GET", "/chat/stream"), ("POST", "/chat/socket-token")):
        answer = httpx.request(
            method, chat.url + path, headers={"Authorization": f"Bearer {forged}"}, timeout=8
        )
        assert answer.status_code == 401, answer.text
        assert answer.json()["error"]["code"] == "token_refused"
    begun = Visitor(chat, forged).begin()
    assert begun["conversation_id"] != visitor.conversation_id
    for signed_in in (forge(signed_by_firm(a_customer(chat.crm), chat.crm.clock().timestamp()))[:4096],):
        answer = Visitor(chat).post("/chat/session", {"signed_in_token": signed_in})
        assert answer.status_code == 401, answer.text


@pytest.mark.parametrize(
    "header",
    [
        b"Bearer \xff\xfe",
        "Bearer пароль".encode(),
        b"Bearer",
        b"Basic YTpi",
        b"bearer\tx",
    ],
)
def test_a_header_that_is_no_token_is_401_or_400(chat: Gateway, header: bytes) -> None:
    client = httpx.Client(base_url=chat.url, timeout=8)
    answer = client.send(client.build_request("GET", "/chat/messages", headers=[(b"Authorization", header)]))
    assert answer.status_code in (400, 401)


def test_two_tokens_in_one_request_open_at_most_the_first(chat: Gateway) -> None:
    mine, his = chat.visitor(), chat.visitor()
    his.send("a secret of his")
    client = httpx.Client(base_url=chat.url, timeout=8)
    headers = [("Authorization", f"Bearer {mine.token}"), ("Authorization", f"Bearer {his.token}")]
    answer = client.get("/chat/messages", headers=headers)
    assert "a secret of his" not in answer.text


def test_a_visitor_with_a_good_token_names_another_conversation_in_vain(chat: Gateway) -> None:
    mine, his = chat.visitor(), chat.visitor()
    his.send("a secret of his")
    named: dict[str, Any] = {
        "conversation_id": his.conversation_id,
        "conversation": his.conversation_id,
        "after": 0,
    }
    assert "a secret of his" not in mine.http.get("/chat/messages", params=named, headers=mine.headers).text
    refused = mine.post("/chat/messages", {"client_id": "c1", "text": "x", **named})
    assert refused.status_code == 422
    pressed = mine.post("/chat/messages", {"client_id": "c2", "button_id": his.conversation_id})
    assert pressed.status_code == 422


def test_after_signing_out_an_older_generation_stays_shut_for_ever(chat: Gateway, clock: Clock) -> None:
    customer = a_customer(chat.crm)
    now = chat.crm.clock().timestamp()
    visitor = chat.visitor(signed_in_token=signed_by_firm(customer, now))
    first = visitor.token
    visitor.post("/chat/sign-out")
    again = chat.visitor(signed_in_token=signed_by_firm(customer, now))
    assert again.conversation_id != visitor.conversation_id
    clock.advance(minutes=5)
    for old in (first, with_body(first, generation=0)):
        assert (
            Visitor(chat, old)
            .http.get("/chat/messages", headers={"Authorization": f"Bearer {old}"})
            .status_code
            == 401
        )


def test_one_sign_in_token_shown_64_times_at_once_signs_in_once(chat_on_both: Gateway) -> None:
    chat = chat_on_both
    customer = a_customer(chat.crm)
    token = signed_by_firm(customer, chat.crm.clock().timestamp())

    def show() -> int:
        return httpx.post(f"{chat.url}/chat/session", json={"signed_in_token": token}, timeout=60).status_code

    statuses = at_once(*[show] * RACERS)
    assert sorted(map(str, statuses)) == ["200", *["401"] * (RACERS - 1)]


def test_a_sign_in_token_of_the_future_or_of_another_key_is_refused_with_one_answer(chat: Gateway) -> None:
    """The sentence says what a sign-in token is, and never which check failed for whom."""
    customer, now = a_customer(chat.crm), chat.crm.clock().timestamp()
    forged = signed_by_firm(customer, now, key="x" * 64)
    nobodys = signed_by_firm("cus_nobody_at_all", now, key="x" * 64)
    answers = [Visitor(chat).post("/chat/session", {"signed_in_token": t}).text for t in (forged, nobodys)]
    assert answers[0] == answers[1]
    early = signed_by_firm(customer, now + 60)
    assert Visitor(chat).post("/chat/session", {"signed_in_token": early}).status_code == 401


def test_no_token_of_one_kind_passes_for_another(chat: Gateway) -> None:
    visitor = chat.visitor()
    socket_token = visitor.post("/chat/socket-token").json()["token"]
    key = create_key(chat.crm, "shop", ["chat"]).text
    sign_in = signed_by_firm(a_customer(chat.crm), chat.crm.clock().timestamp())
    for wrong in (socket_token, key, sign_in, WIDGET_SECRET):
        assert Visitor(chat, wrong).send("hello").status_code == 401
    for wrong in (visitor.token, socket_token, sign_in, f"{key}x", key[:-1], key.upper(), "rap_" + "0" * 64):
        answer = httpx.post(
            f"{chat.url}/webhooks/rest/webhook", headers={"Authorization": f"Bearer {wrong}"},
            json={"sender": "x", "message": "hello"}, timeout=8,
        )  # fmt: skip
        assert answer.status_code == 401
    assert Visitor(chat).post("/chat/session", {"signed_in_token": visitor.token}).status_code == 401


def test_a_key_ends_with_its_revocation_and_guesses_are_slowed(crm: Crm, tmp_path: Path) -> None:
    with gateway(crm, tmp_path) as chat:
        made = create_key(crm, "shop", ["chat"])

        def ask(key: str) -> int:
            return httpx.post(
                f"{chat.url}/webhooks/rest/webhook", headers={"Authorization": f"Bearer {key}"},
                json={"sender": "x", "message": "hello"}, timeout=30,
            ).status_code  # fmt: skip

        assert ask(made.text) == 200
        revoke_key(crm, made.key.key_id)
        guesses = [ask(made.text) for _ in range(40)]
        assert guesses[0] == 401
        assert guesses[-1] == 429


def test_an_expired_token_is_worth_nothing_one_second_later(chat: Gateway, clock: Clock) -> None:
    visitor = chat.visitor()
    claims = parts(visitor.token)[1]
    clock.now += timedelta(seconds=claims["exp"] - clock.now.timestamp() + 1)
    assert visitor.send("too late").status_code == 401
    assert conversation(chat.crm, visitor.conversation_id).last_seq == 1
