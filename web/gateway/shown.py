"""What the customer's client is given: messages, marks in words, and who answers now."""

from datetime import datetime
from typing import Any

from crmcore.conversations import Conversation, Message, mark_values
from crmcore.firm import Firm
from web.wording import Wording


def shown_message(message: Message, firm: Firm, wording: Wording, language: str) -> dict[str, Any]:
    """One message as the client reads it; nothing in it is internal (no payload, staff id, epoch)."""
    return {
        "seq": message.seq,
        "client_id": message.client_id,
        "sender": message.sender,
        "name": firm.voice.assistant if message.sender == "bot" else message.sender_name,
        "kind": message.kind,
        "text": mark_words(message, firm, wording, language) if message.sender == "system" else message.text,
        "buttons": [{"id": button.id, "title": button.title} for button in message.buttons],
        "at": message.created_at.isoformat(),
        "state": message.state,
    }


def mark_words(message: Message, firm: Firm, wording: Wording, language: str) -> str:
    """The sentence for a mark; see the table in ``crmcore.conversations``."""
    values = mark_values(message)
    kind = message.kind.removeprefix("mark:")
    if kind in ("queued", "requeued") and values.get("wait_minutes") is None:
        kind += "_waiting"
    elif kind == "queued" and values.get("position") == 1:
        kind = "queued_next"
    elif kind == "waiting" and values.get("name"):
        kind = "waiting_with"
    if kind == "callback":
        opens_at = values.get("opens_at")
        return callback_words(wording, language, firm, datetime.fromisoformat(opens_at) if opens_at else None)
    return wording.say(language, f"marks.{kind}", **{"assistant": firm.voice.assistant, **values})


def callback_words(wording: Wording, language: str, firm: Firm, opens_at: datetime | None) -> str:
    """Nobody is here, and when somebody will be, in the firm's own time."""
    if opens_at is None:
        return wording.say(language, "marks.callback_sometime")
    local = wording.moment(language, opens_at.astimezone(firm.zone))
    return wording.say(language, "marks.callback", opens_at=local)


def shown_owner(conversation: Conversation, firm: Firm, person: str) -> dict[str, str]:
    """Who answers now; ``person`` is the account manager's name when one does."""
    if conversation.owner_kind == "account_manager":
        return {"kind": "account_manager", "name": person}
    return {
        "kind": conversation.owner_kind,
        "name": firm.voice.assistant if conversation.owner_kind == "bot" else "",
    }
