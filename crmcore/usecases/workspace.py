"""What an account manager looks at: the lists and everything beside one conversation."""

from __future__ import annotations

from datetime import timedelta

from crmcore.conversations import Conversation, UnknownConversation
from crmcore.crm import Crm
from crmcore.store.transaction import Transaction
from crmcore.usecases.escalation import waiting
from crmcore.value.card import ValueCard, card_of
from crmcore.value.snapshots import ValueRun, ValueSnapshot
from crmcore.workspace import Brief, Card, Lists

OPEN_WITHIN = timedelta(hours=24)  # A conversation with the bot that is older has simply been left.
MOST_OPEN = 200
BRIEF_MESSAGES = 6


def lists(crm: Crm, staff_id: str) -> Lists:
    """Mine, waiting, all open and owed call-backs, as one account manager sees them."""
    queue = tuple(waiting(crm))
    with crm.store.read() as tx:
        return Lists(
            mine=tx.workspace.led_by(staff_id),
            waiting=queue,
            open=tx.workspace.open_since(crm.clock() - OPEN_WITHIN, MOST_OPEN),
            callbacks=tx.workspace.owed_callbacks(),
        )


def has_joined(crm: Crm, conversation_id: str) -> bool:
    """False while a conversation that was handed to an account manager waits for him to come."""
    with crm.store.read() as tx:
        return tx.workspace.has_joined(conversation_id)


def card(crm: Crm, conversation_id: str) -> Card:
    """The customer's card and the hand-over brief; raises UnknownConversation."""
    with crm.store.read() as tx:
        conversation = tx.conversations.get(conversation_id)
        if conversation is None:
            raise UnknownConversation(conversation_id)
        known, value = None, None
        if conversation.verified_at is not None and conversation.customer_id is not None:
            known = tx.workspace.customer(conversation.customer_id)
            value = tx.value.current(conversation.customer_id)
        return Card(
            conversation_id=conversation_id,
            verified_at=conversation.verified_at,
            customer=known,
            value=None if value is None else _value_card(crm, *value),
            needs=tx.workspace.needs(conversation),
            complaints=tx.workspace.complaints(conversation),
            callbacks=tx.workspace.callbacks_of(conversation_id),
            brief=_brief(tx, conversation),
        )


def _value_card(crm: Crm, run: ValueRun, snapshot: ValueSnapshot) -> ValueCard:
    today = crm.firm.today(crm.clock())
    return card_of(run, snapshot, today=today, stale_after_days=crm.firm.value.stale_after_days)


def _brief(tx: Transaction, conversation: Conversation) -> Brief:
    handover = tx.workspace.handover(conversation.conversation_id)
    reason, summary, reasons, requested_at = handover or (None, "", (), None)
    said = [
        message
        for message in tx.messages.latest(conversation.conversation_id, 200)
        if message.kind == "text"
        and message.sender in ("customer", "bot")
        and (requested_at is None or message.created_at <= requested_at)
    ]
    return Brief(
        reason=reason,
        summary=summary,
        reasons=reasons,
        requested_at=requested_at,
        mood=conversation.mood,
        open_case=conversation.open_case,
        failures=conversation.failures,
        last_turns=tuple(said[-BRIEF_MESSAGES:]),
        offers=tx.workspace.offers(conversation.conversation_id),
    )
