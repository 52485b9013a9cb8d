"""Serious matters: a calm sentence and a person at once, never a sale and never another question."""

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import CrmAction
from actions.escalation import get_person
from actions.slots import Events
from crmcore.conversations import Turn


class SeriousMatter(CrmAction):
    """Danger, a threat, a death."""

    action_name = "action_serious_matter"
    words = "utter_serious_matter"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        dispatcher.utter_message(response=self.words)
        keep_form = tracker.active_loop_name == "callback_form"
        return get_person(self.crm, dispatcher, tracker, turn, "request", keep_form=keep_form)


class DataRights(SeriousMatter):
    """What the law lets everybody ask about his own data."""

    action_name = "action_data_rights"
    words = "utter_data_rights"
