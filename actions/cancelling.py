"""Cancelling the club: one question that may be skipped, one confirmation, and it is done."""

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import CrmAction, language_of, turn_of
from actions.forms import PersonalForm, Values, in_own_words
from actions.orders import say_once
from actions.slots import SKIPPED, Events, finish
from crmcore.conversations import Turn
from crmcore.spoken import spoken_day
from crmcore.usecases.complaints import NoContract, begin_cancelling, club_would_end, end_club, keep_club
from crmcore.usecases.customers import visitor
from crmcore.usecases.orders import club_contract


class ClubForm(PersonalForm):
    form = "club_form"

    def known(self, tracker: Tracker, turn: Turn) -> Values:
        begin_cancelling(self.crm, turn)
        return {}

    def after_identity(self, tracker: Tracker, turn: Turn) -> list[str]:
        contract = club_contract(self.crm, turn)
        running = contract is not None and contract.cancelled_at is None
        return super().after_identity(tracker, turn) if running else []

    def validate_club_reason(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any
    ) -> Values:
        return {"club_reason": in_own_words(value, 400)}


class AskClubEndConfirmed(CrmAction):
    action_name = "action_ask_club_end_confirmed"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        club, ends_on = club_would_end(self.crm, turn)
        day = spoken_day(ends_on, language_of(self.crm, turn), self.crm.firm.today(self.crm.clock()))
        dispatcher.utter_message(response="utter_ask_club_end_confirmed", club=club, day=day)
        return []


class EndClub(CrmAction):
    action_name = "action_end_club"

    def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        answer = tracker.get_slot("club_end_confirmed")
        if answer == "no":
            keep_club(self.crm, turn)
            club = self.crm.firm.club
            dispatcher.utter_message(response="utter_club_kept", club=club.name if club else "")
        elif visitor(self.crm, turn) is not None:
            self._end(dispatcher, tracker, turn_of(tracker), confirmed=answer == "yes")
        return finish("club_form", tracker)

    def _end(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn, *, confirmed: bool
    ) -> None:
        try:
            club, ends_on = club_would_end(self.crm, turn)
            day = spoken_day(ends_on, language_of(self.crm, turn), self.crm.firm.today(self.crm.clock()))
            if not confirmed:
                say_once(tracker, dispatcher, "utter_club_ended_already", club=club, day=day)
                return
            reason = str(tracker.get_slot("club_reason") or "")
            ended = end_club(self.crm, turn, "" if reason == SKIPPED else reason)
        except NoContract:
            say_once(tracker, dispatcher, "utter_no_club")
            return
        response = "utter_club_ended_manager" if ended.offers_person else "utter_club_ended"
        dispatcher.utter_message(response=response, club=ended.name, day=day)
