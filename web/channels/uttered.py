"""What a foreign widget is given of a message, in the shape of Rasa's event ``bot_uttered``."""

from typing import Any

from crmcore.conversations import Message
from crmcore.firm import Firm
from web.gateway.shown import shown_message
from web.wording import Wording


def uttered(message: Message, firm: Firm, wording: Wording, language: str) -> dict[str, Any]:
    """Text, opaque buttons, and in ``metadata`` the sequence number by which a client can tell a repeat.

    The protocol knows two sides only, so what the customer wrote in another tab comes as "You wrote: …".
    """
    shown = shown_message(message, firm, wording, language)
    text = shown["text"]
    if message.sender == "customer":
        text = wording.say(language, "you_wrote", text=text)
    event: dict[str, Any] = {
        "text": text,
        "metadata": {"seq": message.seq, "sender": message.sender, "name": shown["name"]},
    }
    if shown["buttons"]:
        event["quick_replies"] = [
            {"content_type": "text", "title": button["title"], "payload": button["id"]}
            for button in shown["buttons"]
        ]
    return event


def notice(text: str, code: str) -> dict[str, Any]:
    """A sentence that is no message of the conversation: why something was not taken."""
    return {"text": text, "metadata": {"error": code}}
