"""Another program that calls the API: the shop's server, a CRM."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from crmcore.api_keys import SCOPES, Scope
from crmcore.crm import Crm
from crmcore.usecases.api_keys import create_key
from tests.builders import number
from tests.web.gateway.chat import FakeBrain, some_settings
from web.app import create_app
from web.gateway.limits import Limits
from web.live import Live

AN_ORDER = {
    "order_id": "A-1001",
    "customer_id": "C-17",
    "ordered_at": "2026-03-10T10:00:00+01:00",
    "amount": "129.90",
    "currency": "EUR",
    "items": [{"product": "oak-shelf", "quantity": 2, "amount": "129.90"}],
}
A_RETURN = {
    "return_id": "R-1",
    "order_id": "A-1001",
    "requested_at": "2026-03-11T09:00:00Z",
    "amount": "29.90",
    "currency": "EUR",
}


@dataclass
class Door:
    """The API of one installation, without a network between."""

    crm: Crm
    client: TestClient

    def program(self, *scopes: Scope) -> "Program":
        """A program with a new key; every scope unless some are named."""
        return Program(self.client, create_key(self.crm, f"program {number()}", scopes or SCOPES).text)


@dataclass
class Program:
    client: TestClient
    key: str

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The answer; ``path`` begins below ``/api/v1``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.request(
            method, f"/api/v1{path}", json=body, headers={"Authorization": f"Bearer {self.key}", **named}
        )

    def get(self, path: str, **parameters: Any) -> Any:
        return self.client.get(
            f"/api/v1{path}", params=parameters, headers={"Authorization": f"Bearer {self.key}"}
        )

    def knows_customer(self, customer_id: str = "C-17", **says: Any) -> None:
        answer = self.send("PUT", f"/customers/{customer_id}", {"name": "Ada Lovelace", **says})
        assert answer.status_code in (200, 201), answer.text

    def tells_of_order(self, **changes: Any) -> Any:
        answer = self.send("POST", "/orders", AN_ORDER | changes)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def all_pages(self, path: str, **parameters: Any) -> list[dict[str, Any]]:
        """Every row of a list, page after page."""
        rows: list[dict[str, Any]] = []
        while True:
            answer = self.get(path, **parameters)
            assert answer.status_code == 200, answer.text
            rows += answer.json()["data"]
            parameters["cursor"] = answer.json()["next_cursor"]
            if parameters["cursor"] is None:
                return rows


def the_door(crm: Crm, home: Path, limits: Limits | None = None) -> Door:
    app = create_app(crm, FakeBrain(), Live(crm), some_settings(home), limits=limits or Limits.times(1e6))
    return Door(crm, TestClient(app, raise_server_exceptions=False))
