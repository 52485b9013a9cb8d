"""The live chain without the gateway: a real Rasa, the action server, and a customer who types."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import uvicorn

from actions.app import create_action_app
from crmcore.conversations import Conversation, Reply, StaleTurn
from crmcore.crm import Crm
from crmcore.usecases import conversations as talk
from crmcore.usecases.conversations import conversation as load
from tests.builders import ROOT, a_conversation, client_id
from web.gateway.brain import as_text

SECRET = "the secret of this test"


@dataclass
class Heard:
    texts: list[str]
    buttons: dict[str, str]

    @property
    def text(self) -> str:
        return "\n".join(self.texts)


@dataclass
class Talker:
    """One customer's side of a conversation; presses buttons by their titles."""

    crm: Crm
    rasa: httpx.Client
    conversation: Conversation
    offered: dict[str, str] = field(default_factory=dict)
    heard: Heard = field(default_factory=lambda: Heard([], {}))

    def says(self, text: str) -> Heard:
        return self._turn(text, None)

    def presses(self, title: str) -> Heard:
        assert title in self.offered, f"no button {title!r}; there are {sorted(self.offered)}"
        return self._turn(title, self.offered[title])

    @property
    def now(self) -> Conversation:
        return load(self.crm, self.conversation.conversation_id)

    @property
    def tracker(self) -> dict[str, object]:
        sender = self.now.brain_sender
        found: dict[str, object] = self.rasa.get(
            f"/conversations/{sender}/tracker", params={"include_events": "NONE"}
        ).json()
        return found

    def put_into(self, form: str, slot: str, **slots: object) -> None:
        """Set the tracker into the middle of a form, the state that a test is about."""
        self.says("hello")  # A form never begins before the first message.
        events: list[dict[str, object]] = [
            {"event": "active_loop", "name": form},
            *({"event": "slot", "name": name, "value": value} for name, value in slots.items()),
            {"event": "slot", "name": "requested_slot", "value": slot},
            {"event": "action", "name": form},
            {"event": "action", "name": "action_listen"},
        ]
        sender = self.now.brain_sender
        self.rasa.post(f"/conversations/{sender}/tracker/events", json=events).raise_for_status()

    def _turn(self, text: str, payload: str | None) -> Heard:
        talk.receive(self.crm, self.conversation.conversation_id, client_id(), text, payload)
        turn = talk.next_turn(self.crm, self.conversation.conversation_id, "talker")
        if turn is None:  # A person has the conversation.
            self.heard = Heard([], {})
            return self.heard
        body = {
            "sender": turn.brain_sender,
            "message": payload or as_text(turn.text),
            "metadata": {"message_id": turn.message_id, "epoch": turn.epoch},
        }
        said = self.rasa.post("/webhooks/rest/webhook", json=body).json()
        replies = [
            Reply(part["text"], tuple((b["title"], b["payload"]) for b in part.get("buttons", [])))
            for part in said
            if part.get("text")
        ]
        assert replies, f"the assistant said nothing to {text!r}"
        with contextlib.suppress(StaleTurn):
            talk.finish_turn(self.crm, turn, replies)
        buttons = {title: meaning for reply in replies for title, meaning in reply.buttons}
        self.offered.update(buttons)
        self.heard = Heard([reply.text for reply in replies], buttons)
        return self.heard


class Chain:
    """A running Rasa with its action server; talkers share it, each with a conversation of his own."""

    def __init__(self, crm: Crm, rasa_url: str) -> None:
        self.crm = crm
        self.rasa = httpx.Client(
            base_url=rasa_url, timeout=90
        )  # The first need waits for the tools that read it.

    def visitor(self, customer_id: str | None = None) -> Talker:
        """A new conversation; verified when it has a customer."""
        return Talker(self.crm, self.rasa, a_conversation(self.crm, customer_id))


@contextlib.contextmanager
def running_chain(crm: Crm, model: Path, folder: Path) -> Iterator[Chain]:
    """Start both servers on free ports of this machine, and stop them."""
    action_port, rasa_port = _free_port(), _free_port()
    server = uvicorn.Server(
        uvicorn.Config(create_action_app(crm, SECRET), port=action_port, log_level="warning")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    environment = {
        **os.environ,
        "RASA_TELEMETRY_ENABLED": "false",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONWARNINGS": "ignore",
        "PYTHONPATH": str(ROOT),
        "RAPPORT_ACTION_URL": f"http://127.0.0.1:{action_port}/webhook",
        "RAPPORT_ACTION_SECRET": SECRET,
        "RAPPORT_TRACKER_URL": f"sqlite:///{folder / 'tracker.db'}",
    }
    with (folder / "rasa.log").open("w") as log:
        rasa = subprocess.Popen(
            [
                str(ROOT / ".venv-rasa/bin/python"), "-m", "rasa", "run", "--enable-api",
                "--interface", "127.0.0.1", "--port", str(rasa_port), "--model", str(model),
                "--endpoints", "endpoints.yml", "--credentials", "credentials.yml",
            ],
            cwd=ROOT, env=environment, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            _wait_until_up(rasa, f"http://127.0.0.1:{rasa_port}", folder / "rasa.log")
            yield Chain(crm, f"http://127.0.0.1:{rasa_port}")
        finally:
            rasa.terminate()
            rasa.wait(15)
            server.should_exit = True
            thread.join(10)


def _wait_until_up(rasa: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if rasa.poll() is not None:
            raise AssertionError(f"Rasa ended: {log.read_text()[-2000:]}")
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{url}/status", timeout=2).status_code == 200:
                return
        time.sleep(0.5)
    raise AssertionError(f"Rasa did not start: {log.read_text()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
