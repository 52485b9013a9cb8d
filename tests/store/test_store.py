"""What the store promises about transactions, on each database and under many writers."""

from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from crmcore.conversations import UnknownButton
from crmcore.errors import StoreUnavailable
from crmcore.store.database import Store, UnstorableValue, UnusableAddress, raw_connection
from crmcore.usecases import conversations as talk
from tests.builders import OPEN_HOURS, Clock, a_conversation, a_crm, client_id
from tests.concurrency import at_once

WRITERS = 8


def test_a_block_that_raises_writes_nothing(store: Store) -> None:
    def write_and_break() -> None:
        with store.write() as tx:
            tx.incidents.add("lost", OPEN_HOURS)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_break()
    with store.read() as tx:
        assert tx.incidents.counts_since(OPEN_HOURS) == {}


def test_times_come_back_aware_and_in_utc(store: Store) -> None:
    crm = a_crm(store, Clock())
    conversation = a_conversation(crm)
    assert conversation.opened_at == OPEN_HOURS
    assert conversation.opened_at.utcoffset() is not None


def test_writers_who_read_first_lose_no_write(store: Store) -> None:
    """Read, then write what was read plus one: the schedule in which a lazy lock loses updates."""
    crm = a_crm(store, Clock())
    conversation_id = a_conversation(crm).conversation_id

    def count_up() -> None:
        for _ in range(10):
            with store.write() as tx:
                found = tx.conversations.locked(conversation_id)
                assert found is not None
                tx.conversations.set_failures(conversation_id, found.failures + 1)

    assert at_once(*[count_up] * WRITERS) == [None] * WRITERS
    with store.read() as tx:
        after = tx.conversations.get(conversation_id)
    assert after is not None
    assert after.failures == 10 * WRITERS


def test_writers_in_two_processes_lose_no_write_either(store: Store) -> None:
    """Two stores share nothing but the database, as two processes do."""
    conversation_id = a_conversation(a_crm(store, Clock())).conversation_id
    other = Store(store.url)

    def count_up(mine: Store) -> None:
        for _ in range(20):
            with mine.write() as tx:
                found = tx.conversations.locked(conversation_id)
                assert found is not None
                tx.conversations.set_failures(conversation_id, found.failures + 1)

    assert at_once(partial(count_up, store), partial(count_up, other)) == [None, None]
    other.dispose()
    with store.read() as tx:
        after = tx.conversations.get(conversation_id)
    assert after is not None
    assert after.failures == 40


def test_a_reader_sees_one_moment_while_others_write(store: Store) -> None:
    crm = a_crm(store, Clock())
    conversation_id = a_conversation(crm).conversation_id
    with store.read() as reading:
        before = reading.conversations.get(conversation_id)
        with store.write() as writing:
            writing.conversations.set_failures(conversation_id, 5)
        assert reading.conversations.get(conversation_id) == before


def test_references_are_checked(store: Store) -> None:
    crm = a_crm(store, Clock())
    with pytest.raises(DBAPIError), store.write() as tx:
        tx.drafts.save(a_conversation_outside(), "nobody", "words", crm.clock())


def a_conversation_outside() -> str:
    return f"cnv_{client_id()}"


def test_a_failed_statement_does_not_write_a_customers_words_into_the_log(store: Store) -> None:
    with pytest.raises(DBAPIError) as failed, store.write() as tx:
        tx.drafts.save(a_conversation_outside(), "nobody", "my card is 4111", OPEN_HOURS)
    assert "4111" not in str(failed.value)


def test_a_button_of_a_character_that_no_row_can_hold_is_refused_and_breaks_nothing(store: Store) -> None:
    crm = a_crm(store, Clock())
    visit = a_conversation(crm)
    with pytest.raises((UnknownButton, UnstorableValue)):
        talk.press(crm, visit.conversation_id, client_id(), "\0")


def test_a_database_that_is_gone_is_said_in_the_cores_own_words() -> None:
    store = Store("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(StoreUnavailable, match="not available"), store.read():
        pass


def test_preparing_a_database_that_is_gone_is_said_in_the_cores_own_words_too() -> None:
    with pytest.raises(StoreUnavailable, match="not available"):
        Store("postgresql+psycopg://nobody@127.0.0.1:1/none").migrate()


@pytest.mark.parametrize("address", ["nonsense", "mysql://me:hush@db/x", "postgresql+nothing://me:hush@db/x"])
def test_an_address_of_no_known_database_is_refused_without_repeating_it(address: str) -> None:
    with pytest.raises(UnusableAddress, match=r"postgresql\+psycopg://") as refused:
        Store(address)
    assert "hush" not in str(refused.value)


def test_sqlite_waits_for_the_disk_before_it_says_done(tmp_path: object) -> None:
    store = Store(f"sqlite:///{tmp_path}/new.db")
    with raw_connection(store) as connection:
        assert connection.execute(text("PRAGMA synchronous")).scalar_one() == 2
    store.dispose()
