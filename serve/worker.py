"""The worker role inside the app's process; ``rapport work`` is the same role on its own."""

import asyncio
import logging

from crmcore.usecases.jobs import run_due_jobs

from crmcore.crm import Crm

PAUSE_SECONDS = 1.0
log = logging.getLogger(__name__)


async def work_until_stopped(crm: Crm, holder: str) -> None:
    """Run due jobs, one after the other, until the task is cancelled.

    A job that fails is recorded and tried again by the job table itself. What can fail here is the
    database, and then the worker waits for it instead of ending with it.
    """
    while True:
        try:
            done = await asyncio.to_thread(run_due_jobs, crm, holder)
        except Exception:
            log.exception("the worker could not run its jobs and tries again")
            done = 0
        if not done:
            await asyncio.sleep(PAUSE_SECONDS)
