"""``rapport value fit``, as a marketer's analyst types it, on the published CDNOW log in the store."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import typer
from sqlalchemy import insert
from typer.testing import CliRunner

from cli import value
from crmcore.crm import Crm
from crmcore.errors import CrmError
from crmcore.orders import Contract
from crmcore.store import schema
from crmcore.store.database import raw_connection
from tests.value import cdnow
from tests.value.shop import add_customers, open_shop, order_row


def run(crm: Crm, *arguments: str) -> Any:
    app = typer.Typer()

    @app.callback()
    def _installation(context: typer.Context) -> None:
        context.obj = lambda: crm

    app.add_typer(value.app, name="value")
    result = CliRunner().invoke(app, ["value", "fit", *arguments])
    if isinstance(result.exception, CrmError):
        raise result.exception
    return result


def fit(crm: Crm, *arguments: str) -> dict[str, Any]:
    result = run(crm, *arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.fixture
def cdnow_crm(crm: Crm) -> Crm:
    log = cdnow.orders()
    add_customers(crm, sorted({customer for customer, _, _ in log}))
    rows = [
        order_row(crm, f"o{number}", customer, day, Decimal(str(dollars)))
        for number, (customer, day, dollars) in enumerate(log)
    ]
    with raw_connection(crm.store) as connection:
        connection.execute(insert(schema.orders), rows)
        connection.commit()
    return crm


def test_the_published_models_come_out_of_the_store(cdnow_crm: Crm) -> None:
    """In weeks, as the papers print them, half a unit of the last digit; the hold-out is not seen."""
    until = ("--until", "1997-09-30", "--time-unit", "week")
    bgnbd = fit(cdnow_crm, *until, "--model", "bgnbd")
    assert bgnbd["parameters"] == pytest.approx(
        {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}, abs=5e-4
    )
    assert bgnbd["log_likelihood"] == pytest.approx(-9582.4, abs=0.05)
    assert bgnbd["diagnostics"] == []
    assert bgnbd["customers"] == 2357
    assert bgnbd["standard_errors"]["r"] == pytest.approx(0.0126, abs=5e-5)

    pareto = fit(cdnow_crm, *until, "--model", "pareto_nbd")
    published = {"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669}
    assert pareto["parameters"] == pytest.approx(published, abs=5e-4)

    spend = fit(cdnow_crm, *until, "--model", "gamma_gamma")
    assert spend["parameters"] == pytest.approx({"p": 6.25, "q": 3.74, "v": 15.44}, abs=5e-3)
    assert [d["code"] for d in spend["diagnostics"]] == ["spend_depends_on_frequency"]


def test_days_are_the_unit_unless_weeks_are_asked_for(cdnow_crm: Crm) -> None:
    days = fit(cdnow_crm, "--until", "1997-09-30", "--model", "mbgnbd")
    weeks = fit(cdnow_crm, "--until", "1997-09-30", "--model", "mbgnbd", "--time-unit", "week")
    assert (days["time_unit"], weeks["time_unit"]) == ("day", "week")
    assert days["parameters"]["alpha"] == pytest.approx(7 * weeks["parameters"]["alpha"], rel=1e-7)
    assert days["parameters"]["a"] == pytest.approx(weeks["parameters"]["a"], rel=1e-7)


def test_it_is_readable_without_json(cdnow_crm: Crm) -> None:
    result = run(cdnow_crm, "--until", "1997-09-30", "--model", "gamma_gamma")
    assert result.exit_code == 0
    assert "Note: Spend goes with frequency" in result.output
    assert "946 of 2357 customers say something" in result.output


def test_contracts_are_fitted_by_years(crm: Crm) -> None:
    """A hundred memberships of 2020; in every year until 2025 one in five of those who are left leave."""
    add_customers(crm, ["club"])
    left = {year: 80 * 4 ** (year - 2020) // 5 ** (year - 2020) for year in range(2020, 2026)}
    contracts, ended = [], []
    for number in range(100):
        year = next((y for y in range(2021, 2026) if number >= left[y]), None)
        ends = None if year is None else date(year, 3, 1)
        contracts.append(_membership(number, ends))
        ended.append(ends)
    with crm.store.write() as tx:
        for contract in contracts:
            tx.orders.add_contract(contract)
    found = fit(crm, "--until", "2025-12-31", "--model", "sbg")
    assert set(found["parameters"]) == {"alpha", "beta"}
    assert found["customers"] == 100
    assert found["time_unit"] == "year"  # Contracts renew by the year, whatever unit orders are asked in.
    in_words = run(crm, "--until", "2025-12-31", "--model", "sbg").output
    assert "in years: log-likelihood" in in_words
    assert "100 of 100 contracts say something" in in_words
    assert found["informative"] == 100
    mean = found["parameters"]["alpha"] / sum(found["parameters"].values())
    assert 0.15 < mean < 0.35


def _membership(number: int, ends_on: date | None) -> Contract:
    return Contract(
        contract_id=f"k{number}",
        customer_id="club",
        product="club",
        started_on=date(2020, 3, 1),
        renews_on=None,
        fee_minor=1000,
        currency="EUR",
        cancelled_at=None if ends_on is None else datetime(ends_on.year, 1, 5, tzinfo=UTC),
        ends_on=ends_on,
    )


def test_an_empty_book_is_refused_with_what_to_do(crm: Crm) -> None:
    with pytest.raises(CrmError, match="load orders"):
        run(crm, "--model", "bgnbd")
    with pytest.raises(CrmError, match="come up for renewal"):
        run(crm, "--model", "sbg")


def test_a_fit_that_may_not_be_used_ends_with_status_1_and_is_shown_all_the_same(crm: Crm) -> None:
    """Of five customers nothing can be learnt; a script that only looks at the status must know."""
    open_shop(crm, 5)
    in_words = run(crm)
    assert in_words.exit_code == 1
    assert "Not usable:" in in_words.output
    assert "bg-nbd until" in in_words.output
    as_json = run(crm, "--json")
    assert as_json.exit_code == 1
    found = json.loads(as_json.stdout)
    assert {"parameters", "standard_errors", "log_likelihood", "diagnostics"} <= set(found)
    assert any(d["blocking"] for d in found["diagnostics"])
