"""Builds a firm with staff: an app of its own with the staff's pages, and browser-like clients."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, cast
from unittest.mock import patch

from argon2 import PasswordHasher
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from fastapi.testclient import TestClient

from crmcore.crm import Crm
from crmcore.staff import Role, StaffMember
from crmcore.usecases import staff as use_cases
from crmcore.usecases.staff import add_staff
from tests.builders import ROOT, Clock
from web.errors import install_error_answers
from web.live import Live
from web.security import SecurityHeaders
from web.staff.mount import mount_staff

PASSWORD = "violet kettle harbour"


class NoAssistant:
    """Stands where the runner of the assistant's turns stands; nobody answers for it here."""

    def __init__(self) -> None:
        self.woken: list[str] = []

    def wake(self, conversation_id: str) -> None:
        self.woken.append(conversation_id)


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
def an_office(crm: Crm) -> Iterator[Office]:
    """The staff's pages over this installation. Hashing is made cheap; one test checks the real cost."""
    live = Live(crm)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with live.running():
            yield

    app = FastAPI(lifespan=lifespan)
    app.state.crm = crm
    app.state.live = live
    app.state.turns = NoAssistant()
    mount_staff(app)
    app.mount("/static", StaticFiles(directory=ROOT / "web" / "static"))
    install_error_answers(app)
    app.add_middleware(SecurityHeaders, embedding_origins=())
    use_cases._nobodys_hash.cache_clear()
    with patch.object(use_cases, "_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)):
        yield Office(crm, app, cast(Clock, crm.clock))
    use_cases._nobodys_hash.cache_clear()
