"""The gateway's own buttons: what stands under an apology, and what pressing it means."""

from collections.abc import Collection

from crmcore.conversations import Reply
from crmcore.escalation import Handover
from crmcore.firm import Firm
from crmcore.redaction import NEVER_KEPT, Kind
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


def warning(wording: Wording, language: str, withheld: Collection[Kind]) -> list[Reply]:
    """What to say before the answer to somebody who wrote what he should not; nothing when he did not."""
    if not withheld:
        return []
    kept_nowhere = any(kind in NEVER_KEPT for kind in withheld)
    return [Reply(wording.say(language, "withheld.secret" if kept_nowhere else "withheld.number"))]
