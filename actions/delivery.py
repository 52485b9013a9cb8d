"""Delivery: the firm's ways, times and prices."""

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import CrmAction, in_language, language_of
from actions.slots import Events
from crmcore.conversations import Turn
from crmcore.spoken import spoken_amount


class Delivery(CrmAction):
    action_name = "action_delivery"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        firm, language = self.crm.firm, language_of(self.crm, turn)
        dispatcher.utter_message(response="utter_delivery_intro")
        for way in firm.policies.delivery.ways:
            free_from = way.free_from
            dispatcher.utter_message(
                response="utter_delivery_way" if free_from is None else "utter_delivery_way_free_from",
                way=_capitalised(in_language(way.name, language)),
                days="–".join(str(d) for d in dict.fromkeys(way.days)),
                price=spoken_amount(way.price, firm.currency),
                free_from="" if free_from is None else spoken_amount(free_from, firm.currency),
            )
        return []


def _capitalised(name: str) -> str:
    return name[:1].upper() + name[1:]
