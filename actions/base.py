"""What all actions share: the turn they work in, and counting what was not understood."""

from collections.abc import Mapping
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.slots import Events
from crmcore.conversations import Turn
from crmcore.crm import Crm
from crmcore.usecases.conversations import conversation
from crmcore.usecases.turns import note_not_understood, note_understood

NOT_UNDERSTOOD = (
    "utter_not_understood",
    "utter_choice",
    "utter_hint_",
    "utter_order_unknown",
    "utter_out_of_scope",
)


class CrmAction(Action):
    """An action that works on an installation; subclasses give ``action_name`` and ``respond``."""

    action_name: str

    def __init__(self, crm: Crm) -> None:
        self.crm = crm

    def name(self) -> str:
        return self.action_name

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        return self.respond(dispatcher, tracker, turn_of(tracker))

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        """Call a use case, say a named response, and return what the tracker must remember."""
        raise AssertionError(f"{type(self).__name__} has no respond")


def turn_of(tracker: Tracker) -> Turn:
    """The turn that the gateway opened. It alone says whose conversation this is; slots never do."""
    metadata = tracker.latest_message.get("metadata") or {}
    conversation_id = tracker.sender_id.rpartition(".")[0] or tracker.sender_id
    return Turn(conversation_id, int(metadata.get("message_id", 0)), int(metadata.get("epoch", -1)))


def said(tracker: Tracker) -> str:
    """What the customer wrote; empty when he pressed a button."""
    text = str(tracker.latest_message.get("text") or "")
    return "" if text.startswith("/") else text


def entity(tracker: Tracker, name: str) -> str | None:
    return next(tracker.get_latest_entity_values(name), None)


def language_of(crm: Crm, turn: Turn) -> str:
    """The language of the conversation."""
    return conversation(crm, turn.conversation_id).language


def in_language(wording: Mapping[str, str], language: str) -> str:
    """A wording of the catalogue, in the firm's first language when there is none in this one."""
    return wording.get(language) or next(iter(wording.values()))


def count_failure(crm: Crm, tracker: Tracker, turn: Turn) -> int:
    """How many messages in a row were not understood, this one included."""
    if _understood_before(tracker):
        note_understood(crm, turn)
    return note_not_understood(crm, turn)


def offers_choice(crm: Crm, failures: int) -> bool:
    """Whether asking again is no use any more, by the firm's routing."""
    return failures > crm.firm.routing.failures_before_choice


def needs_person(crm: Crm, failures: int) -> bool:
    return failures > crm.firm.routing.failures_before_person


def _understood_before(tracker: Tracker) -> bool:
    """Whether the assistant's last answer was a real one. With no answer in memory nothing is known."""
    answers: list[str] = []
    users = 0
    for event in reversed(tracker.events):
        if event["event"] == "user":
            users += 1
        if users == 2:
            break
        if users == 1 and event["event"] == "bot":
            answers.append(str((event.get("metadata") or {}).get("utter_action", "")))
    return bool(answers) and not any(answer.startswith(NOT_UNDERSTOOD) for answer in answers)
