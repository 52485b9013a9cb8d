"""What one process writes is shown at once by the streams of another, and a little later without Redis."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from crmcore.crm import Crm
from crmcore.usecases.conversations import claim, give_back
from crmcore.usecases.staff import add_staff, set_duty, sign_in, sign_out
from tests.builders import a_staff_member
from tests.processes.conftest import two_gateways
from tests.redis_server import RedisServer
from tests.web.gateway.chat import PATIENCE, Gateway, Visitor, until
from web import live

LONG = 3600.0


@pytest.fixture
def never_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its own looks at the database a stream shows only what it was woken for."""
    monkeypatch.setattr(live, "POLL_SECONDS", LONG)


@pytest.fixture
def no_heartbeats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", LONG)


def elsewhere(visitor: Visitor, gateway: Gateway) -> Visitor:
    """The same visitor with the same session, at another process."""
    same = Visitor(gateway, visitor.token)
    same.conversation_id = visitor.conversation_id
    return same


def connected(*gateways: Gateway) -> None:
    for gateway in gateways:
        until(lambda gateway=gateway: gateway.app.state.live.wire.connected, "the wire is connected")


def settled(seconds: float = 0.5) -> None:
    """Let the first looks of a stream that was just opened pass."""
    time.sleep(seconds)


def next_of(events: Iterator[tuple[str, Any]], wanted: str) -> Any:
    for name, data in events:
        if name == wanted:
            return data
    raise AssertionError(f"the stream ended without {wanted!r}")


@pytest.mark.usefixtures("never_looks", "no_heartbeats")
def test_a_message_written_in_one_process_is_pushed_by_the_other(
    crm_on_both: Crm, tmp_path: Path, redis_server: RedisServer
) -> None:
    with two_gateways(crm_on_both, tmp_path, redis_server) as (one, other):
        connected(one, other)
        visitor = one.visitor()
        with elsewhere(visitor, other).listen(after=1) as events:
            next_of(events, "owner")
            settled()
            visitor.send("hello")
            assert next_of(events, "message")["text"] == "hello"
            assert next_of(events, "message")["text"] == "You said: hello"
        assert other.brain.asked == []


@pytest.mark.usefixtures("never_looks", "no_heartbeats")
def test_typing_and_a_change_of_owner_cross(crm: Crm, tmp_path: Path, redis_server: RedisServer) -> None:
    member = a_staff_member(crm)
    with two_gateways(crm, tmp_path, redis_server) as (one, other):
        connected(one, other)
        visitor = one.visitor()
        with elsewhere(visitor, other).listen(after=1) as events:
            next_of(events, "owner")
            settled()
            one.app.state.live.typing(visitor.conversation_id, "person", member.name)
            assert next_of(events, "typing") == {"who": "person", "name": member.name}
            claim(crm, visitor.conversation_id, member.staff_id)
            one.app.state.live.wake(visitor.conversation_id)
            assert next_of(events, "owner") == {"kind": "account_manager", "name": member.name}


@pytest.mark.usefixtures("never_looks", "no_heartbeats")
def test_signing_out_in_one_process_cuts_the_streams_of_the_other(
    crm: Crm, tmp_path: Path, redis_server: RedisServer
) -> None:
    with two_gateways(crm, tmp_path, redis_server) as (one, other):
        connected(one, other)
        visitor = one.visitor()
        with elsewhere(visitor, other).listen(after=1) as events:
            next_of(events, "owner")
            settled()
            assert visitor.post("/chat/sign-out").status_code == 204
            assert [name for name, _ in events if name != "ping"] in ([], ["owner"])


def test_without_redis_the_other_process_finds_everything_by_looking(
    crm_on_both: Crm, tmp_path: Path, no_heartbeats: None
) -> None:
    crm = crm_on_both
    member = a_staff_member(crm)
    with two_gateways(crm, tmp_path) as (one, other):
        visitor = one.visitor()
        with elsewhere(visitor, other).listen(after=1) as events:
            next_of(events, "owner")
            settled()
            visitor.send("hello")
            assert next_of(events, "message")["text"] == "hello"
            claim(crm, visitor.conversation_id, member.staff_id)
            assert next_of(events, "owner")["kind"] == "account_manager"
            give_back(crm, visitor.conversation_id, member.staff_id)
            assert next_of(events, "owner")["kind"] == "bot"
            visitor.post("/chat/sign-out")
            assert [name for name, _ in events if name == "message"] == []


def test_redis_may_die_and_come_back_and_nothing_is_missed(
    crm: Crm, tmp_path: Path, redis_server: RedisServer
) -> None:
    with two_gateways(crm, tmp_path, redis_server) as (one, other):
        connected(one, other)
        visitor = one.visitor()
        with elsewhere(visitor, other).listen(after=1) as events:
            for text in ("with it", "without it", "with it again"):
                if text == "without it":
                    redis_server.kill()
                if text == "with it again":
                    redis_server.start()
                    connected(one, other)
                assert visitor.send(text).status_code == 201
                assert next_of(events, "message")["text"] == text
                assert next_of(events, "message")["text"] == f"You said: {text}"


def test_health_says_whether_redis_is_there(
    crm: Crm, tmp_path: Path, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.gateway.health.FRESH_SECONDS", 0.0)
    with two_gateways(crm, tmp_path, redis_server) as (one, _):
        until(lambda: httpx.get(f"{one.url}/health").json()["redis"] == "ok", "Redis is called ok")
        redis_server.kill()
        until(lambda: httpx.get(f"{one.url}/health").json()["redis"] == "down", "Redis is called down")
        assert httpx.get(f"{one.url}/health").status_code == 200


class Desk:
    """A member of staff with a session, whose streams may be open at any process."""

    def __init__(self, crm: Crm) -> None:
        password = "correct horse battery"
        member = add_staff(crm, "Anna Berg", "anna@example.com", "account_manager", password)
        self.staff_id = member.staff_id
        self.token = sign_in(crm, "anna@example.com", password, "127.0.0.1", None).token

    def stream(self, gateway: Gateway, path: str) -> "StaffStream":
        return StaffStream(gateway.url + path, self.token)


class StaffStream:
    """Reads events in a thread, so that a test can wait for what comes."""

    def __init__(self, url: str, token: str) -> None:
        self.events: list[tuple[str, Any]] = []
        self.closed = threading.Event()
        self._url, self._cookies = url, {"rapport_staff": token}
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        name = ""
        with httpx.stream("GET", self._url, cookies=self._cookies, timeout=60) as answer:
            for line in answer.iter_lines():
                if line.startswith("event:"):
                    name = line.removeprefix("event:").strip()
                elif line.startswith("data:"):
                    self.events.append((name, json.loads(line.removeprefix("data:"))))
        self.closed.set()

    def count(self, name: str) -> int:
        return sum(1 for found, _ in self.events if found == name)

    def until_count(self, name: str, more_than: int) -> None:
        until(lambda: self.count(name) > more_than, f"more than {more_than} events {name!r}")


@pytest.mark.parametrize("with_redis", [True, False], ids=["redis", "alone"])
def test_staff_see_in_one_process_what_happens_in_another_and_are_signed_out_there_too(
    crm: Crm, tmp_path: Path, with_redis: bool, request: pytest.FixtureRequest, no_heartbeats: None
) -> None:
    redis = request.getfixturevalue("redis_server") if with_redis else None
    with two_gateways(crm, tmp_path, redis) as (one, other):
        if with_redis:
            connected(one, other)
        desk = Desk(crm)
        visitor = one.visitor()
        lists = desk.stream(other, "/workspace/api/stream")
        talk = desk.stream(other, f"/workspace/api/conversations/{visitor.conversation_id}/stream")
        lists.until_count("lists", 0)
        talk.until_count("owner", 0)
        seen = lists.count("lists")
        set_duty(crm, desk.staff_id, True)
        lists.until_count("lists", seen)
        visitor.send("I am here")
        until(lambda: any(data.get("text") == "I am here" for _, data in talk.events), "staff see the words")
        sign_out(crm, desk.token)
        for stream in (lists, talk):
            assert stream.closed.wait(PATIENCE), "the stream of somebody who signed out is still open"
            assert stream.events[-1] == ("ended", {})
