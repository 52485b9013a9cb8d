"""What happens in a conversation changes the customer's value in the same transaction."""

from datetime import timedelta

from crmcore.crm import Crm
from crmcore.usecases import needs, takeover
from crmcore.usecases.orders import cancel_order, request_return
from crmcore.usecases.value import value_card
from crmcore.usecases.value_score import score
from crmcore.value.card import ValueCard
from tests.builders import a_conversation, a_staff_member, a_turn
from tests.value.shop import a_need, add_order, open_shop


def card(crm: Crm, customer_id: str) -> ValueCard:
    found = value_card(crm, customer_id)
    assert found is not None
    return found


def test_a_return_and_a_cancellation_lower_the_value_at_once(crm: Crm) -> None:
    ids = open_shop(crm, 300)
    yesterday = crm.firm.today(crm.clock()) - timedelta(days=1)
    add_order(crm, "back", ids[0], yesterday, "400.00", delivered_on=yesterday)
    add_order(crm, "off", ids[0], yesterday, "300.00", status="placed")
    score(crm)
    bought = card(crm, ids[0])
    turn = a_turn(crm, a_conversation(crm, ids[0]))
    request_return(crm, turn, "back", "too large")
    returned = card(crm, ids[0])
    assert returned.clv < bought.clv
    assert returned.history_value is not None
    assert bought.history_value is not None
    assert returned.history_value < bought.history_value
    cancel_order(crm, turn, "off")
    assert card(crm, ids[0]).clv < returned.clv


def test_a_confirmed_need_is_potential_until_it_is_withdrawn(crm: Crm) -> None:
    ids = open_shop(crm, 300)
    score(crm, as_of=crm.firm.today(crm.clock()))
    a_need(crm, ids[0], "need_1", 30_000, status="understood")
    turn = a_turn(crm, a_conversation(crm, ids[0]))
    before = card(crm, ids[0])
    needs.confirm_need(crm, turn, "need_1")
    sources = [part.source for part in card(crm, ids[0]).potential_parts]
    assert "stated_needs" in sources
    assert "stated_needs" not in [part.source for part in before.potential_parts]
    needs.withdraw_need(crm, turn, "need_1")
    assert card(crm, ids[0]).potential_value == before.potential_value


def test_a_talk_with_a_person_is_a_cost_that_counts_at_once(crm: Crm) -> None:
    ids = open_shop(crm, 300)
    score(crm)
    conversation = a_conversation(crm, ids[1])
    a_turn(crm, conversation)
    takeover.claim(crm, conversation.conversation_id, a_staff_member(crm).staff_id)
    assert card(crm, ids[1]).as_of == crm.firm.today(crm.clock())
