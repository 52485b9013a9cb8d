"""Every worked customer of the method pages comes out as printed."""

import doctest
from pathlib import Path

import pytest

import crmcore.value

METHODS = Path(__file__).parents[2] / "docs" / "methods"
PAGES = (
    "bg-nbd",
    "buyer-types",
    "clv",
    "concentration",
    "cost-to-serve",
    "dynamics",
    "gamma-gamma",
    "intervals",
    "lifecycle",
    "loyalty-groups",
    "mbg-nbd",
    "nine-types",
    "pareto-nbd",
    "plain-retention",
    "purchase-summary",
    "relationship-levels",
    "report",
    "shifted-beta-geometric",
    "strategic-value",
    "tiers",
    "value-library",
)


@pytest.mark.parametrize("name", PAGES)
def test_the_worked_customer_of_the_page_comes_out(name: str) -> None:
    result = doctest.testfile(str(METHODS / f"{name}.md"), module_relative=False, encoding="utf-8")
    assert result.attempted >= 4
    assert result.failed == 0


def test_the_example_of_the_package_comes_out() -> None:
    result = doctest.testmod(crmcore.value)
    assert result.attempted >= 4
    assert result.failed == 0
