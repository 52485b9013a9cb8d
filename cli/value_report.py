"""``rapport value report``: what forecasts are worth, and customers, on one page."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.plain_json import plain
from cli.report.page import render
from crmcore.crm import Crm
from crmcore.usecases.value_report import value_report

PAGE = Path("value-report.html")


def report_command(
    context: typer.Context,
    out: Annotated[
        Path | None, typer.Option(help=f"Write the page to this file; {PAGE} unless given.")
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="The last day that the forecast of the hold-out may know; the last third of the log is held "
            "out, at most a year, unless given.",
        ),
    ] = None,
    horizon: Annotated[
        int | None,
        typer.Option(help="How many days after it are compared; to the end of the log unless given."),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="The same figures as one JSON object on standard output; a page only with --out."
        ),
    ] = False,
) -> None:
    """Write one HTML page for marketers and analysts: forecast against hold-out, tiers, loyalty, values.

    The page stands alone: it asks no server for anything and needs no script. Nothing is stored.
    """
    crm: Crm = context.obj()
    report = value_report(crm, None if until is None else until.date(), horizon)
    page = out or (None if as_json else PAGE)
    if page is not None:
        try:
            page.write_text(render(report), encoding="utf-8")
        except OSError as error:
            raise typer.BadParameter(f"{page} cannot be written: {error.strerror}") from error
    if as_json:
        typer.echo(json.dumps(plain(report), indent=2, allow_nan=False))
    else:
        typer.echo(f"The report is in {page}; open it with a browser.")
