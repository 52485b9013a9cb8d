"""A gateway on a real port, a brain that says what the test says, and visitors who chat by HTTP."""

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import jwt
import uvicorn
from fastapi import FastAPI

from crmcore.conversations import Reply
from crmcore.crm import Crm
from crmcore.settings import Settings
from tests.builders import client_id
from web.app import create_app
from web.gateway.brain import BrainError
from web.gateway.limits import Limits
from web.live import Live

WIDGET_SECRET = "w" * 64
PATIENCE = 8.0  # Seconds within which something that must happen happens, also on a busy machine.


@dataclass(frozen=True)
class Asked:
    sender: str
    text: str
    metadata: dict[str, Any]
    payload: str | None


@dataclass
class FakeBrain:
    """Answers at once with "You said: …" unless the test scripts it, holds it, or breaks it."""

    says: Callable[[Asked], Sequence[Reply] | BrainError] = lambda asked: [Reply(f"You said: {asked.text}")]
    asked: list[Asked] = field(default_factory=list)
    held: bool = False
    is_ready: bool = True
    in_form: bool = False
    has_consumed: Callable[[str, int], bool] | None = None  # None: what it was asked, it remembers.
    looks: int = 0  # How often somebody asked whether it is ready.

    async def answer(
        self, sender: str, text: str, metadata: Mapping[str, Any], payload: str | None = None
    ) -> Sequence[Reply]:
        asked = Asked(sender, text, dict(metadata), payload)
        self.asked.append(asked)
        while self.held:  # noqa: ASYNC110 - the test sets it from another thread
            await asyncio.sleep(0.01)
        said = self.says(asked)
        if isinstance(said, BrainError):
            raise said
        return said

    async def form_active(self, sender: str) -> bool:
        return self.in_form

    async def consumed(self, sender: str, message_id: int) -> bool:
        if self.has_consumed is not None:
            return self.has_consumed(sender, message_id)
        return any((a.sender, a.metadata["message_id"]) == (sender, message_id) for a in self.asked)

    async def ready(self) -> bool:
        return any((await self.servers()).values())

    async def servers(self) -> Mapping[str, bool]:
        self.looks += 1
        return {"http://127.0.0.1:9": self.is_ready}


def some_settings(home: Path, **changes: Any) -> Settings:
    values: dict[str, Any] = {
        "home": home,
        "database_url": "",
        "firm": home / "firm.yml",
        "host": "127.0.0.1",
        "port": 0,
        "action_port": 0,
        "rasa_urls": ("http://127.0.0.1:9",),
        "secret": b"s" * 32,
        "action_secret": "a" * 64,
        "widget_secret": WIDGET_SECRET,
    }
    return Settings(**(values | changes))


@contextlib.contextmanager
def served(app: Any, listening: socket.socket | None = None) -> Iterator[str]:
    """The app behind a real uvicorn, on a free port of loopback unless one is given; yields its address."""
    listening = listening or socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    until(lambda: server.started, "the server has started")
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()


@dataclass
class Gateway:
    """A running gateway and what is behind it."""

    url: str
    crm: Crm
    brain: FakeBrain
    app: FastAPI

    def visitor(self, **session: Any) -> "Visitor":
        """Somebody new with a session of his own."""
        visitor = Visitor(self)
        visitor.begin(**session)
        return visitor


@contextlib.contextmanager
def gateway(
    crm: Crm, home: Path, brain: FakeBrain | None = None, limits: Limits | None = None, port: int = 0
) -> Iterator[Gateway]:
    brain = brain or FakeBrain()
    app = create_app(crm, brain, Live(crm), some_settings(home), limits=limits)
    with served(app, socket.create_server(("127.0.0.1", port))) as url:
        yield Gateway(url, crm, brain, app)


class Visitor:
    """A browser without a screen: it holds the token and knows what was shown to it."""

    def __init__(self, gateway: Gateway, token: str = "") -> None:
        self.gateway = gateway
        self.token = token
        self.conversation_id = ""
        self.http = httpx.Client(base_url=gateway.url, timeout=PATIENCE, trust_env=False)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def begin(self, **body: Any) -> dict[str, Any]:
        answer = self.http.post("/chat/session", json=body, headers=self.headers)
        assert answer.status_code == 200, answer.text
        begun: dict[str, Any] = answer.json()
        self.token, self.conversation_id = begun["token"], begun["conversation_id"]
        return begun

    def post(self, path: str, body: Any = None) -> httpx.Response:
        return self.http.post(path, json={} if body is None else body, headers=self.headers)

    def send(self, text: str, as_client: str | None = None) -> httpx.Response:
        return self.post("/chat/messages", {"client_id": as_client or client_id(), "text": text})

    def press(self, button_id: str) -> httpx.Response:
        return self.post("/chat/messages", {"client_id": client_id(), "button_id": button_id})

    def messages(self, after: int = 0) -> list[dict[str, Any]]:
        answer = self.http.get("/chat/messages", params={"after": after}, headers=self.headers)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["messages"]
        return found

    @contextlib.contextmanager
    def listen(self, after: int = 0) -> Iterator[Iterator[tuple[str, Any]]]:
        """The live line as (event, data); a heartbeat is ("ping", None)."""
        with self.http.stream("GET", "/chat/stream", params={"after": after}, headers=self.headers) as answer:
            assert answer.status_code == 200, answer.read()
            yield _events(answer.iter_lines())

    def until(self, enough: Callable[[list[dict[str, Any]]], bool], after: int = 0) -> list[dict[str, Any]]:
        """Listen until these messages are enough; returns them."""
        shown: list[dict[str, Any]] = []
        with self.listen(after) as events:
            for name, data in events:
                if name == "message":
                    shown.append(data)
                if enough(shown):
                    return shown
        raise AssertionError(f"the stream ended, and all it showed was {shown}")

    def hears(self, sender: str, count: int = 1, after: int = 1) -> list[dict[str, Any]]:
        """What this sender said, once there are so many messages of his (the greeting not counted)."""

        def said(shown: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return [message for message in shown if message["sender"] == sender]

        return said(self.until(lambda shown: len(said(shown)) >= count, after))


def _events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    name = "message"
    for line in lines:
        if line.startswith(":"):
            yield "ping", None
        elif line.startswith("event:"):
            name = line.removeprefix("event:").strip()
        elif line.startswith("data:"):
            yield name, json.loads(line.removeprefix("data:"))


def until(happened: Callable[[], Any], what: str) -> Any:
    """Wait for something that must happen; fails with its description when it does not."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if result := happened():
            return result
        time.sleep(0.01)
    raise AssertionError(f"it did not happen within {PATIENCE:.0f} s: {what}")


def signed_by_firm(customer_id: str, now: float, key: str = WIDGET_SECRET, **changes: Any) -> str:
    """The token that the firm's own web server makes for a customer who is signed in there."""
    claims: dict[str, Any] = {
        "sub": customer_id,
        "iat": int(now),
        "exp": int(now) + 300,
        "jti": client_id(),
        "aud": "rapport",
    }
    return jwt.encode({k: v for k, v in (claims | changes).items() if v is not None}, key, "HS256")
