"""``rapport firm``: compare, apply and export the catalogue that is in service."""

import json
from pathlib import Path
from typing import Annotated

import typer

from crmcore.crm import Crm
from crmcore.firm import parse_firm
from crmcore.settings import read_settings
from crmcore.usecases.firm import apply_firm, diff_firm, export_firm

app = typer.Typer(help="The firm's catalogue and policies, from firm.yml.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]

File = Annotated[
    Path | None, typer.Argument(help="The firm.yml to read; RAPPORT_FIRM or ./firm.yml unless given.")
]


@app.command()
def diff(context: typer.Context, file: File = None, as_json: AsJson = False) -> None:
    """Show what applying a file would change. Ends with status 1 when it would change something."""
    path, text = _read(file)
    changes = diff_firm(_crm(context).store, text, path.name)
    if as_json:
        typer.echo(json.dumps({"changes": bool(changes), "diff": changes}, indent=2))
    else:
        typer.echo(changes or "Nothing would change.", nl=not changes)
    if changes:
        raise typer.Exit(1)


@app.command()
def apply(context: typer.Context, file: File = None) -> None:
    """Check a file and put it into service as a new version."""
    crm = _crm(context)
    path, text = _read(file)
    applied = apply_firm(crm.store, text, crm.clock(), path.name)
    if not applied.is_new:
        typer.echo(f"Nothing changed: version {applied.version} is this very text.")
        return
    typer.echo(f"Version {applied.version} is in service. Restart Rapport to let it speak.")


@app.command()
def export(context: typer.Context, as_json: AsJson = False) -> None:
    """Print the text in service, comments and all; as JSON what it says, without them."""
    crm = _crm(context)
    text = export_firm(crm.store)
    if as_json:
        typer.echo(json.dumps(parse_firm(text).model_dump(mode="json"), indent=2, ensure_ascii=False))
    else:
        typer.echo(text, nl=False)


def _crm(context: typer.Context) -> Crm:
    crm: Crm = context.obj()
    return crm


def _read(file: Path | None) -> tuple[Path, str]:
    path = file or read_settings().firm
    try:
        return path, path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{path} cannot be read: {error}") from error
