"""Letters leave through the job table: queued with what they tell of, tried again, sent by one worker."""

from datetime import datetime

from crmcore.crm import Crm
from crmcore.jobs import Job
from crmcore.letters import Letter
from crmcore.store.transaction import Transaction
from crmcore.usecases.planning import plan


def post(tx: Transaction, letter: Letter, now: datetime) -> None:
    """Queue a letter in the caller's transaction, so that it goes out exactly if that commits."""
    outbox_id = tx.outbox.add(letter, now)
    plan(tx, "letter", f"letter:{outbox_id}", now, {"outbox_id": outbox_id})


def deliver(crm: Crm, job: Job) -> None:
    """Send one letter and delete its body; without a mail server it stays in the outbox.

    A worker that dies between the two sends it again: a second copy is better than none.

    Raises
    ------
    NotSent : the mail server did not take it; the job is tried again.
    """
    if crm.mail is None:
        return
    with crm.store.read() as tx:
        queued = tx.outbox.get(job.payload["outbox_id"])
    if queued is None or queued.sent_at is not None:
        return
    crm.mail(Letter(queued.kind, queued.recipient, queued.subject, queued.body), crm.firm.policies.email)
    with crm.store.write() as tx:
        tx.outbox.mark_sent(queued.outbox_id, crm.clock())
