"""What all forms share: proving who one is first, correcting what was said, and giving up in time."""

from typing import Any

from rasa_sdk import FormValidationAction, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.base import count_failure, entity, offers_choice, said, turn_of
from actions.slots import FORM_SLOTS, IDENTITY, QUESTIONS, SKIPPED, Events, interrupted_form
from crmcore.conversations import Turn
from crmcore.corrections import corrected_words, declines
from crmcore.crm import Crm
from crmcore.identify import CODE_LIFETIME, CodeRefused, TooManyCodes, UnreadableClaim
from crmcore.usecases.customers import visitor
from crmcore.usecases.identify import check_code, start
from crmcore.usecases.turns import written

Values = dict[str, Any]
SKIPPABLE = ("return_reason", "need_detail", "club_reason")
LEAVE: Values = {"requested_slot": None}  # Ends the form; its last action sees that it is unfinished.


class RapportForm(FormValidationAction):
    """Subclasses give ``form`` and the slots that are missing in a turn (``wanted``)."""

    form: str

    def __init__(self, crm: Crm) -> None:
        self.crm = crm

    def name(self) -> str:
        return f"validate_{self.form}"

    def wanted(self, tracker: Tracker, turn: Turn) -> list[str]:
        """The slots of the form that this customer must fill, in order."""
        return list(FORM_SLOTS[self.form])

    async def required_slots(
        self, domain_slots: list[str], dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any
    ) -> list[str]:
        return self.wanted(tracker, turn_of(tracker))

    async def next_requested_slot(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any
    ) -> Any:
        if _was_left(tracker):
            return SlotSet("requested_slot", None)
        wanted = self.wanted(tracker, turn_of(tracker))
        return SlotSet("requested_slot", next((s for s in wanted if tracker.slots.get(s) is None), None))

    async def get_extraction_events(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any
    ) -> Events:
        """Beside what the domain's mappings fill: what is known already, and corrections."""
        turn = turn_of(tracker)
        asked = tracker.get_slot("requested_slot")
        # Only at the beginning: later it would answer for the customer, who may be asking for a person.
        begins = asked not in FORM_SLOTS[self.form]
        known = [SlotSet(*slot) for slot in (self.known(tracker, turn) if begins else {}).items()]
        if asked in SKIPPABLE and declines(said(tracker)):
            known.append(SlotSet(asked, SKIPPED))
        return [*known, *self._correction(tracker, turn)]

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> Events:
        """The SDK returns only slots that the form asks for, so what else it remembers is added here."""
        remembered = self.memory(tracker, turn_of(tracker))
        waiting = interrupted_form(tracker, self.form)
        if waiting is not None:
            remembered["suspended_form"] = waiting if self.form in QUESTIONS else None
        for slot, value in remembered.items():
            tracker.slots[slot] = value
        events = await super().run(dispatcher, tracker, domain)
        return [*(SlotSet(slot, value) for slot, value in remembered.items()), *events]

    def known(self, tracker: Tracker, turn: Turn) -> Values:
        """Slots of the form that need no question, looked up when it begins."""
        return {}

    def memory(self, tracker: Tracker, turn: Turn) -> Values:
        """What the form must remember beside the slots that it asks for."""
        return {}

    def try_again(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, slot: str, response: str
    ) -> Values:
        """Say what is wrong and ask again, but not for ever: then a choice, and the form ends."""
        if offers_choice(self.crm, count_failure(self.crm, tracker, turn_of(tracker))):
            dispatcher.utter_message(response="utter_choice")
            return {slot: None, **LEAVE}
        dispatcher.utter_message(response=response)
        return {slot: None}

    def _correction(self, tracker: Tracker, turn: Turn) -> Events:
        """ "No, I meant …" changes the last value given, unless a mapping has taken it already."""
        asked = tracker.get_slot("requested_slot")
        if tracker.latest_message.get("intent", {}).get("name") != "correct" or tracker.slots_to_validate():
            return []
        slots = [slot for slot in self.wanted(tracker, turn) if slot not in IDENTITY]
        before = slots[: slots.index(asked)] if asked in slots else []
        last = next((slot for slot in reversed(before) if tracker.get_slot(slot) is not None), None)
        return [SlotSet(last, corrected_words(said(tracker)) or None)] if last else []


def in_own_words(value: Any, longest: int) -> str:
    """A free answer on one line, or that he would not answer."""
    words = " ".join(str(value).split())[:longest]
    return SKIPPED if not words or declines(words) else words


class PersonalForm(RapportForm):
    """A form about something personal: it asks who is writing first, unless that is known."""

    def wanted(self, tracker: Tracker, turn: Turn) -> list[str]:
        slots = FORM_SLOTS[self.form]
        if visitor(self.crm, turn) is None:
            return list(slots)
        return [slot for slot in self.after_identity(tracker, turn) if slot not in IDENTITY]

    def after_identity(self, tracker: Tracker, turn: Turn) -> list[str]:
        """The slots to fill once the customer is known."""
        return list(FORM_SLOTS[self.form])

    def when_verified(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Values:
        """What can be filled in or said now that the customer is known."""
        return self.known(tracker, turn)

    def validate_contact_or_order(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any
    ) -> Values:
        claim = str(value[-1] if isinstance(value, list) else value)
        if not (entity(tracker, "email") or entity(tracker, "order_number")):
            return {"contact_or_order": claim}  # Said in an earlier form: its code is on the way.
        return self._send_code(claim, dispatcher, tracker)

    def _send_code(self, claim: str, dispatcher: CollectingDispatcher, tracker: Tracker) -> Values:
        try:
            start(self.crm, turn_of(tracker), claim)
        except UnreadableClaim:
            return self.try_again(dispatcher, tracker, "contact_or_order", "utter_hint_contact_or_order")
        except TooManyCodes:
            dispatcher.utter_message(response="utter_code_too_many")
            return {"contact_or_order": None, **LEAVE}
        dispatcher.utter_message(response="utter_code_sent", minutes=int(CODE_LIFETIME.total_seconds() // 60))
        return {"contact_or_order": claim, "one_time_code": None}

    def validate_one_time_code(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any
    ) -> Values:
        claim = tracker.get_slot("contact_or_order")
        if claim is None:
            return {"one_time_code": None}  # A number before any code was asked for.
        if value == "resend":
            return self._send_code(claim, dispatcher, tracker)
        turn = turn_of(tracker)
        # The tracker holds six zeros in its place: a code is compared with the log and kept nowhere else.
        checked = check_code(self.crm, turn, written(self.crm, turn))
        if isinstance(checked, CodeRefused):
            return self._refused(checked, dispatcher)
        name = checked.first_name
        dispatcher.utter_message(response="utter_verified" if name else "utter_verified_nameless", name=name)
        # The code is worthless now, and is not kept: the slot says only that there was one.
        return {"one_time_code": "checked", **self.when_verified(dispatcher, tracker, turn)}

    def _refused(self, refused: CodeRefused, dispatcher: CollectingDispatcher) -> Values:
        match refused.why:
            case "wrong":
                dispatcher.utter_message(response="utter_code_wrong")
                return {"one_time_code": None}
            case "spent":
                dispatcher.utter_message(response="utter_code_spent")
                return {"one_time_code": None, **LEAVE}
        dispatcher.utter_message(response="utter_code_expired")
        return {"one_time_code": None, "contact_or_order": None}


def _was_left(tracker: Tracker) -> bool:
    """Whether a validation of this very call ended the form."""
    for event in reversed(tracker.events):
        if event["event"] != "slot":
            return False
        if event["name"] == "requested_slot":
            return event["value"] is None
    return False
