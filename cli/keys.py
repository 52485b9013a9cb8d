"""``rapport keys``: which other programs may call Rapport, and for what."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from crmcore.api_keys import SCOPES, ApiKey
from crmcore.crm import Crm
from crmcore.usecases.api_keys import create_key, list_keys, revoke_key

app = typer.Typer(
    help="Keys of other programs: the shop's server, a CRM, a chat channel.", no_args_is_help=True
)

Scopes = Annotated[list[str], typer.Option("--scope", help=f"Repeat it; among {', '.join(SCOPES)}.")]


@app.command()
def add(context: typer.Context, name: str, scope: Scopes) -> None:
    """Make a key and print it, once: only its digest is kept."""
    made = create_key(_crm(context), name, scope)
    typer.echo(
        f"{made.key.name} may use {', '.join(made.key.scopes)}. Keep this key; it is not shown again:",
        err=True,
    )
    typer.echo(made.text)


@app.command(name="list")
def list_(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array instead of a table.")] = False,
) -> None:
    """Show every key without its secret, revoked ones too."""
    keys = list_keys(_crm(context))
    if as_json:
        typer.echo(json.dumps([_shown(key) for key in keys], indent=2))
        return
    table = Table(Column("Id", overflow="fold"), "Name", "Scopes", "Made (UTC)", "Last used (UTC)", "State")
    for key in keys:
        used = "never" if key.last_used_at is None else f"{key.last_used_at:%Y-%m-%d %H:%M}"
        state = "in use" if key.revoked_at is None else f"revoked {key.revoked_at:%Y-%m-%d %H:%M}"
        table.add_row(
            key.key_id, key.name, " ".join(key.scopes), f"{key.created_at:%Y-%m-%d %H:%M}", used, state
        )
    Console().print(table)


@app.command()
def revoke(context: typer.Context, name_or_id: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """End a key at once, by its name or id."""
    key = revoke_key(_crm(context), name_or_id)
    typer.echo(f"{key.name} ({key.key_id}) opens nothing any more.")


def _shown(key: ApiKey) -> dict[str, object]:
    moments = {name: getattr(key, name) for name in ("created_at", "revoked_at", "last_used_at")}
    return {"key_id": key.key_id, "name": key.name, "scopes": key.scopes} | {
        name: at and at.isoformat() for name, at in moments.items()
    }


def _crm(context: typer.Context) -> Crm:
    crm: Crm = context.obj()
    return crm
