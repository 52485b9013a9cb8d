"""A gateway for one test, on SQLite, with a scripted brain."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from crmcore.crm import Crm
from crmcore.store.database import Store
from tests.builders import a_crm
from tests.web.gateway.chat import FakeBrain, Gateway, gateway
from web.gateway.limits import Buckets, Limits


@pytest.fixture
def brain() -> FakeBrain:
    return FakeBrain()


@pytest.fixture
def chat(crm: Crm, brain: FakeBrain, tmp_path: Path) -> Iterator[Gateway]:
    with gateway(crm, tmp_path, brain) as running:
        yield running


@pytest.fixture(scope="module")
def shared(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One gateway for all tests of a file that only knock at its door."""
    home = tmp_path_factory.mktemp("shared")
    shutil.copy(migrated_sqlite, home / "rapport.db")
    store = Store(f"sqlite:///{home / 'rapport.db'}")
    many = Limits(sessions=Buckets(1000, 100), writes=Buckets(1000, 100))
    with gateway(a_crm(store), home, limits=many) as running:
        yield running
    store.dispose()
