"""Complaint: sorry first, a number to refer to, no offers, and a person where the policy asks for one."""

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.base import CrmAction, said
from actions.escalation import get_person
from actions.slots import Events, leave_all
from crmcore.complaints import summary_line
from crmcore.conversations import Turn
from crmcore.usecases.complaints import file_complaint


class Complain(CrmAction):
    action_name = "action_complain"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        words = said(tracker)
        if not words:  # The button "Make a complaint": there is nothing to record yet.
            dispatcher.utter_message(response="utter_complaint_what")
            return [*leave_all(tracker), SlotSet("next_step", None)]
        filed = file_complaint(self.crm, turn, words)
        response = "utter_complaint_noted" if filed.is_new else "utter_complaint_known"
        dispatcher.utter_message(response=response, reference=filed.complaint.reference)
        return get_person(self.crm, dispatcher, tracker, turn, "value", summary_line(words))
