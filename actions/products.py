"""Products and prices: what the catalogue says, or an honest "I don't know"."""

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.base import CrmAction, in_language, language_of, said
from actions.slots import Events
from crmcore.catalogue import Product
from crmcore.conversations import Turn
from crmcore.products import refers_back
from crmcore.spoken import spoken_amount
from crmcore.usecases.products import products_asked_for


class ProductAnswer(CrmAction):
    action_name = "action_product_answer"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        language = language_of(self.crm, turn)
        found = products_asked_for(self.crm, said(tracker), language).products
        before = self.crm.firm.product(tracker.get_slot("product_talked_of") or "")
        if not found and before is not None and refers_back(said(tracker)):
            found = (before,)  # "And the warranty?" goes on about the same article.
        if len(found) == 1:
            self._one(dispatcher, found[0], language)
            return [SlotSet("product_talked_of", found[0].id)]
        if found:
            dispatcher.utter_message(response="utter_product_several")
            for product in found:
                price = spoken_amount(product.price, self.crm.firm.currency)
                dispatcher.utter_message(response="utter_product_line", product=product.name, price=price)
        elif tracker.latest_message["intent"]["name"] == "ask_price_or_discount":
            dispatcher.utter_message(response="utter_price_which")
        else:
            dispatcher.utter_message(response="utter_product_unknown")
        return []

    def _one(self, dispatcher: CollectingDispatcher, product: Product, language: str) -> None:
        dispatcher.utter_message(
            response="utter_product" if product.in_stock else "utter_product_out_of_stock",
            product=product.name,
            price=spoken_amount(product.price, self.crm.firm.currency),
            about=in_language(product.about, language),
            days=product.delivery_days,
            warranty=product.warranty_months,
        )
