"""``rapport value …``: look into the value engine."""

import json
import math
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.score import score_command
from cli.value_backtest import backtest_command
from cli.value_dynamics import (
    answer_command,
    explain_command,
    history_command,
    migration_command,
    simulate_command,
)
from cli.value_report import report_command
from crmcore.crm import Crm
from crmcore.usecases.value_fit import FitReport, fit_model

app = typer.Typer(help="Look into the value engine.", no_args_is_help=True)
app.command("backtest")(backtest_command)
app.command("score")(score_command)
app.command("report")(report_command)
app.command("explain")(explain_command)
app.command("history")(history_command)
app.command("migration")(migration_command)
app.command("simulate")(simulate_command)
app.command("answer")(answer_command)


class ModelName(StrEnum):
    bgnbd = "bgnbd"
    mbgnbd = "mbgnbd"
    pareto_nbd = "pareto_nbd"
    plain_retention = "plain_retention"
    gamma_gamma = "gamma_gamma"
    sbg = "sbg"


class Unit(StrEnum):
    day = "day"
    week = "week"


@app.command("fit")
def fit_command(
    context: typer.Context,
    until: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="Use what happened until the end of this day; the last whole day unless given.",
        ),
    ] = None,
    model: Annotated[ModelName, typer.Option(help="Which model.")] = ModelName.bgnbd,
    time_unit: Annotated[Unit, typer.Option(help="The unit of alpha and beta.")] = Unit.day,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Fit one model to the firm's orders (or contracts) and say what it found. Nothing is stored.

    Ends with status 1 when the fit may not be used; what it found is printed all the same.
    """
    crm: Crm = context.obj()
    report = fit_model(crm, model.value, None if until is None else until.date(), time_unit.value)
    if as_json:
        typer.echo(json.dumps(_as_json(report), indent=2))
    else:
        _print(report)
    if not report.model.publishable_:
        raise typer.Exit(1)


def _as_json(report: FitReport) -> dict[str, object]:
    stored = json.loads(report.model.to_json())
    return {
        **stored,
        "diagnostics": [asdict(d) for d in report.diagnostics],
        "observed_until": report.observed_until.isoformat(),
        "time_unit": report.time_unit,
    }


def _print(report: FitReport) -> None:
    model = report.model
    for diagnostic in report.diagnostics:
        kind = "Not usable" if diagnostic.blocking else "Note"
        typer.echo(f"{kind}: {diagnostic.message} ({diagnostic.code})")
    table = Table("Parameter", "Estimate", "Standard error")
    errors = asdict(model.standard_errors_)
    for name, value in asdict(model.params_).items():
        error = errors[name]
        table.add_row(name, f"{value:.4f}", "unknown" if math.isnan(error) else f"{error:.4f}")
    Console().print(table)
    rows = "contracts" if report.time_unit == "year" else "customers"
    typer.echo(
        f"{model.NAME} until {report.observed_until}, in {report.time_unit}s: log-likelihood "
        f"{model.log_likelihood_:.3f}; {model.n_informative_} of {model.n_customers_} {rows} say something."
    )
