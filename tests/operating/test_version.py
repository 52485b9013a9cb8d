"""The version that backups and figures tell is the one that the project is released under."""

import tomllib

from crmcore.version import VERSION
from tests.builders import ROOT


def test_the_product_tells_the_version_of_its_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == VERSION
