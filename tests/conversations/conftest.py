"""The running product, of a firm that is closed today so that the clock on the wall decides nothing."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from ruamel.yaml import YAML

from tests.conversations.script import ROOT
from tests.live.product import RunningProduct


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProduct]:
    home = tmp_path_factory.mktemp("home")
    yaml = YAML()
    firm = yaml.load(ROOT / "firm.yml")
    after_tomorrow = datetime.now(ZoneInfo(firm["time_zone"])) + timedelta(days=2)
    firm["opening_hours"] = {after_tomorrow.strftime("%A").lower(): ["09:00-18:00"]}
    yaml.dump(firm, home / "firm.yml")
    running = RunningProduct(home, extra_environment={"RAPPORT_FIRM": str(home / "firm.yml")})
    running.start()
    yield running
    running.stop()
