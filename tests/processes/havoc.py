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

    A process that is not back yet is not killed again, but others are meanwhile. The kills happen in this
    thread, because a child process of a thread ends with it. The load never runs far ahead of the next kill,
    so that a fast machine is not done with it before the last.
    """
    moments = sorted(rng.randrange(messages // 20, max(messages * 9 // 10, 2)) for _ in range(kills))
    kinds = _in_turn(fleet.kinds, kills, rng)
    ahead = max(messages // (4 * kills), 1)  # Messages that are said while a process is away.
    done: Counter[str] = Counter()
    failure: list[BaseException] = []

    def talk() -> None:
        try:
            load.run()
        except BaseException as error:  # noqa: BLE001 -- raised again by the thread that waits.
            failure.append(error)

    def wait_for(member: Killable) -> None:
        try:
            member.until_usable()
        except AssertionError as error:
            failure.append(error)

    talking = threading.Thread(target=talk)
    talking.start()
    away: dict[str, threading.Thread] = {}  # Killed, and not yet usable again.
    try:
        for moment, kind in zip(moments, kinds, strict=True):
            load.may_say(moment + ahead)
            while talking.is_alive() and load.progress.acknowledged < moment:
                time.sleep(0.02)
            if not talking.is_alive():
                break
            there = [m for m in fleet.of_kind(kind) if m.name not in away or not away[m.name].is_alive()]
            if not there:
                continue
            member = rng.choice(there)
            tell(f"{load.progress.acknowledged}: kill {member.name}")
            member.kill()
            time.sleep(rng.uniform(SHORTEST_ABSENCE, LONGEST_ABSENCE))
            member.start()
            away[member.name] = threading.Thread(target=wait_for, args=(member,))
            away[member.name].start()
            done[kind] += 1
    finally:
        load.may_say(messages)
    for thread in (talking, *away.values()):
        thread.join()
    if failure:
        raise failure[0]
    return done


def _in_turn(kinds: list[str], count: int, rng: random.Random) -> list[str]:
    """Each kind as often as the others, in random order."""
    found: list[str] = []
    while len(found) < count:
        found += rng.sample(kinds, len(kinds))
    return found[:count]
