"""The edge of the API: sizes, types, rates, methods, and its description."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from crmcore.crm import Crm
from crmcore.errors import StoreUnavailable
from tests.api.program import AN_ORDER, Door, the_door
from web.gateway.limits import MAX_API_BODY, Buckets, Limits


def test_a_body_that_is_no_json_is_refused_before_it_is_read(door: Door) -> None:
    shop = door.program()
    headers = {"Authorization": f"Bearer {shop.key}"}

    def post(content: bytes, kind: str) -> int:
        answer = door.client.post("/api/v1/orders", content=content, headers=headers | {"Content-Type": kind})
        assert set(answer.json()["error"]) == {"code", "message"}
        return answer.status_code

    assert post(b"a=b", "application/x-www-form-urlencoded") == 415
    assert post(b"{}", "text/plain") == 415
    assert post(b"{", "application/json") == 422
    assert post(b"\xff", "application/json") == 400
    assert post(b"{}", "application/json; charset=utf-8") == 422


def test_a_large_batch_fits_and_a_larger_body_is_refused(door: Door) -> None:
    shop = door.program()
    shop.knows_customer()
    items = [{"product": "p" * 50, "quantity": 1, "amount": "1.00"}] * 40
    batch = [AN_ORDER | {"order_id": f"A-{n}", "items": items} for n in range(50)]
    assert shop.send("POST", "/order-batches", {"orders": batch}).status_code == 200
    refused = shop.send("POST", "/orders", AN_ORDER | {"tracking": "x" * MAX_API_BODY})
    assert (refused.status_code, refused.json()["error"]["code"]) == (413, "too_large")
    too_many = shop.send("POST", "/order-batches", {"orders": [AN_ORDER] * 51})
    assert too_many.status_code == 422


def test_a_key_that_asks_too_often_is_told_when_to_go_on(crm: Crm, tmp_path: Path) -> None:
    door = the_door(crm, tmp_path, Limits(keys=Buckets(2, 0.5)))
    shop, other = door.program(), door.program()
    assert [shop.get("/orders").status_code for _ in range(3)] == [200, 200, 429]
    assert int(shop.get("/orders").headers["Retry-After"]) in (1, 2)
    assert other.get("/orders").status_code == 200


def test_a_wrong_method_is_told_the_right_ones(door: Door) -> None:
    shop = door.program()
    for path, methods in (
        ("/orders", "GET, POST"),
        ("/orders/A-1", "GET, PATCH"),
        ("/customers/C", "GET, PUT"),
    ):
        refused = shop.send("DELETE", path)
        assert (refused.status_code, refused.headers["Allow"]) == (405, methods)
        assert refused.json()["error"]["code"] == "method_not_allowed"


def test_an_address_that_there_is_not_has_the_same_shape(door: Door) -> None:
    refused = door.program().get("/nothing")
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "not_found")


def test_a_database_that_is_gone_is_no_fault_of_the_program(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = door.program()

    def gone() -> Any:
        raise StoreUnavailable("db.internal refused user rapport")

    monkeypatch.setattr(door.crm.store, "read", gone)
    refused = shop.get("/orders")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "3")
    assert "db.internal" not in refused.text


def test_the_description_names_every_operation_once_with_its_scope_and_answers(door: Door) -> None:
    described = door.client.get("/api/v1/openapi.json").json()
    operations = [
        (path, method, said)
        for path, methods in described["paths"].items()
        for method, said in methods.items()
    ]
    assert len(operations) >= 17
    assert set(Counter(said["operationId"] for _, _, said in operations).values()) == {1}
    for path, method, said in operations:
        statuses = set(said["responses"])
        assert statuses >= {"401", "403", "405", "422", "429", "503"}, path
        assert said["security"] == [{"key": []}]
        assert said["x-scope"]
        if "{" in path:
            assert "404" in statuses, path
        if method in ("post", "patch", "put"):
            assert statuses >= {"400", "408", "409", "413", "415"}, path
        for status in statuses - {"200", "201"}:
            schema = said["responses"][status]["content"]["application/json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/Error"}
    assert described["components"]["schemas"]["Currency"]["enum"] == ["EUR"]
    assert described["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
