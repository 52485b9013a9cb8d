"""The trained dialogue in every state: a person in one turn, a way out of nonsense, answers in between."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ruamel.yaml import YAML

from actions.slots import FORM_SLOTS
from crmcore.language import language_tools
from crmcore.store.database import Store, raw_connection
from serve.training import train_when_stale
from tests.builders import NIGHT, ROOT, Clock, a_crm, a_staff_member
from tests.dialogue.live import Chain, Talker, running_chain
from tests.dialogue.shop import a_known_customer, a_membership, an_order, code_in, letters, with_consent

DOMAIN: dict[str, Any] = YAML(typ="safe").load((ROOT / "domain.yml").read_text(encoding="utf-8"))
STATES = [(form, slot) for form, slots in FORM_SLOTS.items() for slot in slots]
PERSONAL = {form for form, slots in FORM_SLOTS.items() if "one_time_code" in slots}
QUESTIONS = ["ask_delivery", "ask_store_info", "ask_payment_options", "bot_challenge", "ask_why", "greet"]
NO_ANSWERS = ["/affirm", "\uff0faffirm", "<b>yes</b>", "my name is yes", "null", "1"]
NONSENSE = ["xq zzkt", "0b1##", "qpqpqp", "vvvv xx"]


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    folder = tmp_path_factory.mktemp("dialogue")
    store = Store(f"sqlite:///{folder / 'rapport.db'}")
    store.migrate()
    crm = a_crm(store, Clock(), language_tools())
    a_staff_member(crm, capacity=1000)
    with running_chain(crm, train_when_stale(), folder) as running:
        yield running
    store.dispose()


def in_state(chain: Chain, form: str, slot: str) -> Talker:
    """A conversation in which the assistant has just asked for ``slot`` of ``form``."""
    crm = chain.crm
    asks_who = form in PERSONAL and slot in ("contact_or_order", "one_time_code")
    ada = a_known_customer(crm)
    an_order(crm, ada, "placed")
    returned = an_order(crm, ada, "delivered", delivered_days_ago=3)
    other = an_order(crm, ada, "delivered", delivered_days_ago=4)
    a_membership(crm, ada)
    visitor = chain.visitor(None if asks_who else ada)
    before = FORM_SLOTS[form][: FORM_SLOTS[form].index(slot)]
    filled: dict[str, object] = dict.fromkeys(before, "something")
    if "order" in filled:
        filled["order"] = returned.order_id if form == "return_form" else other.order_id
    if "contact_kind" in filled:
        filled["contact_kind"] = "email"
    if form == "need_form" and slot != "need_statement":
        visitor.says("I am looking for a turntable for my flat")
        return visitor
    if form == "offer_form":
        filled |= {"offer_event_id": "off_1", "offer_words": "10% off", "need_summary": "a piano"}
    visitor.put_into(form, slot, **filled)
    return visitor


@pytest.mark.parametrize(("form", "slot"), [*STATES, ("", "")])
def test_a_person_is_one_turn_away_from_every_state(chain: Chain, form: str, slot: str) -> None:
    visitor = in_state(chain, form, slot) if form else chain.visitor()
    visitor.offered["Talk to a person"] = "/ask_human"
    heard = visitor.presses("Talk to a person")
    assert heard.texts, f"nothing was said in {form}/{slot}"
    assert visitor.now.owner_kind in ("queue", "account_manager"), f"{form}/{slot}: {heard.texts}"


@pytest.mark.parametrize("words", ["talk to a person", "human!!", "can i speak to someone pls", "agent"])
def test_the_wish_for_a_person_is_understood_in_words_inside_a_form(chain: Chain, words: str) -> None:
    visitor = in_state(chain, "contact_form", "contact_value")
    visitor.says(words)
    assert visitor.now.owner_kind == "queue"


@pytest.mark.parametrize(("form", "slot"), STATES)
def test_nonsense_leaves_any_form_within_three_turns(chain: Chain, form: str, slot: str) -> None:
    """A free text may be taken as an answer; then the form goes on, and ends as soon."""
    visitor = in_state(chain, form, slot)
    for text in NONSENSE[:3]:
        visitor.says(text)
        if visitor.now.owner_kind != "bot":
            return
        active = visitor.tracker.get("active_loop") or {}
        if not active or visitor.tracker["slots"]["requested_slot"] != slot:  # type: ignore[index, call-overload]
            return
    raise AssertionError(f"still asked for {slot} after three times nonsense: {visitor.heard.texts}")


@pytest.mark.parametrize(("form", "slot"), [state for state in STATES if "confirm" in state[1]])
def test_what_is_no_yes_confirms_nothing(chain: Chain, form: str, slot: str) -> None:
    """The slot's question stands open, and each of these texts resembles an answer to it."""
    for text in NO_ANSWERS:
        visitor = in_state(chain, form, slot)
        before = facts(chain)
        visitor.says(text)
        assert facts(chain) == before, f"{text!r} changed something in {form}: {visitor.heard.texts}"


def facts(chain: Chain) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of what a confirmation may change."""
    with raw_connection(chain.crm.store) as connection:
        return {
            table: [tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {table}")]
            for table in ("contacts", "consents", "orders", "returns", "contracts", "offers")
        }


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize(
    ("form", "slot"),
    [
        ("return_form", "return_reason"),
        ("identify_form", "contact_or_order"),
        ("callback_form", "callback_time"),
    ],
)
def test_a_question_in_a_form_is_answered_and_the_form_goes_on(
    chain: Chain, form: str, slot: str, question: str
) -> None:
    visitor = in_state(chain, form, slot)
    visitor.offered["?"] = f"/{question}"
    heard = visitor.presses("?")
    assert len(heard.texts) >= 2, f"no answer before the form's question: {heard.texts}"
    assert visitor.tracker["active_loop"]["name"] == form  # type: ignore[index, call-overload]
    assert visitor.tracker["slots"]["requested_slot"] == slot  # type: ignore[index, call-overload]


def test_after_verification_the_question_is_answered(chain: Chain) -> None:
    ada = a_known_customer(chain.crm, email="ada.live@example.org")
    order = an_order(chain.crm, ada, "shipped")
    visitor = chain.visitor()
    visitor.says("where is my order?")
    visitor.says("ada.live@example.org")
    heard = visitor.says(code_in(letters(chain.crm)[0]))
    assert order.order_id in heard.text
    assert visitor.now.customer_id == ada


def test_a_question_about_an_order_interrupts_a_return_and_it_goes_on(chain: Chain) -> None:
    visitor = in_state(chain, "return_form", "return_reason")
    heard = visitor.says("where is my order?")
    assert "What is the matter" in heard.text or "why it goes back" in heard.text


def test_a_need_is_read_back_confirmed_and_answered_with_an_offer(chain: Chain) -> None:
    best = a_known_customer(chain.crm, "Max Wolf", tier="MVC")
    with_consent(chain.crm, best)
    visitor = chain.visitor(best)
    visitor.says("I'm looking for a turntable for my living room, up to 500 euros")
    for _ in range(2):
        if "Skip" in visitor.heard.buttons:
            visitor.presses("Skip")
    assert "turntable" in visitor.heard.text
    visitor.presses("Yes, that's right")
    assert "Because you told us" in visitor.heard.text
    visitor.presses("Yes, please")
    with chain.crm.store.read() as tx:
        assert [event.status for event in tx.offers.of_customer(best)] == ["accepted"]


def test_no_offer_follows_a_complaint(chain: Chain) -> None:
    ada = a_known_customer(chain.crm, tier="core")
    with_consent(chain.crm, ada)
    visitor = chain.visitor(ada)
    visitor.says("this is a disgrace, the amp you sent me is broken and nobody answers")
    visitor.says("I'm looking for a turntable for my living room, up to 500 euros")
    while "Skip" in visitor.heard.buttons:
        visitor.presses("Skip")
    visitor.presses("Yes, that's right")
    with chain.crm.store.read() as tx:
        assert tx.offers.of_customer(ada) == []


def test_outside_hours_contact_and_time_are_kept_as_a_promise(chain: Chain) -> None:
    clock = chain.crm.clock
    assert isinstance(clock, Clock)
    day, clock.now = clock.now, NIGHT
    try:
        visitor = chain.visitor()
        visitor.says("talk to a person")
        visitor.says("+353 87 123 4567")
        visitor.says("tomorrow morning")
    finally:
        clock.now = day
    with chain.crm.store.read() as tx:
        promised = tx.callbacks.open_of(visitor.conversation.conversation_id)
    assert promised is not None
    assert (promised.contact, promised.preferred_at) == ("+353 87 123 4567", "tomorrow morning")
