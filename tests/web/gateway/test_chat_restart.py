"""The app is killed without warning: no acknowledged message is lost, none is answered twice."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.builders import ROOT, client_id

START_SECONDS = 90  # A process imports everything anew, also on a machine that is busy with other tests.


class Killable:
    """The gateway as a process on one address, killed and started again by the test."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self.held = database.parent / "held"
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        arguments = [str(self._database), str(self._port), str(self.held)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.web.gateway.process", *arguments], cwd=ROOT
        )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.url}/health", timeout=2).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError("the gateway did not start")

    def kill(self) -> None:
        if self._process is not None:
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


@pytest.fixture
def app(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Killable]:
    database = tmp_path / "rapport.db"
    shutil.copy(migrated_sqlite, database)
    killable = Killable(database)
    killable.start()
    yield killable
    killable.kill()


class Client:
    """Sends until it is acknowledged, as the widget does, and reads by number."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=5, trust_env=False)
        self._headers: dict[str, str] = {}
        self.acknowledged: list[str] = []
        begun = self._until("POST", "/chat/session", {})
        self._headers = {"Authorization": f"Bearer {begun['token']}"}

    def send(self, text: str) -> None:
        self._until("POST", "/chat/messages", {"client_id": client_id(), "text": text})
        self.acknowledged.append(text)

    def log(self) -> list[tuple[str, str]]:
        found, after = [], 0
        while page := self._until("GET", f"/chat/messages?after={after}")["messages"]:
            found += page
            after = page[-1]["seq"]
        assert [message["seq"] for message in found] == list(range(1, len(found) + 1))
        return [(message["sender"], message["text"]) for message in found[1:]]

    def _until(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                answer = self._http.request(method, path, json=body, headers=self._headers)
            except httpx.TransportError:
                time.sleep(0.05)
                continue
            assert answer.status_code in (200, 201), answer.text
            found: dict[str, Any] = answer.json()
            return found
        raise AssertionError("no acknowledgement, though the app was started again")


def said(log: list[tuple[str, str]], sender: str) -> list[str]:
    return [text for who, text in log if who == sender]


def wait_for_answers(client: Client, count: int) -> list[tuple[str, str]]:
    deadline = time.monotonic() + START_SECONDS
    while len(said(client.log(), "bot")) < count and time.monotonic() < deadline:
        time.sleep(0.1)
    return client.log()


def test_a_turn_cut_by_a_kill_is_answered_once_after_the_restart(app: Killable) -> None:
    client = Client(app.url)
    app.held.touch()
    client.send("Where is my order?")
    time.sleep(0.3)  # Into the middle of the turn; the assertion holds whether or not it got there.
    app.kill()
    app.held.unlink()
    app.start()
    assert wait_for_answers(client, 1) == [
        ("customer", "Where is my order?"),
        ("bot", "You said: Where is my order?"),
    ]
    client.send("Thanks")
    assert said(wait_for_answers(client, 2), "bot") == ["You said: Where is my order?", "You said: Thanks"]


def test_two_clients_talk_while_the_app_is_killed_again_and_again(app: Killable) -> None:
    clients = [Client(app.url), Client(app.url)]
    last_kill = threading.Event()

    def talk(client: Client, name: str) -> None:
        while not last_kill.wait(0.05):
            client.send(f"{name} {len(client.acknowledged)}")

    talkers = [
        threading.Thread(target=talk, args=(client, name)) for client, name in zip(clients, "AB", strict=True)
    ]
    for talker in talkers:
        talker.start()
    for pause in (0.5, 0.3):
        time.sleep(pause)
        app.kill()
        app.start()
    last_kill.set()
    for talker in talkers:
        talker.join(START_SECONDS)
    for client in clients:
        assert len(client.acknowledged) >= 10
        log = wait_for_answers(client, len(client.acknowledged))
        assert said(log, "customer") == client.acknowledged
        assert said(log, "bot") == [f"You said: {text}" for text in client.acknowledged]
