"""Which of several processes still live: frozen values and two ways to know that one is gone.

A process that dies leaves turns behind that nobody else may take while it could still answer them. That it
is dead is known *at once* where its number can be looked up: on the same start of the same machine, in the
same space of process numbers. A container has a space of its own, and another machine cannot be looked
into; there a process is taken for dead when it was silent for ``SILENT_AFTER`` although it should have
said each ``BEAT_EVERY`` that it lives.

Each process counts its beats in the database. Who listens compares counts, by his own steady clock, and
never times of two machines, so clocks that disagree kill nobody.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

BEAT_EVERY = timedelta(seconds=3)
SILENT_AFTER = timedelta(seconds=12)
HEARD_WITHIN = timedelta(seconds=30)

# A dialogue engine has no database to beat in; it is asked over HTTP.
BeatingPart = Literal["gateway", "actions", "worker"]


@dataclass(frozen=True)
class Process:
    """One row of ``processes``: how it can be found, and how often it said that it lives."""

    process_id: str
    host: str  # For people to read; nothing is decided by it, because two containers may share a name.
    place: str  # Where ``number`` means something: the machine since its start, and the space of numbers.
    number: int
    started: int  # When the number was given to it, in ticks since the machine's start; 0: unknown.
    part: BeatingPart = "gateway"
    beat: int = 0
    seen_at: datetime | None = None  # By its own clock; for people to read.


def living_parts(processes: Sequence[Process], now: datetime) -> dict[str, int]:
    """How many of each part said lately that they live; a dead one stays in the list until it is noticed.

    For people and their monitors, by the clocks of the machines: nothing is decided by it.
    """
    heard = [process for process in processes if process.seen_at and now - process.seen_at < HEARD_WITHIN]
    return {part: sum(process.part == part for process in heard) for part in get_args(BeatingPart)}


# When a number of this place was given to whoever has it now: ticks, 0 if it cannot be told, None if nobody.
StartOf = Callable[[int], int | None]


def is_gone(process: Process, here: Process, start_of: StartOf) -> bool:
    """Whether the process is certainly dead; False when it lives or cannot be looked up from ``here``.

    >>> from dataclasses import replace
    >>> here = Process("prc_b", "web", "boot1/pid1", 7, 500)
    >>> was = Process("prc_a", "web", "boot1/pid1", 7, 100)
    >>> is_gone(was, here, lambda number: 500)  # Its number is ours by now.
    True
    >>> is_gone(replace(was, place="boot1/pid2"), here, lambda number: None)  # Another container's number.
    False
    """
    if process.place != here.place:
        return False
    start = start_of(process.number)
    if start is None:
        return True
    return bool(start and process.started and start != process.started)


class Listener:
    """What one observer heard of the others' beats.

    It must look more often than each ``SILENT_AFTER``: after a longer pause of its own it knows nothing
    and begins anew, because the silence may have been its own (it was stopped, or had no database).
    """

    def __init__(self) -> None:
        self._heard: dict[str, tuple[int, float]] = {}  # The count, and when it was first seen.
        self._looked: float | None = None

    def silent(self, beats: Mapping[str, int], now: float) -> frozenset[str]:
        """The processes that did not beat for too long; ``now`` is a steady clock in seconds."""
        limit = SILENT_AFTER.total_seconds()
        if self._looked is None or now - self._looked > limit / 2:
            self._heard = {}
        self._looked = now
        self._heard = {
            name: self._heard[name] if self._heard.get(name, (None, 0))[0] == beat else (beat, now)
            for name, beat in beats.items()
        }
        return frozenset(name for name, (_, since) in self._heard.items() if now - since > limit)

    def forget(self) -> None:
        """The database could not be asked: the others may not have been able to tell it anything either."""
        self._looked = None
