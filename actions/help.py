"""Help: stopping, correcting, and what to do when nothing was understood."""

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.base import CrmAction, count_failure, needs_person, offers_choice, said
from actions.escalation import get_person
from actions.slots import Events, leave_all
from crmcore.conversations import Turn
from crmcore.corrections import corrected_words
from crmcore.usecases.complaints import keep_club
from crmcore.usecases.needs import correct_need

HINTED = ("contact_or_order", "one_time_code", "order", "contact_kind", "need_confirmed")


class Abort(CrmAction):
    action_name = "action_abort"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        open_form = tracker.active_loop_name is not None
        if tracker.active_loop_name == "club_form":
            keep_club(self.crm, turn)
        dispatcher.utter_message(response="utter_aborted" if open_form else "utter_nothing_to_abort")
        return leave_all(tracker)


class Correct(CrmAction):
    """A correction that the open form could not apply."""

    action_name = "action_correct"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        need_id = tracker.get_slot("need_id")
        if tracker.active_loop_name == "offer_form" and need_id and corrected_words(said(tracker)):
            # What he corrects is the need; an offer for what he does not want is let go.
            correct_need(self.crm, turn, need_id, said(tracker))
            dispatcher.utter_message(response="utter_need_corrected")
            return leave_all(tracker)
        open_form = tracker.active_loop_name is not None
        dispatcher.utter_message(response="utter_correct_what" if open_form else "utter_nothing_to_correct")
        return []


class NotUnderstood(CrmAction):
    """First the question in other words, then a choice, then a person."""

    action_name = "action_not_understood"
    gets_person = True

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        failures = count_failure(self.crm, tracker, turn)
        if self.gets_person and needs_person(self.crm, failures):
            dispatcher.utter_message(response="utter_handing_over_not_understood")
            return get_person(self.crm, dispatcher, tracker, turn, "failure")
        if offers_choice(self.crm, failures):
            dispatcher.utter_message(response="utter_choice")
            return [*leave_all(tracker), SlotSet("next_step", None)]
        dispatcher.utter_message(response=self.ask_again(tracker), firm=self.crm.firm.name)
        return [SlotSet("next_step", None)]

    def ask_again(self, tracker: Tracker) -> str:
        """The response that asks in other words, once."""
        asked = tracker.get_slot("requested_slot") if tracker.active_loop_name else None
        return _hint(asked)


class Stuck(NotUnderstood):
    """The customer began anew what is open already, so the form could not use his words."""

    action_name = "action_stuck"
    gets_person = False


class OutOfScope(NotUnderstood):
    """Inside a form it answers nothing; outside it says what the assistant is for."""

    action_name = "action_out_of_scope"

    def ask_again(self, tracker: Tracker) -> str:
        return super().ask_again(tracker) if tracker.active_loop_name else "utter_out_of_scope"


def _hint(asked: str | None) -> str:
    """What kind of answer the open question needs."""
    if asked in HINTED:
        return f"utter_hint_{asked}"
    return "utter_hint_confirmed" if asked and asked.endswith("_confirmed") else "utter_not_understood"
