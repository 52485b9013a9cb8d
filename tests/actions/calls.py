"""Calls the action server as Rasa does, and keeps what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi.testclient import TestClient
from ruamel.yaml import YAML

from actions.app import create_action_app
from crmcore.conversations import Conversation, Turn
from crmcore.crm import Crm
from tests.builders import ROOT

SECRET = "shown in a header"
DOMAIN: dict[str, Any] = YAML(typ="safe").load((ROOT / "domain.yml").read_text(encoding="utf-8"))


@dataclass
class Answer:
    status: int
    events: list[dict[str, Any]]
    responses: list[dict[str, Any]]

    @property
    def said(self) -> list[str]:
        return [response["response"] for response in self.responses]

    @property
    def slots(self) -> dict[str, Any]:
        return {event["name"]: event["value"] for event in self.events if event["event"] == "slot"}

    @property
    def left_the_form(self) -> bool:
        return {"event": "active_loop", "name": None, "timestamp": None} in self.events


@dataclass
class Caller:
    """Runs actions in one conversation; ``slots`` are what the tracker holds."""

    crm: Crm
    conversation: Conversation
    slots: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)

    def runs(
        self,
        action: str,
        turn: Turn,
        text: str = "hello",
        intent: str = "inform",
        entities: dict[str, str] | None = None,
        form: str | None = None,
        filled: dict[str, Any] | None = None,
        already: Sequence[str] = (),
    ) -> Answer:
        """One call. ``filled`` are the slots that Rasa's mappings took from this message, ``already``
        the responses that an earlier action of this turn has said."""
        latest = {
            "text": text,
            "intent": {"name": intent},
            "entities": [{"entity": k, "value": v} for k, v in (entities or {}).items()],
            "metadata": {"message_id": turn.message_id, "epoch": turn.epoch},
        }
        told = [{"event": "user", **latest}, {"event": "action", "name": form or "action_listen"}]
        told += [{"event": "slot", "name": name, "value": value} for name, value in (filled or {}).items()]
        told += [_bot_event(said) for said in already]
        call = {
            "next_action": action,
            "sender_id": self.conversation.brain_sender,
            "tracker": {
                "sender_id": self.conversation.brain_sender,
                "slots": {**dict.fromkeys(DOMAIN["slots"]), **self.slots, **(filled or {})},
                "latest_message": latest,
                "events": [*self.events, *told],
                "active_loop": {"name": form} if form else {},
                "latest_action_name": "action_listen",
                "paused": False,
            },
            "domain": DOMAIN,
        }
        with TestClient(create_action_app(self.crm, SECRET)) as client:
            response = client.post("/webhook", json=call, headers={"X-Rapport-Secret": SECRET})
        body = response.json()
        answer = Answer(response.status_code, body.get("events", []), body.get("responses", []))
        self.slots.update(answer.slots)
        self.events += told
        self.events += [_bot_event(said) for said in answer.said]
        return answer


def _bot_event(response: str) -> dict[str, Any]:
    return {"event": "bot", "metadata": {"utter_action": response}}
