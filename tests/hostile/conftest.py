"""One running product with a real Rasa for everything that this folder throws at it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from bench.hostile.doors import RestChannel, Widget
from bench.hostile.state import Watch
from crmcore.hours import WEEKDAYS
from tests.live.product import ROOT, RunningProduct


@pytest.fixture(scope="session")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProduct]:
    """Its limits are wide open, so that a text is judged and never merely refused for coming too soon; and so
    is its firm, day and night, so that the clock on the wall decides nothing."""
    home: Path = tmp_path_factory.mktemp("attacked")
    yaml = YAML()
    firm = yaml.load(ROOT / "firm.yml")
    firm["opening_hours"] = {day: ["00:00-00:00"] for day in WEEKDAYS}
    yaml.dump(firm, home / "firm.yml")
    environment = {"RAPPORT_REQUEST_LIMIT_FACTOR": "1000", "RAPPORT_FIRM": str(home / "firm.yml")}
    product = RunningProduct(home, extra_environment=environment)
    product.start()
    yield product
    product.stop()


@pytest.fixture(scope="session")
def watch(attacked: RunningProduct) -> Watch:
    return Watch.over(f"sqlite:///{attacked.home}/rapport.db", f"http://127.0.0.1:{attacked.rasa_port}")


@pytest.fixture(scope="session")
def widget(attacked: RunningProduct) -> Widget:
    return Widget(attacked.url)


@pytest.fixture(scope="session")
def rest(attacked: RunningProduct) -> RestChannel:
    return RestChannel(attacked.url, attacked.api_key("chat"))
