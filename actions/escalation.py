"""Escalation: a person on request or by value, and a tracked call-back when nobody is in."""

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.base import CrmAction, language_of, turn_of
from actions.forms import RapportForm, Values
from actions.slots import Events, finish, leave_all
from crmcore.conversations import Turn
from crmcore.crm import Crm
from crmcore.customers import UnreadableContact, read_contact
from crmcore.escalation import Cause, Handover
from crmcore.spoken import spoken_time
from crmcore.usecases.escalation import promise_callback, request_from_turn


class HandOver(CrmAction):
    action_name = "action_hand_over"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        # A call-back form that is open stays open: it is how the person is reached.
        keep_form = tracker.active_loop_name == "callback_form"
        return get_person(self.crm, dispatcher, tracker, turn, "request", keep_form=keep_form)


def get_person(
    crm: Crm,
    dispatcher: CollectingDispatcher,
    tracker: Tracker,
    turn: Turn,
    cause: Cause,
    detail: str = "",
    *,
    keep_form: bool = False,
) -> Events:
    """Ask for a person and say what happens next; all forms end."""
    handover = request_from_turn(crm, turn, cause, detail)
    say_handover(crm, dispatcher, turn, handover)
    return handed_over(tracker, handover, keep_form=keep_form)


def handed_over(tracker: Tracker, handover: Handover, *, keep_form: bool = False) -> Events:
    """What the tracker remembers of a hand-over: nothing is half done, and perhaps a call-back is due."""
    left = [] if keep_form else leave_all(tracker)
    return [*left, SlotSet("next_step", "callback" if handover.kind == "callback" else None)]


def say_handover(crm: Crm, dispatcher: CollectingDispatcher, turn: Turn, handover: Handover) -> None:
    match handover.kind:
        case "account_manager":
            dispatcher.utter_message(response="utter_handover_manager", name=handover.name)
        case "queue" if handover.wait_minutes is not None and handover.wait_minutes <= 1:
            dispatcher.utter_message(response="utter_handover_queue_next")
        case "queue" if handover.wait_minutes is not None:
            dispatcher.utter_message(
                response="utter_handover_queue", position=handover.position, minutes=handover.wait_minutes
            )
        case "queue":
            dispatcher.utter_message(response="utter_handover_queue_no_estimate", position=handover.position)
        case "callback" if handover.opens_at is not None:
            opens = spoken_time(handover.opens_at, crm.firm.zone, language_of(crm, turn))
            dispatcher.utter_message(response="utter_handover_closed", opens=opens)
        case "callback":
            dispatcher.utter_message(response="utter_handover_closed_no_date")


class CallbackForm(RapportForm):
    form = "callback_form"

    def validate_callback_contact(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any
    ) -> Values:
        text = str(value[-1] if isinstance(value, list) else value)
        for kind in ("email", "phone"):
            try:
                return {"callback_contact": read_contact(kind, text)[0]}
            except UnreadableContact:
                continue
        return self.try_again(dispatcher, tracker, "callback_contact", "utter_hint_callback_contact")

    def validate_callback_time(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any
    ) -> Values:
        return {"callback_time": " ".join(str(value).split())[:200] or None}


class PromiseCallback(CrmAction):
    action_name = "action_promise_callback"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        contact, time = tracker.get_slot("callback_contact"), tracker.get_slot("callback_time")
        if contact and time:
            promise = promise_callback(self.crm, turn_of(tracker), contact, time)
            dispatcher.utter_message(
                response="utter_callback_promised",
                contact=contact,
                time=time,
                day=spoken_time(promise.promised_by, self.crm.firm.zone, language_of(self.crm, turn)),
            )
        return [*finish("callback_form", tracker), SlotSet("next_step", None)]
