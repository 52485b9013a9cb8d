"""Why: each question and each offer can be asked for its reason."""

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import CrmAction
from actions.slots import Events
from crmcore.conversations import Turn

CONFIRMATIONS = ("order_cancel_confirmed", "return_confirmed", "contact_confirmed", "club_end_confirmed")
EXPLAINED = (
    "contact_or_order", "one_time_code", "order", "return_reason", "contact_value", "need_statement",
    "need_detail", "need_confirmed", "club_reason", "callback_contact", "callback_time",
)  # fmt: skip


class Why(CrmAction):
    action_name = "action_why"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        asked = tracker.get_slot("requested_slot") if tracker.active_loop_name else None
        dispatcher.utter_message(response=_response(asked), need=tracker.get_slot("need_summary"))
        return []


def _response(asked: str | None) -> str:
    if asked == "offer_answer":
        return "utter_why_offer"
    if asked in EXPLAINED:
        return f"utter_why_{asked}"
    return "utter_why_confirming" if asked in CONFIRMATIONS else "utter_why_general"
