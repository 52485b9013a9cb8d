"""The whole loop on real parts: a customer, an account manager and a marketer, each in a browser."""

import sqlite3

from playwright.sync_api import Browser

from tests.live.people import Colleague, Shopper
from tests.live.product import RunningProduct

NEED = "I'm looking for a record player that is easy to use, around 300 euros"


def test_a_need_is_heard_and_a_person_takes_over_though_pages_reload_and_the_brain_dies(
    product: RunningProduct, browser: Browser
) -> None:
    customer = Shopper(browser, product.url)
    name = customer.signs_in_as_the_best_customer()
    anna = Colleague(
        browser, product.url, "anna@alderandbell.example", _password(product, "anna"), "/workspace"
    )
    anna.goes_on_duty()

    # He states a need, with a reload in mid-sentence, and is understood.
    customer.opens_the_chat()
    customer.hears("digital assistant")
    customer.half_writes(NEED[:25])
    customer.reloads()
    customer.expects_half_written(NEED[:25])
    customer.goes_on(NEED[25:])
    customer.skips_questions_until("Yes, that's right")
    customer.hears("record player, automatic, around 300 euros")
    customer.presses("Yes, that's right")
    customer.hears("Because you told us")

    # The brain dies under way; he is told so, and goes on when it is back.
    product.kill_rasa()
    product.wait_until(brain="down")
    customer.writes("where is my last order?")
    customer.hears("Try again")
    product.wait_until(brain="ok")
    customer.presses("Try again")
    customer.hears("RP-", within_ms=30_000)

    # He asks for a person, and his own account manager takes the live chat over.
    customer.asks_for_a_person()
    anna.takes_over(name)
    customer.is_answered_by("Anna Byrne")
    anna.sees_on_the_card("turntable")
    anna.half_writes("Hello, this is Anna.")
    anna.reloads()
    anna.expects_half_written("Hello, this is Anna.")
    anna.goes_on(" What can I do for you?")
    customer.hears("Hello, this is Anna. What can I do for you?")
    customer.writes("just checking that somebody is there")
    anna.hears("just checking that somebody is there")
    anna.gives_back()
    customer.is_answered_by("Coda")
    customer.writes("are you a bot?")
    customer.hears("digital assistant")

    # The marketer sees the need in the customer's own words.
    marek = Colleague(
        browser, product.url, "marek@alderandbell.example", _password(product, "marek"), "/console"
    )
    marek.sees(NEED)

    # Nothing was lost and nothing came twice.
    assert customer.said() == [
        NEED, *_choices_between(customer.said()), "where is my last order?", "Try again", "Talk to a person",
        "just checking that somebody is there", "are you a bot?",
    ]  # fmt: skip
    _assert_whole(product)


def _choices_between(said: list[str]) -> list[str]:
    """The buttons that he pressed about his need; how many depends on what the assistant had to ask."""
    return said[1 : said.index("where is my last order?")]


def _password(product: RunningProduct, name: str) -> str:
    return product.password_of(f"{name}@alderandbell.example")


def _assert_whole(product: RunningProduct) -> None:
    """Every conversation counts 1, 2, 3 … and no message of the customer is unanswered or doubled."""
    database = sqlite3.connect(product.home / "rapport.db")
    for conversation_id, last in database.execute("select conversation_id, last_seq from conversations"):
        rows = database.execute(
            "select seq, sender, text, state from messages where conversation_id = ? order by seq",
            (conversation_id,),
        ).fetchall()
        assert [row[0] for row in rows] == list(range(1, last + 1))
        assert all(row[3] == "done" for row in rows), rows
        spoken = [row[2] for row in rows if row[1] == "account_manager"]
        assert len(spoken) == len(set(spoken))
