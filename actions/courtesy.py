"""Courtesy: what the assistant is, and a yes or no that answers nothing in particular."""

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import CrmAction
from actions.slots import Events, leave_all
from crmcore.conversations import Turn


class BotChallenge(CrmAction):
    action_name = "action_bot_challenge"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        firm = self.crm.firm
        dispatcher.utter_message(
            response="utter_bot_challenge", assistant=firm.voice.assistant, firm=firm.name
        )
        return []


class Affirm(CrmAction):
    """A yes that the open form, if there is one, had no use for: it asks again by itself."""

    action_name = "action_affirm"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        if tracker.active_loop_name is None:
            dispatcher.utter_message(response="utter_affirm")
        return []


class Goodbye(CrmAction):
    """Who takes leave is asked nothing more: a form that stayed open would go on with its question."""

    action_name = "action_goodbye"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        dispatcher.utter_message(response="utter_goodbye")
        return leave_all(tracker)


class Deny(CrmAction):
    """A no to a question that cannot be answered with no: the customer does not want to go on."""

    action_name = "action_deny"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        dispatcher.utter_message(response="utter_deny")
        return leave_all(tracker)
