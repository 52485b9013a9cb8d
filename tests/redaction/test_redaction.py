"""What nobody should write into a chat is taken out, and everything else stays as it was written."""

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore import redaction
from crmcore.conversations import Reply
from crmcore.crm import Crm
from crmcore.redaction import NEVER_KEPT, hide_codes, redact, redacted_in
from crmcore.usecases import conversations as talk
from crmcore.usecases.identify import start
from tests.builders import a_conversation, a_turn, client_id
from tests.dialogue.shop import a_known_customer, code_in, letters

TAKEN_OUT = {
    "a card in groups": ("it's 4539 5787 6362 1486, thanks", "it's [card number], thanks"),
    "a card in one piece": ("4539578763621486", "[card number]"),
    "a card with dashes": ("5425-2334-3010-9903.", "[card number]."),
    "a card of fifteen digits": ("3714 496353 98431", "[card number]"),
    "a security code": ("cvv is 907", "cvv is [security code]"),
    "a security code by its long name": ("security code: 9071", "security code: [security code]"),
    "a pin": ("my PIN is 4821", "my PIN is [security code]"),
    "a password after is": ("the password is Tulip7field", "the password is [password]"),
    "a password after a colon": ("password: tulipfield", "password: [password]"),
    "a bank account": ("AT61 1904 3002 3457 3201", "[bank account]"),
    "a bank account in one piece": ("to BE68539007547034 please", "to [bank account] please"),
    "a passport": ("passport no. L898902C3", "passport no. [identity number]"),
    "a social security number": ("it is 219-09-9999", "it is [identity number]"),
    "a driving licence": ("driving licence JONES 711 019 A", "driving licence [identity number]"),
}
LEFT_IN = [
    "call me on +353 1 555 0142 or 07700 900123",
    "where is RP-12345, tracking TRK900100?",
    "my number is +44 4539 5787 6362",
    "I need 3 guitars by 2026-12-24 for 1,250.00 euros",
    "my password is not working and I forgot the pin",
    "do you have a black passport holder",
    "the code is 482913",
    "4539 5787 6362 1487 is no card, its check digit is wrong",
    "Ruth Keller, 14 Fiddler's Row, Dublin 8",
    "model 4003-1200-20 in walnut",
    "IBAN please",
]


@pytest.mark.parametrize(("text", "without"), TAKEN_OUT.values(), ids=TAKEN_OUT)
def test_what_opens_or_pays_or_names_somebody_is_taken_out(text: str, without: str) -> None:
    assert redact(text) == without
    assert redacted_in(without)


@pytest.mark.parametrize("text", LEFT_IN)
def test_what_a_chat_is_about_stays(text: str) -> None:
    assert redact(text) == text


@given(st.text(max_size=200))
def test_any_text_can_be_redacted_and_twice_is_once(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


def test_long_runs_are_redacted_in_bounded_time() -> None:
    for piece in ("4", "4 ", "password ", "passport ", "a1", "DE00 "):
        redact((piece * 2000)[:2000])


def test_only_a_code_is_hidden_and_no_longer_number() -> None:
    assert hide_codes("it is 482-913.") == "it is 000000."
    for kept in ("085 123 4567", "RP-123456", "jo482913@example.org", "+353 1 555 0142", "2026-12-24"):
        assert hide_codes(kept) == kept


def test_the_examples_in_the_module_hold() -> None:
    assert doctest.testmod(redaction).failed == 0


# --- in a conversation --------------------------------------------------------------------------------------


def test_a_card_is_never_stored_and_a_bank_account_only_in_the_log(crm_on_both: Crm) -> None:
    crm = crm_on_both
    visit = a_conversation(crm)
    turn = a_turn(crm, visit, "card 4539578763621486, or debit AT61 1904 3002 3457 3201")
    stored = talk.latest_messages(crm, visit.conversation_id)[-1].text
    assert stored == "card [card number], or debit AT61 1904 3002 3457 3201"
    assert turn.text == "card [card number], or debit [bank account]"
    assert turn.withheld == ("card", "bank_account")


def test_a_foreign_clients_words_are_redacted_as_well(crm: Crm) -> None:
    visit = a_conversation(crm)
    received = talk.hear(crm, visit.conversation_id, client_id(), "cvv 123")
    assert received.message.text == redact("cvv 123", NEVER_KEPT)


def test_a_one_time_code_reaches_the_log_alone(crm: Crm) -> None:
    a_known_customer(crm, email="ada@example.org")
    visit = a_conversation(crm)
    first = a_turn(crm, visit, "123456 ada@example.org")
    assert "123456" in first.text, "no code was sent, so six digits are a number like any other"
    start(crm, first, "ada@example.org")
    talk.finish_turn(crm, first, [Reply("A code is on its way.")])
    code = code_in(letters(crm)[0])
    assert a_turn(crm, visit, f"it is {code}").text == "it is 000000"
    assert code in talk.latest_messages(crm, visit.conversation_id)[-1].text
