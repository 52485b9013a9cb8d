"""``rapport score``, as an operator types it."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
import typer
from typer.testing import CliRunner

from cli.score import score_command
from crmcore.crm import Crm
from crmcore.usecases.observation import DayInTheFuture
from crmcore.usecases.value_fit import fit_model
from crmcore.usecases.value_score import score
from tests.value.shop import open_shop


def run(crm: Crm, *arguments: str) -> tuple[int, str]:
    app = typer.Typer()

    @app.callback()
    def _installation(context: typer.Context) -> None:
        context.obj = lambda: crm

    app.command("score")(score_command)
    result = CliRunner().invoke(app, ["score", *arguments])
    return result.exit_code, result.output


def test_it_says_how_many_have_each_tier_and_what_they_are_worth(crm: Crm) -> None:
    open_shop(crm)
    status, output = run(crm)
    assert status == 0
    assert "MVC" in output
    assert "600 customers are worth €" in output
    assert "bg-nbd/2" in output


def test_json_is_one_object_with_parameters_and_tiers(crm: Crm) -> None:
    open_shop(crm)
    status, output = run(crm, "--json")
    found = json.loads(output)
    assert status == 0
    assert found["published"]
    assert sum(found["tiers"].values()) == found["customers"] == 600
    assert {"purchases", "spend", "costs", "borders", "policy", "terms"} <= set(found["parameters"])


def test_json_has_every_tier_also_where_nobody_is(crm: Crm) -> None:
    """A script that reads a tier by name must not break on the day when nobody has it."""
    open_shop(crm)
    policy = crm.firm.tiers.model_copy(update={"mgc_share": 0.0, "bz_probability": 1.0})
    without = replace(crm, firm=crm.firm.model_copy(update={"tiers": policy}))
    tiers = json.loads(run(without, "--json")[1])["tiers"]
    assert list(tiers) == ["MVC", "MGC", "core", "BZ"]
    assert (tiers["MGC"], tiers["BZ"]) == (0, 0)
    early = crm.firm.today(crm.clock()) - timedelta(days=730)
    refused = json.loads(run(crm, "--json", "--as-of", early.isoformat())[1])
    assert set(refused["tiers"].values()) == {0}


def test_a_scoring_of_a_past_day_says_who_is_valued_until_today_all_the_same(crm: Crm) -> None:
    """Whose value knew later days: else a look back would pass for the values of that day."""
    open_shop(crm)
    assert "valued until today" not in run(crm)[1]
    past = (crm.firm.today(crm.clock()) - timedelta(days=200)).isoformat()
    status, output = run(crm, "--as-of", past)
    assert status == 0
    assert "600 of them had a value of a later day, or news since, and are valued until today" in output
    assert json.loads(run(crm, "--as-of", past, "--json")[1])["until_today"] == 600


def test_an_unusable_fit_says_so_and_that_the_earlier_values_stay(crm: Crm) -> None:
    open_shop(crm)
    early = crm.firm.today(crm.clock()) - timedelta(days=730)
    status, output = run(crm, "--as-of", early.isoformat())
    assert status == 1
    assert "Not usable:" in output
    assert "too_few_repeat_buyers" in output
    assert "the earlier values stay" in output


def test_an_ambiguous_date_is_refused(crm: Crm) -> None:
    assert run(crm, "--as-of", "03/04/2026")[0] == 2


def test_it_tells_how_far_it_is(crm: Crm) -> None:
    open_shop(crm, 150)
    _, output = run(crm, "--engine", "duckdb")
    assert "0 of 150 customers are valued." in output
    assert "150 of 150 customers are valued." in output


def test_an_engine_that_nobody_knows_is_refused(crm: Crm) -> None:
    status, output = run(crm, "--engine", "abacus")
    assert status == 2
    assert "abacus" in output


def test_a_day_that_is_still_to_come_is_refused_and_values_stay(crm: Crm) -> None:
    """Until then nobody would seem to have bought, and all would seem to have left."""
    open_shop(crm, 150)
    report = score(crm)
    tomorrow = crm.firm.today(crm.clock()) + timedelta(days=1)
    with pytest.raises(DayInTheFuture, match=f"{tomorrow} is still to come"):
        score(crm, as_of=tomorrow)
    with pytest.raises(DayInTheFuture):
        fit_model(crm, "bgnbd", tomorrow)
    with crm.store.read() as tx:
        in_force = tx.value.run_in_force()
    assert in_force is not None
    assert in_force.run_id == report.run.run_id
