"""Ten thousand random schedules of customer, slow bot, two account managers and crashes.

Seeded, so a failure repeats. Schedules that begin alike share the beginning: the store is rewound to
the fork, which makes 10,000 of them cheap enough for every run.
"""

import random
from collections.abc import Iterator
from pathlib import Path
from shutil import copy

import pytest

from crmcore.usecases import turns
from crmcore.usecases.ownership import locked
from tests.builders import Clock, a_crm
from tests.ownership.explorer import World, a_world, check, come_to_rest, take_a_step
from tests.ownership.rewind import RewindableStore

SCHEDULES = 10_000
BEGINNING = 5  # Steps before the first fork,
FORKS = (2, 2, 2, 2, 2, 3, 6)  # and how many ways each later step is tried.


@pytest.fixture
def store_with_a_past(migrated_sqlite: Path, tmp_path: Path) -> Iterator[RewindableStore]:
    path = tmp_path / "rewind.db"
    copy(migrated_sqlite, path)
    store = RewindableStore(f"sqlite:///{path}")
    yield store
    store.dispose()


def explore(store: RewindableStore, schedules: int, seed: int = 1) -> int:
    """Run at least so many schedules of twelve steps; returns how many were run."""
    rng = random.Random(seed)
    clock = Clock()
    crm = a_crm(store, clock)
    done = 0

    def fork(world: World, depth: int) -> None:
        nonlocal done
        if depth == len(FORKS):
            done += 1
            if done % 32 == 0:
                come_to_rest(world)
            return
        for _ in range(FORKS[depth]):
            now = clock.now
            with store.branch():
                future = world.remembered()
                try:
                    take_a_step(future, rng)
                    fork(future, depth + 1)
                except Exception as error:
                    error.add_note(f"schedule: {' > '.join(future.history)}")
                    raise
            clock.now = now

    while done < schedules:
        with store.branch():
            world = a_world(crm, clock)
            for _ in range(BEGINNING):
                take_a_step(world, rng)
            fork(world, 0)
    return done


def test_no_schedule_lets_the_bot_talk_over_a_person_or_loses_or_doubles_a_word(
    store_with_a_past: RewindableStore,
) -> None:
    assert explore(store_with_a_past, SCHEDULES) >= SCHEDULES


def test_the_schedules_notice_when_the_guard_of_turns_is_missing(
    store_with_a_past: RewindableStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "guard", lambda tx, turn: locked(tx, turn.conversation_id))
    with pytest.raises(AssertionError, match="stale turn"):
        explore(store_with_a_past, 2_000)


def test_the_schedules_notice_when_a_transfer_leaves_the_epoch_as_it_was(
    store_with_a_past: RewindableStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from crmcore import conversations as transfers

    raised = transfers._owned
    monkeypatch.setattr(
        transfers, "_owned", lambda c, kind, owner: replace(raised(c, kind, owner), epoch=c.epoch)
    )
    with pytest.raises(AssertionError, match="epoch did not rise"):
        explore(store_with_a_past, 2_000)


def test_a_short_run_with_another_seed_on_the_plain_store(migrated_sqlite: Path, tmp_path: Path) -> None:
    from crmcore.store.database import Store

    copy(migrated_sqlite, tmp_path / "plain.db")
    store = Store(f"sqlite:///{tmp_path / 'plain.db'}")
    clock = Clock()
    rng = random.Random(2)
    for _ in range(40):
        world = a_world(a_crm(store, clock), clock)
        for _ in range(12):
            take_a_step(world, rng)
        check(world)
        come_to_rest(world)
    store.dispose()
