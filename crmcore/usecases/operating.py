"""What the operator's monitor reads from the database."""

from __future__ import annotations

from crmcore.crm import Crm
from crmcore.metrics import Readings
from crmcore.usecases.conversations import counters


def readings(crm: Crm) -> Readings:
    """The figures of the installation by their names; one moment of the database.

    Raises
    ------
    StoreUnavailable : the database is away.
    """
    found = counters(crm)
    now = crm.clock()
    with crm.store.read() as tx:
        due = tx.jobs.oldest_due(now)
        scored_at = tx.value.last_published_at()
    return {
        "rapport_database_up": 1,
        "rapport_conversations": {
            owner: found.conversations.get(owner, 0)
            for owner in ("bot", "queue", "account_manager", "nobody")
        },
        "rapport_queue_length": found.queue_length,
        "rapport_queue_oldest_wait_seconds": found.oldest_wait_minutes * 60,
        "rapport_pending_messages": found.pending,
        "rapport_pending_oldest_seconds": found.oldest_pending_seconds,
        "rapport_lost_messages": found.lost,
        "rapport_incidents": found.incidents,
        "rapport_jobs": {
            status: found.jobs.get(status, 0) for status in ("waiting", "running", "done", "failed")
        },
        "rapport_jobs_oldest_due_seconds": max((now - due).total_seconds(), 0) if due else 0,
        "rapport_overdue_callbacks": found.overdue_callbacks,
        "rapport_value_age_seconds": (now - scored_at).total_seconds() if scored_at else None,
    }


def note_incident(crm: Crm, kind: str, detail: str = "") -> None:
    """Count something that went wrong outside a conversation; ``detail`` never holds a customer's words."""
    with crm.store.write() as tx:
        tx.incidents.add(kind, crm.clock(), detail=detail)
