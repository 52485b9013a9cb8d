"""Orders: where one is, and cancelling it while it is still being packed."""

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import CrmAction, language_of
from actions.forms import LEAVE, Values
from actions.order_choice import OrderForm, order_values
from actions.slots import Events, finish
from crmcore.conversations import Turn
from crmcore.crm import Crm
from crmcore.orders import CannotCancel, Order, UnknownOrder, order_words
from crmcore.spoken import spoken_day, spoken_minor
from crmcore.usecases.customers import visitor
from crmcore.usecases.orders import cancel_order, order_status


class OrderStatusForm(OrderForm):
    form = "order_form"


class OrderStatus(CrmAction):
    action_name = "action_order_status"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        left = tracker.get_slot("order") is None and _has_spoken(tracker)  # No order was chosen.
        if visitor(self.crm, turn) is not None and not left:
            self._tell(dispatcher, tracker, turn)
        return finish("order_form", tracker)

    def _tell(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> None:
        try:
            order = order_status(self.crm, turn, tracker.get_slot("order"))
        except UnknownOrder:
            dispatcher.utter_message(response="utter_order_unknown")
            return
        if order is None:
            dispatcher.utter_message(response="utter_no_orders")
            return
        say_status(self.crm, dispatcher, turn, order)


def say_status(crm: Crm, dispatcher: CollectingDispatcher, turn: Turn, order: Order) -> None:
    """The state of one order in plain words."""
    today = crm.firm.today(crm.clock())
    day = order.delivered_on if order.status == "delivered" else order.expected_on
    dispatcher.utter_message(
        response=f"utter_order_{order_words(order, today)}",
        day=spoken_day(day, language_of(crm, turn), today) if day else "",
        tracking=order.tracking or "",
        **order_values(crm, order),
    )


class OrderCancelForm(OrderForm):
    form = "order_cancel_form"

    def accept(self, order: Order, dispatcher: CollectingDispatcher, turn: Turn) -> Values:
        if order.status == "placed":
            return {"order": order.order_id}
        _too_late(self.crm, dispatcher, order)
        return {"order": None, **LEAVE}


class AskOrderCancelConfirmed(CrmAction):
    action_name = "action_ask_order_cancel_confirmed"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        order = order_status(self.crm, turn, tracker.get_slot("order"))
        if order is not None:
            dispatcher.utter_message(
                response="utter_ask_order_cancel_confirmed",
                amount=spoken_minor(order.amount_minor, order.currency),
                **order_values(self.crm, order),
            )
        return []


class CancelOrder(CrmAction):
    action_name = "action_cancel_order"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        number, answer = tracker.get_slot("order"), tracker.get_slot("order_cancel_confirmed")
        if answer == "yes" and number is not None:
            self._cancel(dispatcher, turn, number)
        elif answer == "no":
            dispatcher.utter_message(response="utter_order_cancel_kept", order=number)
        elif number is None and visitor(self.crm, turn) is not None:
            say_once(tracker, dispatcher, "utter_nothing_to_cancel")
        return finish("order_cancel_form", tracker)

    def _cancel(self, dispatcher: CollectingDispatcher, turn: Turn, number: str) -> None:
        try:
            order = cancel_order(self.crm, turn, number)
        except CannotCancel as refused:
            _too_late(self.crm, dispatcher, refused.order)
            return
        done = "utter_order_cancel_done" if order.paid else "utter_order_cancel_done_unpaid"
        dispatcher.utter_message(response=done, order=order.order_id)


def say_once(tracker: Tracker, dispatcher: CollectingDispatcher, response: str, **values: object) -> None:
    """Say why a form ended, unless the form has said something already in this turn."""
    if not _has_spoken(tracker):
        dispatcher.utter_message(response=response, **values)


def _has_spoken(tracker: Tracker) -> bool:
    """Whether anything was said in this turn beside proving who the customer is."""
    for event in reversed(tracker.events):
        if event["event"] == "user":
            return False
        action = str((event.get("metadata") or {}).get("utter_action", ""))
        if event["event"] == "bot" and not action.startswith(("utter_verified", "utter_code_sent")):
            return True
    return False


def _too_late(crm: Crm, dispatcher: CollectingDispatcher, order: Order) -> None:
    response = "utter_order_cancelled" if order.status == "cancelled" else "utter_order_cancel_too_late"
    dispatcher.utter_message(
        response=response, days=crm.firm.policies.returns.days, **order_values(crm, order)
    )
