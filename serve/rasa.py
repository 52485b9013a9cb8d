"""Starts the Rasa server on loopback and starts it again when it dies."""

import asyncio
import contextlib
import signal
from pathlib import Path
from urllib.parse import urlsplit

from crmcore.settings import ROOT, Settings
from serve.children import die_with_parent
from serve.training import RASA_PYTHON, rasa_environment


class RasaServer:
    """One Rasa process; ``watch`` runs until it is cancelled and restarts a dead one with growing pauses."""

    def __init__(self, settings: Settings, model: Path) -> None:
        self._settings = settings
        self._model = model
        self._process: asyncio.subprocess.Process | None = None

    async def watch(self) -> None:
        pause = 1.0
        while True:
            started = asyncio.get_running_loop().time()
            process = await self._start()
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

    async def _start(self) -> asyncio.subprocess.Process:
        address = urlsplit(self._settings.rasa_url)
        logs = self._settings.home / "logs"
        logs.mkdir(exist_ok=True)
        with (logs / "rasa.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                str(RASA_PYTHON), "-m", "rasa", "run", "--enable-api",
                "--interface", address.hostname or "127.0.0.1", "--port", str(address.port or 5005),
                "--model", str(self._model),
                "--endpoints", "endpoints.yml", "--credentials", "credentials.yml",
                cwd=ROOT, stdout=log, stderr=log, start_new_session=True, preexec_fn=die_with_parent,
                env={
                    **rasa_environment(),
                    "RAPPORT_ACTION_URL": f"http://127.0.0.1:{self._settings.action_port}/webhook",
                    "RAPPORT_ACTION_SECRET": self._settings.action_secret,
                    "RAPPORT_TRACKER_DB": str(self._settings.home / "tracker.db"),
                },
            )  # fmt: skip
        (self._settings.home / "rasa.pid").write_text(str(self._process.pid))
        return self._process
