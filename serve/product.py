"""Runs the whole product, or the parts of it that this process was asked for, until a signal."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Collection
from functools import partial

from crmcore.crm import Crm, open_crm
from crmcore.errors import StoreUnavailable
from crmcore.logs import set_up_logs
from crmcore.needs import read_need
from crmcore.settings import Settings, read_settings
from crmcore.usecases.operating import note_incident
from demo.load import SignIn, load_demonstration_firm
from serve.errors import CannotStart
from serve.parts import PARTS, Part, Product, Tasks, require_startable, running
from serve.rasa import RasaServer
from serve.rasa_log import FELL_BACK
from serve.training import train_when_stale
from web.gateway.brain import BrainError
from web.gateway.pool import BrainPool

ANSWERS_WITHIN_SECONDS = 120
DATABASE_WITHIN_SECONDS = 60  # A machine that starts everything at once starts us before its database.
DATABASE_PAUSE_SECONDS = 0.5
log = logging.getLogger(__name__)


async def run(parts: Collection[Part], *, demo: bool) -> int:
    """Start the parts, say where they are once they can be used, and serve until a signal.

    With gateway, actions and Rasa in this process that is when a message was answered. Apart from them,
    each part serves at once and waits for the others: the gateway keeps what customers write meanwhile.
    """
    settings = read_settings()
    set_up_logs(settings)
    require_startable(parts, settings)
    crm = None if set(parts) == {"rasa"} else _open_once_the_database_is_there(settings)
    sign_ins = (
        await asyncio.to_thread(load_demonstration_firm, crm, settings) if demo and crm is not None else []
    )
    rasas = []
    if "rasa" in parts:
        model = await asyncio.to_thread(train_when_stale)
        on_memory = partial(note_tracker_in_memory, crm)
        rasas = [RasaServer(settings, model, url, on_memory) for url in settings.rasa_urls]

    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)

    async with running(Product(parts, settings, crm, rasas, demo)) as (brain, tasks):
        if crm is not None and "actions" in parts:
            # The first need would wait seconds for the embedder and the date reader to load; load them now.
            await asyncio.to_thread(
                read_need, "a first need", crm.firm, crm.language, crm.firm.today(crm.clock())
            )
        if "rasa" in parts and not await _until_usable(brain, parts, settings, stopping):
            return 0
        _print_addresses(parts, crm, settings, sign_ins, demo=demo)
        ended = await _until_ended(tasks, stopping)
        print("\nStopping …", flush=True)
    return _exit_code(ended)


def _open_once_the_database_is_there(settings: Settings) -> Crm:
    deadline = time.monotonic() + DATABASE_WITHIN_SECONDS
    waiting = False
    while True:
        try:
            return open_crm(settings)
        except StoreUnavailable as error:
            if time.monotonic() > deadline:
                raise
            if not waiting:
                log.warning("%s; trying again for %d seconds", error, DATABASE_WITHIN_SECONDS)
            waiting = True
            time.sleep(DATABASE_PAUSE_SECONDS)


def note_tracker_in_memory(crm: Crm | None) -> None:
    """Count it for the operator. Where Rasa runs alone, the gateway's own looks find it."""
    if crm is not None:
        with contextlib.suppress(StoreUnavailable):  # Away as well: the watch over Rasa goes on.
            note_incident(crm, FELL_BACK, "said in rasa.log")


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


async def _until_usable(
    brain: BrainPool, parts: Collection[Part], settings: Settings, stopping: asyncio.Event
) -> bool:
    """Wait until every dialogue engine is up, and answers when its actions are here; False when stopped."""
    print("Starting the assistant (about 15 seconds) …", flush=True)
    deadline = asyncio.get_running_loop().time() + ANSWERS_WITHIN_SECONDS
    while not stopping.is_set():
        up = all((await brain.servers()).values())
        if up and ("actions" not in parts or await _answers(brain)):
            return True
        if asyncio.get_running_loop().time() > deadline:
            raise CannotStart(
                f"The assistant did not answer within {ANSWERS_WITHIN_SECONDS} seconds; "
                f"the end of rasa*.log in {settings.home / 'logs'} says why."
            )
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), 0.3)
    return False


async def _answers(brain: BrainPool) -> bool:
    """Whether a real message gets a real reply, in a conversation that no customer has."""
    try:
        await brain.answer(f"start-{os.getpid()}.0", "hello", {})
    except BrainError:
        return False
    return True


def _print_addresses(
    parts: Collection[Part], crm: Crm | None, settings: Settings, sign_ins: list[SignIn], *, demo: bool
) -> None:
    lines = []
    if crm is not None and "gateway" in parts:
        lines += _pages(crm, settings, sign_ins, demo=demo)
    if set(parts) != set(PARTS):
        lines += ["", f"  Running in this process: {', '.join(parts)}."]
    print("\n".join([*lines, "", "Ctrl-C stops everything."]), flush=True)


def _pages(crm: Crm, settings: Settings, sign_ins: list[SignIn], *, demo: bool) -> list[str]:
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
    return lines
