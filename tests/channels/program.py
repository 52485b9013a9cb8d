"""A program of the firm's that holds a key and speaks for its visitors, as Rasa's REST channel wants it."""

from dataclasses import dataclass, field
from typing import Any

import httpx

from crmcore.usecases.api_keys import create_key
from tests.builders import number
from tests.web.gateway.chat import Gateway


@dataclass
class Program:
    """Holds one key of the gateway; each has senders of its own."""

    gateway: Gateway
    scopes: tuple[str, ...] = ("chat",)
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        key = create_key(self.gateway.crm, f"program {number()}", self.scopes).text
        self.http = httpx.Client(
            base_url=self.gateway.url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=30,
            trust_env=False,
        )

    def post(self, body: Any, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.post("/webhooks/rest/webhook", json=body, headers=named)

    def say(self, sender: str, message: str, **headers: str) -> list[dict[str, Any]]:
        answer = self.post({"sender": sender, "message": message}, **headers)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()
        return found

    def hears(self, sender: str, message: str, **headers: str) -> list[str]:
        """The words of the answer alone."""
        return [part["text"] for part in self.say(sender, message, **headers)]
