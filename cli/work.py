"""``rapport work``: the worker role in a process of its own."""

import os
import secrets
import signal
import socket
import threading
from typing import Annotated

import typer

from crmcore.crm import Crm
from crmcore.errors import StoreUnavailable
from crmcore.logs import set_up_logs
from crmcore.presence import beating
from crmcore.settings import read_settings
from crmcore.usecases.jobs import run_due_jobs

PAUSE_SECONDS = 1.0


def work_command(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Run what is due now and end.")] = False,
) -> None:
    """Run due jobs: call-backs, return timers, nightly scoring. Ctrl-C ends it after the job at hand.

    Several workers share the work; the app runs one in its own process by default.
    """
    crm: Crm = context.obj()
    holder = f"{socket.gethostname()[:30]}:{os.getpid()}:{secrets.token_hex(4)}"
    if once:
        typer.echo(f"{run_due_jobs(crm, holder)} jobs done")
        return
    set_up_logs(read_settings())
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    typer.echo("working; Ctrl-C ends it after the job at hand")
    with beating(crm, ["worker"]):
        while not stopping.is_set():
            if not _work(crm, holder):
                stopping.wait(PAUSE_SECONDS)


def _work(crm: Crm, holder: str) -> bool:
    """Run one job, if one is due; a database that went away is waited for."""
    try:
        return run_due_jobs(crm, holder, limit=1) > 0
    except StoreUnavailable as error:
        typer.echo(f"waiting: {error}", err=True)
        return False
