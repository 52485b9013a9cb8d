"""Identify: the visitor proves who he is, and says no more than that."""

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import CrmAction
from actions.forms import PersonalForm
from actions.slots import Events, finish
from crmcore.conversations import Turn
from crmcore.usecases.customers import visitor


class IdentifyForm(PersonalForm):
    form = "identify_form"


class Identified(CrmAction):
    action_name = "action_identified"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        customer = visitor(self.crm, turn)
        if tracker.get_slot("one_time_code") is not None:
            dispatcher.utter_message(response="utter_verified_what_now")
        elif customer is not None:
            name = customer.first_name
            response = "utter_already_verified" if name else "utter_already_verified_nameless"
            dispatcher.utter_message(response=response, name=name)
        return finish("identify_form", tracker)
