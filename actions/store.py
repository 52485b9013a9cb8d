"""The firm itself: whether it is open, its hours, and where it is."""

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import CrmAction, language_of
from actions.slots import Events
from crmcore.conversations import Turn
from crmcore.hours import WEEKDAYS
from crmcore.spoken import spoken_time


class StoreInfo(CrmAction):
    action_name = "action_store_info"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        firm, now = self.crm.firm, self.crm.clock()
        closes, opens = firm.hours.closes_at(now), firm.hours.next_opening(now)
        if closes is not None:
            closes_at = f"{closes.astimezone(firm.zone):%H:%M}"
            dispatcher.utter_message(response="utter_store_open", closes=closes_at)
        elif opens is not None:
            opens_at = spoken_time(opens, firm.zone, language_of(self.crm, turn))
            dispatcher.utter_message(response="utter_store_closed", opens=opens_at)
        dispatcher.utter_message(response="utter_store_hours", **self._week())
        policies = firm.policies
        dispatcher.utter_message(
            response="utter_store_contact",
            firm=firm.name,
            address=policies.address,
            phone=policies.phone,
            email=policies.email,
        )
        return []

    def _week(self) -> dict[str, str]:
        spans = self.crm.firm.hours.week
        return {day: ", ".join(map(str, spans[i])) or "–" for i, day in enumerate(WEEKDAYS)}
