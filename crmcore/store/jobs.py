"""The durable job table: claimed by statement, held by a lease, at least once."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, delete, func, or_, select, update

from crmcore.jobs import Job
from crmcore.store.schema import jobs
from crmcore.store.statements import insert_once


class Jobs:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, job: Job) -> bool:
        """Plan a job; False when one with the same unique key was planned before (even if done)."""
        return insert_once(self._connection, jobs, vars(job))

    def get(self, job_id: str) -> Job | None:
        row = self._connection.execute(select(jobs).where(jobs.c.job_id == job_id)).mappings().one_or_none()
        return None if row is None else Job(**row)

    def by_key(self, unique_key: str) -> Job | None:
        query = select(jobs).where(jobs.c.unique_key == unique_key)
        row = self._connection.execute(query).mappings().one_or_none()
        return None if row is None else Job(**row)

    def claim(self, holder: str, now: datetime, lease: timedelta) -> Job | None:
        """Take the job that is due longest, or one whose holder let his lease run out.

        One statement, so two workers never take the same job; on PostgreSQL a job that another worker
        is taking at this moment is skipped instead of waited for.
        """
        candidate = (
            select(jobs.c.job_id)
            .where(_free(now), jobs.c.due_at <= now)
            .order_by(jobs.c.due_at, jobs.c.job_id)
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        statement = (
            update(jobs)
            .where(jobs.c.job_id == candidate)
            .values(status="running", holder=holder, held_until=now + lease, attempts=jobs.c.attempts + 1)
            .returning(jobs)
        )
        row = self._connection.execute(statement).mappings().one_or_none()
        return None if row is None else Job(**row)

    def finish(self, job: Job, now: datetime) -> bool:
        """Mark it done; False when the lease ran out and another worker holds it now."""
        return self._settle(job, status="done", finished_at=now, last_error=None)

    def retry(self, job: Job, error: str, due_at: datetime) -> bool:
        return self._settle(job, status="waiting", due_at=due_at, last_error=error[:400])

    def postpone(self, job: Job, why: str, due_at: datetime) -> bool:
        """Let it begin anew at a later time; the attempts of before do not count."""
        return self._settle(job, status="waiting", due_at=due_at, last_error=why[:400], attempts=0)

    def forget_finished(self, before: datetime) -> None:
        """Drop jobs that were done or given up before a moment, when nobody will plan the same again."""
        self._connection.execute(delete(jobs).where(jobs.c.finished_at < before))

    def give_up(self, job: Job, error: str, now: datetime) -> bool:
        return self._settle(job, status="failed", finished_at=now, last_error=error[:400])

    def hold(self, job: Job, until: datetime) -> None:
        """Lengthen the lease of a job that is known to take long."""
        statement = update(jobs).where(jobs.c.job_id == job.job_id, jobs.c.holder == job.holder)
        self._connection.execute(statement.values(held_until=until))

    def any_due(self, now: datetime) -> bool:
        query = select(jobs.c.job_id).where(_free(now), jobs.c.due_at <= now).limit(1)
        return self._connection.execute(query).one_or_none() is not None

    def oldest_due(self, now: datetime) -> datetime | None:
        """Since when the job that waits longest has been due; None when none is."""
        query = select(func.min(jobs.c.due_at)).where(_free(now), jobs.c.due_at <= now)
        found: datetime | None = self._connection.execute(query).scalar_one()
        return found

    def counts(self) -> dict[str, int]:
        query = select(jobs.c.status, func.count()).group_by(jobs.c.status)
        return {row[0]: row[1] for row in self._connection.execute(query)}

    def _settle(self, job: Job, **values: object) -> bool:
        statement = update(jobs).where(
            jobs.c.job_id == job.job_id, jobs.c.holder == job.holder, jobs.c.attempts == job.attempts
        )
        result = self._connection.execute(statement.values(holder=None, held_until=None, **values))
        return result.rowcount == 1


def _free(now: datetime) -> ColumnElement[bool]:
    """Waiting, or left behind by a worker whose lease ran out."""
    return or_(jobs.c.status == "waiting", and_(jobs.c.status == "running", jobs.c.held_until <= now))
