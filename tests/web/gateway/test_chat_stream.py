"""The live line goes on after a number, so a reload, a sleep or a restart loses and doubles nothing."""

import socket
import time
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from crmcore.crm import Crm
from crmcore.usecases.conversations import claim, give_back, receive, say_as_person
from tests.builders import a_staff_member, client_id
from tests.web.gateway.chat import Gateway, Visitor, gateway, until
from web import live
from web.gateway import streams
from web.gateway.limits import Limits


def same_length(wanted: list[Any], shown: list[Any]) -> bool:
    return len(shown) == len(wanted)


def test_a_stream_goes_on_after_the_number_that_the_client_has(chat: Gateway) -> None:
    visitor = chat.visitor()
    for number in range(3):
        visitor.send(f"number {number}")
        visitor.hears("bot", number + 1)
    everything = visitor.messages()
    for after in range(len(everything)):
        missed = everything[after:]
        assert visitor.until(partial(same_length, missed), after) == missed


def test_two_open_streams_show_the_same_and_each_message_once(chat: Gateway) -> None:
    visitor = chat.visitor()
    other = Visitor(chat, visitor.token)
    with visitor.listen() as mine, other.listen() as his:
        for number in range(3):
            visitor.send(f"number {number}")
        seen: list[list[Any]] = [[], []]
        for shown, events in zip(seen, (mine, his), strict=True):
            while len(shown) < 7:
                name, data = next(events)
                if name == "message":
                    shown.append({key: data[key] for key in data if key != "state"})
    assert seen[0] == seen[1]  # But for the state, which one may have read before the answer.
    assert [message["seq"] for message in seen[0]] == list(range(1, 8))


def test_the_stream_tells_who_answers_and_who_types(chat: Gateway) -> None:
    member = a_staff_member(chat.crm)
    visitor = chat.visitor()
    owners: list[Any] = []
    with visitor.listen(after=1) as events:
        assert next(events) == ("owner", {"kind": "bot", "name": chat.crm.firm.voice.assistant})
        visitor.send("hello")
        typed = next(data for name, data in events if name == "typing")
        assert typed == {"who": "bot", "name": chat.crm.firm.voice.assistant}
        claim(chat.crm, visitor.conversation_id, member.staff_id)
        owners.append(next(data for name, data in events if name == "owner"))
        chat.app.state.live.typing(visitor.conversation_id, "person", member.name)
        typed = next(data for name, data in events if name == "typing" and data["who"] == "person")
        assert typed["name"] == member.name
        give_back(chat.crm, visitor.conversation_id, member.staff_id)
        owners.append(next(data for name, data in events if name == "owner"))
    assert [owner["kind"] for owner in owners] == ["account_manager", "bot"]


def test_the_customer_is_not_shown_that_he_himself_types(chat: Gateway) -> None:
    visitor = chat.visitor()
    with visitor.listen(after=1) as events:
        next(events)
        assert visitor.post("/chat/typing").status_code == 204
        visitor.send("hello")
        names = []
        for name, data in events:
            names.append((name, data["who"]) if name == "typing" else name)
            if names.count("message") == 2:
                break
    assert ("typing", "customer") not in names


def test_what_another_process_wrote_arrives_within_seconds(chat: Gateway) -> None:
    """A person's words, for the bot's turns are found by their runner too."""
    member = a_staff_member(chat.crm)
    visitor = chat.visitor()
    claim(chat.crm, visitor.conversation_id, member.staff_id)
    with visitor.listen(after=2) as events:
        next(events)
        say_as_person(chat.crm, visitor.conversation_id, member.staff_id, client_id(), "Good morning.", 2)
        assert next(data for name, data in events if name == "message")["text"] == "Good morning."


def test_a_quiet_stream_is_heard_of_now_and_then(chat: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.05)
    visitor = chat.visitor()
    with visitor.listen(after=1) as events:
        names = [next(events)[0] for _ in range(3)]
    assert names == ["owner", "ping", "ping"]


def test_signing_out_closes_the_streams_and_ends_the_token(
    chat: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "POLL_SECONDS", 60)  # Nothing but the signing out ends the stream.
    visitor = chat.visitor()
    with visitor.listen(after=1) as events:
        next(events)
        assert visitor.post("/chat/sign-out").status_code == 204
        assert list(events) == []
    for refused in (visitor.send("hello"), visitor.http.get("/chat/messages", headers=visitor.headers)):
        assert refused.status_code == 401
        assert refused.json()["error"]["code"] == "token_refused"


def test_a_stream_ends_when_its_token_does(chat: Gateway, clock: Any) -> None:
    visitor = chat.visitor()
    with visitor.listen(after=1) as events:
        next(events)
        clock.advance(hours=25)
        receive(chat.crm, visitor.conversation_id, client_id(), "too late")
        assert [name for name, _ in events if name == "message"] == []


def test_the_oldest_stream_of_a_conversation_makes_room_for_the_newest(crm: Crm, tmp_path: Path) -> None:
    with gateway(crm, tmp_path, limits=Limits(streams_of_conversation=2)) as chat:
        visitor = chat.visitor()
        others = [Visitor(chat, visitor.token) for _ in range(2)]
        with visitor.listen(1) as first, others[0].listen(1) as second, others[1].listen(1) as third:
            assert next(first)[0] == next(second)[0] == next(third)[0] == "owner"
            assert list(first) == []
            assert len(chat.app.state.streams) == 2
            visitor.send("hello")
            assert next(name for name, _ in second if name == "message")
            assert next(name for name, _ in third if name == "message")


@pytest.mark.parametrize(
    "few", [Limits(streams=1), Limits(streams_of_address=1)], ids=["in all", "an address"]
)
def test_the_number_of_streams_is_bounded(crm: Crm, tmp_path: Path, few: Limits) -> None:
    with gateway(crm, tmp_path, limits=few) as chat:
        one, other = chat.visitor(), chat.visitor()
        with one.listen(1) as events:
            next(events)
            refused = httpx.get(f"{chat.url}/chat/stream", headers=other.headers)
            assert refused.status_code == 503
            assert int(refused.headers["Retry-After"]) >= 1


def test_a_reader_who_takes_nothing_is_cut(chat: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "SEND_SECONDS", 0.2)
    visitor = chat.visitor()
    chat.brain.held = True
    host, port = chat.url.removeprefix("http://").split(":")
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    deaf.connect((host, int(port)))
    request = f"GET /chat/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {visitor.token}\r\n\r\n"
    deaf.sendall(request.encode())
    until(lambda: len(chat.app.state.streams) == 1, "the stream is open")
    deadline = time.monotonic() + 30
    while len(chat.app.state.streams) == 1 and time.monotonic() < deadline:
        for _ in range(40):
            receive(chat.crm, visitor.conversation_id, client_id(), "x" * 2000)
        chat.app.state.live.wake(visitor.conversation_id)
    assert len(chat.app.state.streams) == 0
    deaf.close()


def test_a_client_that_left_frees_its_place(chat: Gateway) -> None:
    visitor = chat.visitor()
    with visitor.listen(after=1) as events:
        next(events)
        assert len(chat.app.state.streams) == 1
    visitor.http.close()
    until(lambda: len(chat.app.state.streams) == 0, "the place is free")
