"""The slots of each form, named once."""

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import ActiveLoop, SlotSet

IDENTITY = ("contact_or_order", "one_time_code")

FORM_SLOTS: dict[str, tuple[str, ...]] = {
    "identify_form": IDENTITY,
    "order_form": (*IDENTITY, "order"),
    "order_cancel_form": (*IDENTITY, "order", "order_cancel_confirmed"),
    "return_form": (*IDENTITY, "order", "return_reason", "return_confirmed"),
    "billing_form": IDENTITY,
    "contact_form": (*IDENTITY, "contact_kind", "contact_value", "contact_confirmed"),
    "opt_out_form": IDENTITY,
    "club_form": (*IDENTITY, "club_reason", "club_end_confirmed"),
    "need_form": ("need_statement", "need_detail", "need_confirmed"),
    "offer_form": ("offer_answer",),
    "callback_form": ("callback_contact", "callback_time"),
}
# What a form keeps beside the slots that it asks for.
FORM_MEMORY: dict[str, tuple[str, ...]] = {
    "need_form": ("need_id", "need_summary", "need_question"),
    "offer_form": ("offer_event_id", "offer_words", "need_id", "need_summary"),
}
# A question may interrupt one of the others, which goes on afterwards.
QUESTIONS = ("identify_form", "order_form", "billing_form", "opt_out_form")

SKIPPED = "skip"  # The value of a question that the customer would not answer.

Events = list[dict[str, Any]]


def forget(form: str, keep: tuple[str, ...] = ()) -> Events:
    """Empty everything that belongs to a form, except slots that another form still needs."""
    slots = (*FORM_SLOTS.get(form, ()), *FORM_MEMORY.get(form, ()))
    return [SlotSet(slot, None) for slot in slots if slot not in keep]


def leave_all(tracker: Tracker) -> Events:
    """Out of every form: nothing is half done any more."""
    names = [tracker.active_loop_name, tracker.get_slot("suspended_form")]
    emptied = [event for name in names if name for event in forget(name)]
    return [*emptied, SlotSet("suspended_form", None), SlotSet("requested_slot", None), ActiveLoop(None)]


def finish(form: str, tracker: Tracker) -> Events:
    """The form is done: empty it, and go on with the one that it had interrupted."""
    waiting = tracker.get_slot("suspended_form")
    if waiting is None or form not in QUESTIONS:
        return [*forget(form), SlotSet("suspended_form", None)]
    shared = FORM_SLOTS[waiting]
    return [*forget(form, keep=shared), SlotSet("suspended_form", None), ActiveLoop(waiting)]


def interrupted_form(tracker: Tracker, form: str) -> str | None:
    """The form that was open when ``form`` began in this turn, or None."""
    loops: list[str | None] = []
    for event in reversed(tracker.events):
        if event["event"] == "active_loop":
            loops.append(event.get("name"))
        if event["event"] == "user" and not loops:
            return None  # The form did not begin in this turn.
        if len(loops) == 2:
            break
    if len(loops) < 2 or loops[0] != form or loops[1] == form:
        return None
    return loops[1]
