"""Returns: within the policy's days the order goes back, else the assistant says why not."""

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import CrmAction, in_language, language_of, turn_of
from actions.forms import LEAVE, Values, in_own_words
from actions.order_choice import OrderForm, order_values
from actions.orders import say_once
from actions.slots import FORM_SLOTS, SKIPPED, Events, finish
from crmcore.conversations import Turn
from crmcore.crm import Crm
from crmcore.orders import CannotReturn, Order, arrived_on, check_return
from crmcore.spoken import spoken_day, spoken_minor
from crmcore.usecases.customers import visitor
from crmcore.usecases.orders import order_status, request_return


class ReturnForm(OrderForm):
    form = "return_form"

    async def get_extraction_events(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any
    ) -> Events:
        """Whoever asks about returns may only want to know the rules: they need no proof of who he is."""
        begins = tracker.get_slot("requested_slot") not in FORM_SLOTS[self.form]
        turn = turn_of(tracker)
        if begins and visitor(self.crm, turn) is None:
            policy = self.crm.firm.policies.returns
            dispatcher.utter_message(
                response="utter_return_policy",
                days=policy.days,
                refund_days=policy.refund_days,
                condition=in_language(policy.condition, language_of(self.crm, turn)),
            )
        return await super().get_extraction_events(dispatcher, tracker, domain)

    def accept(self, order: Order, dispatcher: CollectingDispatcher, turn: Turn) -> Values:
        policy, today = self.crm.firm.policies.returns, self.crm.firm.today(self.crm.clock())
        try:
            check_return(order, today, policy.days)
        except CannotReturn as refused:
            _explain(self.crm, dispatcher, turn, refused)
            return {"order": None, **LEAVE}
        return {"order": order.order_id}

    def validate_return_reason(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any
    ) -> Values:
        return {"return_reason": in_own_words(value, 400)}


class AskReturnReason(CrmAction):
    action_name = "action_ask_return_reason"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        order = order_status(self.crm, turn, tracker.get_slot("order"))
        if order is not None:
            dispatcher.utter_message(response="utter_ask_return_reason", **order_values(self.crm, order))
        return []


class AskReturnConfirmed(CrmAction):
    action_name = "action_ask_return_confirmed"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        order, reason = (
            order_status(self.crm, turn, tracker.get_slot("order")),
            tracker.get_slot("return_reason"),
        )
        if order is not None:
            dispatcher.utter_message(
                response="utter_ask_return_confirmed"
                if reason != SKIPPED
                else "utter_ask_return_confirmed_no_reason",
                reason=reason,
                amount=spoken_minor(order.amount_minor, order.currency),
                **order_values(self.crm, order),
            )
        return []


class RequestReturn(CrmAction):
    action_name = "action_request_return"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        answer, number = tracker.get_slot("return_confirmed"), tracker.get_slot("order")
        if answer == "yes" and number is not None:
            reason = str(tracker.get_slot("return_reason"))
            self._book(dispatcher, turn, number, "" if reason == SKIPPED else reason)
        elif answer == "no":
            dispatcher.utter_message(response="utter_return_kept")
        elif number is None and visitor(self.crm, turn) is not None:
            say_once(tracker, dispatcher, "utter_nothing_to_return", days=self.crm.firm.policies.returns.days)
        return finish("return_form", tracker)

    def _book(self, dispatcher: CollectingDispatcher, turn: Turn, number: str, reason: str) -> None:
        policy = self.crm.firm.policies.returns
        try:
            done = request_return(self.crm, turn, number, reason)
        except CannotReturn as refused:
            _explain(self.crm, dispatcher, turn, refused)
            return
        dispatcher.utter_message(
            response="utter_return_booked" if done.is_new else "utter_return_booked_already",
            return_id=done.booked.return_id,
            days=policy.days,
            refund_days=policy.refund_days,
            condition=in_language(policy.condition, language_of(self.crm, turn)),
        )


def _explain(crm: Crm, dispatcher: CollectingDispatcher, turn: Turn, refused: CannotReturn) -> None:
    response = "utter_order_cancelled" if refused.why == "cancelled" else f"utter_return_{refused.why}"
    dispatcher.utter_message(
        response=response,
        day=spoken_day(arrived_on(refused.order), language_of(crm, turn), crm.firm.today(crm.clock())),
        days=refused.days,
        **order_values(crm, refused.order),
    )
