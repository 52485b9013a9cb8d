"""Running the work that is due. Each kind of job has one handler, which must be safe to run twice."""

import logging
import time as clocks
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from types import MappingProxyType

from crmcore.crm import Crm
from crmcore.errors import CrmError
from crmcore.firm import Firm
from crmcore.jobs import LEASE, MAX_ATTEMPTS, Job, Postponed, pause_before_retry
from crmcore.logs import words_of
from crmcore.metrics import jobs_run
from crmcore.store.transaction import Transaction
from crmcore.usecases.letters import deliver
from crmcore.usecases.planning import plan
from crmcore.usecases.tidying import tidy
from crmcore.usecases.timers import callback_due, queue_closes, return_timer
from crmcore.usecases.webhooks import deliver_event

log = logging.getLogger(__name__)

NIGHT = time(3, 0)  # In the firm's time zone, after the day's orders and before the first customer.

NIGHTLY = ("tidy", "score")


class NoHandler(CrmError):
    """A newer process planned a kind of work that this one does not know."""


@dataclass(frozen=True)
class Handler:
    """What a kind of job does, and how long one run may take before another worker takes over."""

    run: Callable[[Crm, Job], object]
    lease: timedelta = LEASE


def nightly_score(crm: Crm, job: Job) -> None:
    """Score all customers; running it twice only publishes the same values again."""
    # Scoring brings numpy and scipy along; a worker that only keeps promises starts without them.
    from crmcore.usecases.value_score import score

    score(crm)


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "return_timer": Handler(return_timer),
        "queue_closes": Handler(queue_closes),
        "callback_due": Handler(callback_due),
        "letter": Handler(deliver),
        "webhook": Handler(deliver_event),
        "tidy": Handler(tidy),
        "score": Handler(nightly_score, lease=timedelta(minutes=30)),
    }
)


def run_due_jobs(crm: Crm, holder: str, handlers: Mapping[str, Handler] = HANDLERS, limit: int = 50) -> int:
    """Run what is due now, one job after the other, and return how many were run.

    At least once: a job whose worker died is taken over when its lease runs out. A job that raises is
    recorded with its error and tried again after a growing pause, ``MAX_ATTEMPTS`` times.
    """
    _plan_tonight(crm)
    done = 0
    while done < limit and (job := _claim(crm, holder, handlers)) is not None:
        _run(crm, job, handlers)
        done += 1
    return done


def next_night(firm: Firm, now: datetime) -> datetime:
    """The next 3 o'clock of the firm, strictly after ``now``."""
    local = now.astimezone(firm.zone)
    tonight = datetime.combine(local.date(), NIGHT, firm.zone)
    return tonight if tonight > local else datetime.combine(_next(local.date()), NIGHT, firm.zone)


def _next(day: date) -> date:
    return day + timedelta(days=1)


def _plan_tonight(crm: Crm) -> None:
    night = next_night(crm.firm, crm.clock())
    keys = {kind: f"{kind}:{night.date().isoformat()}" for kind in NIGHTLY}
    with crm.store.read() as tx:
        planned = all(tx.jobs.by_key(key) is not None for key in keys.values())
    if not planned:
        with crm.store.write() as tx:
            for kind, key in keys.items():
                plan(tx, kind, key, night, {})


def _claim(crm: Crm, holder: str, handlers: Mapping[str, Handler]) -> Job | None:
    now = crm.clock()
    with crm.store.read() as tx:
        if not tx.jobs.any_due(now):
            return None
    with crm.store.write() as tx:
        job = tx.jobs.claim(holder, now, LEASE)
        if job is None:
            return None
        handler = handlers.get(job.kind)
        if handler is not None and handler.lease > LEASE:
            tx.jobs.hold(job, now + handler.lease)
        return job


def _run(crm: Crm, job: Job, handlers: Mapping[str, Handler]) -> None:
    handler = handlers.get(job.kind)
    error: Exception | None = None
    started = clocks.perf_counter()
    try:
        if handler is None:
            raise NoHandler(f"no handler for a {job.kind!r} job; is this process older than the others?")
        handler.run(crm, job)
    except Postponed as later:
        with crm.store.write() as tx:
            tx.jobs.postpone(job, str(later), later.due_at)
        jobs_run.labels(job.kind, "postponed").inc()
        return
    except Exception as raised:  # noqa: BLE001 -- recorded with the job, counted, and tried again.
        error = raised
    _note(job, error, clocks.perf_counter() - started)
    now = crm.clock()
    with crm.store.write() as tx:
        if error is None:
            tx.jobs.finish(job, now)
        else:
            _record(tx, job, words_of(error), now)


def _note(job: Job, error: Exception | None, seconds: float) -> None:
    outcome = "done" if error is None else "failed"
    jobs_run.labels(job.kind, outcome).inc()
    log.log(
        logging.INFO if error is None else logging.WARNING,
        "job %s (%s), attempt %s: %s after %.0f ms",
        job.job_id, job.kind, job.attempts, outcome if error is None else words_of(error), seconds * 1000,
        extra={"event": "job", "outcome": outcome, "duration_ms": round(seconds * 1000, 1)},
    )  # fmt: skip


def _record(tx: Transaction, job: Job, error: str, now: datetime) -> None:
    tx.incidents.add("job_failed", now, detail=f"{job.kind}: {error}")
    if job.attempts >= MAX_ATTEMPTS:
        tx.jobs.give_up(job, error, now)
    else:
        tx.jobs.retry(job, error, now + pause_before_retry(job.attempts))
