"""``rapport doctor``: what runs, what is missing, what is unsafe, and how to mend each."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from crmcore.doctor import Finding, examine
from crmcore.settings import read_settings
from serve.examination import look

_SIGNS = {"ok": "ok", "warning": "warning", "unsafe": "UNSAFE", "missing": "MISSING"}


def doctor_command(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Look at the installation and change nothing. Ends with status 1 when something is missing or unsafe."""
    findings = examine(look(read_settings()))
    bad = [name for name, finding in findings.items() if finding.verdict in ("missing", "unsafe")]
    if as_json:
        shown = {name: {k: v for k, v in vars(finding).items() if v} for name, finding in findings.items()}
        typer.echo(json.dumps({"healthy": not bad, "checks": shown}, indent=2))
    else:
        _print(findings)
    if bad:
        raise typer.Exit(1)


def _print(findings: dict[str, Finding]) -> None:
    table = Table("Check", "", "What it found, and how to mend it")
    for name, finding in findings.items():
        mend = f"\n-> {finding.mend}" if finding.mend else ""
        table.add_row(name, _SIGNS[finding.verdict], finding.says + mend)
    Console().print(table)
