"""Which of his orders a customer means."""

from collections.abc import Sequence
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import CrmAction, turn_of
from actions.forms import PersonalForm, Values
from actions.slots import Events
from crmcore.conversations import Turn
from crmcore.crm import Crm
from crmcore.orders import Order, choose
from crmcore.usecases.customers import visitor
from crmcore.usecases.orders import (
    cancellable_orders,
    item_names,
    open_orders,
    orders_of,
    product_name,
    returnable_orders,
)

MOST_BUTTONS = 5


class OrderForm(PersonalForm):
    """A form about one order: the only candidate needs no question, several become buttons."""

    def after_identity(self, tracker: Tracker, turn: Turn) -> list[str]:
        if tracker.get_slot("order") is None and not candidates(self.crm, self.form, turn):
            return []
        return super().after_identity(tracker, turn)

    def known(self, tracker: Tracker, turn: Turn) -> Values:
        if tracker.get_slot("order") is not None or visitor(self.crm, turn) is None:
            return {}
        fitting = candidates(self.crm, self.form, turn)
        return {"order": fitting[0].order_id} if len(fitting) == 1 else {}

    def when_verified(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Values:
        order = tracker.get_slot("order")
        if order is None:
            return self.known(tracker, turn)
        return self.validate_order(order, dispatcher, tracker, {})

    def validate_order(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any
    ) -> Values:
        turn = turn_of(tracker)
        words = str(value[-1] if isinstance(value, list) else value)
        if visitor(self.crm, turn) is None:
            return {"order": value}  # Looked up once we know whose it is.
        found = _meant(self.crm, self.form, turn, words)
        if found is None:
            return self.try_again(dispatcher, tracker, "order", "utter_order_unknown")
        return self.accept(found, dispatcher, turn)

    def accept(self, order: Order, dispatcher: CollectingDispatcher, turn: Turn) -> Values:
        """Take the order, or say why not and leave."""
        return {"order": order.order_id}


class AskOrder(CrmAction):
    action_name = "action_ask_order"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        form = tracker.active_loop_name or ""
        shown = candidates(self.crm, form, turn)[:MOST_BUTTONS]
        dispatcher.utter_message(response="utter_ask_order", buttons=[_button(self.crm, o) for o in shown])
        return []


def candidates(crm: Crm, form: str, turn: Turn) -> Sequence[Order]:
    """The orders that a form can do something with, the newest first."""
    match form:
        case "return_form":
            return returnable_orders(crm, turn)
        case "order_cancel_form":
            return cancellable_orders(crm, turn)
    return open_orders(crm, turn)


def _meant(crm: Crm, form: str, turn: Turn, words: str) -> Order | None:
    names = {product.id: product.name for product in crm.firm.products}
    mine = orders_of(crm, turn)
    by_number = next((o for o in mine if o.order_id == words.upper()), None)
    return by_number or choose(candidates(crm, form, turn), words, names)


def _button(crm: Crm, order: Order) -> dict[str, str]:
    first = product_name(crm, order.items[0].product) if order.items else ""
    return {
        "title": f"{order.order_id} · {first}" if first else order.order_id,
        "payload": f'/inform{{"order_number":"{order.order_id}"}}',
    }


def order_values(crm: Crm, order: Order) -> dict[str, str]:
    """What every sentence about an order may name."""
    return {"order": order.order_id, "items": item_names(crm, order)}
