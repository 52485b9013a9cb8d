"""``rapport score``: value every customer and give each a tier."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from crmcore.crm import Crm
from crmcore.money import format_money
from crmcore.tiers import TIERS

if TYPE_CHECKING:
    from crmcore.usecases.value_score import ScoreReport


class Engine(StrEnum):
    duckdb = "duckdb"
    postgres = "postgres"
    spark = "spark"


def score_command(
    context: typer.Context,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            "--as-of",
            formats=["%Y-%m-%d"],
            help="Use the orders until the end of this day; the last whole day unless given. Score "
            "several days in their order: the newest scoring is in force.",
        ),
    ] = None,
    engine: Annotated[
        Engine | None,
        typer.Option(
            help="Where to compute: DuckDB here (unless given), the firm's own PostgreSQL, or Spark."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Value every customer and give each a tier. Ends with status 1 when nothing was published."""
    # The engines bring a second of imports along, which no other command need wait for.
    from crmcore.usecases.value_score import score

    crm: Crm = context.obj()
    with _progress(quiet=as_json) as progress:
        report = score(crm, _day(as_of), engine.value if engine else None, progress)
    if as_json:
        typer.echo(json.dumps(_as_json(report), indent=2))
    else:
        _print(report)
    if not report.run.published:
        raise typer.Exit(1)


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, else a line whenever another tenth is written; on standard error."""
    console = Console(stderr=True)
    if quiet:
        yield lambda done, of: None
    elif console.is_terminal:
        columns = (TextColumn("Customers valued"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console) as bar:
            task = bar.add_task("", total=None)
            yield lambda done, of: bar.update(task, completed=done, total=of)
    else:
        told = -1

        def tell(done: int, of: int) -> None:
            nonlocal told
            if (tenth := 10 * done // max(of, 1)) > told:
                told = tenth
                console.print(f"{done} of {of} customers are valued.", highlight=False)

        yield tell


def _day(as_of: datetime | None) -> date | None:
    return None if as_of is None else as_of.date()


def _print(report: "ScoreReport") -> None:
    run = report.run
    for diagnostic in report.diagnostics:
        kind = "Not usable" if diagnostic.blocking else "Note"
        typer.echo(f"{kind}: {diagnostic.message} ({diagnostic.code})")
    if report.total_value is None:
        typer.echo(f"Nothing was published for {run.observed_until}; the earlier values stay as they are.")
        return
    table = Table("Tier", "Customers")
    for tier in TIERS:
        table.add_row(tier, str(report.tiers.get(tier, 0)))
    Console().print(table)
    typer.echo(
        f"{report.customers} customers are worth {format_money(report.total_value, run.currency)} over the "
        f"{run.horizon_days} days after {run.observed_until} ({run.model_version})."
    )
    if report.until_today:
        typer.echo(
            f"{report.until_today} of them had a value of a later day, or news since, and are valued until "
            "today: a scoring of a past day forgets no order."
        )


def _as_json(report: "ScoreReport") -> dict[str, object]:
    run = report.run
    return {
        "run_id": run.run_id,
        "published": run.published,
        "observed_until": run.observed_until.isoformat(),
        "horizon_days": run.horizon_days,
        "model_version": run.model_version,
        "currency": run.currency,
        "customers": report.customers,
        "until_today": report.until_today,
        "tiers": {tier: report.tiers.get(tier, 0) for tier in TIERS},
        "total_value": None if report.total_value is None else str(report.total_value),
        "parameters": dict(run.parameters),
        "diagnostics": [dict(d) for d in run.diagnostics],
    }
