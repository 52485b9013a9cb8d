"""Orders and returns that other programs tell of: stored once, never overwritten, checked before."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crmcore.crm import Crm
from crmcore.idempotency import Claim
from crmcore.intake import OrderChange
from crmcore.orders import Item, Order
from crmcore.usecases.api_keys import create_key
from crmcore.usecases.intake import change_order, record_orders
from crmcore.usecases.listings import order as read_order
from crmcore.usecases.orders import cancel_order, request_return
from crmcore.usecases.value_score import score
from tests.api.program import A_RETURN, AN_ORDER, Door, the_door
from tests.builders import a_conversation, a_turn
from tests.concurrency import at_once
from tests.value.shop import open_shop

RACERS = 64


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_an_order_is_stored_and_read_back_in_utc_with_its_money_as_text(door_on_both: Door) -> None:
    shop = door_on_both.program()
    shop.knows_customer()
    told = shop.tells_of_order(margin="40.00")
    assert told["ordered_at"] == "2026-03-10T09:00:00Z"
    assert (told["amount"], told["margin"], told["currency"]) == ("129.90", "40.00", "EUR")
    assert shop.get("/orders/A-1001").json() == told
    assert door_on_both.crm.store is not None
    with door_on_both.crm.store.read() as tx:
        stored = tx.orders.get("A-1001")
    assert stored is not None
    assert (stored.amount_minor, stored.margin_minor) == (12990, 4000)


def test_an_order_of_somebody_unknown_is_refused_until_he_is_told_of(door: Door) -> None:
    shop = door.program()
    assert code(shop.send("POST", "/orders", AN_ORDER)) == (404, "unknown_customer")
    shop.knows_customer()
    assert shop.send("POST", "/orders", AN_ORDER).status_code == 201


def test_the_same_order_again_changes_nothing_and_another_under_its_number_is_refused(door: Door) -> None:
    shop = door.program()
    shop.knows_customer()
    first = shop.tells_of_order()
    again = shop.send("POST", "/orders", AN_ORDER | {"ordered_at": "2026-03-10T09:00:00Z"})
    assert (again.status_code, again.json()) == (200, first)
    for change in (
        {"amount": "130.00"},
        {"items": []},
        {"margin": "1.00"},
        {"ordered_at": "2026-03-10T09:00:01Z"},
    ):
        refused = shop.send("POST", "/orders", AN_ORDER | change)
        assert code(refused) == (409, "order_differs")
        assert next(iter(change)) in refused.json()["error"]["message"]


def test_the_same_order_sent_64_times_at_once_is_one_order(door_on_both: Door) -> None:
    shop = door_on_both.program()
    shop.knows_customer()

    def tell(_: int) -> int:
        return int(shop.send("POST", "/orders", AN_ORDER, Idempotency_Key="one").status_code)

    with ThreadPoolExecutor(RACERS) as pool:
        statuses = list(pool.map(tell, range(RACERS)))
    assert sorted(statuses) == [200] * (RACERS - 1) + [201]
    assert len(shop.all_pages("/orders")) == 1


def test_one_idempotency_key_is_good_for_one_request(door_on_both: Door) -> None:
    shop = door_on_both.program()
    shop.knows_customer()
    first = shop.send("POST", "/orders", AN_ORDER, Idempotency_Key="k")
    assert first.status_code == 201
    assert shop.send("POST", "/orders", AN_ORDER, Idempotency_Key="k").status_code == 200
    other = AN_ORDER | {"order_id": "A-1002"}
    assert code(shop.send("POST", "/orders", other, Idempotency_Key="k")) == (409, "idempotency_key_reused")
    batch = shop.send("POST", "/order-batches", {"orders": [AN_ORDER]}, Idempotency_Key="k")
    assert code(batch) == (409, "idempotency_key_reused")
    assert [row["order_id"] for row in shop.all_pages("/orders")] == ["A-1001"]


def test_a_refused_request_leaves_its_idempotency_key_free(door: Door) -> None:
    shop = door.program()
    assert shop.send("POST", "/orders", AN_ORDER, Idempotency_Key="k").status_code == 404
    shop.knows_customer()
    assert shop.send("POST", "/orders", AN_ORDER | {"paid": False}, Idempotency_Key="k").status_code == 201


def test_two_programs_may_use_the_same_idempotency_key(door_on_both: Door) -> None:
    shop, till = door_on_both.program(), door_on_both.program()
    shop.knows_customer()
    assert shop.send("POST", "/orders", AN_ORDER, Idempotency_Key="k").status_code == 201
    other = AN_ORDER | {"order_id": "A-1002"}
    assert till.send("POST", "/orders", other, Idempotency_Key="k").status_code == 201


def test_of_racers_with_one_idempotency_key_and_different_orders_one_wins(door_on_both: Door) -> None:
    crm = door_on_both.crm
    door_on_both.program().knows_customer()
    key = create_key(crm, "the shop", ["orders:write"]).key

    def an_order(number: int) -> Order:
        return Order(
            f"A-{number}", "C-17", datetime(2026, 3, 1, tzinfo=UTC), 1000, None, "EUR",
            "placed", None, None, None, (Item("oak-shelf", 1, 1000),), True,
        )  # fmt: skip

    calls = [
        lambda n=n: record_orders(crm, [an_order(n)], Claim(key.key_id, "k" * 64, f"{n:064d}"))
        for n in range(8)
    ]
    results = at_once(*calls)
    assert sum(isinstance(result, list) for result in results) == 1
    with crm.store.read() as tx:
        assert len(tx.orders.of_customer("C-17")) == 1


def test_a_batch_is_stored_as_a_whole_or_not_at_all(door_on_both: Door) -> None:
    shop = door_on_both.program()
    shop.knows_customer()
    wrong = [AN_ORDER, AN_ORDER | {"order_id": "A-1002", "customer_id": "nobody"}]
    assert code(shop.send("POST", "/order-batches", {"orders": wrong})) == (404, "unknown_customer")
    assert shop.all_pages("/orders") == []
    right = [AN_ORDER, AN_ORDER | {"order_id": "A-1002"}, AN_ORDER]
    told = shop.send("POST", "/order-batches", {"orders": right})
    assert told.status_code == 200
    assert [order["order_id"] for order in told.json()["orders"]] == ["A-1001", "A-1002", "A-1001"]
    assert len(shop.all_pages("/orders")) == 2


def test_an_order_goes_forward_only(door: Door) -> None:
    shop = door.program()
    shop.knows_customer()
    shop.tells_of_order()
    shipped = shop.send("PATCH", "/orders/A-1001", {"status": "shipped", "tracking": "T1"}).json()
    assert (shipped["status"], shipped["tracking"]) == ("shipped", "T1")
    delivered = shop.send("PATCH", "/orders/A-1001", {"status": "delivered"}).json()
    assert (delivered["delivered_on"], delivered["tracking"]) == ("2026-03-11", "T1")
    assert shop.send("PATCH", "/orders/A-1001", {"status": "delivered"}).json() == delivered
    for status in ("placed", "shipped", "cancelled"):
        assert code(shop.send("PATCH", "/orders/A-1001", {"status": status})) == (409, "illegal_status")
    assert code(shop.send("PATCH", "/orders/none", {"status": "shipped"})) == (404, "unknown_order")


def test_the_shop_and_the_customer_cannot_both_have_their_way_with_an_order(door_on_both: Door) -> None:
    crm = door_on_both.crm
    shop = door_on_both.program()
    shop.knows_customer()
    for number in range(5):
        order_id = f"A-{number}"
        shop.tells_of_order(order_id=order_id)
        turn = a_turn(crm, a_conversation(crm, "C-17"))
        ended = at_once(
            lambda turn=turn, order_id=order_id: cancel_order(crm, turn, order_id),
            lambda order_id=order_id: change_order(crm, order_id, OrderChange("shipped")),
        )
        assert sum(not isinstance(result, Exception) for result in ended) <= 2
        if not isinstance(ended[0], Exception):  # What the customer was told stays true.
            assert read_order(crm, order_id).status == "cancelled"
        else:
            assert read_order(crm, order_id).status == "shipped"


def test_a_return_takes_its_part_of_the_margin_and_no_more_than_was_bought(door: Door) -> None:
    shop = door.program()
    shop.knows_customer()
    shop.tells_of_order(margin="40.00")
    booked = shop.send("POST", "/returns", A_RETURN)
    assert booked.status_code == 201
    assert (booked.json()["margin"], booked.json()["customer_id"]) == ("9.21", "C-17")
    assert shop.send("POST", "/returns", A_RETURN).status_code == 200
    assert code(shop.send("POST", "/returns", A_RETURN | {"amount": "1.00"})) == (409, "return_differs")
    rest = A_RETURN | {"return_id": "R-2", "amount": "100.01"}
    assert code(shop.send("POST", "/returns", rest)) == (409, "return_exceeds_order")
    assert shop.send("POST", "/returns", rest | {"amount": "100.00"}).status_code == 201
    assert code(shop.send("POST", "/returns", A_RETURN | {"order_id": "none"})) == (404, "unknown_order")


def test_a_refused_return_frees_what_it_had_taken(door: Door) -> None:
    shop = door.program()
    shop.knows_customer()
    shop.tells_of_order()
    whole = A_RETURN | {"amount": "129.90"}
    assert shop.send("POST", "/returns", whole).status_code == 201
    assert shop.send("PATCH", "/returns/R-1", {"status": "refused"}).json()["status"] == "refused"
    assert shop.send("POST", "/returns", whole | {"return_id": "R-2"}).status_code == 201
    assert code(shop.send("PATCH", "/returns/R-1", {"status": "refunded"})) == (409, "illegal_status")
    assert code(shop.send("PATCH", "/returns/none", {"status": "refunded"})) == (404, "unknown_return")


def test_nothing_comes_back_of_a_cancelled_order(door: Door) -> None:
    shop = door.program()
    shop.knows_customer()
    shop.tells_of_order(status="cancelled")
    assert code(shop.send("POST", "/returns", A_RETURN)) == (409, "return_of_cancelled")


def test_a_return_that_the_assistant_booked_is_the_shops_to_settle(door: Door) -> None:
    crm = door.crm
    shop = door.program()
    shop.knows_customer()
    shop.tells_of_order(status="delivered", delivered_on="2026-03-09")
    request_return(crm, a_turn(crm, a_conversation(crm, "C-17")), "A-1001", "hums")
    [booked] = shop.all_pages("/returns", order_id="A-1001")
    refunded = shop.send("PATCH", f"/returns/{booked['return_id']}", {"status": "refunded"})
    assert refunded.json()["status"] == "refunded"


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": 129.9},
        {"amount": "129.901"},
        {"amount": "-1.00"},
        {"amount": "1e3"},
        {"currency": "USD"},
        {"ordered_at": "2026-03-10T10:00:00"},
        {"ordered_at": "10/03/2026"},
        {"ordered_at": 1773133200},
        {"order_id": ""},
        {"order_id": "a/b"},
        {"order_id": "x" * 65},
        {"order_id": "a\x00b"},
        {"customer_id": 17},
        {"status": "lost"},
        {"paid": "yes"},
        {"items": [{"product": "oak-shelf", "quantity": 0, "amount": "1.00"}]},
        {"items": [{"product": "oak-shelf", "quantity": 1.5, "amount": "1.00"}]},
        {"expected_on": "2026-02-30"},
        {"surprise": True},
    ],
    ids=str,
)
def test_a_body_that_breaks_a_rule_is_refused_with_the_field_and_without_its_value(
    door: Door, wrong: dict[str, Any]
) -> None:
    shop = door.program()
    shop.knows_customer()
    refused = shop.send("POST", "/orders", AN_ORDER | wrong)
    assert refused.status_code == 422
    assert shop.all_pages("/orders") == []


@pytest.mark.parametrize(
    "moment", ["2026-03-13T10:00:00Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00"]
)
def test_an_order_of_the_future_or_of_long_ago_is_refused(door: Door, moment: str) -> None:
    shop = door.program()
    shop.knows_customer()
    refused = shop.send("POST", "/orders", AN_ORDER | {"ordered_at": moment})
    assert code(refused) == (409, "moment_out_of_range")


def test_a_customers_value_follows_his_order_his_return_and_a_cancellation_at_once(
    crm_on_both: Crm, tmp_path: Path
) -> None:
    ids = open_shop(crm_on_both, 120)
    score(crm_on_both)
    shop = the_door(crm_on_both, tmp_path).program()
    buyer = ids[0]

    def value() -> tuple[str, int]:
        card = shop.get(f"/customers/{buyer}").json()["value"]
        return card["clv"], card["expected_purchases"]

    seen = [value()]
    shop.tells_of_order(customer_id=buyer, amount="900.00")
    seen.append(value())
    assert shop.send("POST", "/returns", A_RETURN | {"amount": "400.00"}).status_code == 201
    seen.append(value())
    assert shop.send("PATCH", "/orders/A-1001", {"status": "cancelled"}).status_code == 200
    seen.append(value())
    assert len(set(seen)) == 4, seen
