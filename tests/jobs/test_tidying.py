"""What the nightly tidying forgets, and what it leaves."""

from datetime import timedelta

from sqlalchemy import select

from crmcore.crm import Crm
from crmcore.jobs import Job
from crmcore.store.database import raw_connection
from crmcore.store.schema import incidents, jobs
from crmcore.usecases.jobs import HANDLERS, run_due_jobs
from crmcore.usecases.operating import note_incident
from crmcore.usecases.planning import plan
from crmcore.usecases.tidying import INCIDENTS_KEPT_FOR, JOBS_KEPT_FOR, tidy
from tests.builders import ROOT, Clock
from tests.jobs.test_jobs import handling


def keys(crm: Crm) -> set[str]:
    with raw_connection(crm.store) as connection:
        found = connection.execute(select(jobs.c.unique_key).where(jobs.c.kind == "test"))
        return set(found.scalars())


def plan_test(crm: Crm, key: str, **later: float) -> None:
    with crm.store.write() as tx:
        plan(tx, "test", key, crm.clock() + timedelta(**later), {})


def succeed_or_fail(crm: Crm, job: Job) -> None:
    if job.unique_key == "fails":
        raise ValueError("it cannot be done")


def test_finished_jobs_are_forgotten_and_those_to_come_stay(crm_on_both: Crm, clock: Clock) -> None:
    crm = crm_on_both
    plan_test(crm, "done")
    plan_test(crm, "fails")
    for _ in range(8):
        run_due_jobs(crm, "worker", handling(succeed_or_fail))
        clock.advance(hours=1)
    clock.advance(days=JOBS_KEPT_FOR.days - 1)
    plan_test(crm, "done lately")
    run_due_jobs(crm, "worker", handling(succeed_or_fail))
    plan_test(crm, "to come", days=100)
    tidy(crm, None)  # type: ignore[arg-type]  # It asks its job nothing.
    assert keys(crm) == {"done", "fails", "done lately", "to come"}
    clock.advance(days=2)
    tidy(crm, None)  # type: ignore[arg-type]
    assert keys(crm) == {"done lately", "to come"}


def test_incidents_are_forgotten_after_a_season(crm: Crm, clock: Clock) -> None:
    note_incident(crm, "old")
    clock.advance(days=INCIDENTS_KEPT_FOR.days, seconds=1)
    note_incident(crm, "new")
    tidy(crm, None)  # type: ignore[arg-type]
    with raw_connection(crm.store) as connection:
        left = connection.execute(select(incidents.c.kind)).scalars().all()
    assert left == ["new"]


def test_the_worker_does_it_each_night(crm: Crm, clock: Clock) -> None:
    assert HANDLERS["tidy"].run is tidy
    run_due_jobs(crm, "worker", {})
    with crm.store.read() as tx:
        assert any(tx.jobs.by_key(f"tidy:{crm.clock().date() + timedelta(days=d)}") for d in (0, 1))


def test_the_guide_says_how_long() -> None:
    guide = (ROOT / "docs" / "guide-operator.md").read_text(encoding="utf-8")
    assert f"done or given up {JOBS_KEPT_FOR.days} days ago" in guide
    assert f"incidents of {INCIDENTS_KEPT_FOR.days} days ago" in guide
