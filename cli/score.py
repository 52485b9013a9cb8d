"""``rapport score``: value every customer and give each a tier."""

import json
from datetime import date, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from crmcore.crm import Crm
from crmcore.money import format_money
from crmcore.usecases.value import ScoreReport, score


def score_command(
    context: typer.Context,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            "--as-of",
            formats=["%Y-%m-%d"],
            help="Use the orders until the end of this day; the last whole day unless given.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Value every customer and give each a tier. Ends with status 1 when nothing was published."""
    crm: Crm = context.obj()
    report = score(crm, _day(as_of))
    if as_json:
        typer.echo(json.dumps(_as_json(report), indent=2))
    else:
        _print(report)
    if not report.run.published:
        raise typer.Exit(1)


def _day(as_of: datetime | None) -> date | None:
    return None if as_of is None else as_of.date()


def _print(report: ScoreReport) -> None:
    run = report.run
    for diagnostic in report.diagnostics:
        kind = "Not usable" if diagnostic.blocking else "Note"
        typer.echo(f"{kind}: {diagnostic.message} ({diagnostic.code})")
    if report.total_value is None:
        typer.echo(f"Nothing was published for {run.observed_until}; the earlier values stay as they are.")
        return
    table = Table("Tier", "Customers")
    for tier in ("MVC", "MGC", "core", "BZ"):
        table.add_row(tier, str(report.tiers.get(tier, 0)))
    Console().print(table)
    typer.echo(
        f"{report.customers} customers are worth {format_money(report.total_value, run.currency)} over the "
        f"{run.horizon_days} days after {run.observed_until} ({run.model_version})."
    )


def _as_json(report: ScoreReport) -> dict[str, object]:
    run = report.run
    return {
        "run_id": run.run_id,
        "published": run.published,
        "observed_until": run.observed_until.isoformat(),
        "horizon_days": run.horizon_days,
        "model_version": run.model_version,
        "currency": run.currency,
        "customers": report.customers,
        "tiers": dict(report.tiers),
        "total_value": None if report.total_value is None else str(report.total_value),
        "parameters": dict(run.parameters),
        "diagnostics": [dict(d) for d in run.diagnostics],
    }
