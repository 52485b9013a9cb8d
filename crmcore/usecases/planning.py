"""Putting work that is due later into the job table, inside the caller's transaction."""

from datetime import datetime, timedelta
from typing import Any

from crmcore.conversations import Conversation
from crmcore.escalation import Callback
from crmcore.firm import Firm
from crmcore.ids import new_id
from crmcore.jobs import Job
from crmcore.store.transaction import Transaction

SHORT_BREAK = timedelta(hours=2)


def plan(tx: Transaction, kind: str, unique_key: str, due_at: datetime, payload: dict[str, Any]) -> bool:
    """Plan a job once; False when the same key was planned before."""
    return tx.jobs.add(Job(new_id("job"), kind, unique_key, payload, due_at))


def plan_return(tx: Transaction, firm: Firm, conversation: Conversation, now: datetime) -> None:
    """Start the clock of an account manager who owes the customer an answer.

    One clock for each stretch of silence: its key names the owner's epoch and his last words, so many
    customer messages in a row start one clock, and the handler sees whether he has spoken since.
    """
    spoke = tx.messages.last_seq_of(conversation.conversation_id, "account_manager", conversation.epoch)
    plan(
        tx,
        "return_timer",
        f"return:{conversation.conversation_id}:{conversation.epoch}:{spoke}",
        now + timedelta(minutes=firm.routing.return_after_minutes),
        {"conversation_id": conversation.conversation_id, "epoch": conversation.epoch, "spoke": spoke},
    )


def plan_closing(tx: Transaction, firm: Firm, conversation: Conversation, now: datetime) -> None:
    """Look after this conversation of the queue when the firm closes; at once when it is closed."""
    plan_closing_look(tx, conversation, closing(firm, now), look=0)


def plan_closing_look(tx: Transaction, conversation: Conversation, at: datetime, look: int) -> None:
    """The look at a waiting conversation after ``look`` earlier ones; one that is run twice plans one."""
    plan(
        tx,
        "queue_closes",
        f"closing:{conversation.conversation_id}:{conversation.epoch}" + (f":{look}" if look else ""),
        at,
        {"conversation_id": conversation.conversation_id, "epoch": conversation.epoch, "look": look},
    )


def closing(firm: Firm, now: datetime) -> datetime:
    """When the firm closes, which is now when it is closed.

    A break of up to ``SHORT_BREAK`` is no closing: whoever waits keeps his place over it.
    """
    closes = firm.hours.closes_at(now) or now
    opens = firm.hours.next_opening(closes)
    while opens is not None and opens - closes <= SHORT_BREAK:
        closes = firm.hours.closes_at(opens) or opens
        opens = firm.hours.next_opening(closes)
    return closes


def plan_callback_check(tx: Transaction, callback: Callback) -> None:
    """Look whether the promise was kept when it falls due."""
    plan(
        tx,
        "callback_due",
        f"callback:{callback.callback_id}",
        callback.promised_by,
        {"callback_id": callback.callback_id},
    )
