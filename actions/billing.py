"""Billing: what was charged, what is open, the club's fee, and the ways to pay."""

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import CrmAction, in_language, language_of
from actions.forms import PersonalForm
from actions.slots import Events, finish
from crmcore.conversations import Turn
from crmcore.orders import Bill, Contract
from crmcore.spoken import spoken_day, spoken_minor
from crmcore.usecases.customers import visitor
from crmcore.usecases.orders import billing_of


class BillingForm(PersonalForm):
    form = "billing_form"


class Billing(CrmAction):
    action_name = "action_billing"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        if visitor(self.crm, turn) is not None:
            self._tell(dispatcher, billing_of(self.crm, turn), language_of(self.crm, turn))
        return finish("billing_form", tracker)

    def _tell(self, dispatcher: CollectingDispatcher, bill: Bill, language: str) -> None:
        firm = self.crm.firm
        today = firm.today(self.crm.clock())
        if not (bill.orders or bill.returns or bill.contracts):
            dispatcher.utter_message(response="utter_billing_nothing")
            return
        for order in bill.orders:
            dispatcher.utter_message(
                response="utter_billing_order_paid" if order.paid else "utter_billing_order_open",
                order=order.order_id,
                day=spoken_day(firm.today(order.ordered_at), language, today),
                amount=spoken_minor(order.amount_minor, order.currency),
            )
        for back in bill.returns:
            dispatcher.utter_message(
                response=f"utter_billing_return_{back.status}",
                return_id=back.return_id,
                order=back.order_id,
                amount=spoken_minor(back.amount_minor, back.currency),
            )
        for contract in bill.contracts:
            self._tell_contract(dispatcher, contract, language)
        if bill.open_minor:
            open_amount = spoken_minor(bill.open_minor, bill.currency)
            dispatcher.utter_message(response="utter_billing_open_total", amount=open_amount)
        else:
            dispatcher.utter_message(response="utter_billing_all_paid")

    def _tell_contract(self, dispatcher: CollectingDispatcher, contract: Contract, language: str) -> None:
        firm = self.crm.firm
        club = firm.club
        if club is None or contract.product != club.id:
            return
        day = contract.ends_on or contract.renews_on
        dispatcher.utter_message(
            response=(
                "utter_billing_club_ending" if contract.ends_on
                else "utter_billing_club" if day else "utter_billing_club_no_date"
            ),
            club=club.name,
            amount=spoken_minor(contract.fee_minor, contract.currency),
            days=club.every_days,
            day=spoken_day(day, language) if day else "",
        )  # fmt: skip


class PaymentOptions(CrmAction):
    action_name = "action_payment_options"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        firm = self.crm.firm
        ways = ", ".join(in_language(way, language_of(self.crm, turn)) for way in firm.policies.payment)
        dispatcher.utter_message(response="utter_payment_options", ways=ways)
        return []
