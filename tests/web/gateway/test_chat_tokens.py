"""Who may speak and read: only the holder of a token that we signed for this conversation."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest

from crmcore.usecases.conversations import conversation
from tests.builders import Clock, a_customer
from tests.web.gateway.chat import WIDGET_SECRET, Gateway, Visitor, signed_by_firm


def claims_of(token: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


def unsigned(claims: dict[str, Any]) -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims)}."


def with_another_signature(token: str) -> str:
    head, body, _ = token.split(".")
    return f"{head}.{body}.{'A' * 43}"


FORGERIES: dict[str, Callable[[str], str]] = {
    "no token": lambda token: "",
    "nonsense": lambda token: "not-a-token",
    "another signature": with_another_signature,
    "alg none": lambda token: unsigned(claims_of(token)),
    "signed with a guessed key": lambda token: jwt.encode(claims_of(token), "secret", "HS256"),
    "signed with the firm's key": lambda token: jwt.encode(claims_of(token), WIDGET_SECRET, "HS256"),
    "signed with the bare secret": lambda token: jwt.encode(claims_of(token), b"s" * 32, "HS256"),
    "a sign-in token": lambda token: signed_by_firm("cus_1", claims_of(token)["iat"]),
}


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_token_opens_nothing(chat: Gateway, forge: Callable[[str], str]) -> None:
    visitor = chat.visitor()
    forger = Visitor(chat, forge(visitor.token))
    for answer in (
        forger.send("hello"),
        forger.http.get("/chat/messages", headers=forger.headers),
        forger.http.get("/chat/stream", headers=forger.headers),
        forger.post("/chat/person", {"client_id": "c"}),
        forger.post("/chat/typing"),
        forger.post("/chat/sign-out"),
    ):
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "token_refused"
    assert forger.begin()["conversation_id"] != visitor.conversation_id
    assert len(visitor.messages()) == 1


def test_a_token_in_the_url_is_no_token(chat: Gateway) -> None:
    visitor = chat.visitor()
    for name in ("token", "access_token", "authorization"):
        assert visitor.http.get("/chat/messages", params={name: visitor.token}).status_code == 401


def test_a_token_of_one_conversation_cannot_be_rewritten_for_another(chat: Gateway) -> None:
    mine, his = chat.visitor(), chat.visitor()
    claims = claims_of(mine.token) | {"conversation": his.conversation_id}
    head, _, signature = mine.token.split(".")
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    assert Visitor(chat, f"{head}.{body}.{signature}").send("hello").status_code == 401


def test_a_token_expires_and_its_conversation_is_not_resumed(chat: Gateway, clock: Clock) -> None:
    visitor = chat.visitor()
    clock.advance(hours=23)
    assert visitor.send("still here").status_code == 201
    clock.advance(hours=2)
    assert visitor.send("too late").status_code == 401
    assert Visitor(chat, visitor.token).begin()["resumed"] is False


def test_resuming_renews_the_token(chat: Gateway, clock: Clock) -> None:
    visitor = chat.visitor()
    for _ in range(3):
        clock.advance(hours=20)
        begun = visitor.begin()
        assert begun["resumed"] is True
    assert visitor.send("hello").status_code == 201


def test_the_firms_token_signs_a_visitor_in(chat: Gateway) -> None:
    customer = a_customer(chat.crm)
    visitor = chat.visitor(signed_in_token=signed_by_firm(customer, chat.crm.clock().timestamp()))
    found = conversation(chat.crm, visitor.conversation_id)
    assert (found.customer_id, found.verified_at) == (customer, chat.crm.clock())
    assert visitor.send("hello").status_code == 201


BAD_SIGN_INS: dict[str, dict[str, Any]] = {
    "another key": {"key": "x" * 64},
    "another audience": {"aud": "shop"},
    "no audience": {"aud": None},
    "no token id": {"jti": None},
    "no customer": {"sub": None},
    "nobody's customer id": {"sub": "cus_nobody"},
    "no expiry": {"exp": None},
    "no time of issue": {"iat": None},
    "times that are no numbers": {"exp": "tomorrow"},
    "times beyond the calendar": {"iat": -1e18},
}


@pytest.mark.parametrize("changes", BAD_SIGN_INS.values(), ids=BAD_SIGN_INS)
def test_a_bad_sign_in_is_refused(chat: Gateway, changes: dict[str, Any]) -> None:
    token = signed_by_firm(a_customer(chat.crm), chat.crm.clock().timestamp(), **changes)
    answer = Visitor(chat).post("/chat/session", {"signed_in_token": token})
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "sign_in_refused"


@pytest.mark.parametrize(
    ("issued", "lives"),
    [(-400, 300), (0, 601), (-86_400, 90_000), (120, 300)],
    ids=["expired", "lives too long", "lives for days", "of the future"],
)
def test_a_sign_in_of_the_wrong_time_is_refused(chat: Gateway, issued: int, lives: int) -> None:
    at = chat.crm.clock().timestamp() + issued
    token = signed_by_firm(a_customer(chat.crm), at, exp=int(at) + lives)
    assert Visitor(chat).post("/chat/session", {"signed_in_token": token}).status_code == 401


def test_an_unsigned_sign_in_is_refused(chat: Gateway) -> None:
    token = unsigned(claims_of(signed_by_firm(a_customer(chat.crm), chat.crm.clock().timestamp())))
    assert Visitor(chat).post("/chat/session", {"signed_in_token": token}).status_code == 401


def test_a_sign_in_works_once(chat: Gateway) -> None:
    token = signed_by_firm(a_customer(chat.crm), chat.crm.clock().timestamp())
    chat.visitor(signed_in_token=token)
    answer = Visitor(chat).post("/chat/session", {"signed_in_token": token})
    assert answer.status_code == 401
    assert "used before" in answer.json()["error"]["message"]


def test_signing_in_keeps_the_conversation_and_ends_its_anonymous_tokens(chat: Gateway) -> None:
    visitor = chat.visitor()
    visitor.send("I am looking for a guitar")
    anonymous = visitor.token
    customer = a_customer(chat.crm)
    begun = visitor.begin(signed_in_token=signed_by_firm(customer, chat.crm.clock().timestamp()))
    assert begun["resumed"] is True
    assert conversation(chat.crm, visitor.conversation_id).customer_id == customer
    assert Visitor(chat, anonymous).send("hello").status_code == 401
    assert visitor.send("hello").status_code == 201


def test_at_a_shared_computer_the_next_customer_sees_nothing_of_the_one_before(chat: Gateway) -> None:
    """A signs out at the shop but leaves his chat token on the device; B signs in."""
    first, second = a_customer(chat.crm, "Ann"), a_customer(chat.crm, "Bob")
    now = chat.crm.clock().timestamp()
    a = chat.visitor(signed_in_token=signed_by_firm(first, now))
    a.send("my secret")
    b = Visitor(chat, a.token)
    begun = b.begin(signed_in_token=signed_by_firm(second, now))
    assert begun["resumed"] is False
    assert begun["conversation_id"] != a.conversation_id
    assert "my secret" not in str(b.messages())
    assert conversation(chat.crm, a.conversation_id).customer_id == first
    assert a.send("hello").status_code == 401


def test_who_was_signed_in_is_not_resumed_without_the_firms_word(chat: Gateway) -> None:
    visitor = chat.visitor(signed_in_token=signed_by_firm(a_customer(chat.crm), chat.crm.clock().timestamp()))
    nobody = Visitor(chat, visitor.token)
    assert nobody.begin()["conversation_id"] != visitor.conversation_id


def test_a_reload_of_a_signed_in_page_goes_on_with_the_conversation(chat: Gateway, clock: Clock) -> None:
    customer = a_customer(chat.crm)
    visitor = chat.visitor(signed_in_token=signed_by_firm(customer, clock().timestamp()))
    clock.now += timedelta(minutes=5)
    begun = visitor.begin(signed_in_token=signed_by_firm(customer, clock().timestamp()))
    assert begun["resumed"] is True


def test_after_signing_out_no_token_opens_the_conversation_again(chat: Gateway) -> None:
    visitor = chat.visitor()
    token = visitor.token
    visitor.post("/chat/sign-out")
    begun = Visitor(chat, token).begin()
    assert begun["resumed"] is False
    assert begun["conversation_id"] != visitor.conversation_id
