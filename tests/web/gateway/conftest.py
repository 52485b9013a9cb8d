"""A gateway for one test, on SQLite, with a scripted brain."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from crmcore.crm import Crm
from tests.web.gateway.chat import FakeBrain, Gateway, gateway


@pytest.fixture
def brain() -> FakeBrain:
    return FakeBrain()


@pytest.fixture
def chat(crm: Crm, brain: FakeBrain, tmp_path: Path) -> Iterator[Gateway]:
    with gateway(crm, tmp_path, brain) as running:
        yield running
