from collections.abc import Iterator

import pytest

from crmcore.crm import Crm
from tests.browser import browser, context, page
from tests.staff.office import Office, an_office
from tests.workspace.shop import Morning, a_morning

__all__ = ["browser", "context", "page"]


@pytest.fixture
def office(crm: Crm) -> Iterator[Office]:
    with an_office(crm) as office:
        office.hire("Ana")
        office.hire("Ben")
        yield office


@pytest.fixture
def morning(office: Office) -> Morning:
    return a_morning(office)
