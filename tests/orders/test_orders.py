"""Orders, returns, cancelling and bills, by the firm's policy and only for the customer himself."""

import pytest

from crmcore.complaints import reference_of
from crmcore.conversations import Reply, StaleTurn
from crmcore.crm import Crm
from crmcore.customers import UnreadableContact, read_contact
from crmcore.orders import CannotCancel, CannotReturn, UnknownOrder, choose
from crmcore.usecases.complaints import NoContract, end_club, file_complaint
from crmcore.usecases.conversations import conversation, finish_turn
from crmcore.usecases.customers import change_contact, withdraw_consent
from crmcore.usecases.orders import (
    billing_of,
    cancel_order,
    order_status,
    orders_of,
    request_return,
    returnable_orders,
)
from tests.builders import a_conversation, a_turn
from tests.dialogue.shop import a_known_customer, a_membership, an_order, letters, with_consent


def test_somebody_elses_order_looks_like_none(crm: Crm) -> None:
    ada, other = a_known_customer(crm), a_known_customer(crm, "Max Wolf")
    theirs = an_order(crm, other)
    with pytest.raises(UnknownOrder):
        order_status(crm, a_turn(crm, a_conversation(crm, ada)), theirs.order_id)


def test_the_newest_order_is_meant_when_none_is_named(crm: Crm) -> None:
    ada = a_known_customer(crm)
    an_order(crm, ada, days_ago=9)
    newest = an_order(crm, ada, days_ago=1)
    assert order_status(crm, a_turn(crm, a_conversation(crm, ada))) == newest


@pytest.mark.parametrize(("days", "allowed"), [(30, True), (31, False)])
def test_returns_are_open_to_the_last_day_of_the_policy(crm: Crm, days: int, allowed: bool) -> None:
    ada = a_known_customer(crm)
    order = an_order(crm, ada, "delivered", delivered_days_ago=days, days_ago=days + 3)
    turn = a_turn(crm, a_conversation(crm, ada))
    assert [o.order_id for o in returnable_orders(crm, turn)] == ([order.order_id] if allowed else [])
    if allowed:
        assert request_return(crm, turn, order.order_id, "hums").is_new
    else:
        with pytest.raises(CannotReturn) as refused:
            request_return(crm, turn, order.order_id, "hums")
        assert refused.value.why == "too_late"


def test_a_return_asked_for_twice_is_booked_once(crm_on_both: Crm) -> None:
    crm = crm_on_both
    ada = a_known_customer(crm)
    order = an_order(crm, ada, "delivered", delivered_days_ago=3)
    visit = a_conversation(crm, ada)
    turn = a_turn(crm, visit)
    first = request_return(crm, turn, order.order_id, "hums")
    assert request_return(crm, turn, order.order_id, "hums").booked == first.booked
    assert billing_of(crm, turn).returns == (first.booked,)
    assert len(letters(crm, "return_booked")) == 1


def test_an_order_that_left_cannot_be_cancelled(crm: Crm) -> None:
    ada = a_known_customer(crm)
    packed, gone = an_order(crm, ada, "placed"), an_order(crm, ada, "shipped")
    turn = a_turn(crm, a_conversation(crm, ada))
    assert cancel_order(crm, turn, packed.order_id).status == "cancelled"
    with pytest.raises(CannotCancel):
        cancel_order(crm, turn, gone.order_id)


def test_a_stale_turn_cancels_and_returns_nothing(crm: Crm) -> None:
    ada = a_known_customer(crm)
    order = an_order(crm, ada, "placed")
    turn = a_turn(crm, a_conversation(crm, ada))
    finish_turn(crm, turn, [Reply("done")])
    with pytest.raises(StaleTurn):
        cancel_order(crm, turn, order.order_id)
    with crm.store.read() as tx:
        assert tx.orders.get(order.order_id) == order


def test_the_bill_names_open_orders_however_old(crm: Crm) -> None:
    ada = a_known_customer(crm)
    owed = an_order(crm, ada, "delivered", days_ago=90, delivered_days_ago=80, paid=False)
    for days in (1, 2, 3, 4):
        an_order(crm, ada, days_ago=days)
    bill = billing_of(crm, a_turn(crm, a_conversation(crm, ada)))
    assert owed.order_id in [o.order_id for o in bill.orders]
    assert bill.open_minor == owed.amount_minor


@pytest.mark.parametrize(
    ("words", "which"),
    [("the second one", 1), ("frist", 0), ("the latest", 0), ("the headphones", None), ("violin", 1)],
)
def test_an_order_is_chosen_by_its_place_or_its_article(crm: Crm, words: str, which: int | None) -> None:
    ada = a_known_customer(crm)
    an_order(crm, ada, product=crm.firm.products[0].id, days_ago=1)
    an_order(crm, ada, product=crm.firm.products[1].id, days_ago=5)
    orders = orders_of(crm, a_turn(crm, a_conversation(crm, ada)))
    names = {crm.firm.products[0].id: "Plain box", crm.firm.products[1].id: "Small violin"}
    expected = None if which is None else orders[which]
    assert choose(orders, words, names) == expected


def test_the_old_address_is_told_of_a_change(crm: Crm) -> None:
    ada = a_known_customer(crm, email="old@example.org")
    turn = a_turn(crm, a_conversation(crm, ada))
    change_contact(crm, turn, "email", "please use New@example.org")
    with crm.store.read() as tx:
        current = tx.contacts.current_of(ada, "email")
        assert tx.contacts.owner_of("email", "old@example.org") is None
    assert current is not None
    assert current.normalized == "new@example.org"
    assert letters(crm, "contact_changed")[0].recipient == "old@example.org"


@pytest.mark.parametrize(
    ("kind", "text"), [("email", "ada at home"), ("phone", "12"), ("address", "home"), ("phone", "call me")]
)
def test_what_is_no_contact_is_refused(kind: str, text: str) -> None:
    with pytest.raises(UnreadableContact):
        read_contact(kind, text)  # type: ignore[arg-type]


def test_opting_out_switches_advertising_off_at_once(crm: Crm) -> None:
    ada = a_known_customer(crm)
    with_consent(crm, ada, "offers")
    withdraw_consent(crm, a_turn(crm, a_conversation(crm, ada)))
    with crm.store.read() as tx:
        assert not tx.consents.granted(ada, "offers")
        assert not tx.consents.granted(ada, "contact")


def test_a_complaint_gets_a_number_and_what_follows_is_added_to_it(crm_on_both: Crm) -> None:
    crm = crm_on_both
    visit = a_conversation(crm)
    turn = a_turn(crm, visit)
    first = file_complaint(crm, turn, "it arrived broken")
    assert file_complaint(crm, turn, "it arrived broken").complaint == first.complaint
    finish_turn(crm, turn, [Reply("sorry")])
    more = file_complaint(crm, a_turn(crm, visit), "and nobody answers")
    assert (first.is_new, more.is_new) == (True, False)
    assert more.complaint.reference == first.complaint.reference == reference_of(first.complaint.complaint_id)
    now = conversation(crm, visit.conversation_id)
    assert (now.mood, now.open_case) == ("upset", "complaint")


def test_ending_the_club_keeps_why_and_when_and_cannot_happen_twice(crm: Crm) -> None:
    ada = a_known_customer(crm, tier="MVC")
    a_membership(crm, ada, renews_in_days=20)
    visit = a_conversation(crm, ada)
    turn = a_turn(crm, visit)
    ended = end_club(crm, turn, "too expensive")
    assert (ended.is_new, ended.offers_person) == (True, True)
    assert not end_club(crm, turn, "again").is_new
    with crm.store.read() as tx:
        customer = tx.customers.get(ada)
    assert customer is not None
    assert customer.termination is not None
    assert customer.termination["reason"] == "too expensive"
    assert customer.termination["tier_at_exit"] == "MVC"


def test_without_a_membership_there_is_nothing_to_end(crm: Crm) -> None:
    ada = a_known_customer(crm)
    with pytest.raises(NoContract):
        end_club(crm, a_turn(crm, a_conversation(crm, ada)), "")
