"""The whole product as a real process tree, for tests that watch it as its users do."""

import os
import re
import signal
import socket
import subprocess
import threading
import time
import uuid
from pathlib import Path

import httpx
import jwt

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RunningProduct:
    """``rapport run --demo`` in a home of its own, on free loopback ports."""

    def __init__(
        self, home: Path, database_url: str | None = None, extra_environment: dict[str, str] | None = None
    ) -> None:
        self.home = home
        self.port = free_port()
        self.rasa_port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.output: list[str] = []
        self.environment = {
            **os.environ,
            "RAPPORT_HOME": str(home),
            "RAPPORT_PORT": str(self.port),
            "RAPPORT_ACTION_PORT": str(free_port()),
            "RAPPORT_RASA_URL": f"http://127.0.0.1:{self.rasa_port}",
            **({"RAPPORT_DATABASE_URL": database_url} if database_url else {}),
            **(extra_environment or {}),
        }
        self._process: subprocess.Popen[str] | None = None

    def start(self, within_seconds: float = 420) -> None:
        """Start, and wait until it says that it is open: it does so once a message was answered."""
        opened = threading.Event()
        self._process = subprocess.Popen(
            [str(ROOT / "rapport"), "run", "--demo"],
            env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
        )  # fmt: skip
        threading.Thread(target=self._read, args=(self._process, opened), daemon=True).start()
        if not opened.wait(within_seconds) or self._process.poll() is not None:
            self.stop()
            raise AssertionError("the product did not open; it said:\n" + "".join(self.output))

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End the product as Ctrl-C or a crash would, and give its exit code."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(how)
        return self._process.wait(30)

    def kill_rasa(self) -> None:
        """End the dialogue engine alone, without warning; the product is expected to start it again."""
        os.kill(int((self.home / "rasa.pid").read_text()), signal.SIGKILL)

    def wait_until(self, brain: str, within_seconds: float = 90) -> None:
        """Wait until ``/health`` calls the brain ``ok`` or ``down``."""
        deadline = time.monotonic() + within_seconds
        while time.monotonic() < deadline:
            answer = httpx.get(f"{self.url}/health", timeout=10)
            if answer.json()["brain"] == brain:
                return
            time.sleep(0.2)
        raise AssertionError(f"the brain was not {brain} within {within_seconds} s")

    def password_of(self, email: str) -> str:
        """The demonstration sign-in that the product printed."""
        for line in self.output:
            if match := re.search(rf"{re.escape(email)}\s+(\S+)", line):
                return match.group(1)
        raise AssertionError(f"no sign-in for {email} was printed")

    def sign_in_token(self, customer_id: str) -> str:
        """What the firm's own web server signs for a visitor who signed in there."""
        now = int(time.time())
        claims = {"aud": "rapport", "sub": customer_id, "iat": now, "exp": now + 300, "jti": uuid.uuid4().hex}
        return jwt.encode(claims, (self.home / "secrets" / "widget_secret").read_text().strip(), "HS256")

    def command(self, *words: str) -> str:
        """What ``rapport`` prints for these words in this installation."""
        return subprocess.run(
            [str(ROOT / "rapport"), *words], env=self.environment, capture_output=True, text=True, check=True
        ).stdout

    def api_key(self, *scopes: str) -> str:
        """A key for another program, made by the operator."""
        options = [word for scope in scopes for word in ("--scope", scope)]
        return self.command("keys", "add", f"test {uuid.uuid4().hex[:8]}", *options).strip()

    def _read(self, process: "subprocess.Popen[str]", opened: threading.Event) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.output.append(line)
            if "Ctrl-C stops everything" in line:
                opened.set()
        opened.set()
