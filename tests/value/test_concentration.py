"""A total that one customer carries, or very few, is called so wherever the total is shown."""

import json
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from cli.value import app
from crmcore.crm import Crm
from crmcore.usecases.value_score import score
from crmcore.value.concentration import check_concentration
from tests.value import cdnow
from tests.value.shop import add_order, open_shop

ONE, FEW = "one_customer_carries_the_total", "few_customers_carry_the_total"


def codes(amounts: list[float]) -> list[str]:
    return [found.code for found in check_concentration(np.array(amounts), "spend")]


@pytest.mark.parametrize(
    ("amounts", "said"),
    [
        ([11.2] + [1.0] * 99, [ONE]),  # 10.2 % of the total, and eleven equal shares.
        ([10.8] + [1.0] * 99, []),  # 9.8 %.
        ([1.0] * 10, []),  # A tenth each, which is an equal share.
        ([6.0] + [1.0] * 9, []),  # 40 %, four equal shares.
        ([10.0] + [1.0] * 9, [ONE]),
        ([120.0] * 9 + [1.0] * 991, [FEW]),  # Half of it with nine of a thousand.
        ([100.0] * 11 + [1.0] * 989, []),  # With eleven it takes more than one in a hundred.
        ([], []),
        ([0.0] * 50, []),
        ([-5.0] * 50, []),
        ([50.0] + [1.0] * 99 + [-40.0] * 3, [ONE]),
    ],
)
def test_the_borders_are_where_the_method_page_says(amounts: list[float], said: list[str]) -> None:
    assert codes(amounts) == said


def test_an_ordinary_shop_is_not_warned_of() -> None:
    """The public log, whose best tenth of customers spends half."""
    spent: dict[Any, float] = {}
    for customer, _, dollars in cdnow.orders():
        spent[customer] = spent.get(customer, 0.0) + dollars
    assert codes(list(spent.values())) == []


def shop_of_one(crm: Crm) -> None:
    """Three hundred customers, and one who orders for 20,000 every quarter."""
    open_shop(crm, 300)
    today = crm.firm.today(crm.clock())
    for quarter in range(8):
        add_order(crm, f"big-{quarter}", "c00007", today - timedelta(days=20 + 90 * quarter), "20000.00")


def run(crm: Crm, *arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), obj=lambda: crm)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_every_command_that_shows_a_total_says_who_carries_it(crm: Crm) -> None:
    shop_of_one(crm)
    for model in ("bgnbd", "gamma_gamma"):
        assert ONE in {
            d["code"] for d in json.loads(run(crm, "fit", "--model", model, "--json"))["diagnostics"]
        }
    in_words = run(crm, "fit")
    assert "Note: One of 300 customers holds" in in_words
    assert "of all spend" in in_words
    assert f"({ONE})" in run(crm, "score")
    report = json.loads(run(crm, "report", "--json"))
    of_hold_out = {d["code"]: d for d in report["hold_out"]["diagnostics"]}
    of_values = {d["message"] for d in report["values"]["diagnostics"] if d["code"] == ONE}
    assert "--leaves" in of_hold_out[ONE]["mend"]
    assert any("of all value" in message for message in of_values)
    assert any("of all spend" in message for message in of_values)


def test_it_keeps_no_values_from_being_published(crm: Crm) -> None:
    shop_of_one(crm)
    assert score(crm).run.published
