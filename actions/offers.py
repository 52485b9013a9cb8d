"""Offers: at most one after a confirmed need, with its reason, taken or left."""

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import CrmAction
from actions.forms import RapportForm, Values
from actions.slots import Events, finish
from crmcore.conversations import Turn
from crmcore.usecases.offers import ShownOffer, accept_offer, decline_offer, next_offer

# After any other message the offer is let go: nobody is asked twice about what he passed over.
ABOUT_THE_OFFER = ("affirm", "deny", "abort", "ask_why", "inform", "nlu_fallback")


class OfferForm(RapportForm):
    form = "offer_form"

    def memory(self, tracker: Tracker, turn: Turn) -> Values:
        if tracker.get_slot("need_id") is None or tracker.get_slot("offer_event_id") is not None:
            return {}
        offer = next_offer(self.crm, turn)
        if not isinstance(offer, ShownOffer):
            return {}
        return {
            "offer_event_id": offer.offer_event_id,
            "offer_words": offer.wording,
            "need_summary": offer.because,
        }

    def wanted(self, tracker: Tracker, turn: Turn) -> list[str]:
        passed_over = (
            tracker.get_slot("requested_slot") == "offer_answer"
            and tracker.latest_message["intent"]["name"] not in ABOUT_THE_OFFER
        )
        return [] if tracker.get_slot("offer_event_id") is None or passed_over else ["offer_answer"]


class AskOfferAnswer(CrmAction):
    action_name = "action_ask_offer_answer"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        again = tracker.latest_message["intent"]["name"] in ("ask_why", "inform", "nlu_fallback")
        dispatcher.utter_message(
            response="utter_ask_offer_again" if again else "utter_ask_offer_answer",
            need=tracker.get_slot("need_summary"),
            offer=tracker.get_slot("offer_words"),
        )
        return []


class OfferAnswered(CrmAction):
    action_name = "action_offer_answered"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        event, answer = tracker.get_slot("offer_event_id"), tracker.get_slot("offer_answer")
        if event is not None and answer == "yes":
            answered = accept_offer(self.crm, turn, event)
            given = answered.status == "accepted"
            response = "utter_offer_accepted" if given else "utter_offer_gone"
            dispatcher.utter_message(response=response, offer=answered.title)
        elif event is not None and answer == "no":
            decline_offer(self.crm, turn, event)
            dispatcher.utter_message(response="utter_offer_declined")
        return finish("offer_form", tracker)
