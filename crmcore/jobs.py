"""Work that must happen later, whatever dies in between: frozen values and the rules of trying again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

JobStatus = Literal["waiting", "running", "done", "failed"]

LEASE = timedelta(minutes=1)  # A worker that died is replaced after so long.
MAX_ATTEMPTS = 8
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=1)


class Postponed(Exception):
    """Raised by a handler: nothing went wrong with the job, and it is to be run again at a certain time."""

    def __init__(self, due_at: datetime, why: str) -> None:
        super().__init__(why)
        self.due_at = due_at


@dataclass(frozen=True)
class Job:
    """One row of ``jobs``. ``unique_key`` makes planning the same work twice one job."""

    job_id: str
    kind: str
    unique_key: str
    payload: dict[str, Any]
    due_at: datetime
    status: JobStatus = "waiting"
    attempts: int = 0
    holder: str | None = None
    held_until: datetime | None = None
    last_error: str | None = None
    finished_at: datetime | None = None


def pause_before_retry(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts: 5 s, 10 s, 20 s … an hour at most.

    >>> pause_before_retry(1), pause_before_retry(3)
    (datetime.timedelta(seconds=5), datetime.timedelta(seconds=20))
    """
    doublings = min(max(attempts - 1, 0), 20)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)
