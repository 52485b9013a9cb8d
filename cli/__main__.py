"""Puts the commands together; ``rapport --help`` opens no database."""

import os
import sys
from functools import cache

import typer

from cli import decisions, firm, keys, staff, value, webhooks
from cli.backup import backup_command, restore_command, upgrade_command
from cli.check import check_command
from cli.doctor import doctor_command
from cli.imports import FIELDS_OF_EACH_KIND, import_command
from cli.needs_score import score_needs
from cli.nlu_score import score_understanding
from cli.score import score_command
from cli.understand import understand
from cli.work import work_command
from crmcore.crm import Crm, open_crm
from crmcore.errors import CrmError
from crmcore.settings import ROOT, read_settings

app = typer.Typer(
    name="rapport",
    help="A customer interaction centre: an assistant learns what customers need, and people take over.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def _installation(context: typer.Context) -> None:
    context.obj = _open


@cache
def _open() -> Crm:
    """The installation, opened when a command asks for it."""
    return open_crm(read_settings())


@app.command()
def run(
    demo: bool = typer.Option(False, help="Load the demonstration firm once and show its shop."),
    part: list[str] = typer.Option(
        [], help="Run only this part: gateway, actions, worker or rasa. May be given again; none means all."
    ),
) -> None:
    """Start everything, or some parts of it, and say where it is; Ctrl-C stops it."""
    chosen = [word for name in part for word in ("--part", name)]
    _become("serve", *(["--demo"] if demo else []), *chosen)


@app.command()
def train() -> None:
    """Train the assistant when what it learns from has changed."""
    _become("serve", "--train-only")


app.command("understand")(understand)
app.command("score")(score_command)
app.command("check")(check_command)
app.command("work")(work_command)
app.command("import", epilog=FIELDS_OF_EACH_KIND)(import_command)
app.command("doctor")(doctor_command)
app.command("backup")(backup_command)
app.command("restore")(restore_command)
app.command("upgrade")(upgrade_command)
app.command("score-understanding")(score_understanding)
app.command("score-needs")(score_needs)
app.add_typer(firm.app, name="firm")
app.add_typer(decisions.app, name="decisions")
app.add_typer(staff.app, name="staff")
app.add_typer(value.app, name="value")
app.add_typer(keys.app, name="keys")
app.add_typer(webhooks.app, name="webhooks")


def _become(module: str, *arguments: str) -> None:
    """Replace this process, so that signals reach the program that runs and nothing stands between."""
    sys.stdout.flush()
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606 - no shell is wanted.


def main() -> None:
    try:
        app()
    except CrmError as error:
        typer.echo(f"rapport: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
