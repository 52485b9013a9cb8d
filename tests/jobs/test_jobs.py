"""Durable jobs: due in order, at least once, tried again, taken over when a worker is killed."""

import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crmcore.crm import Crm
from crmcore.jobs import LEASE, LONGEST_PAUSE, MAX_ATTEMPTS, Job, pause_before_retry
from crmcore.store.database import Store, raw_connection
from crmcore.store.schema import jobs
from crmcore.usecases.jobs import HANDLERS, Handler, next_night, run_due_jobs
from crmcore.usecases.planning import plan
from tests.builders import ROOT, Clock, a_crm, a_firm


def planned(crm: Crm, key: str = "k", kind: str = "test", **later: float) -> str:
    with crm.store.write() as tx:
        plan(tx, kind, key, crm.clock() + timedelta(**later), {})
        job = tx.jobs.by_key(key)
    assert job is not None
    return job.job_id


def stored(crm: Crm, job_id: str) -> Job:
    with crm.store.read() as tx:
        job = tx.jobs.get(job_id)
    assert job is not None
    return job


def handling(run: Callable[[Crm, Job], object]) -> dict[str, Handler]:
    return {"test": Handler(run)}


def test_what_is_due_is_run_and_what_is_not_waits(crm: Crm, clock: Clock) -> None:
    done: list[str] = []
    planned(crm, "now")
    planned(crm, "later", minutes=5)
    note = handling(lambda crm, job: done.append(job.unique_key))
    assert run_due_jobs(crm, "worker", note) == 1
    clock.advance(minutes=5)
    assert run_due_jobs(crm, "worker", note) == 1
    assert run_due_jobs(crm, "worker", note) == 0
    assert done == ["now", "later"]


def test_a_job_that_fails_is_tried_again_after_a_growing_pause_with_its_error_on_record(
    crm: Crm, clock: Clock
) -> None:
    job_id = planned(crm)
    tried: list[datetime] = []

    def fail(crm: Crm, job: Job) -> None:
        tried.append(crm.clock())
        raise ConnectionError("the mail server is away")

    for _ in range(40):
        run_due_jobs(crm, "worker", handling(fail))
        clock.advance(seconds=1)
    pauses = [(b - a).total_seconds() for a, b in pairwise(tried)]
    assert pauses == [5, 10, 20]
    assert stored(crm, job_id).last_error == "ConnectionError: the mail server is away"
    clock.advance(days=1)
    with crm.store.read() as tx:
        assert tx.incidents.counts_since(clock() - timedelta(days=2))["job_failed"] == len(tried)


def test_a_job_that_always_fails_is_given_up_and_stops_nobody(crm: Crm, clock: Clock) -> None:
    job_id = planned(crm)
    done: list[str] = []

    def fail(crm: Crm, job: Job) -> None:
        if job.job_id == job_id:
            raise ValueError("never")
        done.append(job.unique_key)

    for _ in range(MAX_ATTEMPTS + 3):
        run_due_jobs(crm, "worker", handling(fail))
        clock.advance(seconds=LONGEST_PAUSE.total_seconds())
    planned(crm, "another")
    run_due_jobs(crm, "worker", handling(fail))
    assert (stored(crm, job_id).status, stored(crm, job_id).attempts) == ("failed", MAX_ATTEMPTS)
    assert done == ["another"]


def test_the_pause_before_a_retry_never_grows_beyond_its_limit() -> None:
    assert pause_before_retry(10_000) == LONGEST_PAUSE


def test_a_job_of_a_kind_that_nobody_knows_says_so(crm: Crm) -> None:
    job_id = planned(crm, kind="from the future")
    run_due_jobs(crm, "worker")
    assert "no handler for a 'from the future' job" in (stored(crm, job_id).last_error or "")


def test_a_living_workers_job_is_left_alone_until_its_lease_ends(crm: Crm, clock: Clock) -> None:
    planned(crm)
    seen: list[int] = []

    def meanwhile(crm: Crm, job: Job) -> None:
        seen.append(run_due_jobs(crm, "second worker", handling(lambda crm, job: None)))
        clock.advance(seconds=LEASE.total_seconds())
        seen.append(run_due_jobs(crm, "second worker", handling(lambda crm, job: None)))

    run_due_jobs(crm, "first worker", handling(meanwhile))
    assert seen == [0, 1]


def test_long_work_has_a_lease_of_its_own(crm: Crm, clock: Clock) -> None:
    planned(crm)
    seen: list[int] = []
    slow: dict[str, Handler] = {}

    def meanwhile(crm: Crm, job: Job) -> None:
        clock.advance(minutes=20)
        seen.append(run_due_jobs(crm, "second worker", slow))

    slow["test"] = Handler(meanwhile, lease=timedelta(minutes=30))
    run_due_jobs(crm, "first worker", slow)
    assert seen == [0]


def test_a_worker_that_is_killed_in_the_middle_is_replaced_and_the_effect_is_there_once(store: Store) -> None:
    crm = replace(a_crm(store), clock=lambda: datetime.now(UTC))
    job_id = planned(crm)
    url = store.url
    command = [sys.executable, "-m", "tests.jobs.worker_process", url]
    victim = subprocess.Popen([*command, "hang"], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert victim.stdout is not None
    assert victim.stdout.readline().strip() == "begun"
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    victim.stdout.close()
    assert stored(crm, job_id).status == "running", "the killed worker cleaned up after itself"
    _let_the_lease_run_out(store, job_id)
    rescuer = subprocess.run([*command, "go on"], capture_output=True, text=True, cwd=ROOT, check=True)
    assert rescuer.stdout.strip() == "1"
    after = stored(crm, job_id)
    assert (after.status, after.attempts) == ("done", 2)
    with store.read() as tx:
        assert tx.incidents.counts_since(crm.clock() - timedelta(hours=1)) == {"part_tried": 4}
        parts = [tx.jobs.by_key(f"k:{part}") for part in range(3)]
    assert all(parts), "a part of the effect is missing"


def _let_the_lease_run_out(store: Store, job_id: str) -> None:
    with raw_connection(store) as connection:
        past = datetime.now(UTC) - timedelta(seconds=1)
        connection.execute(jobs.update().where(jobs.c.job_id == job_id).values(held_until=past))
        connection.commit()


# --- the night --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "night"),
    [
        ("2026-03-11T10:00:00+00:00", "2026-03-12T03:00:00+00:00"),
        ("2026-03-12T02:59:00+00:00", "2026-03-12T03:00:00+00:00"),
        ("2026-03-12T03:00:00+00:00", "2026-03-13T03:00:00+00:00"),
        ("2026-07-01T10:00:00+00:00", "2026-07-02T02:00:00+00:00"),  # Summer time in Dublin.
        ("2026-03-28T10:00:00+00:00", "2026-03-29T02:00:00+00:00"),  # The night the clocks go forward.
    ],
)
def test_the_night_is_the_firms(now: str, night: str) -> None:
    assert a_firm().zone == ZoneInfo("Europe/Dublin")
    assert next_night(a_firm(), datetime.fromisoformat(now)) == datetime.fromisoformat(night)


def test_scoring_is_planned_once_a_night_and_run_when_the_night_comes(
    crm: Crm, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored: list[datetime] = []

    def score(crm: Crm, *_: Any) -> None:
        scored.append(crm.clock())

    monkeypatch.setattr("crmcore.usecases.value_score.score", score)
    for _ in range(48):
        run_due_jobs(crm, "worker", HANDLERS)
        clock.advance(hours=1)
    assert [moment.hour for moment in scored] == [3, 3]
    assert [moment.day for moment in scored] == [12, 13]
