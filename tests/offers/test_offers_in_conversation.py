"""Offers shown and answered in a conversation, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from crmcore.conversations import Conversation, StaleTurn, Turn
from crmcore.crm import Crm
from crmcore.offers import UnknownOffer
from crmcore.store import schema
from crmcore.store.database import Store, raw_connection
from crmcore.usecases import conversations as talk
from crmcore.usecases.decisions import replay_decisions
from crmcore.usecases.offers import NoOffer, ShownOffer, accept_offer, decline_offer, next_offer
from tests.builders import Clock, a_conversation, a_crm, a_customer, a_turn
from tests.offers.builders import an_open_need, consents, next_turn


@pytest.fixture
def crm(store: Store, clock: Clock) -> Crm:
    return a_crm(store, clock)


def a_fan(crm: Crm, tier: str | None = "core") -> str:
    """A customer who wants a turntable and agreed to offers."""
    customer = a_customer(crm, tier=tier)  # type: ignore[arg-type]
    consents(crm, customer, "offers")
    an_open_need(crm, customer)
    return customer


def shown_to(crm: Crm, customer: str) -> tuple[Conversation, Turn, ShownOffer]:
    conversation = a_conversation(crm, customer)
    turn = a_turn(crm, conversation)
    offer = next_offer(crm, turn)
    assert isinstance(offer, ShownOffer)
    return conversation, turn, offer


def grants(crm: Crm) -> int:
    connection = raw_connection(crm.store)
    query = select(func.count()).where(schema.offers.c.grant_key.is_not(None))
    found = int(connection.execute(query).scalar_one())
    connection.close()
    return found


def test_an_offer_is_shown_with_the_needs_own_words(crm: Crm) -> None:
    _, turn, offer = shown_to(crm, a_fan(crm))
    assert (offer.offer_id, offer.because) == ("vinyl-start", "good turntable")
    assert offer.wording == "10% off any turntable, and a record brush with it"
    assert next_offer(crm, turn) == offer


def test_an_accepted_offer_is_granted_once_and_never_shown_again(crm: Crm, clock: Clock) -> None:
    conversation, turn, offer = shown_to(crm, a_fan(crm))
    turn = next_turn(crm, conversation, turn)
    assert accept_offer(crm, turn, offer.offer_event_id).is_new
    again = accept_offer(crm, turn, offer.offer_event_id)
    assert (again.status, again.is_new, grants(crm)) == ("accepted", False, 1)
    clock.advance(days=20)
    following = next_offer(crm, next_turn(crm, conversation, turn))
    assert isinstance(following, ShownOffer)
    assert following.offer_id == "free-post"


def test_a_declined_offer_is_remembered(crm: Crm, clock: Clock) -> None:
    customer = a_fan(crm)
    conversation, turn, offer = shown_to(crm, customer)
    turn = next_turn(crm, conversation, turn, "no")
    assert decline_offer(crm, turn, offer.offer_event_id).status == "declined"
    assert accept_offer(crm, turn, offer.offer_event_id).status == "gone"
    clock.advance(days=20)
    other = next_offer(crm, a_turn(crm, a_conversation(crm, customer)))
    assert not isinstance(other, ShownOffer) or other.offer_id != "vinyl-start"


def test_sixty_four_accepts_at_once_grant_once(crm: Crm) -> None:
    """Two events of one offer, in two conversations, each accepted 32 times at the same moment."""
    customer = a_fan(crm)
    first_conversation, first_turn, first = shown_to(crm, customer)
    second_conversation = a_conversation(crm, customer)
    second_turn = a_turn(crm, second_conversation)
    with crm.store.write() as tx:
        event = tx.offers.get(first.offer_event_id)
        assert event is not None
        values = {
            **vars(event),
            "offer_event_id": "off_second",
            "source_key": "test:second",
            "conversation_id": second_conversation.conversation_id,
        }
        tx.offers.add(type(event)(**values))
    attempts = [(first_turn, first.offer_event_id), (second_turn, "off_second")] * 32
    with ThreadPoolExecutor(max_workers=16) as pool:
        answers = list(pool.map(lambda attempt: accept_offer(crm, *attempt), attempts))
    assert sum(a.is_new for a in answers) == 1
    assert grants(crm) == 1
    assert {a.status for a in answers} == {"accepted", "gone"}
    assert first_conversation.conversation_id != second_conversation.conversation_id


@pytest.mark.parametrize("silence", ["complaint", "cancelling", "upset", "unverified", "no consent"])
def test_there_is_no_offer_where_there_must_be_none(crm: Crm, silence: str) -> None:
    customer = a_customer(crm, tier="MVC")
    an_open_need(crm, customer)
    if silence != "no consent":
        consents(crm, customer, "offers")
    conversation = a_conversation(crm, None if silence == "unverified" else customer)
    with crm.store.write() as tx:
        if silence == "upset":
            tx.conversations.set_mood(conversation.conversation_id, "upset")
        elif silence in ("complaint", "cancelling"):
            tx.conversations.set_open_case(conversation.conversation_id, silence)  # type: ignore[arg-type]
    assert isinstance(next_offer(crm, a_turn(crm, conversation)), NoOffer)


def test_an_old_value_promises_nothing_of_its_tier(crm: Crm, clock: Clock) -> None:
    customer = a_fan(crm, "MVC")
    clock.advance(days=31)
    _, _, offer = shown_to(crm, customer)
    assert offer.offer_id == "free-post"


def test_the_offer_of_another_customer_cannot_be_answered(crm: Crm) -> None:
    _, _, offer = shown_to(crm, a_fan(crm))
    stranger = a_turn(crm, a_conversation(crm, a_fan(crm)))
    for answer in (accept_offer, decline_offer):
        with pytest.raises(UnknownOffer):
            answer(crm, stranger, offer.offer_event_id)


def test_a_turn_that_lost_the_conversation_grants_nothing(crm: Crm) -> None:
    conversation, turn, offer = shown_to(crm, a_fan(crm))
    talk.sign_out(crm, conversation.conversation_id)
    with pytest.raises(StaleTurn):
        accept_offer(crm, turn, offer.offer_event_id)
    assert grants(crm) == 0


def test_every_kept_decision_comes_out_the_same_and_a_changed_one_is_reported(crm: Crm, clock: Clock) -> None:
    for tier in ("MVC", "MGC", "core", "BZ", None):
        next_offer(crm, a_turn(crm, a_conversation(crm, a_fan(crm, tier))))
    clock.now += timedelta(days=1)
    replay = replay_decisions(crm.store)
    assert (replay.checked, replay.differences) == ({"offer": 5}, ())
    connection = raw_connection(crm.store)
    connection.execute(schema.decisions.update().values(outcome="crate-digger"))
    connection.commit()
    connection.close()
    assert len(replay_decisions(crm.store, "offer").differences) == 5


def test_a_decision_is_kept_with_its_reasons_also_when_there_is_no_offer(crm: Crm) -> None:
    customer = a_customer(crm, tier="core")
    turn = a_turn(crm, a_conversation(crm, customer))
    no = next_offer(crm, turn)
    next_offer(crm, turn)
    with crm.store.read() as tx:
        (kept,) = tx.decisions.of_customer(customer, "offer")
    assert isinstance(no, NoOffer)
    assert (kept.outcome, kept.reasons[0]) == ("none", no.reason)
