"""Needs: said in one's own words, read back, corrected or confirmed; few questions, all skippable."""

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import CrmAction, entity, said, turn_of
from actions.forms import RapportForm, Values
from actions.slots import SKIPPED, Events, forget
from crmcore.conversations import Turn
from crmcore.corrections import corrected_words
from crmcore.usecases.customers import visitor
from crmcore.usecases.needs import (
    UnderstoodNeed,
    confirm_need,
    correct_need,
    question_for,
    state_need,
    withdraw_need,
)


class NeedForm(RapportForm):
    form = "need_form"

    def wanted(self, tracker: Tracker, turn: Turn) -> list[str]:
        if tracker.get_slot("need_id") is None:
            return ["need_statement"]
        detail = ["need_detail"] if tracker.get_slot("need_question") else []
        return ["need_statement", *detail, "need_confirmed"]

    def validate_need_statement(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any
    ) -> Values:
        if tracker.get_slot("need_id") is not None:
            return {"need_statement": value}  # More about the need in hand; another slot takes it.
        text = said(tracker)
        if not text:
            return {"need_statement": None}  # A button opened the form.
        turn = turn_of(tracker)
        need = state_need(self.crm, turn, text)
        if need.is_empty:
            return self.try_again(dispatcher, tracker, "need_statement", "utter_hint_need_statement")
        return {"need_statement": text, "need_confirmed": None, **self._known_so_far(turn, need)}

    def validate_need_detail(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any
    ) -> Values:
        turn, need_id = turn_of(tracker), tracker.get_slot("need_id")
        if need_id is None or value == SKIPPED or not said(tracker):
            return {"need_detail": SKIPPED, "need_question": None}  # A refusal ends the asking.
        known = self._known_so_far(turn, correct_need(self.crm, turn, need_id, str(value)))
        return {"need_detail": None if known["need_question"] else str(value), **known}

    def validate_need_confirmed(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any
    ) -> Values:
        words = corrected_words(said(tracker))
        says_more = len(words.split()) > 1 or any(character.isdigit() for character in words)
        if value in ("yes", "change") or (value == "no" and not says_more):
            return {"need_confirmed": None if value == "change" else value}
        before = str(tracker.get_slot("need_summary"))
        # "no 100" takes nothing back, as "no drums" would: the comma makes it "no, 100".
        text = f"no, {words}" if value == "no" and words[0].isdigit() else said(tracker)
        corrected = correct_need(self.crm, turn_of(tracker), tracker.get_slot("need_id"), text, before)
        if corrected.parts["summary"] == before:
            return self.try_again(dispatcher, tracker, "need_confirmed", "utter_hint_need_confirmed")
        dispatcher.utter_message(response="utter_need_corrected")
        return {"need_confirmed": None, "need_summary": corrected.parts["summary"]}

    def _known_so_far(self, turn: Turn, need: UnderstoodNeed) -> Values:
        question = question_for(self.crm, turn, need.need_id)
        return {
            "need_id": need.need_id,
            "need_summary": need.parts["summary"],
            "need_question": question.wording if question else None,
        }


class AskNeedDetail(CrmAction):
    action_name = "action_ask_need_detail"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        dispatcher.utter_message(
            response="utter_ask_need_detail", question=str(tracker.get_slot("need_question"))
        )
        return []


class AskNeedConfirmed(CrmAction):
    action_name = "action_ask_need_confirmed"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        if entity(tracker, "choice") == "change":
            dispatcher.utter_message(response="utter_need_change")
        else:
            summary = str(tracker.get_slot("need_summary"))
            dispatcher.utter_message(response="utter_ask_need_confirmed", need=summary)
        return []


class NeedAnswered(CrmAction):
    """Keeps the need, or drops it; the offer form that follows begins only with a need that was kept."""

    action_name = "action_need_answered"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        need_id, answer = tracker.get_slot("need_id"), tracker.get_slot("need_confirmed")
        if need_id is None or answer is None:
            return forget("need_form")
        if answer == "no":
            withdraw_need(self.crm, turn, need_id)
            dispatcher.utter_message(response="utter_need_dropped")
            return forget("need_form")
        confirm_need(self.crm, turn, need_id)
        known = visitor(self.crm, turn) is not None
        dispatcher.utter_message(
            response="utter_need_confirmed" if known else "utter_need_confirmed_anonymous"
        )
        return forget("need_form", keep=("need_id", "need_summary") if known else ())
