"""Builds a firm with staff: a database of its own, a clock to move, a browser-like client."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

from argon2 import PasswordHasher
from fastapi import FastAPI
from fastapi.testclient import TestClient

from crmcore.crm import Crm
from crmcore.staff import Role, StaffMember
from crmcore.store.database import Store, raw_connection
from crmcore.store.schema import metadata
from crmcore.usecases import staff as use_cases
from crmcore.usecases.staff import add_staff
from web.security import SecurityHeaders
from web.staff.mount import mount_staff

PASSWORD = "violet kettle harbour"
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass
class Clock:
    now: datetime = MONDAY

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass
class Office:
    """``office.hire("Ana")`` and then ``office.browser_of("Ana")``."""

    crm: Crm
    app: FastAPI
    clock: Clock
    members: dict[str, StaffMember] = field(default_factory=dict)

    def hire(self, name: str, role: Role = "account_manager") -> StaffMember:
        email = f"{name.lower()}@example.com"
        member = add_staff(self.crm, name, email, role, PASSWORD, staff_id=f"staff_{name.lower()}")
        self.members[name] = member
        return member

    def browser(self) -> TestClient:
        return TestClient(self.app, follow_redirects=False)

    def browser_of(self, name: str) -> TestClient:
        """A browser in which this person has signed in, and that shows the CSRF token as our pages do."""
        client = self.browser()
        answer = sign_in(client, self.members[name].email)
        assert answer.status_code == 303, answer.text
        page = client.get(answer.headers["location"], headers={"Accept": "text/html"})
        found = re.search(r'name="csrf-token" content="([^"]+)"', page.text)
        assert found, page.text
        client.headers["X-CSRF-Token"] = found[1]
        return client


def sign_in(client: TestClient, email: str, password: str = PASSWORD, **form: str) -> Any:
    return client.post("/sign-in", data={"email": email, "password": password, **form})


@contextmanager
def an_office(directory: Path) -> Iterator[Office]:
    store = Store(f"sqlite:///{directory / 'office.db'}")
    with raw_connection(store) as connection:
        metadata.create_all(connection)
        connection.commit()
    clock = Clock()
    crm = Crm(store, _firm(), cast(Any, None), b"0" * 32, clock)
    app = FastAPI()
    app.state.crm = crm
    mount_staff(app)
    app.add_middleware(SecurityHeaders, embedding_origins=())
    use_cases._nobodys_hash.cache_clear()
    with patch.object(use_cases, "_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)):
        yield Office(crm, app, clock)
    use_cases._nobodys_hash.cache_clear()
    store.dispose()


def _firm() -> Any:
    return SimpleNamespace(name="Meridian Music")
