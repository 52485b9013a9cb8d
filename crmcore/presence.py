"""This process among the others: what it is called, whether another one still lives, and its beats."""

import contextlib
import logging
import os
import socket
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from crmcore.crm import Crm
from crmcore.errors import StoreUnavailable
from crmcore.ids import new_id
from crmcore.processes import BEAT_EVERY, BeatingPart, Process
from crmcore.usecases.processes import beat, leave

PROC = Path("/proc")
log = logging.getLogger(__name__)


def this_process(part: BeatingPart) -> Process:
    """A new name, and where its number can be looked up."""
    host = socket.gethostname()
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
        place = f"{boot}/{os.readlink(PROC / 'self/ns/pid')}"
    except OSError:  # No Linux: the host's name must do.
        place = host
    return Process(new_id("prc"), host[:64], place[:120], os.getpid(), start_of(os.getpid()) or 0, part)


def start_of(number: int) -> int | None:
    """When this process number was given to its owner, in ticks; 0 when it cannot be told, None: nobody."""
    try:
        # The name in parentheses may hold anything, blanks and parentheses too.
        return int((PROC / str(number) / "stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        pass
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return 0
    return 0


@contextlib.contextmanager
def beating(crm: Crm, parts: Iterable[BeatingPart]) -> Iterator[None]:
    """Say that these parts live here until the block ends.

    From a thread of its own, so that a worker that scores a million customers is not taken for a dead one.
    """
    mine = [this_process(part) for part in parts]
    ended = threading.Event()
    thread = threading.Thread(target=_beat_on, args=(crm, mine, ended), name="beats", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        with contextlib.suppress(StoreUnavailable):  # Then they will be found silent.
            for process in mine:
                leave(crm, process.process_id)


def _beat_on(crm: Crm, mine: list[Process], ended: threading.Event) -> None:
    while True:
        try:
            for process in mine:
                beat(crm, process)
        except StoreUnavailable as error:
            log.warning("this process cannot say that it lives: %s", error)
        if ended.wait(BEAT_EVERY.total_seconds()):
            return
