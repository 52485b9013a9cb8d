from collections.abc import Iterator

import pytest

from crmcore.crm import Crm
from tests.browser import browser, context, page
from tests.console.market import a_market
from tests.staff.office import Office, an_office

__all__ = ["browser", "context", "page"]


@pytest.fixture
def empty_office(crm: Crm) -> Iterator[Office]:
    with an_office(crm) as office:
        office.hire("Mara", "marketer")
        office.hire("Olu", "operator")
        yield office


@pytest.fixture
def office(empty_office: Office) -> Office:
    a_market(empty_office)
    return empty_office
