"""Kills processes at random moments of a load, starts them again, and keeps count."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable

from tests.processes.fleet import Fleet, Killable
from tests.processes.load import Load

SHORTEST_ABSENCE, LONGEST_ABSENCE = 0.1, 3.0  # Seconds between a kill and the next start.


def run_under_fire(
    fleet: Fleet,
    load: Load,
    messages: int,
    kills: int,
    rng: random.Random,
    tell: Callable[[str], None] = lambda _: None,
) -> Counter[str]:
    """Run the load and spread ``kills`` over it, every kind of process in turn; returns kills by kind.

    The kills happen in this thread, because a child process of a thread ends with it.
    """
    moments = sorted(rng.randrange(messages // 20, max(messages * 9 // 10, 2)) for _ in range(kills))
    kinds = _in_turn(fleet.kinds, kills, rng)
    done: Counter[str] = Counter()
    failure: list[BaseException] = []

    def talk() -> None:
        try:
            load.run()
        except BaseException as error:  # noqa: BLE001 -- raised again by the thread that waits.
            failure.append(error)

    talking = threading.Thread(target=talk)
    talking.start()
    for moment, kind in zip(moments, kinds, strict=True):
        while talking.is_alive() and load.progress.acknowledged < moment:
            time.sleep(0.02)
        if not talking.is_alive():
            break
        member = rng.choice(fleet.of_kind(kind))
        tell(f"{load.progress.acknowledged}: kill {member.name}")
        _kill_and_start(member, rng.uniform(SHORTEST_ABSENCE, LONGEST_ABSENCE))
        done[kind] += 1
    talking.join()
    if failure:
        raise failure[0]
    return done


def _kill_and_start(member: Killable, absence: float) -> None:
    member.kill()
    time.sleep(absence)
    member.start()
    member.until_usable()


def _in_turn(kinds: list[str], count: int, rng: random.Random) -> list[str]:
    """Each kind as often as the others, in random order."""
    found: list[str] = []
    while len(found) < count:
        found += rng.sample(kinds, len(kinds))
    return found[:count]
