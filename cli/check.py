"""``rapport check``: firm.yml and the dialogue, before anything runs."""

import json
from pathlib import Path
from typing import Annotated

import typer

from checks.dialogue import check_dialogue
from crmcore.firm import FirmError, load_firm
from crmcore.settings import ROOT, read_settings

LEAKCHECK = ROOT.parent / "shared" / "eval" / "leakcheck.py"


def check_command(
    leakcheck: Annotated[
        Path | None,
        typer.Option(help="A script that tells whether a text was trained on; a known place unless given."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Check firm.yml and the dialogue together. Ends with status 1 when there is a problem."""
    script = leakcheck or (LEAKCHECK if LEAKCHECK.exists() else None)
    problems = [str(problem) for problem in check_dialogue(ROOT, script)]
    try:
        load_firm(read_settings().firm)
    except FirmError as error:
        problems += error.problems
    if as_json:
        compared = script is not None
        typer.echo(json.dumps({"sound": not problems, "problems": problems, "leakcheck": compared}, indent=2))
        raise typer.Exit(1 if problems else 0)
    for problem in problems:
        typer.echo(problem)
    if script is None:
        typer.echo("not run: the comparison of the training data with evaluation texts (give --leakcheck)")
    if problems:
        typer.echo("1 problem" if len(problems) == 1 else f"{len(problems)} problems")
        raise typer.Exit(1)
    typer.echo("firm.yml and the dialogue are sound")
