"""Runs the whole product in one process beside Rasa, and says when a message is really answered."""

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI

from actions.app import create_action_app
from crmcore.crm import Crm, open_crm
from crmcore.needs import read_need
from crmcore.settings import Settings, read_settings
from demo.load import SignIn, load_demonstration_firm
from serve.errors import CannotStart
from serve.ports import require_free, require_private
from serve.rasa import RasaServer
from serve.training import RASA_PYTHON, train_when_stale
from serve.worker import work_until_stopped
from web.app import create_app
from web.gateway.brain import Brain, BrainError
from web.live import Live

ANSWERS_WITHIN_SECONDS = 120

Tasks = list[asyncio.Task[None]]  # The parts of the running product, by name.


async def run(*, demo: bool) -> int:
    """Start everything, print the addresses once a message was answered, and serve until a signal."""
    settings = read_settings()
    _require_environment(settings)
    crm = open_crm(settings)
    sign_ins = await asyncio.to_thread(load_demonstration_firm, crm, settings) if demo else []
    model = await asyncio.to_thread(train_when_stale)

    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)

    rasa = RasaServer(settings, model)
    async with _product(crm, settings, rasa, demo=demo) as (brain, tasks):
        # The first need would wait seconds for the embedder and the date reader to load; load them now.
        await asyncio.to_thread(
            read_need, "a first need", crm.firm, crm.language, crm.firm.today(crm.clock())
        )
        if not await _until_answered(brain, settings, stopping):
            return 0
        _print_addresses(crm, settings, sign_ins, demo=demo)
        ended = await _until_ended(tasks, stopping)
        print("\nStopping …", flush=True)
    return _exit_code(ended)


@contextlib.asynccontextmanager
async def _product(
    crm: Crm, settings: Settings, rasa: RasaServer, *, demo: bool
) -> AsyncIterator[tuple[Brain, Tasks]]:
    """The gateway, the action server, the worker and Rasa; all of them are ended on the way out."""
    brain = Brain(settings.rasa_url)
    live = Live(crm)
    gateway = _server(create_app(crm, brain, live, settings, demo=demo), settings.host, settings.port)
    actions = _server(create_action_app(crm, settings.action_secret), "127.0.0.1", settings.action_port)
    holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    tasks = [
        asyncio.create_task(gateway.serve(), name="the gateway"),
        asyncio.create_task(actions.serve(), name="the action server"),
        asyncio.create_task(work_until_stopped(crm, holder), name="the worker"),
        asyncio.create_task(rasa.watch(), name="the watch over the dialogue engine"),
    ]
    try:
        yield brain, tasks
    finally:
        # The gateway first: its turns under way end in good order only while the actions and Rasa live.
        gateway.should_exit = True
        await asyncio.wait(tasks[:1])
        actions.should_exit = True
        for task in tasks[2:]:
            task.cancel()
        await rasa.stop()
        await asyncio.gather(*tasks, return_exceptions=True)
        await brain.close()
        crm.store.dispose()


class _Server(uvicorn.Server):
    """Two servers share one process, so the process and not each server listens to signals."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]  # uvicorn's own signature has no types
        yield


def _server(app: FastAPI, host: str, port: int) -> uvicorn.Server:
    return _Server(
        uvicorn.Config(
            app, host=host, port=port, log_level="warning", access_log=False, timeout_graceful_shutdown=3
        )
    )


def _require_environment(settings: Settings) -> None:
    if not RASA_PYTHON.exists():
        raise CannotStart(f"The dialogue engine's environment is missing ({RASA_PYTHON}); run 'make setup'.")
    require_free(settings.host, settings.port, "the website and the workspace", "RAPPORT_PORT=<port>")
    require_free("127.0.0.1", settings.action_port, "the assistant's actions", "RAPPORT_ACTION_PORT=<port>")
    rasa = urlsplit(settings.rasa_url)
    host = rasa.hostname or "127.0.0.1"
    require_private(host, "RAPPORT_RASA_URL")
    require_free(host, rasa.port or 5005, "the dialogue engine", "RAPPORT_RASA_URL=http://127.0.0.1:<port>")


async def _until_ended(tasks: Tasks, stopping: asyncio.Event) -> asyncio.Task[None] | None:
    """Wait for a signal (None) or for a part that ended by itself: without it the product is not whole."""
    signalled = asyncio.create_task(stopping.wait())
    done, _ = await asyncio.wait([signalled, *tasks], return_when=asyncio.FIRST_COMPLETED)
    signalled.cancel()
    return next((task for task in tasks if task in done), None)


def _exit_code(ended: asyncio.Task[None] | None) -> int:
    if ended is None:
        return 0
    error = None if ended.cancelled() else ended.exception()
    why = f": {type(error).__name__}: {error}" if error else ""
    print(f"rapport: {ended.get_name()} ended by itself{why}; start again", file=sys.stderr, flush=True)
    return 1


async def _until_answered(brain: Brain, settings: Settings, stopping: asyncio.Event) -> bool:
    """Wait until the assistant answers a real message; False when asked to stop before."""
    print("Starting the assistant (about 15 seconds) …", flush=True)
    deadline = asyncio.get_running_loop().time() + ANSWERS_WITHIN_SECONDS
    while not stopping.is_set():
        if await brain.ready() and await _answers(brain):
            return True
        if asyncio.get_running_loop().time() > deadline:
            raise CannotStart(
                f"The assistant did not answer within {ANSWERS_WITHIN_SECONDS} seconds; "
                f"the end of {settings.home / 'logs' / 'rasa.log'} says why."
            )
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), 0.3)
    return False


async def _answers(brain: Brain) -> bool:
    """Whether a real message gets a real reply, in a conversation that no customer has."""
    try:
        await brain.answer(f"start-{os.getpid()}.0", "hello", {})
    except BrainError:
        return False
    return True


def _print_addresses(crm: Crm, settings: Settings, sign_ins: list[SignIn], *, demo: bool) -> None:
    address = f"http://{settings.host}:{settings.port}"
    lines = [f"{crm.firm.name} is open.", ""]
    if demo:
        lines += [
            f"  The shop, with the chat    {address}/demo",
            f"  What would be e-mailed     {address}/demo/outbox",
        ]
    lines += [
        f"  Account managers           {address}/workspace",
        f"  Marketers                  {address}/console",
    ]
    if sign_ins:
        lines += ["", "  Demonstration sign-ins (made for this installation):"]
        lines += [f"    {entry.role:<16} {entry.email:<34} {entry.password}" for entry in sign_ins]
    if crm.mail is None and not demo:
        lines += ["", "  No mail server is set (RAPPORT_SMTP_URL): one-time codes reach nobody."]
    print("\n".join([*lines, "", "Ctrl-C stops everything."]), flush=True)
