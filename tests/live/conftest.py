"""One running product for the live tests, which build on one another's home but not on its contents."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import browser  # noqa: F401 - a fixture
from tests.live.product import RunningProduct


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProduct]:
    home: Path = tmp_path_factory.mktemp("home")
    running = RunningProduct(home)
    running.start()
    yield running
    running.stop()
