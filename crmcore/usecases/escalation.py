"""Getting a person: decide, record why, hand over, promise."""

from datetime import datetime

from crmcore import conversations as transfers
from crmcore.conversations import Conversation, Message, Turn
from crmcore.crm import Crm
from crmcore.escalation import (
    Callback,
    Cause,
    Escalation,
    Handover,
    QueueEntry,
    WaitingCustomer,
    entry_of,
    promise_by,
)
from crmcore.events import moment
from crmcore.firm import Firm
from crmcore.ids import new_id
from crmcore.store.transaction import Transaction
from crmcore.usecases.events import emit, known_customer, tell_of_escalations
from crmcore.usecases.ownership import guard, locked, mark, transfer
from crmcore.usecases.planning import plan_callback_check, plan_closing, plan_return
from crmcore.usecases.routing import (
    current_tier,
    decide,
    mark_position,
    oldest_value,
    ordered,
    queue,
    somebody_is_in,
    staff_name,
)


def request_from_turn(crm: Crm, turn: Turn, reason: Cause, detail: str = "") -> Handover:
    """An action asks for a person; the hand-over happens when the turn ends, after its words.

    ``reason`` value asks the policy first and may answer ``kind="none"``. ``detail`` is one line for
    the account manager: what the customer wants, in the words of the business. Repeating the call in
    the same turn changes nothing.

    Raises
    ------
    StaleTurn : the turn is over.
    """
    now = crm.clock()
    with crm.store.write() as tx:
        conversation = guard(tx, turn)
        escalation = tx.escalations.by_source(f"message:{turn.message_id}:escalation")
        if escalation is None:
            escalation = _request(
                tx, crm.firm, conversation, reason, detail, f"message:{turn.message_id}", now
            )
        return (
            Handover("none") if escalation is None else _promised(tx, crm.firm, conversation, escalation, now)
        )


def request_person(crm: Crm, conversation_id: str) -> Handover:
    """The customer's button: a person, at once, from any state, whether or not the brain lives.

    While he waits already, or a person has him, the call changes nothing and repeats where he stands.
    """
    now = crm.clock()
    with crm.store.write() as tx:
        conversation = locked(tx, conversation_id)
        if conversation.owner_kind == "nobody":
            conversation = transfer(tx, conversation, transfers.reopen(conversation))
        if conversation.owner_kind == "bot":
            # The latest number makes each press a request of its own, for the epoch does not rise
            # when a call-back is promised.
            source = f"person:{conversation_id}:{conversation.last_seq}"
            escalation = _request(tx, crm.firm, conversation, "request", "", source, now)
            if escalation is not None and escalation.status == "callback":
                return _tell_callback(tx, crm.firm, conversation, escalation, now)
            apply_requested(tx, crm.firm, conversation, now)
            conversation = locked(tx, conversation_id)
        return _where(tx, crm.firm, conversation, now)


def apply_requested(tx: Transaction, firm: Firm, conversation: Conversation, now: datetime) -> list[Message]:
    """Carry out the hand-over that was asked for in this conversation, if there is one.

    Part of the caller's transaction, which holds the conversation's row. Returns the marks that the
    customer sees.
    """
    escalation = tx.escalations.open_of(conversation.conversation_id, "requested")
    if escalation is None:
        return []
    after = transfer(tx, conversation, transfers.escalate(conversation, escalation.assigned_to))
    tx.escalations.start_waiting(escalation.escalation_id, escalation.assigned_to)
    if escalation.assigned_to is not None:
        plan_return(tx, firm, after, now)
        return [mark(tx, after, "mark:assigned", {"name": staff_name(tx, escalation.assigned_to)}, now)]
    plan_closing(tx, firm, after, now)
    return [mark_position(tx, firm, after, "mark:queued", {}, now)]


def promise_instead(tx: Transaction, firm: Firm, conversation: Conversation, now: datetime) -> None:
    """The firm closes while somebody waits in the queue: he is promised a call-back and told so.

    The assistant answers him meanwhile, also what he wrote while he waited.
    """
    after = transfer(tx, conversation, transfers.give_back(conversation))
    tx.messages.make_unanswered_pending(conversation.conversation_id)
    escalation = tx.escalations.open_of(conversation.conversation_id, "waiting")
    if escalation is not None:
        tx.escalations.start_callback(escalation.escalation_id)
        if tx.callbacks.open_of(conversation.conversation_id) is None:
            _add_callback(tx, firm, after, f"{escalation.source_key}:callback", now)
        _tell_callback(tx, firm, after, escalation, now)
    mark(tx, after, "mark:bot", {}, now)


def promise_callback(crm: Crm, turn: Turn, contact: str, preferred_at: str) -> Callback:
    """The customer said where and when he wants to be called back.

    Completes the promise that his request for a person had made, or makes a new one.

    Raises
    ------
    StaleTurn : the turn is over.
    """
    now = crm.clock()
    with crm.store.write() as tx:
        conversation = guard(tx, turn)
        owed = tx.callbacks.open_of(conversation.conversation_id)
        if owed is None:
            key = f"message:{turn.message_id}:callback"
            owed = _add_callback(tx, crm.firm, conversation, key, now)
        tx.callbacks.set_contact(owed.callback_id, contact[:320], preferred_at[:200])
        completed = tx.callbacks.get(owed.callback_id)
        if completed is None:
            raise RuntimeError(f"call-back {owed.callback_id} vanished inside its transaction")
        return completed


def open_callbacks(crm: Crm) -> list[Callback]:
    """What is still owed, the nearest promise first."""
    with crm.store.read() as tx:
        return tx.callbacks.open()


def keep_callback(crm: Crm, callback_id: str, staff_id: str) -> bool:
    """An account manager called back; False when somebody had done so before."""
    now = crm.clock()
    with crm.store.write() as tx:
        callback = tx.callbacks.get(callback_id)
        if callback is None:
            return False
        locked(tx, callback.conversation_id)
        kept = tx.callbacks.mark_kept(callback_id, staff_id, now)
        escalation = tx.escalations.open_of(callback.conversation_id, "callback")
        if kept and escalation is not None:
            ended = tx.escalations.resolve_all(callback.conversation_id, now)
            tell_of_escalations(tx, "escalation.ended", ended, now)
        return kept


def waiting(crm: Crm) -> list[QueueEntry]:
    """The queue, next first, each with the breakdown of his points and his expected wait."""
    now = crm.clock()
    with crm.store.read() as tx:
        return queue(tx, crm.firm, now)


# --- inside ---------------------------------------------------------------------------------------------


def _request(
    tx: Transaction,
    firm: Firm,
    conversation: Conversation,
    cause: Cause,
    detail: str,
    source: str,
    now: datetime,
) -> Escalation | None:
    """Decide and keep the request; None when the policy asks for nobody."""
    owed = tx.escalations.open_of(conversation.conversation_id, "callback")
    if owed is not None and not somebody_is_in(tx, firm, now):
        return owed
    waiting_already = tx.escalations.open_of(conversation.conversation_id, "requested")
    if waiting_already is not None:
        return waiting_already
    decision_id, decision = decide(tx, firm, conversation, cause, now)
    if decision.route is None:
        return None
    escalation = tx.escalations.add(
        Escalation(
            escalation_id=new_id("esc"),
            conversation_id=conversation.conversation_id,
            customer_id=conversation.customer_id,
            source_key=f"{source}:escalation",
            reason=cause,
            summary=detail,
            decision_id=decision_id,
            assigned_to=decision.to_staff,
            priority=0.0,
            status="callback" if decision.route == "callback" else "requested",
            requested_at=now,
        )
    )
    tell_of_escalations(tx, "escalation.requested", [escalation], now)
    if escalation.status == "callback" and tx.callbacks.open_of(conversation.conversation_id) is None:
        _add_callback(tx, firm, conversation, f"{source}:callback", now)
    return escalation


def _promised(
    tx: Transaction, firm: Firm, conversation: Conversation, escalation: Escalation, now: datetime
) -> Handover:
    """What the assistant may say before the hand-over is carried out."""
    if escalation.status != "requested":
        return _where(tx, firm, conversation, now)
    if escalation.assigned_to is not None:
        return Handover("account_manager", staff_name(tx, escalation.assigned_to), seq=conversation.last_seq)
    waiting_now = tx.escalations.waiting(oldest_value(firm, now))
    newcomer = WaitingCustomer(
        conversation_id=conversation.conversation_id,
        escalation_id=escalation.escalation_id,
        customer_id=conversation.customer_id,
        customer_name=None,
        verified=conversation.verified_at is not None,
        tier=current_tier(tx, firm, conversation, now),
        open_case=conversation.open_case,
        mood=conversation.mood,
        cause=escalation.reason,
        summary=escalation.summary,
        waiting_since=escalation.requested_at,
    )
    entry = entry_of(ordered(tx, firm, [*waiting_now, newcomer], now), conversation.conversation_id)
    return _handover_to_queue(entry, conversation.last_seq)


def _where(tx: Transaction, firm: Firm, conversation: Conversation, now: datetime) -> Handover:
    """Where the customer stands now."""
    seq = conversation.last_seq
    if conversation.owner_kind == "account_manager" and conversation.owner_id is not None:
        return Handover("account_manager", staff_name(tx, conversation.owner_id), seq=seq)
    if conversation.owner_kind == "queue":
        return _handover_to_queue(entry_of(queue(tx, firm, now), conversation.conversation_id), seq)
    if tx.callbacks.open_of(conversation.conversation_id) is not None:
        return Handover("callback", opens_at=firm.hours.next_opening(now), seq=seq)
    return Handover("none", seq=seq)


def _handover_to_queue(entry: QueueEntry | None, seq: int) -> Handover:
    if entry is None:
        raise RuntimeError("a conversation in the queue has no place in it")
    return Handover("queue", position=entry.position, wait_minutes=entry.wait_minutes, seq=seq)


def _tell_callback(
    tx: Transaction, firm: Firm, conversation: Conversation, escalation: Escalation, now: datetime
) -> Handover:
    """One mark for one promise: pressing again before the opening says nothing new."""
    opens_at = firm.hours.next_opening(now)
    told = tx.messages.by_client_id(conversation.conversation_id, f"mark:{escalation.escalation_id}")
    if told is None:
        values = {"opens_at": opens_at.isoformat() if opens_at else None}
        told = mark(tx, conversation, "mark:callback", values, now, f"mark:{escalation.escalation_id}")
    return Handover("callback", opens_at=opens_at, seq=told.seq)


def _add_callback(
    tx: Transaction, firm: Firm, conversation: Conversation, source_key: str, now: datetime
) -> Callback:
    promised_by = promise_by(
        now, firm.is_open(now), firm.hours.next_opening(now), firm.routing.callback_hours
    )
    callback = tx.callbacks.add(
        Callback(
            callback_id=new_id("cb"),
            conversation_id=conversation.conversation_id,
            customer_id=conversation.customer_id,
            source_key=source_key,
            contact="",
            preferred_at="",
            promised_by=promised_by,
            status="promised",
            created_at=now,
        )
    )
    plan_callback_check(tx, callback)
    emit(
        tx, "callback.promised", now,
        callback_id=callback.callback_id, conversation_id=conversation.conversation_id,
        customer_id=known_customer(conversation), promised_by=moment(promised_by),
    )  # fmt: skip
    return callback
