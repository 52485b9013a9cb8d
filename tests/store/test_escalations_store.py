"""The contract of escalations, call-backs and jobs, on each database."""

from datetime import timedelta

from crmcore.crm import Crm
from crmcore.escalation import Callback
from crmcore.jobs import Job
from crmcore.usecases import conversations as talk
from crmcore.usecases.escalation import request_person
from tests.builders import OPEN_HOURS, a_conversation, a_customer, a_staff_member, number
from tests.concurrency import at_once

LEASE = timedelta(minutes=1)


def a_job(due_in: timedelta = timedelta()) -> Job:
    return Job(f"job_{number():06}", "test", f"key:{number()}", {"a": 1}, OPEN_HOURS + due_in)


def a_callback(crm: Crm, source_key: str) -> Callback:
    return Callback(
        callback_id=f"cb_{number()}",
        conversation_id=a_conversation(crm).conversation_id,
        customer_id=None,
        source_key=source_key,
        contact="",
        preferred_at="",
        promised_by=OPEN_HOURS,
        status="promised",
        created_at=OPEN_HOURS,
    )


def test_a_job_planned_twice_is_one_job(crm_on_both: Crm) -> None:
    job = a_job()

    def plan() -> bool:
        with crm_on_both.store.write() as tx:
            return tx.jobs.add(Job(f"job_{number()}", job.kind, job.unique_key, {}, job.due_at))

    assert sorted(map(bool, at_once(*[plan] * 6))) == [False] * 5 + [True]


def test_each_job_is_taken_by_one_worker_and_the_one_due_longest_first(crm_on_both: Crm) -> None:
    jobs = [a_job(timedelta(minutes=-n)) for n in range(12)]
    with crm_on_both.store.write() as tx:
        for job in jobs:
            tx.jobs.add(job)
        tx.jobs.add(a_job(timedelta(minutes=1)))  # Not due yet.
    taken: list[list[str]] = []

    def work() -> None:
        mine: list[str] = []
        taken.append(mine)
        while True:
            with crm_on_both.store.write() as tx:
                job = tx.jobs.claim("worker", OPEN_HOURS, LEASE)
            if job is None:
                return
            mine.append(job.job_id)

    assert at_once(*[work] * 4) == [None] * 4
    assert sorted(job_id for mine in taken for job_id in mine) == sorted(job.job_id for job in jobs)
    order = {job.job_id: place for place, job in enumerate(sorted(jobs, key=lambda job: job.due_at))}
    for mine in taken:
        assert [order[job_id] for job_id in mine] == sorted(order[job_id] for job_id in mine)


def test_a_job_is_taken_over_when_its_lease_ran_out_and_its_late_worker_changes_nothing(
    crm_on_both: Crm,
) -> None:
    planned = a_job()
    with crm_on_both.store.write() as tx:
        tx.jobs.add(planned)
        late = tx.jobs.claim("late", OPEN_HOURS, LEASE)
        assert late is not None
        assert tx.jobs.claim("other", OPEN_HOURS, LEASE) is None
        other = tx.jobs.claim("other", OPEN_HOURS + LEASE, LEASE)
        assert other is not None
        assert (other.job_id, other.attempts) == (late.job_id, 2)
        assert not tx.jobs.retry(late, "too late", OPEN_HOURS)
        assert tx.jobs.finish(other, OPEN_HOURS)
        done = tx.jobs.get(planned.job_id)
    assert done is not None
    assert (done.status, done.last_error, done.payload) == ("done", None, {"a": 1})


def test_a_callback_is_promised_once_and_kept_once(crm_on_both: Crm) -> None:
    anna = a_staff_member(crm_on_both)
    promised = a_callback(crm_on_both, "message:1:callback")
    with crm_on_both.store.write() as tx:
        assert tx.callbacks.add(promised) == promised
        assert tx.callbacks.add(a_callback_like(promised)) == promised
        assert tx.callbacks.mark_overdue(promised.callback_id)
        assert not tx.callbacks.mark_overdue(promised.callback_id)
        assert [callback.status for callback in tx.callbacks.open()] == ["overdue"]
        assert tx.callbacks.mark_kept(promised.callback_id, anna.staff_id, OPEN_HOURS)
        assert not tx.callbacks.mark_kept(promised.callback_id, anna.staff_id, OPEN_HOURS)
        assert tx.callbacks.open() == []


def a_callback_like(callback: Callback) -> Callback:
    return Callback(**{**vars(callback), "callback_id": f"cb_{number()}"})


def test_the_queue_names_customer_tier_and_reason_of_everybody_who_waits(crm_on_both: Crm) -> None:
    customer_id = a_customer(crm_on_both, "Ken Ito", tier="MVC")
    known = a_conversation(crm_on_both, customer_id)
    stranger = a_conversation(crm_on_both)
    a_conversation(crm_on_both)  # Stays with the bot.
    for conversation in (known, stranger):
        request_person(crm_on_both, conversation.conversation_id)
    with crm_on_both.store.read() as tx:
        waiting = {w.conversation_id: w for w in tx.escalations.waiting(OPEN_HOURS.date())}
        too_old = {
            w.conversation_id: w for w in tx.escalations.waiting(OPEN_HOURS.date() + timedelta(days=1))
        }
    assert set(waiting) == {known.conversation_id, stranger.conversation_id}
    ken = waiting[known.conversation_id]
    assert (ken.customer_name, ken.tier, ken.verified, ken.cause) == ("Ken Ito", "MVC", True, "request")
    assert waiting[stranger.conversation_id].tier is None
    assert too_old[known.conversation_id].tier is None, "a value past its limit still decided something"


def test_the_load_of_each_account_manager_is_what_he_holds_now(crm_on_both: Crm) -> None:
    anna = a_staff_member(crm_on_both)
    for _ in range(2):
        talk.claim(crm_on_both, a_conversation(crm_on_both).conversation_id, anna.staff_id)
    with crm_on_both.store.read() as tx:
        assert tx.escalations.loads() == {anna.staff_id: 2}
