"""What the workspace's scripts are given: plain JSON of the core's views.

Times are ISO 8601 in UTC and money is minor units with its currency; the browser writes them in the
reader's own manner.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from crmcore.conversations import Conversation, Message, mark_values
from crmcore.escalation import Callback, QueueEntry
from crmcore.firm import Firm
from crmcore.value.card import ValueCard
from crmcore.workspace import Brief, Card, CardNeed, KnownCustomer, Lists, OpenConversation

# Customers read other words for the same marks (web/wording); colleagues want them short.
MARKS = {
    "queued": "Asked for a person and waits in the queue",
    "assigned": "Handed to {name}, who has not joined yet",
    "joined": "{name} joined the conversation",
    "left": "{name} gave the conversation back to {assistant}",
    "requeued": "{name} did not answer in time: back in the queue",
    "callback": "Outside opening hours: a call-back was promised",
    "bot": "Left the queue: {assistant} answers again",
    "waiting": "Was told that a person has the message",
    "closed": "Conversation closed",
}


def shown_message(message: Message, firm: Firm) -> dict[str, Any]:
    """The shape that the chat's own stream has, with the marks in the words of colleagues."""
    return {
        "seq": message.seq,
        "client_id": message.client_id,
        "sender": message.sender,
        "name": firm.voice.assistant if message.sender == "bot" else message.sender_name,
        "kind": message.kind,
        "text": _mark(message, firm) if message.sender == "system" else message.text,
        "buttons": [{"id": button.id, "title": button.title} for button in message.buttons],
        "at": message.created_at.isoformat(),
        "state": message.state,
    }


def shown_owner(conversation: Conversation, name: str | None, staff_id: str, joined: bool) -> dict[str, Any]:
    return {
        "kind": conversation.owner_kind,
        "name": name or "",
        "mine": conversation.owner_kind == "account_manager" and conversation.owner_id == staff_id,
        "joined": joined,
        "verified": conversation.verified_at is not None,
        "mood": conversation.mood,
        "open_case": conversation.open_case,
        "epoch": conversation.epoch,
    }


def shown_lists(lists: Lists, on_duty: bool) -> dict[str, Any]:
    return {
        "on_duty": on_duty,
        "mine": [_line(line) for line in lists.mine],
        "waiting": [_entry(entry) for entry in lists.waiting],
        "open": [_line(line) for line in lists.open],
        "callbacks": [
            {**_callback(owed.callback), "customer_name": owed.customer_name} for owed in lists.callbacks
        ],
    }


def shown_card(card: Card, firm: Firm) -> dict[str, Any]:
    return {
        "conversation_id": card.conversation_id,
        "verified_at": _plain(card.verified_at),
        "customer": _customer(card.customer) if card.customer else None,
        "value": _value(card.value) if card.value else None,
        "needs": [_need(need, firm) for need in card.needs],
        "complaints": [_plain(asdict(complaint)) for complaint in card.complaints],
        "callbacks": [_callback(callback) for callback in card.callbacks],
        "brief": _brief(card.brief, firm),
    }


def _line(line: OpenConversation) -> dict[str, Any]:
    return {**_plain(asdict(line)), "awaits_answer": line.awaits_answer}


def _entry(entry: QueueEntry) -> dict[str, Any]:
    waiting = entry.customer
    return {
        "conversation_id": waiting.conversation_id,
        "customer_name": waiting.customer_name if waiting.verified else None,
        "tier": waiting.tier,
        "mood": waiting.mood,
        "open_case": waiting.open_case,
        "cause": waiting.cause,
        "summary": waiting.summary,
        "waiting_since": waiting.waiting_since.isoformat(),
        "position": entry.position,
        "points": {
            "total": round(entry.points.total, 1),
            "parts": [{"name": name, "points": round(points, 1)} for name, points in entry.points.parts],
            "overtakes": entry.points.overtakes,
        },
    }


def _customer(customer: KnownCustomer) -> dict[str, Any]:
    shown: dict[str, Any] = _plain(asdict(customer))
    return shown


def _value(value: ValueCard) -> dict[str, Any]:
    names = (
        "tier",
        "why",
        "clv",
        "clv_low",
        "clv_high",
        "history_value",
        "cost_to_serve",
        "potential_value",
        "share_of_customer",
        "strategic_provenance",
        "p_alive",
        "frequency",
        "expected_purchases",
        "currency",
        "horizon_days",
        "as_of",
        "stale",
        "model_version",
    )
    return {name: _plain(getattr(value, name)) for name in names}


def _need(need: CardNeed, firm: Firm) -> dict[str, Any]:
    category = firm.need(need.category)
    attributes = []
    for attribute_id, value_id in need.attributes.items():
        attribute = category.attribute(attribute_id) if category else None
        value = next((v for v in attribute.values if v.id == value_id), None) if attribute else None
        name = english(attribute.name) if attribute else attribute_id
        attributes.append([name, english(value.name) if value else str(value_id)])
    title = english(category.name) if category else need.category
    return {**_plain(asdict(need)), "title": title, "attributes": attributes}


def _callback(callback: Callback) -> dict[str, Any]:
    shown: dict[str, Any] = _plain(asdict(callback))
    return shown


def _brief(brief: Brief, firm: Firm) -> dict[str, Any]:
    titles = []
    for offer_id, status in brief.offers:
        offer = firm.offer(offer_id)
        titles.append({"title": english(offer.title) if offer else offer_id, "status": status})
    return {
        "reason": brief.reason,
        "summary": brief.summary,
        "reasons": list(brief.reasons),
        "requested_at": _plain(brief.requested_at),
        "mood": brief.mood,
        "open_case": brief.open_case,
        "failures": brief.failures,
        "last_turns": [shown_message(message, firm) for message in brief.last_turns],
        "offers": titles,
    }


def _mark(message: Message, firm: Firm) -> str:
    sentence = MARKS.get(message.kind.removeprefix("mark:"))
    if sentence is None:
        return message.kind
    return sentence.format_map({"name": "", "assistant": firm.voice.assistant, **mark_values(message)})


def english(wording: Mapping[str, str]) -> str:
    """The staff's pages are in English; a firm that has no English word is shown its own."""
    return wording.get("en") or next(iter(wording.values()))


def _plain(value: Any) -> Any:
    """What JSON can hold."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return value
