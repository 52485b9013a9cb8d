"""What it cost to serve a customer is booked where it happens, once, and is what scoring reads."""

from datetime import timedelta

from crmcore.crm import Crm
from crmcore.usecases import conversations as talk
from crmcore.usecases.orders import request_return
from crmcore.value.snapshots import MoneyRow
from tests.builders import a_conversation, a_customer, a_staff_member, a_turn
from tests.dialogue.shop import a_known_customer, an_order


def booked(crm: Crm) -> list[MoneyRow]:
    with crm.store.read() as tx:
        return tx.value.rows_before(crm.clock() + timedelta(days=1)).costs


def test_a_return_costs_what_the_firm_says_and_only_once(crm: Crm) -> None:
    ada = a_known_customer(crm)
    order = an_order(crm, ada, "delivered", delivered_days_ago=3)
    turn = a_turn(crm, a_conversation(crm, ada))
    request_return(crm, turn, order.order_id, "hums")
    request_return(crm, turn, order.order_id, "hums")
    (cost,) = booked(crm)
    assert (cost.customer_id, cost.amount_minor, cost.currency) == (ada, 650, "EUR")


def test_each_time_that_a_person_joins_a_customer_costs_one_contact(crm_on_both: Crm) -> None:
    crm = crm_on_both
    anna = a_staff_member(crm).staff_id
    customer = a_customer(crm)
    conversation_id = a_conversation(crm, customer).conversation_id
    talk.claim(crm, conversation_id, anna)
    talk.claim(crm, conversation_id, anna)
    assert [(cost.customer_id, cost.amount_minor) for cost in booked(crm)] == [(customer, 420)]
    talk.give_back(crm, conversation_id, anna)
    talk.claim(crm, conversation_id, anna)
    assert len(booked(crm)) == 2


def test_a_stranger_costs_nobody(crm: Crm) -> None:
    talk.claim(crm, a_conversation(crm).conversation_id, a_staff_member(crm).staff_id)
    assert booked(crm) == []
