"""What the operator's monitor and the doctor read from the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from crmcore.crm import Crm
from crmcore.doctor import DatabaseFacts
from crmcore.firm import parse_firm
from crmcore.metrics import Readings
from crmcore.settings import Settings
from crmcore.store.database import Store
from crmcore.store.dumps import kind_of
from crmcore.store.roles import look_at_role
from crmcore.usecases.conversations import counters
from crmcore.usecases.staff import opens
from crmcore.usecases.upgrade import steps_from


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
        dead = sum(count for (_, status), count in tx.webhooks.counts().items() if status == "dead")
    return {
        "rapport_database_up": 1,
        "rapport_processes": found.processes,
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
        "rapport_webhook_dead_letters": dead,
        "rapport_value_age_seconds": (now - scored_at).total_seconds() if scored_at else None,
    }


def note_incident(crm: Crm, kind: str, detail: str = "") -> None:
    """Count something that went wrong outside a conversation; ``detail`` never holds a customer's words."""
    with crm.store.write() as tx:
        tx.incidents.add(kind, crm.clock(), detail=detail)


def database_facts(settings: Settings, sign_ins: Sequence[tuple[str, str]]) -> DatabaseFacts:
    """What the doctor wants to know, without changing anything: an older schema stays as it is.

    ``sign_ins`` are e-mail addresses with passwords that nobody should have any more.

    Raises
    ------
    StoreUnavailable, SchemaTooNew, UnusableAddress
    """
    store = Store(settings.database_url)
    try:
        steps = steps_from(store.revision())
        kind = kind_of(settings.database_url)
        role = look_at_role(store) if kind == "postgresql" else None
        found = DatabaseFacts(
            kind=kind,
            revision=steps.before,
            pending=steps.pending,
            superuser=role is not None and role.superuser,
            ahead_seconds=0.0 if role is None else role.ahead_seconds,
        )
        return found if steps.pending else _facts_of_data(settings, store, found, sign_ins)
    finally:
        store.dispose()


def _facts_of_data(
    settings: Settings, store: Store, found: DatabaseFacts, sign_ins: Sequence[tuple[str, str]]
) -> DatabaseFacts:
    with store.read() as tx:
        newest = tx.firm.newest()
    if newest is None:
        return found
    firm = parse_firm(newest.document, f"firm version {newest.version}")
    no_language = cast(Any, None)  # Figures are counted, not understood.
    crm = Crm(store=store, firm=firm, language=no_language, secret=settings.secret)
    seen = readings(crm)
    incidents, jobs, parts = (
        _by_label(seen, name) for name in ("rapport_incidents", "rapport_jobs", "rapport_processes")
    )
    return replace(
        found,
        gateways=int(parts["gateway"]),
        workers=int(parts["worker"]),
        figures={name: value for name, value in seen.items() if isinstance(value, int | float)},
        incidents=incidents,
        failed_jobs=int(jobs["failed"]),
        demonstration_sign_ins=tuple(email for email, password in sign_ins if opens(crm, email, password)),
        origins=firm.origins,
        stale_after_days=firm.value.stale_after_days,
    )


def _by_label(seen: Readings, name: str) -> Mapping[str, float]:
    found = seen[name]
    assert isinstance(found, Mapping), f"{name} has a label"
    return found
