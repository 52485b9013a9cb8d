"""The parts of the running product: each can run in a process of its own, on one machine or several."""

import asyncio
import contextlib
import hmac
import os
import secrets
import socket
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI

from crmcore.crm import Crm
from crmcore.presence import beating
from crmcore.processes import BeatingPart
from crmcore.settings import Settings
from serve.errors import CannotStart
from serve.ports import require_free, require_private
from serve.protocol import BoundedProtocol
from serve.rasa import RasaServer
from serve.training import RASA_PYTHON
from web.gateway.limits import MAX_BODY
from web.gateway.pool import BrainPool
from web.live import Live
from web.wire import RedisWire

Part = Literal["gateway", "actions", "worker", "rasa"]
PARTS: tuple[Part, ...] = ("gateway", "actions", "worker", "rasa")

MAX_FRAME = 2 * MAX_BODY  # Bytes of one web socket frame; the socket's own limit is lower, and says why.

Tasks = list[asyncio.Task[None]]  # What runs, by name.


@dataclass(frozen=True)
class Product:
    """What this process was asked to run. ``crm`` is None where Rasa runs alone: it knows no database."""

    parts: Collection[Part]
    settings: Settings
    crm: Crm | None
    rasas: Sequence[RasaServer]
    demo: bool


def require_startable(parts: Collection[Part], settings: Settings) -> None:
    """Raise ``CannotStart`` for what would only be noticed later, or never."""
    if {"gateway", "rasa"} & set(parts) and len(settings.rasa_urls) > 1 and not settings.tracker_url:
        raise CannotStart(
            f"RAPPORT_RASA_URL names {len(settings.rasa_urls)} dialogue engines, and each would remember its "
            "own half of a conversation; let them share it with "
            "RAPPORT_TRACKER_URL=postgresql://<user>:<password>@<host>/<database>, or name one."
        )
    if "gateway" in parts:
        what = "the website and the workspace"
        require_free(settings.host, settings.port, what, "RAPPORT_PORT=<port>")
    if "actions" in parts:
        host = require_private(settings.action_host, "The assistant's actions", "RAPPORT_ACTION_HOST")
        require_free(host, settings.action_port, "the assistant's actions", "RAPPORT_ACTION_PORT=<port>")
    if "rasa" in parts:
        if not RASA_PYTHON.exists():
            raise CannotStart(
                f"The dialogue engine's environment is missing ({RASA_PYTHON}); run 'make setup'."
            )
        for url in settings.rasa_urls:
            address = urlsplit(url)
            host = require_private(address.hostname or "", "The dialogue engine", "RAPPORT_RASA_URL")
            require_free(
                host, address.port or 0, "the dialogue engine", "RAPPORT_RASA_URL=http://127.0.0.1:<port>"
            )


@contextlib.asynccontextmanager
async def running(product: Product) -> AsyncIterator[tuple[BrainPool, Tasks]]:
    """All parts that were asked for; they are ended on the way out, in an order that breaks no work."""
    settings, crm = product.settings, product.crm
    brain = BrainPool(settings.rasa_urls)
    servers: list[tuple[uvicorn.Server, asyncio.Task[None]]] = []
    tasks: Tasks = []

    def serve(server: uvicorn.Server, name: str) -> None:
        task = asyncio.create_task(server.serve(), name=name)
        servers.append((server, task))
        tasks.append(task)

    # Each part brings its own libraries along; a process loads those of its parts only.
    if crm is not None and "gateway" in product.parts:
        from web.app import create_app

        app = create_app(crm, brain, Live(crm, _wire(settings)), settings, demo=product.demo)
        serve(_server(app, settings.host, settings.port, settings.trusted_proxies), "the gateway")
    if crm is not None and "actions" in product.parts:
        from actions.app import create_action_app

        actions = create_action_app(crm, settings.action_secret)
        serve(_server(actions, settings.action_host, settings.action_port), "the action server")
    if crm is not None and "worker" in product.parts:
        from serve.worker import work_until_stopped

        holder = f"{socket.gethostname()[:30]}:{os.getpid()}:{secrets.token_hex(4)}"
        tasks.append(asyncio.create_task(work_until_stopped(crm, holder), name="the worker"))
    silent: list[BeatingPart] = [part for part in ("actions", "worker") if part in product.parts]
    present = contextlib.nullcontext() if crm is None or not silent else beating(crm, silent)
    for rasa in product.rasas:
        tasks.append(asyncio.create_task(rasa.watch(), name="the watch over the dialogue engine"))
    try:
        with present:  # The gateway beats itself.
            yield brain, tasks
    finally:
        # The gateway first: its turns under way end in good order only while the actions and Rasa live.
        for server, task in servers:
            server.should_exit = True
            await asyncio.wait([task])
        for task in tasks:
            task.cancel()
        await asyncio.gather(*(rasa.stop() for rasa in product.rasas))
        await asyncio.gather(*tasks, return_exceptions=True)
        await brain.close()
        if crm is not None:
            crm.store.dispose()


def _wire(settings: Settings) -> RedisWire | None:
    """Installations that share one Redis know one another by nothing, so each has a channel of its own."""
    if not settings.redis_url:
        return None
    return RedisWire(settings.redis_url, hmac.digest(settings.secret, b"wakes", "sha256").hex()[:16])


class _Server(uvicorn.Server):
    """Two servers share one process, so the process and not each server listens to signals."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]  # uvicorn's own signature has no types
        yield


def _server(app: FastAPI, host: str, port: int, proxies: str = "") -> uvicorn.Server:
    """``proxies``: whose X-Forwarded-For and X-Forwarded-Proto are believed."""
    return _Server(
        uvicorn.Config(
            app, host=host, port=port, log_config=None, access_log=False, timeout_graceful_shutdown=3,
            proxy_headers=bool(proxies), forwarded_allow_ips=proxies, http=BoundedProtocol,
            ws_max_size=MAX_FRAME,
        )
    )  # fmt: skip
