"""One-time codes: how long they work, how often they may be tried, and what they never give away."""

import logging
import sqlite3
from collections.abc import Callable

import pytest

from crmcore.conversations import Conversation, LeasedTurn, Reply, StaleTurn, Turn
from crmcore.crm import Crm
from crmcore.identify import CodeRefused, NotVerified, TooManyCodes, UnreadableClaim, Verified, keyed_digest
from crmcore.store.conversations import AnotherCustomer
from crmcore.usecases.conversations import conversation, finish_turn
from crmcore.usecases.identify import check_code, link_signed_in, start
from crmcore.usecases.orders import orders_of
from tests.builders import Clock, a_conversation, a_turn
from tests.dialogue.shop import a_known_customer, an_order, code_in, letters


def next_turn(crm: Crm, visit: Conversation, last: LeasedTurn | None) -> LeasedTurn:
    """The turn of the visitor's next message."""
    if last is not None:
        finish_turn(crm, last, [Reply("…")])
    return a_turn(crm, visit)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_the_code_from_the_letter_verifies_the_visitor(crm_on_both: Crm) -> None:
    crm = crm_on_both
    ada = a_known_customer(crm, email="ada@example.org")
    visit = a_conversation(crm)
    asked = a_turn(crm, visit)
    start(crm, asked, "my mail is ADA@example.org")
    code = code_in(letters(crm)[0])
    typed = next_turn(crm, visit, asked)
    assert check_code(crm, typed, f"it's {code[:3]} {code[3:]}") == Verified(ada, "Ada")
    assert conversation(crm, visit.conversation_id).customer_id == ada


def test_an_order_number_sends_the_code_to_the_address_on_file(crm: Crm) -> None:
    ada = a_known_customer(crm, email="ada@example.org")
    order = an_order(crm, ada)
    start(crm, a_turn(crm, a_conversation(crm)), f"order {order.order_id.lower()}")
    assert letters(crm)[0].recipient == "ada@example.org"


def test_an_unknown_address_looks_the_same_and_gets_no_letter(crm: Crm) -> None:
    a_known_customer(crm, email="ada@example.org")
    unknown_visit, known_visit = a_conversation(crm), a_conversation(crm)
    unknown, known = a_turn(crm, unknown_visit), a_turn(crm, known_visit)
    assert start(crm, unknown, "nobody@example.org") == start(crm, known, "ada@example.org")
    assert [letter.recipient for letter in letters(crm)] == ["ada@example.org"]
    tries = [check_code(crm, turn, "000000") for turn in (unknown, known)]
    assert tries == [CodeRefused("wrong"), CodeRefused("wrong")]


def test_a_code_dies_after_ten_minutes(crm: Crm, clock: Clock) -> None:
    a_known_customer(crm, email="ada@example.org")
    turn = a_turn(crm, a_conversation(crm))
    start(crm, turn, "ada@example.org")
    clock.advance(minutes=10)
    assert check_code(crm, turn, code_in(letters(crm)[0])) == CodeRefused("expired")


def test_five_wrong_tries_spend_the_code_and_the_right_one_comes_too_late(crm: Crm) -> None:
    a_known_customer(crm, email="ada@example.org")
    turn = a_turn(crm, a_conversation(crm))
    start(crm, turn, "ada@example.org")
    code = code_in(letters(crm)[0])
    tries = [check_code(crm, turn, wrong(code)) for _ in range(5)]
    assert tries == [*[CodeRefused("wrong")] * 4, CodeRefused("spent")]
    assert check_code(crm, turn, code) == CodeRefused("spent")


def test_a_code_works_once_and_only_in_its_own_conversation(crm: Crm) -> None:
    a_known_customer(crm, email="ada@example.org")
    visit, other = a_conversation(crm), a_conversation(crm)
    turn, stranger = a_turn(crm, visit), a_turn(crm, other)
    start(crm, turn, "ada@example.org")
    code = code_in(letters(crm)[0])
    start(crm, stranger, "nobody@example.org")
    assert check_code(crm, stranger, code) == CodeRefused("wrong")
    assert isinstance(check_code(crm, turn, code), Verified)
    with crm.store.read() as tx:
        sent = tx.identify.latest(visit.conversation_id)
    assert sent is not None
    assert sent.used_at is not None


def test_a_newer_code_replaces_the_older_one(crm: Crm) -> None:
    a_known_customer(crm, email="ada@example.org")
    visit = a_conversation(crm)
    first = a_turn(crm, visit)
    start(crm, first, "ada@example.org")
    old = code_in(letters(crm)[0])
    second = next_turn(crm, visit, first)
    start(crm, second, "ada@example.org")
    new = code_in(letters(crm)[0])
    if new != old:  # One time in a million they are equal.
        assert check_code(crm, second, old) == CodeRefused("wrong")
    assert isinstance(check_code(crm, second, new), Verified)


def test_codes_are_limited_in_one_conversation(crm: Crm, clock: Clock) -> None:
    visit, turn = a_conversation(crm), None
    for name in ("a", "b", "c"):
        turn = next_turn(crm, visit, turn)
        start(crm, turn, f"{name}@example.org")
    turn = next_turn(crm, visit, turn)
    with pytest.raises(TooManyCodes):
        start(crm, turn, "d@example.org")
    clock.advance(minutes=16)
    start(crm, turn, "d@example.org")


def test_codes_are_limited_for_one_contact_whoever_asks_and_by_whatever_name(crm: Crm) -> None:
    ada = a_known_customer(crm, email="ada@example.org")
    order = an_order(crm, ada)
    for claim in ("ada@example.org", order.order_id) * 2:
        start(crm, a_turn(crm, a_conversation(crm)), claim)
    start(crm, a_turn(crm, a_conversation(crm)), "ada@example.org")
    with pytest.raises(TooManyCodes):
        start(crm, a_turn(crm, a_conversation(crm)), order.order_id)


def test_the_same_turn_run_again_sends_no_second_letter(crm: Crm) -> None:
    a_known_customer(crm, email="ada@example.org")
    turn = a_turn(crm, a_conversation(crm))
    start(crm, turn, "ada@example.org")
    start(crm, turn, "ada@example.org")
    assert len(letters(crm)) == 1


def test_neither_code_nor_address_is_stored_or_logged(crm: Crm, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    a_known_customer(crm, email="ada@example.org")
    turn = a_turn(crm, a_conversation(crm))
    start(crm, turn, "ada@example.org")
    letter = letters(crm)[0]
    code = code_in(letter)
    check_code(crm, turn, code)
    assert code not in caplog.text
    assert "ada@example.org" not in caplog.text
    with crm.store.write() as tx:
        tx.outbox.mark_sent(letter.outbox_id, crm.clock())
    path = crm.store.url.removeprefix("sqlite:///")
    with sqlite3.connect(path) as raw:
        dump = "\n".join(line for line in raw.iterdump() if "verification_codes" in line or "outbox" in line)
    assert code not in dump


def test_digests_of_the_same_value_differ_by_purpose_and_secret() -> None:
    made = {keyed_digest(s, p, "1") for s in (b"one", b"two") for p in ("code", "contact")}
    assert len(made) == 4


def test_text_without_address_or_number_is_refused(crm: Crm) -> None:
    with pytest.raises(UnreadableClaim):
        start(crm, a_turn(crm, a_conversation(crm)), "it's me, Ada!")


def test_nothing_personal_comes_before_verification(crm: Crm) -> None:
    with pytest.raises(NotVerified):
        orders_of(crm, a_turn(crm, a_conversation(crm)))


def test_a_conversation_is_never_passed_on_to_a_second_customer(crm: Crm) -> None:
    ada, max_ = a_known_customer(crm), a_known_customer(crm, "Max Wolf")
    visit = a_conversation(crm)
    assert link_signed_in(crm, visit.conversation_id, ada).customer_id == ada
    with pytest.raises(AnotherCustomer):
        link_signed_in(crm, visit.conversation_id, max_)


@pytest.mark.parametrize(
    "act", [lambda c, t: start(c, t, "a@example.org"), lambda c, t: check_code(c, t, "1")]
)
def test_a_turn_that_is_over_sends_and_checks_nothing(crm: Crm, act: Callable[[Crm, Turn], object]) -> None:
    turn = a_turn(crm, a_conversation(crm))
    finish_turn(crm, turn, [Reply("done")])
    with pytest.raises(StaleTurn):
        act(crm, turn)
