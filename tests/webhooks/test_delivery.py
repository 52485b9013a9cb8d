"""Events on their way: at least once, in order at first, tried again, given up, and tried all over."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from cli import __main__ as rapport
from crmcore.crm import Crm
from crmcore.store.database import raw_connection
from crmcore.store.schema import events, jobs, webhook_deliveries
from crmcore.usecases.conversations import receive, say_as_person
from crmcore.usecases.events import emit
from crmcore.usecases.jobs import HANDLERS, Handler, run_due_jobs
from crmcore.usecases.operating import readings
from crmcore.usecases.takeover import claim
from crmcore.usecases.tidying import tidy
from crmcore.usecases.webhooks import (
    add_endpoint,
    dead_letters,
    enable_endpoint,
    list_endpoints,
    remove_endpoint,
    retry_dead,
    rotate_secret,
    send_test,
)
from crmcore.webhooks import ATTEMPTS, BOTH_SECRETS_FOR, DISABLED_AFTER, PAUSES, Endpoint
from tests.builders import Clock, a_conversation, a_message, a_staff_member
from tests.webhooks.receiver import Receiver, is_signed_with


def happens(crm: Crm, order_id: str = "A-1") -> None:
    with crm.store.write() as tx:
        emit(
            tx, "order.status_changed", crm.clock(), order_id=order_id, customer_id="c", before="a", after="b"
        )


def work(crm: Crm) -> None:
    """Run what is due, except for the nightly work."""
    quiet = {kind: Handler(lambda *_: None) for kind in ("score", "tidy")}
    run_due_jobs(crm, "test", {**HANDLERS, **quiet}, limit=500)


def incidents(crm: Crm) -> dict[str, int]:
    with crm.store.read() as tx:
        return tx.incidents.counts_since(crm.clock() - timedelta(days=60))


def the_endpoint(crm: Crm) -> Endpoint:
    return list_endpoints(crm)[0].endpoint


def test_an_event_arrives_signed_once_and_says_what_happened(sending_on_both: Crm, there: Receiver) -> None:
    crm = sending_on_both
    _, secret = add_endpoint(crm, there.url, ["order.status_changed"])
    happens(crm)
    work(crm)
    work(crm)
    [got] = there.got
    assert is_signed_with(secret, got)
    assert not is_signed_with(secret, replace(got, body=got.body + b" "))
    assert got.event["type"] == "order.status_changed"
    assert got.event["id"] == got.headers["webhook-id"]
    assert got.event["timestamp"] == "2026-03-11T10:00:00Z"
    assert got.event["data"] == {"order_id": "A-1", "customer_id": "c", "before": "a", "after": "b"}
    assert list_endpoints(crm)[0].waiting == 0


def test_first_attempts_go_in_the_order_in_which_it_happened(sending_on_both: Crm, there: Receiver) -> None:
    crm = sending_on_both
    add_endpoint(crm, there.url, ["all"])
    for n in range(30):
        happens(crm, f"A-{n}")
    work(crm)
    assert [got.event["data"]["order_id"] for got in there.got] == [f"A-{n}" for n in range(30)]
    sequences = [got.event["sequence"] for got in there.got]
    assert sequences == sorted(set(sequences))


def test_an_endpoint_gets_the_kinds_it_asked_for_and_nothing_of_before(sending: Crm, there: Receiver) -> None:
    happens(sending)
    add_endpoint(sending, there.url, ["message.created"])
    happens(sending)
    a_message(sending, a_conversation(sending))
    work(sending)
    assert there.kinds == ["message.created"]


def test_a_failing_event_is_tried_again_after_growing_pauses_under_one_id_and_then_given_up(
    sending_on_both: Crm, there: Receiver, clock: Clock
) -> None:
    crm = sending_on_both
    add_endpoint(crm, there.url, ["all"])
    there.says = 500
    happens(crm)
    for pause in PAUSES:
        work(crm)
        before = len(there.got)
        clock.now += pause - timedelta(seconds=1)
        work(crm)
        assert len(there.got) == before, "too early"
        clock.advance(seconds=1)
    work(crm)
    assert len(there.got) == ATTEMPTS
    assert len({got.headers["webhook-id"] for got in there.got}) == 1
    assert len({got.headers["webhook-timestamp"] for got in there.got}) == ATTEMPTS
    [letter] = dead_letters(crm)
    assert (letter.delivery.attempts, letter.delivery.last_error) == (ATTEMPTS, "500 thanks")
    assert incidents(crm)["webhook_dead"] == 1
    assert readings(crm)["rapport_webhook_dead_letters"] == 1
    clock.advance(days=2)
    work(crm)
    assert len(there.got) == ATTEMPTS


def test_a_dead_letter_is_tried_all_over_and_arrives_under_its_own_id(
    sending: Crm, there: Receiver, clock: Clock
) -> None:
    add_endpoint(sending, there.url, ["all"])
    there.says = 500
    happens(sending)
    for pause in (*PAUSES, timedelta()):
        work(sending)
        clock.now += pause
    there.says = 200
    assert retry_dead(sending) == 1
    work(sending)
    assert dead_letters(sending) == []
    assert there.got[-1].headers["webhook-id"] == there.got[0].headers["webhook-id"]
    assert retry_dead(sending) == 0


def test_a_refused_event_holds_up_no_other(sending: Crm, there: Receiver) -> None:
    add_endpoint(sending, there.url, ["all"])
    there.says = 500
    happens(sending, "A-1")
    work(sending)
    there.says = 200
    happens(sending, "A-2")
    work(sending)
    assert [got.event["data"]["order_id"] for got in there.got] == ["A-1", "A-2"]


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_receiver_that_is_not_there_is_left_in_peace_and_gets_all_of_it_later(
    sending: Crm, there: Receiver, clock: Clock, status: int
) -> None:
    add_endpoint(sending, there.url, ["all"])
    there.says = status
    for n in range(5):
        happens(sending, f"A-{n}")
    work(sending)
    assert len(there.got) == 1, "one event finds out, and the others wait for the receiver"
    clock.advance(seconds=5)
    work(sending)
    assert len(there.got) == 2
    there.says = 200
    clock.advance(seconds=10)
    work(sending)
    clock.advance(minutes=5)
    work(sending)
    arrived = {got.event["data"]["order_id"] for got in there.got[2:]}
    assert arrived == {f"A-{n}" for n in range(5)}
    assert the_endpoint(sending).failing_since is None


def test_a_worker_that_dies_after_sending_sends_again_under_the_same_id(
    sending: Crm, there: Receiver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_endpoint(sending, there.url, ["all"])
    happens(sending)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("crmcore.usecases.webhooks._settle", die)
    with pytest.raises(KeyboardInterrupt):
        work(sending)
    monkeypatch.undo()
    clock.advance(minutes=2)  # The job's lease runs out.
    work(sending)
    first, again = there.got
    assert first.headers["webhook-id"] == again.headers["webhook-id"]
    assert list_endpoints(sending)[0].waiting == 0


def test_an_endpoint_that_fails_for_days_is_switched_off_with_an_incident(
    sending_on_both: Crm, there: Receiver, clock: Clock
) -> None:
    crm = sending_on_both
    endpoint, _ = add_endpoint(crm, there.url, ["all"])
    there.says = 500
    happens(crm)
    work(crm)
    clock.now += DISABLED_AFTER
    happens(crm, "A-2")
    work(crm)
    assert the_endpoint(crm).disabled_at == clock.now
    assert incidents(crm)["webhook_disabled"] == 1
    assert len(dead_letters(crm)) == 2
    tried = len(there.got)
    happens(crm, "A-3")
    clock.advance(days=1)
    work(crm)
    assert len(there.got) == tried
    assert retry_dead(crm) == 0, "not while it is switched off"
    there.says = 200
    enable_endpoint(crm, endpoint.endpoint_id)
    assert retry_dead(crm, endpoint_id=endpoint.endpoint_id) == 2
    work(crm)
    assert [got.event["data"]["order_id"] for got in there.got[tried:]] == ["A-1", "A-2"]


def test_a_receiver_that_is_gone_for_good_is_switched_off_at_once(sending: Crm, there: Receiver) -> None:
    add_endpoint(sending, there.url, ["all"])
    there.says = 410
    happens(sending)
    work(sending)
    assert the_endpoint(sending).disabled_at is not None


def test_after_a_rotation_both_secrets_verify_for_a_day_and_then_the_new_one(
    sending: Crm, there: Receiver, clock: Clock
) -> None:
    endpoint, old = add_endpoint(sending, there.url, ["all"])
    new = rotate_secret(sending, endpoint.endpoint_id)
    happens(sending)
    work(sending)
    assert is_signed_with(new, there.got[0])
    assert is_signed_with(old, there.got[0])
    clock.now += BOTH_SECRETS_FOR
    happens(sending)
    work(sending)
    assert is_signed_with(new, there.got[1])
    assert not is_signed_with(old, there.got[1])


def test_a_removed_endpoint_gets_nothing_of_what_was_on_its_way(
    sending_on_both: Crm, there: Receiver
) -> None:
    crm = sending_on_both
    endpoint, _ = add_endpoint(crm, there.url, ["all"])
    happens(crm)
    remove_endpoint(crm, endpoint.endpoint_id)
    work(crm)
    assert there.got == []
    assert list_endpoints(crm) == []


def test_a_persons_words_reach_an_integration(sending_on_both: Crm, there: Receiver) -> None:
    crm = sending_on_both
    add_endpoint(crm, there.url, ["message.created"])
    conversation, anna = a_conversation(crm), a_staff_member(crm)
    receive(crm, conversation.conversation_id, "c-1", "I need a person")
    claim(crm, conversation.conversation_id, anna.staff_id)
    say_as_person(crm, conversation.conversation_id, anna.staff_id, "c-2", "Anna here.", last_seen_seq=9)
    work(crm)
    said = [(got.event["data"]["sender"], got.event["data"]["text"]) for got in there.got]
    assert ("customer", "I need a person") in said
    assert said[-1] == ("account_manager", "Anna here.")
    assert there.got[-1].event["data"]["sender_name"] == "Anna Berg"


def test_no_words_are_kept_with_the_events(sending: Crm) -> None:
    conversation = a_conversation(sending)
    receive(sending, conversation.conversation_id, "c-1", "my canary sings")
    with raw_connection(sending.store) as connection:
        assert "canary" not in str(connection.execute(events.select()).all())


def test_old_events_are_forgotten_when_nobody_waits_for_them(
    sending_on_both: Crm, there: Receiver, clock: Clock
) -> None:
    crm = sending_on_both
    add_endpoint(crm, there.url, ["all"])
    happens(crm, "delivered")
    work(crm)
    there.says = 410
    happens(crm, "dead")
    work(crm)
    clock.advance(days=31)
    happens(crm, "new")
    tidy(crm, None)  # type: ignore[arg-type]  # It asks its job nothing.
    with raw_connection(crm.store) as connection:
        kept = [
            row.facts["order_id"] for row in connection.execute(events.select().order_by(events.c.event_id))
        ]
        assert kept == ["dead", "new"]
        assert len(connection.execute(webhook_deliveries.select()).all()) == 1
        done = jobs.select().where(jobs.c.kind == "webhook", jobs.c.status == "done")
        assert connection.execute(done).all() == []


def test_a_test_event_is_sent_at_once_and_signed(sending: Crm, there: Receiver) -> None:
    endpoint, secret = add_endpoint(sending, there.url, ["all"])
    assert send_test(sending, endpoint.endpoint_id).is_good
    assert there.kinds == ["webhook.test"]
    assert is_signed_with(secret, there.got[0])


def test_the_commands_add_show_test_retry_and_remove(
    sending: Crm, there: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rapport, "_open", lambda: sending)

    def typed(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(rapport.app, ["webhooks", *arguments])
        return result.exit_code, result.stdout

    status, secret = typed("add", there.url, "--event", "need.confirmed", "--event", "order.status_changed")
    assert (status, secret.startswith("whsec_")) == (0, True)
    endpoint_id = json.loads(typed("list", "--json")[1])[0]["endpoint_id"]
    assert typed("test", endpoint_id) == (0, "answered 200 thanks\n")
    there.says = 410
    assert typed("test", endpoint_id)[0] == 1
    happens(sending)
    work(sending)
    [letter] = json.loads(typed("dead", "--json")[1])
    assert (letter["event"], letter["last_error"]) == ("order.status_changed", "410 thanks")
    table = typed("list")[1]
    assert "switched off" in table
    assert endpoint_id in "".join(line.split("│")[1].strip() for line in table.splitlines() if "│" in line)
    assert typed("enable", endpoint_id)[0] == 0
    assert typed("retry")[0] == 2, "which letters must be said"
    assert typed("retry", str(letter["number"])) == (0, "1 letters are tried again\n")
    assert typed("rotate", endpoint_id)[1].strip() not in ("", secret.strip())
    assert typed("remove", endpoint_id)[0] == 0
    assert json.loads(typed("list", "--json")[1]) == []
