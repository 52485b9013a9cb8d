"""The ways in that a hostile visitor has: the widget's own interface, and the REST channel."""

import json
import time
import uuid
from dataclasses import dataclass
from typing import Protocol

import httpx

PATIENCE = 30.0  # Seconds without a reply that count as silence.


@dataclass(frozen=True)
class Heard:
    """What came back for one message."""

    status: int
    replies: tuple[str, ...]  # Words; a refusal's message when the status is 4xx.
    seconds: float

    @property
    def words(self) -> str:
        return "\n".join(self.replies)


class Talk(Protocol):
    """One visitor's conversation."""

    conversation_id: str

    def say(self, text: str) -> Heard: ...


class Door(Protocol):
    """Where conversations begin."""

    name: str

    def begin(self) -> Talk: ...


def as_json(body: object) -> bytes:
    """ASCII with escapes, so that a lone half of a surrogate pair travels too."""
    return json.dumps(body).encode()


class Widget:
    """``/chat/…`` as the widget speaks it."""

    name = "widget"

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=PATIENCE, trust_env=False)

    def begin(self, sign_in_token: str | None = None) -> "WidgetTalk":
        return WidgetTalk(self._http, sign_in_token)


class WidgetTalk:
    def __init__(self, http: httpx.Client, sign_in_token: str | None = None) -> None:
        self._http = http
        body = {} if sign_in_token is None else {"signed_in_token": sign_in_token}
        headers = {"Content-Type": "application/json"}
        answer = http.post("/chat/session", content=as_json(body), headers=headers)
        answer.raise_for_status()
        begun = answer.json()
        self.conversation_id: str = begun["conversation_id"]
        self.token: str = begun["token"]
        self.seq: int = begun["last_seq"]
        self.buttons: dict[str, str] = {}  # Id by title, of the last answer.
        self.owner = "bot"
        self._headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}

    def say(self, text: str) -> Heard:
        return self._send({"text": text})

    def press(self, title: str) -> Heard:
        return self._send({"button_id": self.buttons[title]})

    def _send(self, content: dict[str, str]) -> Heard:
        began = time.perf_counter()
        body = as_json({"client_id": uuid.uuid4().hex, **content})
        answer = self._http.post("/chat/messages", content=body, headers=self._headers)
        if answer.status_code >= 400:
            return Heard(answer.status_code, (_refusal(answer),), time.perf_counter() - began)
        return self._hear(answer.status_code, answer.json()["seq"], began)

    def _hear(self, status: int, seq: int, began: float) -> Heard:
        """Wait for the reply; when a person has the conversation there is none to wait for."""
        params = {"after": str(seq)}
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            answer = self._http.get("/chat/messages", params=params, headers=self._headers)
            if answer.status_code == 429:
                time.sleep(float(answer.headers["Retry-After"]))
                continue
            answer.raise_for_status()
            found = answer.json()
            self.owner = found["owner"]["kind"]
            messages = [m for m in found["messages"] if m["sender"] != "customer"]
            if messages:
                self.seq = messages[-1]["seq"]
                self.buttons = {b["title"]: b["id"] for m in messages for b in m["buttons"]}
                words = tuple(m["text"] for m in messages)
                return Heard(status, words, time.perf_counter() - began)
            if self.owner != "bot":
                return Heard(status, (), time.perf_counter() - began)
            time.sleep(0.02)
        return Heard(status, (), time.perf_counter() - began)


class RestChannel:
    """``POST /webhooks/rest/webhook``, shaped like Rasa's, behind an integration key of scope ``chat``."""

    name = "rest"

    def __init__(self, url: str, key: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=PATIENCE, trust_env=False)
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def begin(self) -> "RestTalk":
        return RestTalk(self._http, self._headers)


class RestTalk:
    def __init__(self, http: httpx.Client, headers: dict[str, str]) -> None:
        self._http = http
        self._headers = headers
        self._sender = f"hostile-{uuid.uuid4().hex}"
        self.conversation_id = ""  # The channel tells none; see ``state.newest_conversation``.

    def say(self, text: str) -> Heard:
        began = time.perf_counter()
        body = as_json({"sender": self._sender, "message": text})
        answer = self._http.post("/webhooks/rest/webhook", content=body, headers=self._headers)
        took = time.perf_counter() - began
        if answer.status_code >= 400:
            return Heard(answer.status_code, (_refusal(answer),), took)
        words = tuple(str(part["text"]) for part in answer.json() if part.get("text"))
        return Heard(answer.status_code, words, took)


def _refusal(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:2000]
