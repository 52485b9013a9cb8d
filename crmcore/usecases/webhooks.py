"""Endpoints, and bringing events to them: at least once, signed, tried again, and never lost silently."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from crmcore.crm import Crm
from crmcore.events import TEST, told
from crmcore.ids import new_id
from crmcore.jobs import Job, Postponed
from crmcore.store.transaction import Transaction
from crmcore.usecases.events import plan_delivery
from crmcore.webhook_http import Answered, Unreachable
from crmcore.webhooks import (
    BOTH_SECRETS_FOR,
    DISABLED_AFTER,
    GONE,
    OVERLOADED,
    Endpoint,
    InvalidEndpoint,
    Parcel,
    check_events,
    check_url,
    pause_after,
    rest_after,
    secret_of,
    secrets_in_force,
    signed_headers,
)


@dataclass(frozen=True)
class ListedEndpoint:
    """An endpoint with how much waits for it and how much it never took."""

    endpoint: Endpoint
    waiting: int
    dead: int


# --- endpoints ---------------------------------------------------------------------------------------------


def add_endpoint(crm: Crm, url: str, events: Sequence[str]) -> tuple[Endpoint, str]:
    """A new endpoint and its secret; it gets what happens from now on. Raises InvalidEndpoint."""
    endpoint = Endpoint(
        new_id("whk"), check_url(url, crm.private_webhooks), check_events(events), crm.clock()
    )
    with crm.store.write() as tx:
        tx.webhooks.add_endpoint(endpoint)
    return endpoint, secret_of(crm.secret, endpoint.endpoint_id, endpoint.generation)


def list_endpoints(crm: Crm) -> list[ListedEndpoint]:
    with crm.store.read() as tx:
        counts = tx.webhooks.counts()
        return [
            ListedEndpoint(
                one, counts.get((one.endpoint_id, "waiting"), 0), counts.get((one.endpoint_id, "dead"), 0)
            )
            for one in tx.webhooks.endpoints()
        ]


def remove_endpoint(crm: Crm, endpoint_id: str) -> Endpoint:
    """With all that was on its way there. Raises InvalidEndpoint."""
    with crm.store.write() as tx:
        endpoint = _locked(tx, endpoint_id)
        tx.webhooks.remove_endpoint(endpoint_id)
        return endpoint


def enable_endpoint(crm: Crm, endpoint_id: str) -> Endpoint:
    """Send again to an endpoint that was switched off; what it missed is on the dead-letter list."""
    with crm.store.write() as tx:
        endpoint = _healthy(_locked(tx, endpoint_id))
        tx.webhooks.save_endpoint(replace(endpoint, disabled_at=None))
        return endpoint


def rotate_secret(crm: Crm, endpoint_id: str) -> str:
    """A new secret; for a day events carry a signature of the old one, too. Raises InvalidEndpoint."""
    now = crm.clock()
    with crm.store.write() as tx:
        before = _locked(tx, endpoint_id)
        after = replace(before, generation=before.generation + 1, previous_until=now + BOTH_SECRETS_FOR)
        tx.webhooks.save_endpoint(after)
    return secret_of(crm.secret, endpoint_id, after.generation)


def send_test(crm: Crm, endpoint_id: str) -> Answered:
    """Send an event of no meaning now and return what was answered. Raises InvalidEndpoint, Unreachable."""
    with crm.store.read() as tx:
        endpoint = tx.webhooks.endpoint(endpoint_id)
    if endpoint is None:
        raise _unknown(endpoint_id)
    now, webhook_id = crm.clock(), new_id("evt")
    return _post(crm, endpoint, webhook_id, told(TEST, webhook_id, 0, now, {"endpoint_id": endpoint_id}), now)


# --- dead letters ------------------------------------------------------------------------------------------


def dead_letters(crm: Crm) -> list[Parcel]:
    """What was given up, the oldest first."""
    with crm.store.read() as tx:
        return tx.webhooks.dead()


def retry_dead(crm: Crm, delivery_id: int | None = None, endpoint_id: str | None = None) -> int:
    """Have one dead letter, those of one endpoint, or all of them tried all over again; returns how many."""
    now = crm.clock()
    with crm.store.write() as tx:
        chosen = [
            parcel
            for parcel in tx.webhooks.dead(endpoint_id)
            if delivery_id in (None, parcel.delivery.delivery_id) and parcel.endpoint.disabled_at is None
        ]
        for parcel in chosen:
            again = replace(parcel.delivery, status="waiting", attempts=0, round=parcel.delivery.round + 1)
            tx.webhooks.save_delivery(again)
            plan_delivery(tx, again, now)
        return len(chosen)


# --- bringing ------------------------------------------------------------------------------------------


def deliver_event(crm: Crm, job: Job) -> None:
    """Send one event to one endpoint, and write down what came of it.

    A worker that dies between the two sends it again: receivers tell repeats by ``webhook-id``.

    Raises
    ------
    Postponed : it is to be tried (again) later.
    """
    now = crm.clock()
    with crm.store.read() as tx:
        parcel = tx.webhooks.parcel(job.payload["delivery_id"])
        words = _words(tx, parcel) if parcel is not None else {}
    if parcel is None or parcel.delivery.status != "waiting" or parcel.endpoint.disabled_at is not None:
        return
    if parcel.endpoint.retry_at is not None and now < parcel.endpoint.retry_at:
        raise Postponed(parcel.endpoint.retry_at, "its receiver could not be reached just now")
    event = parcel.event
    sent = told(event.kind, event.webhook_id, event.event_id, event.at, {**event.facts, **words})
    try:
        answer: Answered | Unreachable = _post(crm, parcel.endpoint, event.webhook_id, sent, now)
    except Unreachable as error:
        answer = error
    with crm.store.write() as tx:
        again_at = _settle(tx, parcel, answer, crm.clock())
    if again_at is not None:
        raise Postponed(again_at, _what(answer))


def _settle(
    tx: Transaction, parcel: Parcel, answer: Answered | Unreachable, now: datetime
) -> datetime | None:
    """Write down an attempt; returns when it is to be tried again, or None."""
    endpoint = tx.webhooks.locked_endpoint(parcel.endpoint.endpoint_id)
    if endpoint is None:
        return None  # It was removed meanwhile, with all that was on its way.
    tried = replace(parcel.delivery, attempts=parcel.delivery.attempts + 1, tried_at=now)
    if isinstance(answer, Answered) and answer.is_good:
        tx.webhooks.save_delivery(replace(tried, status="delivered", last_error=None))
        tx.webhooks.save_endpoint(_healthy(endpoint))
        return None
    tried = replace(tried, last_error=_what(answer)[:200])
    endpoint = _failing(endpoint, answer, now)
    pause = pause_after(tried.attempts)
    why_not_again = _why_disabled(endpoint, answer, now)
    if pause is not None and why_not_again is None:
        tx.webhooks.save_delivery(tried)
        tx.webhooks.save_endpoint(endpoint)
        return now + pause
    tx.webhooks.save_delivery(replace(tried, status="dead"))
    tx.webhooks.save_endpoint(endpoint)
    tx.incidents.add("webhook_dead", now, detail=f"{endpoint.endpoint_id}: {parcel.event.webhook_id}")
    if why_not_again is not None:
        _disable(tx, endpoint, why_not_again, now)
    return None


def _why_disabled(endpoint: Endpoint, answer: Answered | Unreachable, now: datetime) -> str | None:
    """Why nothing more is sent to this endpoint, or None."""
    if isinstance(answer, Answered) and answer.status == GONE:
        return "it answered 410 Gone"
    if endpoint.failing_since is not None and now - endpoint.failing_since >= DISABLED_AFTER:
        return f"it has failed for {DISABLED_AFTER.days} days"
    return None


def _failing(endpoint: Endpoint, answer: Answered | Unreachable, now: datetime) -> Endpoint:
    """One more failure. A receiver that cannot be reached is left in peace, so that it delays nobody else."""
    endpoint = replace(endpoint, failing_since=endpoint.failing_since or now)
    if isinstance(answer, Answered) and answer.status not in OVERLOADED:
        return endpoint
    failures = endpoint.failures + 1
    return replace(endpoint, failures=failures, retry_at=now + rest_after(failures))


def _disable(tx: Transaction, endpoint: Endpoint, why: str, now: datetime) -> None:
    tx.webhooks.save_endpoint(replace(endpoint, disabled_at=now))
    given_up = tx.webhooks.give_up_waiting(endpoint.endpoint_id, "the endpoint was switched off")
    tx.incidents.add(
        "webhook_disabled", now, detail=f"{endpoint.endpoint_id}: {why}; {given_up} events wait for a retry"
    )


def _healthy(endpoint: Endpoint) -> Endpoint:
    return replace(endpoint, failing_since=None, failures=0, retry_at=None)


def _post(crm: Crm, endpoint: Endpoint, webhook_id: str, event: dict[str, Any], now: datetime) -> Answered:
    body = json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
    secrets = secrets_in_force(crm.secret, endpoint, now)
    return crm.post(endpoint.url, signed_headers(secrets, webhook_id, now, body), body)


def _words(tx: Transaction, parcel: Parcel) -> dict[str, str]:
    """What was said, for the one kind of event that tells it."""
    if parcel.event.kind != "message.created":
        return {}
    facts = parcel.event.facts
    found = tx.messages.after(facts["conversation_id"], facts["seq"] - 1, 1)
    if not found or found[0].seq != facts["seq"]:
        return {"sender_name": "", "text": ""}  # It was erased meanwhile.
    return {"sender_name": found[0].sender_name, "text": found[0].text}


def _what(answer: Answered | Unreachable) -> str:
    if isinstance(answer, Unreachable):
        return str(answer)
    return f"{answer.status} {answer.excerpt}".strip()


def _locked(tx: Transaction, endpoint_id: str) -> Endpoint:
    endpoint = tx.webhooks.locked_endpoint(endpoint_id)
    if endpoint is None:
        raise _unknown(endpoint_id)
    return endpoint


def _unknown(endpoint_id: str) -> InvalidEndpoint:
    return InvalidEndpoint(f"there is no endpoint {endpoint_id!r}; `rapport webhooks list` shows them")
