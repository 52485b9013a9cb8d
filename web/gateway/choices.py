"""The gateway's own buttons: what stands under an apology, and what pressing it means."""

from crmcore.conversations import Reply
from crmcore.escalation import Handover
from crmcore.firm import Firm
from web.gateway.shown import callback_words
from web.wording import Wording

# No payload of the dialogue begins like these: those of Rasa begin with a slash.
PERSON = "gateway:person"
_AGAIN = "gateway:again:"


def again_of(payload: str | None) -> int | None:
    """The id of the message that the customer wants asked again, if this button means that."""
    if payload is None or not payload.startswith(_AGAIN):
        return None
    return int(payload.removeprefix(_AGAIN))


def apology(wording: Wording, language: str, kind: str, message_id: int) -> Reply:
    """One honest sentence about a failed turn, with the choice to try again or to talk to a person."""
    again = "buttons.repeat" if kind == "interrupted" else "buttons.again"
    return Reply(
        wording.say(language, f"failure.{kind}"),
        (
            (wording.say(language, again), f"{_AGAIN}{message_id}"),
            (wording.say(language, "buttons.person"), PERSON),
        ),
    )


def greeting(wording: Wording, language: str, tone: str, assistant: str, firm: str) -> Reply:
    """The first words of every conversation: who speaks, and that it is no person."""
    return Reply(wording.say(language, f"greeting.{tone}", assistant=assistant, firm=firm))


def handing_over(wording: Wording, language: str, firm: Firm, handover: Handover) -> Reply:
    """What the assistant says when the customer pressed "talk to a person"."""
    if handover.kind != "callback":
        return Reply(wording.say(language, "handing_over"))
    return Reply(callback_words(wording, language, firm, handover.opens_at))
