"""Contact details and preferences: changed only for a verified customer, and only after a read-back."""

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import CrmAction, said, turn_of
from actions.forms import PersonalForm, Values
from actions.slots import Events, finish
from crmcore.conversations import Turn
from crmcore.customers import CONTACT_KINDS, UnreadableContact, kind_in, read_contact
from crmcore.usecases.customers import change_contact, note_preference, visitor, withdraw_consent


class ContactForm(PersonalForm):
    form = "contact_form"

    def known(self, tracker: Tracker, turn: Turn) -> Values:
        """ "I have a new phone number" says already what has changed."""
        if tracker.get_slot("contact_kind") is not None:
            return {}
        kind = kind_in(said(tracker))
        return {"contact_kind": kind} if kind else {}

    def validate_contact_kind(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any
    ) -> Values:
        kind = value if value in CONTACT_KINDS else kind_in(str(value))
        if kind is None:
            return self.try_again(dispatcher, tracker, "contact_kind", "utter_hint_contact_kind")
        return {"contact_kind": kind}

    def validate_contact_value(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any
    ) -> Values:
        kind = tracker.get_slot("contact_kind")
        if kind not in CONTACT_KINDS or visitor(self.crm, turn_of(tracker)) is None:
            return {"contact_value": None}
        try:
            kept, _ = read_contact(kind, str(value[-1] if isinstance(value, list) else value))
        except UnreadableContact:
            return self.try_again(dispatcher, tracker, "contact_value", f"utter_hint_contact_{kind}")
        return {"contact_value": kept}


class AskContactValue(CrmAction):
    action_name = "action_ask_contact_value"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        dispatcher.utter_message(response=f"utter_ask_contact_value_{tracker.get_slot('contact_kind')}")
        return []


class AskContactConfirmed(CrmAction):
    action_name = "action_ask_contact_confirmed"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        value = tracker.get_slot("contact_value")
        dispatcher.utter_message(response="utter_ask_contact_confirmed", value=value)
        return []


class ChangeContact(CrmAction):
    action_name = "action_change_contact"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        kind, value = tracker.get_slot("contact_kind"), tracker.get_slot("contact_value")
        answer = tracker.get_slot("contact_confirmed")
        if answer == "yes" and kind and value:
            change_contact(self.crm, turn, kind, value)
            dispatcher.utter_message(response="utter_contact_changed")
        elif answer == "no":
            dispatcher.utter_message(response="utter_contact_unchanged")
        return finish("contact_form", tracker)


class ContactPreference(CrmAction):
    action_name = "action_contact_preference"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        if visitor(self.crm, turn) is None:
            dispatcher.utter_message(response="utter_contact_preference_who")
            return []
        kept = note_preference(self.crm, turn, said(tracker))
        dispatcher.utter_message(response="utter_contact_preference_noted", preference=kept)
        return []


class OptOutForm(PersonalForm):
    form = "opt_out_form"


class OptOut(CrmAction):
    action_name = "action_opt_out"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        if visitor(self.crm, turn) is not None:
            withdraw_consent(self.crm, turn)
            dispatcher.utter_message(response="utter_opted_out")
        return finish("opt_out_form", tracker)
