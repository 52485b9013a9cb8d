"""The facts that route a conversation, and the queue: shared parts inside the caller's transaction."""

from datetime import date, datetime, timedelta

from crmcore.catalogue import Tier
from crmcore.conversations import Conversation, Message
from crmcore.decisions import Decision
from crmcore.escalation import (
    MODEL_VERSION,
    Cause,
    Escalation,
    EscalationDecision,
    EscalationInputs,
    QueueEntry,
    QueuePolicy,
    WaitingCustomer,
    decide_escalation,
    entry_of,
    queue_order,
)
from crmcore.firm import Firm
from crmcore.ids import new_id
from crmcore.staff import takes_customers
from crmcore.store.transaction import Transaction
from crmcore.usecases.events import tell_of_escalations
from crmcore.usecases.ownership import mark


def queue(tx: Transaction, firm: Firm, now: datetime) -> list[QueueEntry]:
    return ordered(tx, firm, tx.escalations.waiting(oldest_value(firm, now)), now)


def somebody_is_in(tx: Transaction, firm: Firm, now: datetime) -> bool:
    """Within opening hours, or whenever an account manager is on duty all the same."""
    return firm.is_open(now) or any(takes_customers(member, now) for member in tx.staff.all())


def ordered(tx: Transaction, firm: Firm, customers: list[WaitingCustomer], now: datetime) -> list[QueueEntry]:
    loads = tx.escalations.loads()
    present = [member for member in tx.staff.all() if takes_customers(member, now)]
    free = sum(max(member.capacity - loads.get(member.staff_id, 0), 0) for member in present)
    return queue_order(customers, now, queue_policy(firm), free_places=free, people=len(present))


def queue_policy(firm: Firm) -> QueuePolicy:
    routing = firm.routing
    points = routing.queue_points
    return QueuePolicy(
        tier=points.tiers,
        complaint=points.complaint,
        cancelling=points.cancelling,
        upset=points.upset,
        breakdown=points.assistant_failed,
        per_minute=points.per_minute,
        overtake_after=timedelta(minutes=routing.overtake_after_minutes),
        minutes_per_case=routing.minutes_per_case,
    )


def oldest_value(firm: Firm, now: datetime) -> date:
    """The day before which observed data are too old to decide anything by tier."""
    return firm.today(now) - timedelta(days=firm.value.stale_after_days)


def current_tier(tx: Transaction, firm: Firm, conversation: Conversation, now: datetime) -> Tier | None:
    if conversation.customer_id is None or conversation.verified_at is None:
        return None
    value = tx.value.tier_of(conversation.customer_id)
    return value[0] if value is not None and value[1] >= oldest_value(firm, now) else None


def mark_position(
    tx: Transaction,
    firm: Firm,
    conversation: Conversation,
    kind: str,
    values: dict[str, object],
    now: datetime,
) -> Message:
    """A mark with the place in the queue and the expected wait."""
    entry = entry_of(queue(tx, firm, now), conversation.conversation_id)
    place = {
        "position": entry.position if entry else 1,
        "wait_minutes": entry.wait_minutes if entry else None,
    }
    return mark(tx, conversation, kind, values | place, now)


def decide(
    tx: Transaction,
    firm: Firm,
    conversation: Conversation,
    cause: Cause,
    now: datetime,
    taken_by: str | None = None,
) -> tuple[str, EscalationDecision]:
    """Gather the facts, decide, and record the decision with them; returns its id too."""
    customer_id = conversation.customer_id if conversation.verified_at is not None else None
    value = tx.value.tier_of(customer_id) if customer_id else None
    manager_id = tx.customers.account_manager_of(customer_id) if customer_id else None
    manager = tx.staff.get(manager_id) if manager_id else None
    inputs = EscalationInputs(
        cause=cause,
        tier=current_tier(tx, firm, conversation, now),
        value_as_of=value[1].isoformat() if value is not None else None,
        open_case=conversation.open_case,
        mood=conversation.mood,
        failures=conversation.failures,
        is_open=somebody_is_in(tx, firm, now),
        manager_id=manager.staff_id if manager else None,
        manager_takes_customers=manager is not None and takes_customers(manager, now),
        manager_load=tx.escalations.loads().get(manager.staff_id, 0) if manager else 0,
        manager_capacity=manager.capacity if manager else 0,
        value_tiers=firm.routing.tiers,
        value_situations=firm.routing.situations,
        taken_by=taken_by,
    )
    decision = decide_escalation(inputs)
    decision_id = new_id("dec")
    tx.decisions.add(
        Decision(
            decision_id=decision_id,
            kind="escalation",
            customer_id=customer_id,
            conversation_id=conversation.conversation_id,
            outcome=decision.outcome,
            reasons=decision.reasons,
            inputs=inputs.to_json(),
            model_version=MODEL_VERSION,
            firm_version=tx.firm.newest_version(),
            decided_at=now,
        )
    )
    return decision_id, decision


def record_takeover(
    tx: Transaction, firm: Firm, conversation: Conversation, staff_id: str, now: datetime
) -> None:
    """An account manager stepped in unasked: that too is an escalation with its reason."""
    decision_id, _ = decide(tx, firm, conversation, "takeover", now, taken_by=staff_id)
    escalation = tx.escalations.add(
        Escalation(
            escalation_id=new_id("esc"),
            conversation_id=conversation.conversation_id,
            customer_id=conversation.customer_id,
            source_key=f"takeover:{conversation.conversation_id}:{conversation.epoch}",
            reason="takeover",
            summary="",
            decision_id=decision_id,
            assigned_to=staff_id,
            priority=0.0,
            status="waiting",
            requested_at=now,
        )
    )
    tell_of_escalations(tx, "escalation.requested", [escalation], now)


def staff_name(tx: Transaction, staff_id: str) -> str:
    member = tx.staff.get(staff_id)
    return member.name if member else ""
