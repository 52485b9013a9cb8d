"""The process that answers customers here: its name, its beats, and an ear for those of the others."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable

from crmcore.crm import Crm
from crmcore.errors import StoreUnavailable
from crmcore.presence import start_of, this_process
from crmcore.processes import BEAT_EVERY, Listener, Process, is_gone
from crmcore.usecases.processes import beat, bury, leave

log = logging.getLogger(__name__)


class Holder:
    """Beats from a thread of its own, so that a busy event loop is not taken for a dead process.

    ``is_working`` says whether this process is in the middle of a turn of a conversation; another turn
    under its name was left when the database broke off, and is given back.
    """

    def __init__(self, crm: Crm, is_working: Callable[[str], bool]) -> None:
        self.me = this_process("gateway")
        self._is_working = is_working
        self._crm = crm
        self._listener = Listener()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat_on, name="beats", daemon=True)

    def start(self) -> None:
        """Beat from now on. It asks the database, so it is not for the event loop's thread."""
        self._beat()
        self._thread.start()

    def stop(self) -> None:
        """The process holds no turn any more."""
        self._ended.set()
        self._thread.join()
        with contextlib.suppress(StoreUnavailable):  # Then it will be found silent.
            leave(self._crm, self.me.process_id)

    def _beat_on(self) -> None:
        while not self._ended.wait(BEAT_EVERY.total_seconds()):
            self._beat()

    def _beat(self) -> None:
        try:
            beat(self._crm, self.me)
            if taken := bury(self._crm, self.me.process_id, self._is_working, self._dead):
                log.warning("%s turns that nobody works on are free again", taken)
        except StoreUnavailable as error:
            self._listener.forget()
            log.warning("this process cannot say that it lives: %s", error)

    def _dead(self, known: list[Process]) -> frozenset[str]:
        others = [process for process in known if process.process_id != self.me.process_id]
        silent = self._listener.silent({p.process_id: p.beat for p in others}, time.monotonic())
        return silent | {p.process_id for p in others if is_gone(p, self.me, start_of)}
