"""What other programs read: pages that neither skip nor repeat, and value for those alone who may see it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from crmcore.orders import Return
from crmcore.paging import Place, read_cursor, write_cursor
from crmcore.store import schema
from crmcore.store.database import raw_connection
from crmcore.usecases.conversations import say_as_person
from crmcore.usecases.escalation import request_person
from crmcore.usecases.takeover import claim
from tests.api.program import AN_ORDER, Door
from tests.builders import OPEN_HOURS, a_conversation, a_customer, a_message, a_staff_member, answered
from tests.offers.builders import an_open_need

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(st.integers(0, 250_000 * 10**12), st.text(max_size=64))
def test_a_cursor_is_the_place_that_it_was_written_for(microseconds: int, row_id: str) -> None:
    place = Place(
        EPOCH + timedelta(microseconds=microseconds),
        row_id.replace("\0", "").encode(errors="ignore").decode(),
    )
    assert read_cursor(write_cursor(place)) == place


@given(st.binary(min_size=9, max_size=264))
def test_a_made_up_cursor_is_a_place_like_any_other(written: bytes) -> None:
    assert "\0" not in read_cursor(written.hex()).row_id


def test_pages_skip_and_repeat_nothing_while_rows_come_in(door_on_both: Door) -> None:
    shop = door_on_both.program()
    shop.knows_customer()
    same_moment = [AN_ORDER | {"order_id": f"B-{n}"} for n in range(5)]
    earlier = [
        AN_ORDER | {"order_id": f"C-{n}", "ordered_at": f"2026-02-0{n + 1}T00:00:00Z"} for n in range(4)
    ]
    assert shop.send("POST", "/order-batches", {"orders": same_moment + earlier}).status_code == 200
    first = shop.get("/orders", limit=4).json()
    assert [row["order_id"] for row in first["data"]] == ["C-0", "C-1", "C-2", "C-3"]
    shop.tells_of_order(order_id="A-0", ordered_at="2026-01-01T00:00:00Z")  # Before the place: not shown.
    shop.tells_of_order(order_id="Z-9", ordered_at="2026-03-11T00:00:00Z")  # After it: shown at its turn.
    rest = shop.all_pages("/orders", limit=2, cursor=first["next_cursor"])
    assert [row["order_id"] for row in rest] == ["B-0", "B-1", "B-2", "B-3", "B-4", "Z-9"]


def test_value_is_shown_to_keys_that_may_see_it_and_the_field_is_missing_for_others(door: Door) -> None:
    valued, unvalued = a_customer(door.crm, tier="MVC"), a_customer(door.crm, "Max Wolf")
    with raw_connection(door.crm.store) as connection:
        connection.execute(update(schema.value_snapshots).values(reasons=[]))
        connection.commit()
    sees, blind = door.program("customers:read", "value:read"), door.program("customers:read")
    value = sees.get(f"/customers/{valued}").json()["value"]
    assert (value["tier"], value["clv"], value["currency"]) == ("MVC", "500.00", "EUR")
    assert (value["as_of"], value["is_stale"]) == ("2026-03-11", False)
    assert sees.get(f"/customers/{unvalued}").json()["value"] is None
    assert {row["customer_id"]: row["value"] is None for row in sees.all_pages("/customers", limit=1)} == {
        valued: False,
        unvalued: True,
    }
    for shown in (blind.get(f"/customers/{valued}").json(), *blind.all_pages("/customers")):
        assert "value" not in shown
        assert "MVC" not in str(shown)


def test_a_known_customer_is_brought_up_to_date_and_what_is_not_named_stays(door_on_both: Door) -> None:
    crm_program = door_on_both.program()
    crm_program.knows_customer(email="Ada@Example.org", phone="+44 7700 900123")
    again = crm_program.send(
        "PUT", "/customers/C-17", {"name": "Ada King", "email": "ada@king.example", "language": "de"}
    )
    assert again.status_code == 200
    shown = again.json()
    assert (shown["name"], shown["language"]) == ("Ada King", "de")
    assert {c["kind"]: c["value"] for c in shown["contacts"]} == {
        "email": "ada@king.example",
        "phone": "+44 7700 900123",
    }
    with door_on_both.crm.store.read() as tx:
        assert tx.contacts.owner_of("phone", "+447700900123") == "C-17"
        assert tx.contacts.owner_of("email", "ada@example.org") is None


def test_of_two_decisions_on_one_consent_the_later_one_counts(door: Door) -> None:
    shop = door.program()

    def says(granted: bool, decided_at: str) -> bool:
        consent = {"purpose": "offers", "granted": granted, "decided_at": decided_at}
        shop.knows_customer(consents=[consent])
        return bool(shop.get("/customers/C-17").json()["consents"][0]["granted"])

    assert says(True, "2026-03-01T00:00:00Z")
    assert not says(False, "2026-03-05T00:00:00Z")
    assert not says(True, "2026-03-04T00:00:00Z"), "an old export must not undo a withdrawal"


def test_a_conversation_is_read_with_its_marks_and_a_persons_words(door_on_both: Door) -> None:
    crm = door_on_both.crm
    customer, anna = a_customer(crm), a_staff_member(crm)
    conversation = a_conversation(crm, customer)
    answered(crm, conversation, "hello", "Good morning.")
    claim(crm, conversation.conversation_id, anna.staff_id)
    say_as_person(crm, conversation.conversation_id, anna.staff_id, "c-1", "Anna here.", last_seen_seq=99)
    reader = door_on_both.program("conversations:read")
    [shown] = reader.all_pages("/conversations", customer_id=customer)
    assert (shown["owner"], shown["account_manager_id"]) == ("account_manager", anna.staff_id)
    path = f"/conversations/{conversation.conversation_id}/messages"
    page = reader.get(path, limit=2).json()
    assert [m["text"] for m in page["data"]] == ["hello", "Good morning."]
    rest = reader.get(path, after=page["next_after"]).json()
    assert [(m["kind"], m["text"], m["values"]) for m in rest["data"]] == [
        ("mark:joined", "", {"name": "Anna Berg"}),
        ("text", "Anna here.", {}),
    ]
    assert rest["next_after"] is None
    assert reader.get("/conversations/none/messages").status_code == 404


def test_what_changed_since_a_moment_is_found(door_on_both: Door) -> None:
    crm = door_on_both.crm
    clock: Any = crm.clock
    old = a_conversation(crm, a_customer(crm))
    a_message(crm, old)
    an_open_need(crm, old.customer_id or "")
    request_person(crm, old.conversation_id)
    noon = clock.advance(hours=2).isoformat()
    program = door_on_both.program()
    for path in ("/conversations", "/needs", "/escalations", "/offers"):
        assert program.all_pages(path, updated_since=noon) == []
    a_message(crm, old, "still here")
    assert len(program.all_pages("/conversations", updated_since=noon)) == 1
    assert len(program.all_pages("/needs", status="open")) == 1
    assert len(program.all_pages("/escalations", status="waiting")) == 1
    refused = program.get("/needs", updated_since="2026-03-11T10:00:00")
    assert refused.status_code == 422


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        ("orders:read", "/orders"),
        ("orders:read", "/returns/R-1"),
        ("customers:read", "/customers"),
        ("needs:read", "/needs"),
        ("conversations:read", "/conversations"),
        ("conversations:read", "/conversations/cnv_1/messages"),
        ("escalations:read", "/escalations"),
        ("offers:read", "/offers"),
    ],
)
def test_every_read_wants_its_own_scope(door: Door, scope: Any, path: str) -> None:
    assert door.program(scope).get(path).status_code in (200, 404)
    refused = door.program("value:read").get(path)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "scope_missing")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/orders"),
        ("POST", "/order-batches"),
        ("PATCH", "/orders/A-1"),
        ("POST", "/returns"),
        ("PATCH", "/returns/R-1"),
        ("PUT", "/customers/C-1"),
    ],
)
def test_who_may_not_write_learns_nothing_about_the_body(door: Door, method: str, path: str) -> None:
    reads = door.program("orders:read", "customers:read")
    assert reads.send(method, path, {"nonsense": True}).status_code == 403
    reads.key = "none"
    assert reads.send(method, path, {"nonsense": True}).status_code == 401


def test_an_imported_credit_is_shown_without_an_order(door: Door) -> None:
    reader = door.program("orders:read")
    credit = Return("R-9", None, a_customer(door.crm), OPEN_HOURS, "", 500, None, "EUR", "refunded", None)
    with door.crm.store.write() as tx:
        tx.orders.add_return(credit)
    assert [(row["return_id"], row["order_id"]) for row in reader.all_pages("/returns")] == [("R-9", None)]
