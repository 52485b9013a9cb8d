"""Every worked customer of the method pages comes out as printed."""

import doctest
from pathlib import Path

import pytest

METHODS = Path(__file__).parents[2] / "docs" / "methods"
PAGES = (
    "purchase-summary",
    "bg-nbd",
    "gamma-gamma",
    "clv",
    "tiers",
    "intervals",
    "cost-to-serve",
    "strategic-value",
    "loyalty-groups",
    "buyer-types",
    "lifecycle",
    "nine-types",
    "relationship-levels",
    "dynamics",
)


@pytest.mark.parametrize("name", PAGES)
def test_the_worked_customer_of_the_page_comes_out(name: str) -> None:
    result = doctest.testfile(str(METHODS / f"{name}.md"), module_relative=False, encoding="utf-8")
    assert result.attempted >= 4
    assert result.failed == 0
