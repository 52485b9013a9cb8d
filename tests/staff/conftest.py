from collections.abc import Iterator

import pytest

from crmcore.crm import Crm
from tests.staff.office import Office, an_office


@pytest.fixture
def office(crm: Crm) -> Iterator[Office]:
    with an_office(crm) as office:
        office.hire("Ana")
        office.hire("Mara", "marketer")
        office.hire("Olu", "operator")
        yield office
