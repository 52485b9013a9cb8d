"""Complaint: sorry first, a number to refer to, no offers, and a person where the policy asks for one."""

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.base import CrmAction, said
from actions.escalation import handed_over, say_handover
from actions.slots import Events, leave_all
from crmcore.complaints import summary_line
from crmcore.conversations import Turn
from crmcore.usecases.complaints import file_complaint
from crmcore.usecases.escalation import request_from_turn


class Complain(CrmAction):
    action_name = "action_complain"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        words = said(tracker)
        if not words:  # The button "Make a complaint": there is nothing to record yet.
            dispatcher.utter_message(response="utter_complaint_what")
            return [*leave_all(tracker), SlotSet("next_step", None)]
        filed = file_complaint(self.crm, turn, words)
        handover = request_from_turn(self.crm, turn, "value", summary_line(words))
        noted = "utter_complaint_noted" if handover.kind == "none" else "utter_complaint_noted_person"
        response = noted if filed.is_new else "utter_complaint_known"
        dispatcher.utter_message(response=response, reference=filed.complaint.reference)
        say_handover(self.crm, dispatcher, turn, handover)
        return handed_over(tracker, handover)
