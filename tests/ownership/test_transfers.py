"""The legal changes of owner, as a table; and what text and client ids may be."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore import conversations as transfers
from crmcore.conversations import (
    MAX_TEXT,
    Conversation,
    IllegalTransfer,
    OwnerKind,
    UnacceptableClientId,
    UnacceptableText,
    check_client_id,
    clean_text,
)
from tests.builders import OPEN_HOURS

TRANSFERS: dict[str, Callable[[Conversation], Conversation]] = {
    "escalate to the queue": lambda c: transfers.escalate(c, None),
    "escalate to a person": lambda c: transfers.escalate(c, "anna"),
    "claim": lambda c: transfers.claim(c, "anna"),
    "give back": transfers.give_back,
    "return to the queue": transfers.return_to_queue,
    "close": lambda c: transfers.close(c, OPEN_HOURS),
    "reopen": transfers.reopen,
}

LEGAL: dict[tuple[OwnerKind, str], OwnerKind] = {
    ("bot", "escalate to the queue"): "queue",
    ("bot", "escalate to a person"): "account_manager",
    ("bot", "claim"): "account_manager",
    ("bot", "close"): "nobody",
    ("queue", "claim"): "account_manager",
    ("queue", "give back"): "bot",
    ("queue", "close"): "nobody",
    ("account_manager", "give back"): "bot",
    ("account_manager", "return to the queue"): "queue",
    ("account_manager", "close"): "nobody",
    ("nobody", "claim"): "account_manager",
    ("nobody", "reopen"): "bot",
}


def a_conversation_of(owner: OwnerKind) -> Conversation:
    return Conversation(
        conversation_id="cnv_1",
        channel="web",
        visitor_id="vis_1",
        customer_id=None,
        verified_at=None,
        language="en",
        owner_kind=owner,
        owner_id="tom" if owner == "account_manager" else None,
        epoch=7,
        last_seq=3,
        turn_holder="process",
        turn_until=OPEN_HOURS,
        bot_turns=5,
        brain_session=2,
        brain_notice=None,
        failures=1,
        mood="neutral",
        open_case=None,
        opened_at=OPEN_HOURS,
        last_message_at=OPEN_HOURS,
        closed_at=None,
        token_generation=0,
    )


@pytest.mark.parametrize("name", TRANSFERS)
@pytest.mark.parametrize("owner", ["bot", "queue", "account_manager", "nobody"])
def test_a_transfer_is_legal_as_the_table_says_and_raises_the_epoch(owner: OwnerKind, name: str) -> None:
    before = a_conversation_of(owner)
    if (owner, name) not in LEGAL:
        with pytest.raises(IllegalTransfer, match=owner):
            TRANSFERS[name](before)
        return
    after = TRANSFERS[name](before)
    assert after.owner_kind == LEGAL[owner, name]
    assert (after.owner_id is not None) == (after.owner_kind == "account_manager")
    assert after.epoch == before.epoch + 1
    assert after.turn_holder is None, "the bot's turn outlived the bot's ownership"


@pytest.mark.parametrize("name", ["give back", "reopen"])
def test_the_bot_comes_back_with_an_empty_memory_and_is_told_why(name: str) -> None:
    before = a_conversation_of("nobody" if name == "reopen" else "account_manager")
    after = TRANSFERS[name](before)
    assert after.brain_sender != before.brain_sender, "open forms would still be open"
    assert after.brain_notice == {"give back": "given_back", "reopen": "reopened"}[name]
    assert after.bot_turns == 0


def test_the_brains_name_for_a_conversation_says_its_session() -> None:
    assert replace(a_conversation_of("bot"), brain_session=3).brain_sender == "cnv_1.3"


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ('/inform{"tier":"MVC"}', '/inform{"tier":"MVC"}'),
        ("/restart", "/restart"),
        ("two\r\nlines\rmore", "two\nlines\nmore"),
        ("bell\x07 and \x1b[31mcolour", "bell and [31mcolour"),
        ("  edges \n", "edges"),
        ("a\ttab", "a\ttab"),
        ("half \ud800 pair", "half  pair"),
        ("👩‍👩‍👧 é 你好", "👩‍👩‍👧 é 你好"),
    ],
)
def test_text_is_stored_as_text_without_what_controls_terminals(typed: str, stored: str) -> None:
    assert clean_text(typed) == stored


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "empty"),
        (" \n\t ", "empty"),
        ("\x07", "empty"),
        ("\u200b\u2060\ufeff", "empty"),
        ("a\0b", "nul"),
        ("x" * (MAX_TEXT + 1), "too_long"),
    ],
)
def test_text_that_cannot_be_stored_is_refused_by_name(typed: str, code: str) -> None:
    with pytest.raises(UnacceptableText) as refused:
        clean_text(typed)
    assert refused.value.code == code


def test_the_longest_text_is_still_accepted() -> None:
    assert len(clean_text("x" * MAX_TEXT)) == MAX_TEXT


@given(st.text(max_size=3_000))
def test_whatever_is_typed_is_either_refused_or_fit_for_both_databases(typed: str) -> None:
    try:
        stored = clean_text(typed)
    except UnacceptableText:
        return
    assert "\0" not in stored
    assert 0 < len(stored) <= MAX_TEXT
    assert clean_text(stored) == stored
    stored.encode("utf-8")


@pytest.mark.parametrize("client_id", ["a", "9f1c-x_Y.z", "x" * 64])
def test_a_plain_client_id_is_accepted(client_id: str) -> None:
    assert check_client_id(client_id) == client_id


@pytest.mark.parametrize("client_id", ["", "x" * 65, "bot:1:2", "a b", "ä", "a\n", "mark:1"])
def test_a_client_id_that_could_be_one_of_ours_is_refused(client_id: str) -> None:
    with pytest.raises(UnacceptableClientId):
        check_client_id(client_id)
