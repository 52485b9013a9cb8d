"""What is forgotten each night, so that no table grows for ever with what nobody will ask for."""

from datetime import timedelta

from crmcore import idempotency, webhooks
from crmcore.crm import Crm
from crmcore.jobs import Job

# A month shows an operator what comes back each month. Jobs that were given up are forgotten too, so that an
# alert about them ends.
JOBS_KEPT_FOR = timedelta(days=30)
INCIDENTS_KEPT_FOR = timedelta(days=90)


def tidy(crm: Crm, job: Job) -> None:
    """Forget old events that nobody waits for, finished jobs, incidents and idempotency keys."""
    now = crm.clock()
    with crm.store.write() as tx:
        tx.events.forget_before(now - webhooks.KEPT_FOR)
        tx.jobs.forget_finished(now - JOBS_KEPT_FOR)
        tx.incidents.forget_before(now - INCIDENTS_KEPT_FOR)
        tx.idempotency.forget_before(now - idempotency.KEPT_FOR)
