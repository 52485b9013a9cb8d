"""What the actions say and remember, topic by topic; identity comes from the conversation, never a slot."""

from dataclasses import replace

import pytest

from crmcore.conversations import Reply
from crmcore.crm import Crm
from crmcore.usecases.conversations import conversation, finish_turn
from crmcore.usecases.needs import state_need
from tests.actions.calls import DOMAIN, Caller
from tests.builders import NIGHT, Clock, a_conversation, a_staff_member, a_turn
from tests.dialogue.shop import a_known_customer, a_membership, an_order, code_in, letters, with_consent
from tests.needs.builders import fake_tools


def test_identity_is_never_taken_from_a_slot(crm: Crm) -> None:
    ada = a_known_customer(crm)
    an_order(crm, ada)
    visit = a_conversation(crm)
    caller = Caller(crm, visit, slots={"one_time_code": "checked", "contact_or_order": "ada@example.org"})
    answer = caller.runs("action_order_status", a_turn(crm, visit), intent="ask_order_status")
    assert answer.said == []


@pytest.mark.parametrize(
    ("status", "said"), [("placed", "utter_order_placed"), ("shipped", "utter_order_shipped")]
)
def test_the_state_of_an_order_is_told_in_plain_words(crm: Crm, status: str, said: str) -> None:
    ada = a_known_customer(crm)
    an_order(crm, ada, status)  # type: ignore[arg-type]
    visit = a_conversation(crm, ada)
    answer = Caller(crm, visit).runs("action_order_status", a_turn(crm, visit), intent="ask_order_status")
    assert answer.said == [said]
    assert answer.responses[0]["day"] == "Friday 13 March"


def test_several_open_orders_become_buttons(crm: Crm) -> None:
    ada = a_known_customer(crm)
    orders = [an_order(crm, ada, days_ago=days) for days in (1, 2)]
    visit = a_conversation(crm, ada)
    answer = Caller(crm, visit).runs("action_ask_order", a_turn(crm, visit), form="order_form")
    payloads = [button["payload"] for button in answer.responses[0]["buttons"]]
    assert payloads == [f'/inform{{"order_number":"{order.order_id}"}}' for order in orders]


def test_leaving_without_a_choice_shows_no_order_that_was_not_asked_for(crm: Crm) -> None:
    ada = a_known_customer(crm)
    an_order(crm, ada)
    visit = a_conversation(crm, ada)
    answer = Caller(crm, visit).runs("action_order_status", a_turn(crm, visit), already=["utter_choice"])
    assert answer.said == []


def test_the_only_order_needs_no_question(crm: Crm) -> None:
    ada = a_known_customer(crm)
    order = an_order(crm, ada)
    visit = a_conversation(crm, ada)
    answer = Caller(crm, visit).runs("validate_order_form", a_turn(crm, visit), form="order_form")
    assert answer.slots["order"] == order.order_id
    assert answer.slots["requested_slot"] is None


def test_after_the_code_the_interrupted_wish_goes_on_and_the_code_is_forgotten(crm: Crm) -> None:
    ada = a_known_customer(crm, email="ada@example.org")
    order = an_order(crm, ada)
    visit = a_conversation(crm)
    caller = Caller(crm, visit)
    turn = a_turn(crm, visit)
    asked = caller.runs(
        "validate_order_form",
        turn,
        "ada@example.org",
        entities={"email": "ada@example.org"},
        form="order_form",
        filled={"contact_or_order": "ada@example.org"},
    )
    assert asked.said == ["utter_code_sent"]
    assert asked.slots["requested_slot"] == "one_time_code"
    code = code_in(letters(crm)[0])
    finish_turn(crm, turn, [Reply("A code is on its way.")])
    turn = a_turn(crm, visit, code)
    assert turn.text == "000000"
    known = caller.runs(
        "validate_order_form", turn, turn.text, form="order_form", filled={"one_time_code": code}
    )
    assert known.said == ["utter_verified"]
    assert known.slots["one_time_code"] == "checked"
    assert known.slots["order"] == order.order_id
    assert code not in str(known.events)


def test_a_contact_said_in_an_earlier_form_sends_no_second_code(crm: Crm) -> None:
    a_known_customer(crm, email="ada@example.org")
    visit = a_conversation(crm)
    caller = Caller(crm, visit, slots={"contact_or_order": "ada@example.org"})
    answer = caller.runs(
        "validate_return_form",
        a_turn(crm, visit),
        "return it",
        form="return_form",
        filled={"contact_or_order": "ada@example.org"},
    )
    assert letters(crm) == []
    assert answer.slots["requested_slot"] == "one_time_code"


def test_a_correction_changes_the_last_value(crm: Crm) -> None:
    ada = a_known_customer(crm)
    order = an_order(crm, ada, "delivered", delivered_days_ago=3)
    visit = a_conversation(crm, ada)
    slots = {
        "order": order.order_id,
        "return_reason": "too loud",
        "requested_slot": "return_confirmed",
    }
    answer = Caller(crm, visit, slots=slots).runs(
        "validate_return_form", a_turn(crm, visit), "no, I meant too quiet", "correct", form="return_form"
    )
    assert answer.slots["return_reason"] == "too quiet"
    assert answer.slots["requested_slot"] == "return_confirmed"


def test_a_question_in_between_lets_the_form_go_on_afterwards(crm: Crm) -> None:
    ada = a_known_customer(crm)
    an_order(crm, ada)
    visit = a_conversation(crm, ada)
    caller = Caller(crm, visit, slots={"suspended_form": "need_form", "need_statement": "a piano"})
    answer = caller.runs("action_order_status", a_turn(crm, visit), intent="ask_order_status")
    assert {"event": "active_loop", "timestamp": None, "name": "need_form"} in answer.events
    assert "need_statement" not in answer.slots


def test_nonsense_gets_other_words_then_a_choice_then_a_person(crm: Crm) -> None:
    a_staff_member(crm)
    visit = a_conversation(crm)
    caller, turn = Caller(crm, visit), a_turn(crm, visit)
    heard = [caller.runs("action_not_understood", turn, "xq zzz", "nlu_fallback").said[0] for _ in range(3)]
    assert heard == ["utter_not_understood", "utter_choice", "utter_handing_over_not_understood"]


def test_something_understood_in_between_starts_the_count_again(crm: Crm) -> None:
    visit = a_conversation(crm)
    caller, turn = Caller(crm, visit), a_turn(crm, visit)
    caller.runs("action_not_understood", turn, "xq zzz", "nlu_fallback")
    caller.runs("action_bot_challenge", turn, "are you a robot", "bot_challenge")
    assert caller.runs("action_not_understood", turn, "zzz", "nlu_fallback").said == ["utter_not_understood"]


def test_outside_hours_a_call_back_is_asked_for(crm: Crm, clock: Clock) -> None:
    clock.now = NIGHT
    visit = a_conversation(crm)
    answer = Caller(crm, visit).runs("action_hand_over", a_turn(crm, visit), "a human!", "ask_human")
    assert answer.said == ["utter_handover_closed"]
    assert answer.slots["next_step"] == "callback"


def test_the_best_customers_complaint_goes_to_his_account_manager(crm: Crm) -> None:
    manager = a_staff_member(crm, "Anna Berg")
    best = a_known_customer(crm, tier="MVC", manager=manager)
    visit = a_conversation(crm, best)
    answer = Caller(crm, visit).runs("action_complain", a_turn(crm, visit), "it arrived smashed", "complain")
    assert answer.said == ["utter_complaint_noted_person", "utter_handover_manager"]
    assert answer.responses[1]["name"] == "Anna Berg"


def test_everybody_elses_complaint_offers_a_person(crm: Crm) -> None:
    visit = a_conversation(crm)
    answer = Caller(crm, visit).runs("action_complain", a_turn(crm, visit), "it arrived smashed", "complain")
    assert answer.said == ["utter_complaint_noted"]
    assert conversation(crm, visit.conversation_id).mood == "upset"
    titles = [b["title"] for v in DOMAIN["responses"]["utter_complaint_noted"] for b in v["buttons"]]
    assert "Talk to a person now" in titles


def test_leaving_the_club_is_asked_for_once_and_kept_on_request(crm: Crm) -> None:
    ada = a_known_customer(crm)
    a_membership(crm, ada)
    visit = a_conversation(crm, ada)
    caller = Caller(crm, visit, slots={"club_reason": "skip", "club_end_confirmed": "no"})
    answer = caller.runs("action_end_club", a_turn(crm, visit), "no", "deny", form="club_form")
    assert answer.said == ["utter_club_kept"]
    assert conversation(crm, visit.conversation_id).open_case is None


def test_a_preference_is_noted_only_for_a_known_customer(crm: Crm) -> None:
    ada, stranger = a_known_customer(crm), a_conversation(crm)
    known = a_conversation(crm, ada)
    for visit, said in ((known, "noted"), (stranger, "who")):
        answer = Caller(crm, visit).runs("action_contact_preference", a_turn(crm, visit), "mail me only")
        assert answer.said == [f"utter_contact_preference_{said}"]


def test_opting_out_needs_no_reason(crm: Crm) -> None:
    ada = a_known_customer(crm)
    with_consent(crm, ada)
    visit = a_conversation(crm, ada)
    assert Caller(crm, visit).runs("action_opt_out", a_turn(crm, visit)).said == ["utter_opted_out"]
    with crm.store.read() as tx:
        assert not tx.consents.granted(ada, "offers")


def test_an_article_of_the_catalogue_is_told_with_its_price(crm: Crm) -> None:
    visit = a_conversation(crm)
    name = crm.firm.products[0].name
    caller, turn = Caller(crm, visit), a_turn(crm, visit)
    known = caller.runs("action_product_answer", turn, f"is the {name} good", "ask_product_info")
    assert known.responses[0]["product"] == name


@pytest.mark.parametrize("slot", ["contact_or_order", "one_time_code", "need_detail", "club_reason"])
def test_each_question_can_say_why_it_is_asked(crm: Crm, slot: str) -> None:
    visit = a_conversation(crm)
    caller = Caller(crm, visit, slots={"requested_slot": slot})
    answer = caller.runs("action_why", a_turn(crm, visit), "why?", "ask_why", form="identify_form")
    assert answer.said == [f"utter_why_{slot}"]
    assert answer.said[0] in DOMAIN["responses"]


def test_a_stranger_who_asks_about_returns_hears_the_rules_before_the_question_who_he_is(crm: Crm) -> None:
    visit = a_conversation(crm)
    caller, turn = Caller(crm, visit), a_turn(crm, visit)
    begun = caller.runs("validate_return_form", turn, form="return_form")
    assert begun.said == ["utter_return_policy"]
    assert begun.responses[0]["days"] == crm.firm.policies.returns.days
    again = caller.runs("validate_return_form", turn, form="return_form")
    assert again.said == []


def test_who_takes_leave_is_asked_nothing_more(crm: Crm) -> None:
    visit = a_conversation(crm)
    caller = Caller(crm, visit, slots={"requested_slot": "contact_or_order"})
    answer = caller.runs("action_goodbye", a_turn(crm, visit), intent="goodbye", form="order_form")
    assert answer.said == ["utter_goodbye"]
    assert answer.left_the_form
    assert answer.slots["requested_slot"] is None


def test_a_no_with_a_number_corrects_the_budget_and_drops_nothing(crm: Crm) -> None:
    crm = replace(crm, language=fake_tools())
    visit = a_conversation(crm)
    caller, turn = Caller(crm, visit), a_turn(crm, visit, "headphones under 80 euro")
    need = state_need(crm, turn, "headphones under 80 euro")
    caller.slots |= {"need_id": need.need_id, "need_statement": "x", "need_summary": need.parts["summary"]}
    answer = caller.runs(
        "validate_need_form", turn, "no 100", "deny", form="need_form", filled={"need_confirmed": "no"}
    )
    assert answer.said == ["utter_need_corrected"]
    assert "100" in answer.slots["need_summary"]
    assert "80" not in answer.slots["need_summary"]
