"""What happens when a promised time has come: handlers of jobs, each safe to run twice."""

from crmcore import conversations as transfers
from crmcore.crm import Crm
from crmcore.jobs import Job
from crmcore.staff import PRESENCE_LIMIT, takes_customers
from crmcore.usecases.escalation import promise_instead
from crmcore.usecases.ownership import locked, transfer
from crmcore.usecases.planning import closing, plan_closing, plan_closing_look
from crmcore.usecases.routing import mark_position


def return_timer(crm: Crm, job: Job) -> None:
    """Put a conversation back into the queue whose account manager left the customer without a word.

    Nothing happens when he spoke since the clock was started, or is the owner no more.
    """
    now = crm.clock()
    conversation_id = job.payload["conversation_id"]
    with crm.store.write() as tx:
        before = locked(tx, conversation_id)
        if before.owner_kind != "account_manager" or before.epoch != job.payload["epoch"]:
            return
        if tx.messages.last_seq_of(conversation_id, "account_manager", before.epoch) != job.payload["spoke"]:
            return
        after = transfer(tx, before, transfers.return_to_queue(before))
        waiting = tx.escalations.open_of(conversation_id, "waiting", "active")
        if waiting is not None:
            tx.escalations.start_waiting(waiting.escalation_id, None)
        absent = tx.staff.get(before.owner_id) if before.owner_id else None
        name = absent.name if absent else ""
        mark_position(tx, crm.firm, after, "mark:requeued", {"name": name}, now)
        plan_closing(tx, crm.firm, after, now)
        tx.incidents.add("returned_to_queue", now, conversation_id, f"staff:{before.owner_id}")


def queue_closes(crm: Crm, job: Job) -> None:
    """The firm has closed: whoever still waits under this epoch is promised a call-back instead.

    Not while somebody is on duty all the same: the customer was told that a colleague comes, and one can.
    Another look follows when his presence would have run out, or at the next closing when the firm has
    opened meanwhile.
    """
    now = crm.clock()
    with crm.store.write() as tx:
        conversation = locked(tx, job.payload["conversation_id"])
        if conversation.owner_kind != "queue" or conversation.epoch != job.payload["epoch"]:
            return
        look = job.payload.get("look", 0) + 1
        if crm.firm.is_open(now):
            plan_closing_look(tx, conversation, closing(crm.firm, now), look)
        elif any(takes_customers(member, now) for member in tx.staff.all()):
            plan_closing_look(tx, conversation, now + PRESENCE_LIMIT, look)
        else:
            promise_instead(tx, crm.firm, conversation, now)


def callback_due(crm: Crm, job: Job) -> None:
    """A promised call-back that nobody made in time is overdue: the workspace shows it, it is counted."""
    now = crm.clock()
    with crm.store.write() as tx:
        callback = tx.callbacks.get(job.payload["callback_id"])
        if callback is not None and tx.callbacks.mark_overdue(callback.callback_id):
            tx.incidents.add("callback_overdue", now, callback.conversation_id, callback.callback_id)
