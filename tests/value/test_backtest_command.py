"""``rapport value backtest``: a forecast of a past day beside what came."""

import csv
import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.value import app
from crmcore.crm import Crm
from crmcore.usecases.value_backtest import OutcomeUnknown, backtest_firm
from crmcore.value.summary import InvalidHistory
from tests.builders import Clock
from tests.value.shop import a_small_world, open_shop

HORIZON = 90


def test_it_says_what_was_chosen_how_it_did_and_writes_every_customer(crm: Crm, tmp_path: Path) -> None:
    open_shop(crm, customers=400)
    until = crm.firm.today(crm.clock()) - timedelta(days=HORIZON + 1)
    file = tmp_path / "predictions.csv"
    call = ["backtest", "--until", until.isoformat(), "--horizon", str(HORIZON)]
    ran = CliRunner().invoke(app, [*call, "--predictions", str(file), "--json"], obj=lambda: crm)
    assert ran.exit_code == 0, ran.output
    report = json.loads(ran.stdout)
    assert report["chosen"].startswith("Pareto/NBD")
    names = [measured["name"] for measured in report["accuracy"]]
    assert names[:3] == ["engine", "closed form", "past spend"]
    rows = list(csv.DictReader(file.open()))
    assert len(rows) == report["customers"] == sum(cell["customers"] for cell in report["by_decile"])
    foreseen = sum(float(row["expected_purchases"]) for row in rows)
    came = sum(int(row["actual_purchases"]) for row in rows)
    assert report["accuracy"][0]["purchases"]["total_error"] == pytest.approx(foreseen / came - 1)


def test_people_read_tables(crm: Crm) -> None:
    open_shop(crm, customers=400)
    until = crm.firm.today(crm.clock()) - timedelta(days=HORIZON + 1)
    ran = CliRunner().invoke(
        app, ["backtest", "--until", until.isoformat(), "--horizon", str(HORIZON)], obj=lambda: crm
    )
    assert ran.exit_code == 0, ran.output
    assert "chosen among 5 by how they did on earlier windows" in ran.output.replace("\n", " ")
    assert "gini of spend: engine less" in ran.output


def test_days_that_are_not_over_are_no_outcome(crm: Crm) -> None:
    today = crm.firm.today(crm.clock())
    latest = today - timedelta(days=HORIZON + 1)
    with pytest.raises(OutcomeUnknown, match=f"choose a day until {latest}"):
        backtest_firm(crm, today - timedelta(days=HORIZON), HORIZON)
    with pytest.raises(OutcomeUnknown, match="at least one day"):
        backtest_firm(crm, latest, 0)


def test_a_day_before_which_too_few_had_bought_is_named_as_a_date(crm: Crm) -> None:
    open_shop(crm, customers=150)
    with pytest.raises(InvalidHistory, match="Nobody had bought until 1999-12-31"):
        backtest_firm(crm, date(1999, 12, 31), 30)


def test_days_in_which_nobody_bought_are_refused(crm: Crm, clock: Clock) -> None:
    open_shop(crm, customers=150)
    until = crm.firm.today(crm.clock())
    clock.advance(days=40)
    with pytest.raises(OutcomeUnknown, match=f"bought in the 30 days after {until}"):
        backtest_firm(crm, until, 30)


def test_a_log_without_money_is_compared_by_purchases_alone(crm: Crm) -> None:
    until = a_small_world(crm, amount="0.00")
    call = ["backtest", "--until", until.isoformat(), "--horizon", "14"]
    ran = CliRunner().invoke(app, [*call, "--json"], obj=lambda: crm)
    assert "Infinity" not in ran.stdout
    assert {measured["spend"] for measured in json.loads(ran.stdout)["accuracy"]} == {None}
    assert "Spend" not in CliRunner().invoke(app, call, obj=lambda: crm).stdout
