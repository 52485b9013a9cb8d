"""Who is dead is known at once where it can be looked up, and by silence where it cannot."""

import doctest
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore import processes
from crmcore.crm import Crm
from crmcore.presence import beating, start_of, this_process
from crmcore.processes import BEAT_EVERY, SILENT_AFTER, Listener, Process, is_gone
from crmcore.usecases.conversations import next_turn, unfinished
from crmcore.usecases.operating import readings
from crmcore.usecases.processes import beat, bury, running
from tests.builders import Clock, a_conversation, a_message
from tests.web.gateway.chat import until

BEAT = BEAT_EVERY.total_seconds()
SILENT = SILENT_AFTER.total_seconds()


def test_the_examples_are_true() -> None:
    assert doctest.testmod(processes).failed == 0


def test_a_process_finds_itself_alive() -> None:
    me, other = this_process("gateway"), this_process("gateway")
    assert me.process_id != other.process_id
    assert not is_gone(other, me, start_of)  # The same number and start: two names of one process.


def test_a_process_that_ended_is_gone_and_one_that_has_its_number_is_not_it() -> None:
    me = this_process("gateway")
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = start_of(child.pid)
    assert started
    theirs = replace(me, process_id="prc_child", number=child.pid, started=started)
    assert not is_gone(theirs, me, start_of)
    assert is_gone(replace(theirs, started=started - 1), me, start_of)
    child.communicate(b"\n")
    assert is_gone(theirs, me, start_of)


def test_a_restarted_container_recovers_its_own_turns_though_its_number_is_the_same() -> None:
    here = Process("prc_new", "web", "boot/pid:[1]", 1, 9_000)
    before = Process("prc_old", "web", "boot/pid:[1]", 1, 5_000)
    assert is_gone(before, here, lambda number: 9_000)


def test_another_containers_number_says_nothing() -> None:
    here = Process("prc_a", "web", "boot/pid:[1]", 1, 9_000)
    for place in ("boot/pid:[2]", "other-boot/pid:[1]"):
        assert not is_gone(Process("prc_b", "web", place, 1, 5_000), here, lambda number: None)


def test_what_cannot_be_told_is_not_called_dead() -> None:
    here = Process("prc_a", "mac", "mac", 70, 0)
    assert not is_gone(Process("prc_b", "mac", "mac", 80, 0), here, lambda number: 0)
    assert is_gone(Process("prc_b", "mac", "mac", 80, 0), here, lambda number: None)


@dataclass
class Other:
    """A process somewhere else, as its beats appear in the database."""

    beat: int = 0
    last: float = 0.0
    dead_since: float | None = None


@dataclass
class Scene:
    """One observer and some others, moment by moment; the database may be away for all of them."""

    others: dict[str, Other]
    now: float = 100.0
    listener: Listener = field(default_factory=Listener)
    looking_since: float | None = None

    def step(self, pause: float, database: bool, dies: str | None) -> None:
        if dies in self.others and self.others[dies].dead_since is None:
            self.others[dies].dead_since = self.now
        until = self.now + pause
        while self.now < until:
            self.now = min(self.now + 1.0, until)
            for other in self.others.values():
                if database and other.dead_since is None and self.now - other.last >= BEAT:
                    other.beat, other.last = other.beat + 1, self.now
        self.look(database)

    def look(self, database: bool) -> None:
        if not database:
            self.listener.forget()
            self.looking_since = None
            return
        silent = self.listener.silent({name: o.beat for name, o in self.others.items()}, self.now)
        if self.looking_since is None:
            self.looking_since = self.now
        for name, other in self.others.items():
            if other.dead_since is None:
                assert name not in silent, "a living process was called dead"
            elif self.now - max(other.dead_since, self.looking_since) > SILENT + 2 * BEAT:
                assert name in silent, "a dead process was not noticed"


steps = st.tuples(
    st.floats(0.5, BEAT), st.sampled_from([True] * 9 + [False]), st.sampled_from([None] * 9 + ["a", "b", "c"])
)


@settings(max_examples=300, deadline=None)
@given(st.lists(steps, max_size=60))
def test_a_living_process_is_never_called_dead_and_a_dead_one_always_is(
    schedule: list[tuple[float, bool, str | None]],
) -> None:
    scene = Scene({name: Other() for name in "abc"})
    for pause, database, dies in schedule:
        scene.step(pause, database, dies)


def test_an_observer_that_was_stopped_itself_begins_anew() -> None:
    listener = Listener()
    assert listener.silent({"a": 1}, 0.0) == frozenset()
    assert listener.silent({"a": 1}, 60.0) == frozenset()
    assert listener.silent({"a": 1}, 63.0) == frozenset()


def test_the_turns_of_the_dead_are_free_and_those_of_the_living_are_not(crm_on_both: Crm) -> None:
    crm = crm_on_both
    held: dict[str, str] = {}
    for name in ("prc_me", "prc_me", "prc_living", "prc_dead", "prc_unknown"):
        conversation = a_conversation(crm)
        a_message(crm, conversation)
        assert next_turn(crm, conversation.conversation_id, name) is not None
        held["prc_me, left" if name in held else name] = conversation.conversation_id
    for name in ("prc_me", "prc_living", "prc_dead"):
        beat(crm, Process(name, "web", "place", os.getpid(), 1))
    assert unfinished(crm) == []
    worked_on = {held["prc_me"]}
    assert bury(crm, "prc_me", worked_on.__contains__, lambda known: frozenset({"prc_dead"})) == 3
    assert unfinished(crm) == [held["prc_me, left"], held["prc_dead"], held["prc_unknown"]]
    assert [process.process_id for process in running(crm)] == ["prc_living", "prc_me"]
    taken = next_turn(crm, held["prc_dead"], "prc_living")
    assert taken is not None
    assert taken.attempt == 2


def test_a_worker_is_seen_while_it_works_and_is_missed_when_it_fell_silent(
    crm_on_both: Crm, clock: Clock
) -> None:
    crm = crm_on_both
    assert workers(crm) == 0
    with beating(crm, ["actions", "worker"]):
        until(lambda: workers(crm) == 1, "the worker says that it lives")
        assert {process.part for process in running(crm)} == {"actions", "worker"}
    assert running(crm) == [], "who ends in good order says so"
    beat(crm, Process("prc_killed", "web", "place", 7, 1, "worker"))
    assert workers(crm) == 1
    clock.advance(seconds=31)
    assert workers(crm) == 0


def workers(crm: Crm) -> float:
    parts = readings(crm)["rapport_processes"]
    assert isinstance(parts, Mapping)
    return parts["worker"]


def test_a_process_that_was_thought_dead_is_there_again_with_its_next_beat(crm_on_both: Crm) -> None:
    me = Process("prc_paused", "web", "place", 7, 1)
    beat(crm_on_both, me)
    bury(crm_on_both, "prc_other", lambda _: False, lambda known: frozenset({me.process_id}))
    assert running(crm_on_both) == []
    beat(crm_on_both, me)
    beat(crm_on_both, me)
    (found,) = running(crm_on_both)
    assert found.beat == 1
