"""The worker role inside the app's process; ``rapport work`` is the same role on its own."""

import asyncio
import logging

from crmcore.crm import Crm
from crmcore.errors import StoreUnavailable
from crmcore.usecases.jobs import run_due_jobs

PAUSE_SECONDS = 1.0
log = logging.getLogger(__name__)


async def work_until_stopped(crm: Crm, holder: str) -> None:
    """Run due jobs, one after the other, until the task is cancelled.

    A job that fails is recorded and tried again by the job table itself; a database that went away is
    waited for.
    """
    while True:
        try:
            done = await asyncio.to_thread(run_due_jobs, crm, holder)
        except StoreUnavailable as error:
            log.warning("the worker waits for the database: %s", error)
            done = 0
        if not done:
            await asyncio.sleep(PAUSE_SECONDS)
