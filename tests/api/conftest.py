"""The API's door on one database or on both."""

from pathlib import Path

import pytest

from crmcore.crm import Crm
from tests.api.program import Door, the_door


@pytest.fixture
def door(crm: Crm, tmp_path: Path) -> Door:
    return the_door(crm, tmp_path)


@pytest.fixture
def door_on_both(crm_on_both: Crm, tmp_path: Path) -> Door:
    return the_door(crm_on_both, tmp_path)
