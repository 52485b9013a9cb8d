"""``rapport value backtest``: what a forecast made on a past day would have been worth."""

import csv
import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from crmcore.crm import Crm
from crmcore.usecases.value_backtest import BacktestReport, backtest_firm
from crmcore.value.forecast_choice import why_chosen


def backtest_command(
    context: typer.Context,
    until: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="The last day that the forecast may know.")
    ],
    horizon: Annotated[int, typer.Option(help="How many days after it are forecast and compared.")],
    predictions: Annotated[
        Path | None, typer.Option(help="Write forecast and outcome of every customer to this CSV file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Forecast as of a past day, and compare with what came, beside the closed forms and simple rules."""
    crm: Crm = context.obj()
    report = backtest_firm(crm, until.date(), horizon)
    if predictions is not None:
        _write(predictions, report)
    if as_json:
        typer.echo(json.dumps(_as_json(report, predictions), indent=2))
    else:
        _print(report)
        if predictions is not None:
            typer.echo(f"Every customer's forecast and outcome are in {predictions}.")


def _write(path: Path, report: BacktestReport) -> None:
    result, engine = report.result, report.result.contenders[0]
    columns = (
        result.customer_id, result.frequency.astype(int), engine.purchases, engine.spend,
        result.actual_purchases.astype(int), result.actual_spend,
    )  # fmt: skip
    names = (
        "customer_id", "frequency", "expected_purchases", "expected_spend", "actual_purchases",
        "actual_spend",
    )  # fmt: skip
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(names)
            writer.writerows(zip(*columns, strict=True))
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be written: {error.strerror}") from error


def _as_json(report: BacktestReport, predictions: Path | None) -> dict[str, Any]:
    result = report.result
    return {
        "observed_until": report.until.isoformat(),
        "horizon_days": report.horizon,
        "currency": report.currency,
        "customers": len(result.customer_id),
        "chosen": str(result.forecaster.variant),
        "why": list(why_chosen(result.forecaster.trials)),
        "trials": [
            {"variant": str(t.variant), "loss": t.loss, "losses": list(t.losses)}
            for t in result.forecaster.trials
        ],
        "accuracy": [asdict(measured) for measured in result.measured],
        "differences": [asdict(difference) for difference in result.differences],
        "by_decile": [asdict(cell) for cell in result.by_decile],
        "by_frequency": [asdict(cell) for cell in result.by_frequency],
        "predictions": None if predictions is None else str(predictions),
    }


def _print(report: BacktestReport) -> None:
    result, console = report.result, Console()
    tried = len(result.forecaster.trials)
    how = "the log is too short, or too few had bought again, to compare"
    if tried:
        how = f"chosen among {tried} by how they did on earlier windows of the log"
    typer.echo(f"{len(result.customer_id)} customers, {report.horizon} days after {report.until}.")
    typer.echo(f"The engine used: {result.forecaster.variant} ({how}).")
    for reason in why_chosen(result.forecaster.trials):
        typer.echo(reason)
    for what in ("purchases", "spend") if result.actual_spend.any() else ("purchases",):
        table = Table(what.capitalize(), "Gini", "Best tenth brings", "Total is off by", "Error a customer")
        for measured in result.measured:
            found = getattr(measured, what)
            amounts = (
                (f"{found.total_error:+.1%}", f"{found.rmse:.3f}") if measured.is_forecast else ("-", "-")
            )
            table.add_row(measured.name, f"{found.gini:.3f}", f"{found.top_decile:.1%}", *amounts)
        console.print(table)
    for d in result.differences:
        interval = f"95 %: {d.low:+.4f} to {d.high:+.4f}"
        typer.echo(f"{d.measure}: engine less {d.best_other} {d.difference:+.4f} ({interval})")
