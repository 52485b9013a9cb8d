"""A worker in a process of its own, to be killed: ``python -m tests.jobs.worker_process URL ROUND``.

Its job has an effect in three parts. In the first round it says "begun" after the first part and then
hangs, so that the test can kill it exactly there.
"""

import sys
import time
from datetime import UTC, datetime

from crmcore.crm import Crm
from crmcore.jobs import Job
from crmcore.store.database import Store
from crmcore.usecases.jobs import Handler, run_due_jobs
from tests.builders import a_crm

PARTS = 3


def effect(crm: Crm, job: Job, hang_after: int | None) -> None:
    """Plan one follow-up for each part; the unique key makes a part that is done already a no-op."""
    for part in range(PARTS):
        with crm.store.write() as tx:
            tx.jobs.add(
                Job(f"part_{part}", "never", f"{job.unique_key}:{part}", {}, datetime(2100, 1, 1, tzinfo=UTC))
            )
            tx.incidents.add("part_tried", crm.clock(), detail=str(part))
        if part == hang_after:
            print("begun", flush=True)
            time.sleep(600)


def main(url: str, hang: bool) -> None:
    crm = a_crm(Store(url))
    crm = Crm(store=crm.store, firm=crm.firm, language=crm.language, secret=crm.secret)  # The real clock.
    handler = Handler(lambda crm, job: effect(crm, job, 0 if hang else None))
    print(run_due_jobs(crm, "worker", {"test": handler}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] == "hang")
