"""Starts a Rasa server where only we reach it, and starts it again when it dies."""

import asyncio
import contextlib
import signal
from pathlib import Path
from urllib.parse import urlsplit

from crmcore.settings import ROOT, Settings
from serve.children import die_with_parent
from serve.ports import require_private
from serve.training import RASA_PYTHON, rasa_environment
from web.logs import mask

MAX_LINE = 1024 * 1024  # Bytes of one line that Rasa prints.


class RasaServer:
    """One Rasa process; ``watch`` runs until it is cancelled and restarts a dead one with growing pauses."""

    def __init__(self, settings: Settings, model: Path, url: str) -> None:
        self._settings = settings
        self._model = model
        address = urlsplit(url)
        self._host, self._port = address.hostname or "", address.port or 0
        self._name = "rasa" if len(settings.rasa_urls) == 1 else f"rasa-{self._port}"
        self._process: asyncio.subprocess.Process | None = None

    async def watch(self) -> None:
        pause = 1.0
        while True:
            started = asyncio.get_running_loop().time()
            process = await self._start()
            assert process.stdout
            await self._log(process.stdout)
            code = await process.wait()
            if asyncio.get_running_loop().time() - started > 60:
                pause = 1.0
            print(f"The dialogue engine ended (exit {code}); starting it again in {pause:.0f} s.", flush=True)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 30)

    async def stop(self) -> None:
        """End the process group politely, then firmly after ten seconds."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def _log(self, output: asyncio.StreamReader) -> None:
        """Write what Rasa prints, masked: when a component crashes, it prints the customer's text."""
        logs = self._settings.home / "logs"
        logs.mkdir(exist_ok=True)
        with (logs / f"{self._name}.log").open("a", encoding="utf-8") as log:
            while line := await _line(output):
                log.write(mask(line))
                log.flush()

    async def _start(self) -> asyncio.subprocess.Process:
        settings = self._settings
        host = require_private(self._host, "The dialogue engine", "RAPPORT_RASA_URL")
        self._process = await asyncio.create_subprocess_exec(
            str(RASA_PYTHON), "-m", "rasa", "run", "--enable-api",
            "--interface", host, "--port", str(self._port),
            "--model", str(self._model),
            "--endpoints", "endpoints.yml", "--credentials", "credentials.yml",
            cwd=ROOT, start_new_session=True, preexec_fn=die_with_parent,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, limit=MAX_LINE,
            env={
                **rasa_environment(),
                "RAPPORT_ACTION_URL": settings.action_url
                or f"http://{settings.action_host}:{settings.action_port}/webhook",
                "RAPPORT_ACTION_SECRET": settings.action_secret,
                "RAPPORT_TRACKER_URL": settings.tracker_url or f"sqlite:///{settings.home / 'tracker.db'}",
                # Rasa asks its tracker for one message after the other; it would keep 50 connections.
                "POSTGRESQL_POOL_SIZE": "4",
                "POSTGRESQL_MAX_OVERFLOW": "4",
            },
        )  # fmt: skip
        (settings.home / f"{self._name}.pid").write_text(str(self._process.pid))
        return self._process


async def _line(output: asyncio.StreamReader) -> str:
    """The next line, empty at the end; a too long one is left out, because it cannot be masked whole."""
    try:
        return (await output.readline()).decode(errors="replace")
    except ValueError:
        return "[a line of more than a megabyte was left out]\n"
