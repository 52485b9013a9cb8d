"""Starts a Rasa server where only we reach it, and starts it again when it dies."""

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from crmcore.logs import file_log
from crmcore.metrics import brain_restarts, trackers_in_memory
from crmcore.settings import ROOT, Settings
from serve.children import die_with_parent
from serve.ports import require_private
from serve.rasa_log import FELL_BACK, Line, RasaLog
from serve.training import RASA_PYTHON, rasa_environment

MAX_LINE = 1024 * 1024  # Bytes of one line that Rasa prints.
TELL_EVERY_SECONDS = 60.0  # An incident a minute tells as much as one a message.

log = logging.getLogger(__name__)


class RasaServer:
    """One Rasa process; ``watch`` runs until it is cancelled and restarts a dead one with growing pauses."""

    def __init__(
        self, settings: Settings, model: Path, url: str, on_memory: Callable[[], None] = lambda: None
    ) -> None:
        self._settings = settings
        self._on_memory = on_memory
        self._told_at = -1e9
        self._model = model
        address = urlsplit(url)
        self._host, self._port = address.hostname or "", address.port or 0
        # With a common memory there are several on this machine, in this process or in others.
        self._name = f"rasa-{self._port}" if settings.tracker_url else "rasa"
        self._file = file_log(f"rapport.{self._name}", settings.home / "logs" / f"{self._name}.log")
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
            brain_restarts.inc()
            log.warning(
                "the dialogue engine ended (exit %s); starting it again in %.0f s",
                code, pause, extra={"event": "brain_ended"},
            )  # fmt: skip
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
        """Write what may be written of what Rasa prints, and notice when it keeps dialogues in memory."""
        reader = RasaLog()
        while line := await _line(output):
            for kept in reader.read(line):
                await self._note(kept)
        for kept in reader.rest():
            await self._note(kept)

    async def _note(self, line: Line) -> None:
        if line.text is not None:
            self._file.info("%s", line.text)
        if not line.fell_back:
            return
        trackers_in_memory.labels("log").inc()
        now = time.monotonic()
        if now - self._told_at > TELL_EVERY_SECONDS:
            self._told_at = now
            log.error(
                "the dialogue engine's own database fails, so it keeps dialogues in memory; "
                "logs/%s.log says where",
                self._name,
                extra={"event": FELL_BACK},
            )
            await asyncio.to_thread(self._on_memory)

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
    """The next line, empty at the end; a too long one is left out."""
    try:
        return (await output.readline()).decode(errors="replace")
    except ValueError:
        return "[a line of more than a megabyte was left out]\n"
