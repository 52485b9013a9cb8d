"""Each kind of event is told by the use case that makes the change, in its transaction, and once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from crmcore.conversations import Reply, StaleTurn
from crmcore.crm import Crm
from crmcore.events import FACTS, KINDS, Event
from crmcore.intake import IllegalStatus, OrderChange
from crmcore.usecases.complaints import file_complaint
from crmcore.usecases.conversations import finish_turn, open_conversation, receive
from crmcore.usecases.escalation import keep_callback, promise_callback, request_from_turn, request_person
from crmcore.usecases.events import emit
from crmcore.usecases.intake import change_order, change_return
from crmcore.usecases.needs import confirm_need, correct_need, state_need, withdraw_need
from crmcore.usecases.offers import ShownOffer, accept_offer, decline_offer, next_offer
from crmcore.usecases.orders import cancel_order, request_return
from crmcore.usecases.takeover import claim, close, give_back
from crmcore.usecases.value_score import score
from tests.api.program import AN_ORDER, Door, the_door
from tests.builders import (
    NIGHT,
    ROOT,
    Clock,
    a_conversation,
    a_crm,
    a_customer,
    a_staff_member,
    a_turn,
    answered,
    number,
)
from tests.dialogue.shop import a_known_customer, an_order
from tests.needs.builders import fake_tools
from tests.offers.builders import an_open_need, consents
from tests.value.shop import add_order, open_shop


def told(crm: Crm, *kinds: str) -> list[Event]:
    """What was told so far, of these kinds: exactly the facts that are promised for each."""
    with crm.store.read() as tx:
        events = [event for event in tx.events.after(0) if not kinds or event.kind in kinds]
    for event in events:
        assert set(event.facts) == set(FACTS[event.kind]), event.kind
    return events


def tiers(crm: Crm) -> dict[str, str]:
    with crm.store.read() as tx:
        return {customer_id: standing.tier for customer_id, standing in tx.value.standing().items()}


def facts(crm: Crm, kind: str) -> list[dict[str, Any]]:
    return [dict(event.facts) for event in told(crm, kind)]


@pytest.fixture
def door(crm: Crm, tmp_path: Any) -> Door:
    return the_door(crm, tmp_path)


def a_customer_open_to_offers(crm: Crm) -> str:
    customer = a_customer(crm, tier="core")
    consents(crm, customer, "offers", "profiling", "contact")
    an_open_need(crm, customer)
    return customer


# --- each kind ---------------------------------------------------------------------------------------------


def test_an_order_its_status_and_its_return_are_told_of_once(door: Door) -> None:
    shop = door.program()
    shop.knows_customer()
    shop.tells_of_order()
    shop.send("POST", "/orders", AN_ORDER)
    for _ in range(2):
        shop.send("PATCH", "/orders/A-1001", {"status": "delivered", "delivered_on": "2026-03-10"})
    turn = a_turn(door.crm, a_conversation(door.crm, "C-17"))
    for _ in range(2):
        request_return(door.crm, turn, "A-1001", "hums")
    for _ in range(2):
        change_return(door.crm, "A-1001-R", "refunded")
    assert facts(door.crm, "order.recorded") == [
        {
            "order_id": "A-1001",
            "customer_id": "C-17",
            "ordered_at": "2026-03-10T09:00:00Z",
            "amount": "129.90",
            "currency": "EUR",
            "status": "placed",
        }
    ]
    assert [(e["before"], e["after"]) for e in facts(door.crm, "order.status_changed")] == [
        ("placed", "delivered")
    ]
    assert [e["amount"] for e in facts(door.crm, "return.recorded")] == ["129.90"]
    assert [e["after"] for e in facts(door.crm, "return.status_changed")] == ["refunded"]


def test_an_order_that_the_customer_cancels_in_the_chat_is_told_of(crm: Crm) -> None:
    ada = a_known_customer(crm)
    order = an_order(crm, ada, "placed")
    cancel_order(crm, a_turn(crm, a_conversation(crm, ada)), order.order_id)
    assert [(e["before"], e["after"]) for e in facts(crm, "order.status_changed")] == [
        ("placed", "cancelled")
    ]


def test_a_need_is_told_of_when_it_is_confirmed_changed_contradicted_and_withdrawn(crm: Crm) -> None:
    crm = a_crm(crm.store, crm.clock, fake_tools())  # type: ignore[arg-type]
    conversation = a_conversation(crm, a_customer(crm))
    turn = a_turn(crm, conversation)
    need = state_need(crm, turn, "I need a turntable for 300 euros")
    correct_need(crm, turn, need.need_id, "no, for 400 euros")
    assert told(crm, "need.changed") == [], "nobody knows of it yet"
    for _ in range(2):
        confirm_need(crm, turn, need.need_id)
    for _ in range(2):
        correct_need(crm, turn, need.need_id, "make it 500 euros")
    for _ in range(2):
        withdraw_need(crm, turn, need.need_id)
    kinds = [event.kind for event in told(crm) if event.kind.startswith("need.")]
    assert kinds == ["need.confirmed", "need.changed", "need.withdrawn"]
    turn = a_turn(crm, a_conversation(crm))
    unconfirmed = state_need(crm, turn, "I need a turntable")
    withdraw_need(crm, turn, unconfirmed.need_id)
    assert len([event for event in told(crm) if event.kind.startswith("need.")]) == 3


@pytest.mark.parametrize(
    ("answer", "kind"), [(accept_offer, "offer.accepted"), (decline_offer, "offer.declined")]
)
def test_an_offer_is_told_of_when_it_is_shown_and_when_it_is_answered(
    crm: Crm, answer: Callable[..., Any], kind: str
) -> None:
    customer = a_customer_open_to_offers(crm)
    turn = a_turn(crm, a_conversation(crm, customer))
    shown = next_offer(crm, turn)
    assert isinstance(shown, ShownOffer)
    next_offer(crm, turn)
    for _ in range(2):
        answer(crm, turn, shown.offer_event_id)
    kinds = [event.kind for event in told(crm) if event.kind.startswith("offer.")]
    assert kinds == ["offer.shown", kind]
    assert facts(crm, kind)[0]["offer"] == shown.offer_id


def test_a_complaint_is_told_of_once_and_without_its_words(crm: Crm) -> None:
    turn = a_turn(crm, a_conversation(crm))
    filed = file_complaint(crm, turn, "it hums like a canary")
    file_complaint(crm, turn, "it hums like a canary")
    [complaint] = facts(crm, "complaint.opened")
    assert complaint["reference"] == filed.complaint.reference
    assert "canary" not in str(told(crm))


def test_a_conversation_and_each_of_its_messages_are_told_of(crm: Crm) -> None:
    begun = open_conversation(crm, "web", f"vis_{number()}", "en", greeting=Reply("Good morning."))
    receive(crm, begun.conversation_id, "c-1", "hello")
    receive(crm, begun.conversation_id, "c-1", "hello")
    assert [e["conversation_id"] for e in facts(crm, "conversation.opened")] == [begun.conversation_id]
    assert [(e["seq"], e["sender"], e["kind"]) for e in facts(crm, "message.created")] == [
        (1, "bot", "text"),
        (2, "customer", "text"),
    ]


def test_an_escalation_is_told_of_from_the_request_to_its_end(crm: Crm) -> None:
    anna = a_staff_member(crm)
    conversation = a_conversation(crm, a_customer(crm))
    for _ in range(2):
        request_person(crm, conversation.conversation_id)
    for _ in range(2):
        claim(crm, conversation.conversation_id, anna.staff_id)
    give_back(crm, conversation.conversation_id, anna.staff_id)
    kinds = [event.kind for event in told(crm) if event.kind.startswith("escalation.")]
    assert kinds == ["escalation.requested", "escalation.claimed", "escalation.ended"]
    assert [e["staff_id"] for e in facts(crm, "escalation.claimed")] == [anna.staff_id]
    assert [e["status"] for e in facts(crm, "escalation.ended")] == ["resolved"]


def test_an_account_manager_who_steps_in_unasked_is_told_of_too(crm: Crm) -> None:
    anna = a_staff_member(crm)
    conversation = a_conversation(crm)
    claim(crm, conversation.conversation_id, anna.staff_id)
    close(crm, conversation.conversation_id, anna.staff_id)
    assert [e["reason"] for e in facts(crm, "escalation.requested")] == ["takeover"]
    assert len(told(crm, "escalation.claimed")) == len(told(crm, "escalation.ended")) == 1


def test_a_call_back_is_told_of_when_it_is_promised_and_its_escalation_when_it_is_kept(
    crm: Crm, clock: Clock
) -> None:
    clock.now = NIGHT
    anna = a_staff_member(crm, on_duty=False)
    conversation = a_conversation(crm)
    turn = a_turn(crm, conversation)
    request_from_turn(crm, turn, "request")
    kept = promise_callback(crm, turn, "+353 1 234 5678", "in the morning")
    [promised] = facts(crm, "callback.promised")
    assert promised["callback_id"] == kept.callback_id
    assert "234 5678" not in str(promised)
    assert keep_callback(crm, kept.callback_id, anna.staff_id)
    assert len(told(crm, "escalation.ended")) == 1


def test_a_tier_is_told_of_when_it_changes_and_not_at_the_first_scoring(crm: Crm, clock: Clock) -> None:
    ids = open_shop(crm, 150)
    score(crm)
    assert told(crm, "customer.tier_changed") == []
    before = tiers(crm)
    poor = next(customer for customer in ids if before[customer] not in ("MVC",))
    for n in range(12):
        add_order(crm, f"rich-{n}", poor, crm.firm.today(clock.now) - timedelta(days=3 * n + 1), "4000.00")
    clock.advance(days=1)
    score(crm)
    after = tiers(crm)
    changed = {e["customer_id"]: (e["before"], e["after"]) for e in facts(crm, "customer.tier_changed")}
    assert changed == {c: (before.get(c), after[c]) for c in after if before.get(c) != after[c]}
    assert changed[poor] == (before[poor], "MVC")


def test_a_tier_that_an_order_changes_is_told_of_with_the_order(crm: Crm, tmp_path: Any) -> None:
    ids = open_shop(crm, 150)
    score(crm)
    before = tiers(crm)
    poor = next(customer for customer in ids if before[customer] == "core")
    shop = the_door(crm, tmp_path).program()
    for n in range(8):
        shop.tells_of_order(
            order_id=f"rich-{n}", customer_id=poor, amount="9000.00", ordered_at=f"2026-02-{n + 10}T10:00:00Z"
        )
    changes = facts(crm, "customer.tier_changed")
    assert changes[0]["customer_id"] == poor
    assert (changes[0]["before"], changes[-1]["after"]) == ("core", "MVC")
    kinds = [event.kind for event in told(crm)]
    assert kinds[0] == "order.recorded"


# --- all of them -------------------------------------------------------------------------------------------


def test_every_kind_has_its_facts_and_a_use_case_that_tells_it() -> None:
    assert set(FACTS) == set(KINDS)
    use_cases = "".join(path.read_text() for path in (ROOT / "crmcore" / "usecases").glob("*.py"))
    for kind in KINDS:
        assert f'"{kind}"' in use_cases, kind


def test_nothing_is_told_when_the_change_is_rolled_back(crm_on_both: Crm) -> None:
    crm = crm_on_both
    ada = a_known_customer(crm)
    order = an_order(crm, ada, "placed")
    change_order(crm, order.order_id, OrderChange("delivered"))
    conversation = a_conversation(crm, ada)
    old_turn = a_turn(crm, conversation)
    finish_turn(crm, old_turn, [Reply("Good morning.")])
    answered(crm, conversation)
    before = told(crm)
    with pytest.raises(IllegalStatus):
        change_order(crm, order.order_id, OrderChange("placed"))
    with pytest.raises(StaleTurn):
        file_complaint(crm, old_turn, "too late")
    with pytest.raises(RuntimeError, match="the power went"):
        _emit_and_break(crm)
    assert told(crm) == before


def _emit_and_break(crm: Crm) -> None:
    with crm.store.write() as tx:
        emit(tx, "order.recorded", crm.clock(), order_id="none")
        raise RuntimeError("the power went")
