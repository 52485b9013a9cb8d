"""Notices when Rasa keeps dialogues in memory: its database failed, and it says so to nobody who asks.

A dialogue that was just answered must be found again. When it is not, every turn begins from nothing:
forms lose what was filled in, and a restart forgets all. The customer's messages are ours and safe.
"""

import logging
import time
from typing import Protocol

from crmcore.conversations import LeasedTurn
from crmcore.errors import CrmError
from crmcore.metrics import trackers_in_memory

EVERY_SECONDS = 60.0  # A look costs one request; it happens beside the storing of an answer.
INCIDENT = "tracker_in_memory"

log = logging.getLogger(__name__)


class Remembers(Protocol):
    async def consumed(self, sender: str, message_id: int) -> bool: ...


class TrackerWatch:
    def __init__(self, brain: Remembers, every: float = EVERY_SECONDS) -> None:
        self._brain = brain
        self._every = every
        self._looked_at = -1e9

    async def forgets(self, turn: LeasedTurn) -> bool:
        """Whether the brain does not know the message that it has just answered; asked now and then only."""
        if time.monotonic() - self._looked_at < self._every:
            return False
        self._looked_at = time.monotonic()
        try:
            if await self._brain.consumed(turn.brain_sender, turn.message_id):
                return False
        except CrmError as error:
            log.warning("the brain cannot say whether it keeps its dialogues: %s", error)
            return False
        trackers_in_memory.labels("look").inc()
        log.error(
            "the dialogue engine has forgotten message %s that it has just answered: "
            "its own database fails and it keeps dialogues in memory; see rasa.log",
            turn.message_id,
            extra={"event": INCIDENT},
        )
        return True
