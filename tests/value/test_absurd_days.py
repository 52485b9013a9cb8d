"""Days that no order can have been placed on are refused in words, by every command that takes a day."""

import pytest
from typer.testing import CliRunner, Result

from cli.value import app
from crmcore.crm import Crm
from crmcore.errors import CrmError
from crmcore.usecases.value_score import score
from tests.value.shop import open_shop

LONG_AGO, LATE = ("0001-01-01", "0001-01-02", "1969-12-31"), ("9999-12-30", "9999-12-31")


def run(crm: Crm, *arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), obj=lambda: crm)


def refusal(result: Result) -> str:
    """What the command line prints after `rapport:` before it ends with status 1."""
    assert isinstance(result.exception, CrmError), (result.output, result.exception)
    return str(result.exception)


@pytest.mark.parametrize("day", LONG_AGO)
@pytest.mark.parametrize("command", [("fit", "--until"), ("score", "--as-of")])
def test_a_day_before_all_orders_is_refused_and_leaves_no_run(
    crm: Crm, command: tuple[str, ...], day: str
) -> None:
    open_shop(crm, 60)
    assert f"no order can be as old as {day}" in refusal(run(crm, *command, day))
    with crm.store.read() as tx:
        assert tx.value.newest_run() is None


@pytest.mark.parametrize("day", [*LONG_AGO, *LATE])
@pytest.mark.parametrize(
    "command",
    [
        ("fit", "--until"),
        ("score", "--as-of"),
        ("backtest", "--horizon", "30", "--until"),
        ("explain", "c00000", "--since"),
        ("explain", "c00000", "--since", "2020-01-01", "--until"),
        ("migration", "--from", "2020-01-01", "--to"),
    ],
)
def test_no_command_breaks_on_a_day_at_the_edge_of_the_calendar(
    crm: Crm, command: tuple[str, ...], day: str
) -> None:
    open_shop(crm, 150)
    score(crm)
    assert refusal(run(crm, *command, day))


@pytest.mark.parametrize("day", LATE)
def test_a_report_of_a_hold_out_beyond_the_calendar_is_refused(crm: Crm, day: str) -> None:
    open_shop(crm, 150)
    assert "not over yet" in refusal(run(crm, "report", "--json", "--horizon", "30", "--until", day))
    assert "choose a day before it" in refusal(run(crm, "report", "--json", "--until", day))


def test_a_report_of_a_hold_out_before_all_orders_says_so_beside_the_values(crm: Crm) -> None:
    open_shop(crm, 150)
    result = run(crm, "report", "--json", "--horizon", "30", "--until", "0001-01-01")
    assert result.exit_code == 0, result.output
    assert "Nobody had bought until 0001-01-01" in result.stdout
