"""Talks with the running product by the widget's own interface, as one customer."""

import json
import time
import uuid
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Heard:
    """What one turn brought: the words said and the titles of the buttons offered."""

    texts: list[str]
    buttons: list[str]
    senders: list[str]

    @property
    def text(self) -> str:
        return "\n".join(self.texts)


class Customer:
    """A customer with a connection of his own; ``says`` waits for the whole answer."""

    def __init__(self, url: str, signed_in_token: str | None = None) -> None:
        self._http = httpx.Client(base_url=url, timeout=30)
        body = {"signed_in_token": signed_in_token} if signed_in_token else {}
        session = self._http.post("/chat/session", json=body)
        session.raise_for_status()
        self.conversation_id = session.json()["conversation_id"]
        self._http.headers["Authorization"] = f"Bearer {session.json()['token']}"
        self.greeting = self._read(0)
        self.seen = self.greeting[-1]["seq"] if self.greeting else 0
        self._buttons: dict[str, str] = {}

    def says(self, text: str, within_seconds: float = 30) -> Heard:
        return self._send({"text": text}, within_seconds)

    def presses(self, title: str, within_seconds: float = 30) -> Heard:
        """Press a button of the last answer, by its title."""
        if title not in self._buttons:
            raise AssertionError(f"no button {title!r} was offered; there are {sorted(self._buttons)}")
        return self._send({"button_id": self._buttons[title]}, within_seconds)

    def hears(self, within_seconds: float = 30) -> Heard:
        """Wait for something new that was not asked for, such as a person's message."""
        return self._heard(lambda new: bool(new), within_seconds)

    def _send(self, body: dict[str, str], within_seconds: float) -> Heard:
        client_id = uuid.uuid4().hex
        sent = self._http.post("/chat/messages", json={"client_id": client_id, **body})
        if sent.status_code == 429:
            time.sleep(float(sent.headers["Retry-After"]))
            sent = self._http.post("/chat/messages", json={"client_id": client_id, **body})
        sent.raise_for_status()
        own = sent.json()["seq"]

        def answered(messages: list[dict[str, Any]]) -> bool:
            mine = [message for message in messages if message["seq"] == own]
            return bool(mine) and mine[0]["state"] != "pending"

        return self._heard(answered, within_seconds)

    def _heard(self, complete: Any, within_seconds: float) -> Heard:
        deadline = time.monotonic() + within_seconds
        while time.monotonic() < deadline:
            new = self._read(self.seen)
            if complete(new):
                answers = [message for message in new if message["sender"] != "customer"]
                self.seen = max(message["seq"] for message in new)
                self._buttons = {b["title"]: b["id"] for message in answers for b in message["buttons"]}
                return Heard(
                    texts=[message["text"] for message in answers],
                    buttons=list(self._buttons),
                    senders=[message["sender"] for message in answers],
                )
            time.sleep(0.25)  # The gateway allows some reads a second.
        raise AssertionError(
            f"no answer within {within_seconds} s; so far: {json.dumps(self._read(self.seen))}"
        )

    def _read(self, after: int) -> list[dict[str, Any]]:
        answer = self._http.get("/chat/messages", params={"after": after})
        answer.raise_for_status()
        messages: list[dict[str, Any]] = answer.json()["messages"]
        return messages
